from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace
from typer.testing import CliRunner, Result

from parity.cli.app import application
from tests.support.duet import kernel
from tests.support.stuck import HARMFUL, HOSTILE, make_hostile, parity, stuck

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.stuck import Stuck

__all__ = ["kernel", "stuck"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(180)]


@pytest.fixture
def trace(stuck: Stuck) -> Callable[..., Result]:
    """Run `parity trace ARGUMENTS...` in the stuck project."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(application, ["--config", str(stuck.file), "trace", *arguments])

    return run


@pytest.fixture
def events(trace: Callable[..., Result]) -> Callable[..., list[dict[str, Any]]]:
    """Return the events that `--json` gives with these options."""

    def read(*arguments: str) -> list[dict[str, Any]]:
        found = trace("--json", *arguments)
        assert found.exit_code == 0, found.output
        return list(json.loads(found.stdout)["events"])

    return read


@pytest.mark.parametrize("what", ["newest", "test", "attempt", "folder"])
def test_a_trace_is_found_as_a_diagnosis_is(stuck: Stuck, trace: Callable[..., Result], what: str) -> None:
    words = {"newest": (), "test": ("cat_test",), "attempt": ("1",), "folder": (str(stuck.capture),)}[what]
    found = trace(*words)
    assert found.exit_code == 0
    assert "SYSCALL_ENTRY" in found.output
    assert "TIMER_TICK" in found.output


def test_json_has_every_event_in_order_and_each_cpus_window(trace: Callable[..., Result]) -> None:
    found = json.loads(trace("--json").stdout)
    times = [event["time_ns"] for event in found["events"]]
    assert times == sorted(times)
    assert times[-1] == 0
    assert found["hz"] > 1e6
    for cpu in found["cpus"]:
        kept = sum(event["cpu"] == cpu["cpu"] for event in found["events"])
        assert kept + cpu["lost"] == cpu["written"]


def test_each_filter_keeps_what_it_says_and_nothing_else(
    events: Callable[..., list[dict[str, Any]]],
) -> None:
    every = events()
    assert events("--cpu", "1") == [event for event in every if event["cpu"] == 1]
    assert events("--cpu", "0", "--cpu", "2") == [event for event in every if event["cpu"] in (0, 2)]
    assert events("--thread", "3") == [event for event in every if event["thread"] == 3] != []
    assert {event["type"] for event in events("--provider", "syscall")} == {"SYSCALL_ENTRY", "SYSCALL_EXIT"}
    assert {event["type"] for event in events("--event", "syscall_entry")} == {"SYSCALL_ENTRY"}
    assert events("--since", "500ms") == [event for event in every if event["time_ns"] >= -500_000_000]
    assert events("--until", "0.5s") == [event for event in every if event["time_ns"] <= -500_000_000]
    assert events("--last", "5") == every[-5:]
    assert (
        events("--cpu", "1", "--event", "TIMER_TICK", "--last", "2")
        == [event for event in every if (event["cpu"], event["type"]) == (1, "TIMER_TICK")][-2:]
    )


def test_text_shows_the_events_that_json_does(
    trace: Callable[..., Result], events: Callable[..., list[dict[str, Any]]]
) -> None:
    lines = trace("--provider", "syscall").output.splitlines()
    shown = [line for line in lines if "SYSCALL_" in line]
    assert len(shown) == len(events("--provider", "syscall"))
    assert len(trace("--last", "4").output.splitlines()) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--provider", "nobody"), "nobody"),
        (("--event", "NO_SUCH_EVENT"), "NO_SUCH_EVENT"),
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--until", "5"), "'5' is no time"),
        (("no_such_test",), "no_such_test"),
        (("./nowhere",), "is no capture"),
        (("--cpu", "-1"), "--cpu"),
        (("--perfetto", "/nowhere/trace"), "/nowhere/trace: cannot be written: No such file or directory"),
        (("--html", "/"), "/: cannot be written: Is a directory"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error_in_plain_words(
    stuck: Stuck, words: tuple[str, ...], said: str
) -> None:
    found = parity(stuck.file, "trace", *words)
    assert found.returncode == 2
    assert said in found.stderr.replace("\n", " ")
    assert "Traceback" not in found.stderr


def test_a_sound_trace_validates_and_says_what_was_checked(trace: Callable[..., Result]) -> None:
    found = trace("--validate")
    assert found.exit_code == 0, found.output
    assert "failed" not in found.output
    assert re.search(r"^CPU .*written +overwritten$", found.output, re.MULTILINE)
    said = json.loads(trace("--validate", "--json").stdout)
    assert {check["standing"] for check in said["checks"]} <= {"passed", "not-applicable"}
    assert [row["CPU"] for row in said["events"]] == ["0", "1", "2", "3"]


def test_a_damaged_trace_fails_its_validation_and_ends_with_one(
    stuck: Stuck, trace: Callable[..., Result], tmp_path: Path
) -> None:
    copied = stuck.copy_capture(tmp_path, lambda _found: None)
    found = json.loads((copied / "capture.json").read_text())
    rings = found["layout"]["rings"]
    for file in (copied / "memory").glob("*.bin"):
        start = rings["address"] - int(file.stem, 16)
        content = bytearray(file.read_bytes())
        if 0 <= start < len(content):
            first = start + rings["entries"]
            cpu = rings["event"]["cpu"]["offset"]
            for slot in range(20):
                content[first + slot * rings["event"]["size"] + cpu] = 9  # another CPU's events
            file.write_bytes(content)
    checked = trace(str(copied), "--validate")
    assert checked.exit_code == 1, checked.output
    assert "failed" in checked.output


def test_perfetto_gets_a_trace_that_its_own_reader_takes(
    trace: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "trace.perfetto"
    found = trace("--perfetto", str(file))
    assert found.exit_code == 0
    assert found.stdout == ""
    assert f"wrote {file}" in found.stderr.replace("\n", "")
    packets = Trace.FromString(file.read_bytes()).packet
    assert len(packets) > 100
    assert any(packet.HasField("track_descriptor") for packet in packets)


def test_a_page_needs_nothing_else(stuck: Stuck, trace: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "trace.html"
    assert trace("--html", str(file)).exit_code == 0
    page = file.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "cat_test on aarch64" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    hostile = stuck.copy_capture(tmp_path, lambda found: found["subject"].update(test="<script>x</script>"))
    assert trace(str(hostile), "--html", str(file)).exit_code == 0
    assert "<script>x" not in file.read_text()


@pytest.mark.parametrize("options", [(), ("--json",), ("--validate",), ("--validate", "--json")])
def test_hostile_text_never_reaches_the_output_as_it_is(
    stuck: Stuck, trace: Callable[..., Result], tmp_path: Path, options: tuple[str, ...]
) -> None:
    found = trace(str(stuck.copy_capture(tmp_path, make_hostile)), *options)
    assert found.exit_code in (0, 1), found.output
    assert HARMFUL.findall(found.output) == []
    assert HOSTILE not in found.output


def test_a_capture_without_a_trace_says_what_was_missing(stuck: Stuck, tmp_path: Path) -> None:
    def without(found: dict[str, Any]) -> None:
        found |= {"layout": None, "missing": ["the trace: no symbol is called TRACE_BUFFERS\x1b[2J"]}

    found = parity(stuck.file, "trace", str(stuck.copy_capture(tmp_path, without)))
    assert found.returncode == 2
    assert "it has no trace: the trace: no symbol is called TRACE_BUFFERS\\x1b[2J" in found.stderr
    assert "\x1b" not in found.stderr


def test_help_tells_its_options_and_exit_statuses() -> None:
    found = CliRunner().invoke(application, ["trace", "--help"], env={"COLUMNS": "200"})
    words = " ".join(found.output.split())
    assert found.exit_code == 0
    assert "0, or 1 when --validate finds a fault" in words
    options = (
        "--cpu",
        "--thread",
        "--provider",
        "--event",
        "--since",
        "--until",
        "--last",
        "--perfetto",
        "--html",
    )
    assert all(option in words for option in options)
