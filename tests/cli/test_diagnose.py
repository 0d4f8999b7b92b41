from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from parity.cli.app import application
from parity.cli.diagnosis_page import show_diagnosis
from parity.configuration import load_configuration
from parity.flow.hang.diagnose import examine
from tests.support.duet import ROOT, kernel
from tests.support.stuck import ARCH, HARMFUL, make_hostile, parity, stuck

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.stuck import Stuck

__all__ = ["kernel", "stuck"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(180)]


@pytest.fixture
def diagnose(stuck: Stuck) -> Callable[..., Result]:
    """Run `parity diagnose ARGUMENTS...` in the stuck project."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(application, ["--config", str(stuck.file), "diagnose", *arguments])

    return run


@pytest.mark.parametrize("what", ["newest", "test", "attempt", "folder", "target"])
def test_a_capture_is_found_by_test_by_attempt_by_folder_and_as_the_newest(
    stuck: Stuck, diagnose: Callable[..., Result], what: str
) -> None:
    words: dict[str, tuple[str, ...]] = {
        "newest": (),
        "test": ("cat_test",),
        "attempt": ("1",),
        "folder": (str(stuck.capture),),
        "target": ("cat_test", "--target", ARCH),
    }
    found = diagnose(*words[what])
    assert found.exit_code == 0, found.output
    assert f"cat_test on {ARCH}" in found.output
    assert "self deadlock, high confidence" in found.output
    assert ("(attempt 1)" in found.output) is (what != "folder")


def test_the_page_has_everything_in_order(diagnose: Callable[..., Result]) -> None:
    lines = diagnose().output.splitlines()
    titles = ["evidence", "CPU  state", "last 20 events of", "thread  name", "capture: "]
    places = [next(n for n, line in enumerate(lines) if line.startswith(title)) for title in titles]
    assert places == sorted(places)
    assert any(line.startswith("CPU ") and line.split()[1:2] == ["0"] for line in lines) or any(
        re.fullmatch(r"CPU \d+", line) for line in lines
    )
    assert any("spin_lock" in line and line.lstrip().startswith("#") for line in lines)
    assert "the guest stood still for" in lines[-1]


def test_events_and_frames_are_as_many_as_wanted(diagnose: Callable[..., Result]) -> None:
    few = diagnose("--events", "3", "--frames", "1").output
    assert "last 3 events of" in few
    assert "#0 " in few
    assert "#1 " not in few
    none = diagnose("--events", "0", "--frames", "0").output
    assert "events of" not in none
    assert "#0 " not in none


def test_json_is_one_object_and_complete(stuck: Stuck, diagnose: Callable[..., Result]) -> None:
    found: dict[str, Any] = json.loads(diagnose("--json", "--events", "7").stdout)
    assert (found["test"], found["target"], found["attempt"]) == ("cat_test", ARCH, 1)
    assert (found["cause"], found["confidence"]) == ("self-deadlock", "high")
    assert found["sentence"]
    assert found["evidence"]
    assert found["signature"].startswith("self-deadlock | ")
    assert [cpu["cpu"] for cpu in found["cpus"]] == [0, 1, 2, 3]
    assert any(frame["function"] == "spin_lock" for cpu in found["cpus"] for frame in cpu["frames"])
    assert {thread["name"] for thread in found["threads"]} >= {"init", "sh", "cat_test"}
    assert [lock["held"] for lock in found["locks"]] == [True]
    assert len(found["events"]) == 7
    assert found["events"][-1]["time_ns"] == 0
    assert found["capture"] == str(stuck.capture)
    assert found["pause_s"] > 0


def test_the_page_and_the_json_say_the_same(diagnose: Callable[..., Result]) -> None:
    page, found = diagnose().output, json.loads(diagnose("--json").stdout)
    assert found["sentence"] in page
    assert all(line in page for line in found["evidence"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no_such_test",), "no_such_test"),
        (("cat_tset",), "did you mean cat_test"),
        (("fork_test",), "fork_test was never run"),
        (("cat_test", "--target", "x86_64"), "cat_test was never run on x86_64"),
        (("cat_test", "--target", "mips"), "mips"),
        (("999",), "999"),
        (("./nowhere",), "is no capture: capture.json cannot be read"),
        (("--live",), "--live needs a test"),
        (("--live", "cat_test", "--target", f"linux-{ARCH}"), "cannot be looked into"),
        (("--events", "-1"), "--events"),
    ],
)
def test_what_is_not_there_is_a_usage_error_in_plain_words(
    stuck: Stuck, words: tuple[str, ...], said: str
) -> None:
    found = parity(stuck.file, "diagnose", *words)
    assert found.returncode == 2
    assert said in found.stderr.replace("\n", " ")
    assert "Traceback" not in found.stderr
    assert found.stdout == ""


def test_a_folder_that_is_no_capture_is_told_by_its_file(stuck: Stuck, tmp_path: Path) -> None:
    (tmp_path / "capture.json").write_text("{")
    found = parity(stuck.file, "diagnose", str(tmp_path))
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
    assert "capture.json: it is not what `parity run` writes" in found.stderr


def test_a_cause_that_is_not_known_ends_with_one(
    stuck: Stuck, diagnose: Callable[..., Result], tmp_path: Path
) -> None:
    def empty(found: dict[str, Any]) -> None:
        found |= {"samples": [], "progress": [], "cpus": [], "innermost": [], "threads": [], "locks": []}
        found |= {"layout": None, "counters": [], "qemu_states": [], "queue_length": None}

    found = diagnose(str(stuck.copy_capture(tmp_path, empty)))
    assert found.exit_code == 1
    assert "unknown, low confidence" in found.output


@pytest.mark.parametrize("options", [(), ("--json",), ("--frames", "64", "--events", "10000")])
def test_hostile_text_never_reaches_the_output_as_it_is(
    stuck: Stuck, diagnose: Callable[..., Result], tmp_path: Path, options: tuple[str, ...]
) -> None:
    found = diagnose(str(stuck.copy_capture(tmp_path, make_hostile)), *options)
    assert found.exit_code in (0, 1), found.output
    assert "evil" in found.output
    assert HARMFUL.findall(found.output) == []


def test_nor_does_it_on_a_terminal_with_colours(stuck: Stuck, tmp_path: Path) -> None:
    examined = examine(load_configuration(stuck.file), stuck.copy_capture(tmp_path, make_hostile))
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200, highlight=False)
    show_diagnosis(console, examined, events=1000, frames=64)
    styles = re.compile(r"\x1b\[[0-9;]*m")
    assert styles.search(out.getvalue())
    assert HARMFUL.findall(styles.sub("", out.getvalue())) == []


def test_a_capture_that_is_gone_is_told(stuck: Stuck, tmp_path: Path) -> None:
    found = parity(stuck.file, "diagnose", str(tmp_path / "gone"))
    assert found.returncode == 2
    assert "is no capture" in found.stderr


def live(folder: Path, append: str) -> Path:
    """Write a project in which duet boots with these words."""
    (folder / "kernel").symlink_to(ROOT / "kernel")
    text = (ROOT / "parity.toml").read_text()
    text = text.replace("[defaults]\n", f'[defaults]\nappend = "{append}"\n', 1)
    (folder / "parity.toml").write_text(text.replace("quiet_s = 5", "quiet_s = 2"))
    return folder / "parity.toml"


@pytest.mark.usefixtures("kernel")
def test_live_runs_a_hanging_test_and_diagnoses_it(tmp_path: Path) -> None:
    file = live(tmp_path, "defect=self-deadlock")
    words = ("diagnose", "--live", "cat_test", "--target", "x86_64", "--timeout", "3", "--no-build", "--json")
    found = parity(file, *words)
    assert (found.returncode, found.stderr) == (0, "")
    said = json.loads(found.stdout)
    assert (said["cause"], said["attempt"]) == ("self-deadlock", 1)
    again = parity(file, "diagnose", "cat_test", "--json")
    assert json.loads(again.stdout)["sentence"] == said["sentence"]


@pytest.mark.usefixtures("kernel")
def test_live_on_a_test_that_passes_says_so_and_ends_with_one(tmp_path: Path) -> None:
    file = live(tmp_path, "")
    found = parity(file, "diagnose", "--live", "true_test", "--target", "aarch64", "--no-build")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("true_test on aarch64: pass: ")


def test_help_tells_the_exit_statuses() -> None:
    found = CliRunner().invoke(application, ["diagnose", "--help"], env={"COLUMNS": "200"})
    assert found.exit_code == 0
    assert "0 it was diagnosed, 1 the cause is not known" in " ".join(found.output.split())
    assert all(option in found.output for option in ("--live", "--json", "--events", "--frames", "--target"))
