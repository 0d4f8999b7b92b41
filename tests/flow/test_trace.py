from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from parity.configuration import load_configuration
from parity.errors import UnknownNameError, UsageError
from parity.flow.hang.diagnose import examine
from parity.flow.hang.trace import (
    Wanted,
    count_events,
    describe_events,
    render_page,
    render_perfetto,
    trace_lines,
    validate,
)
from tests.support.duet import kernel
from tests.support.stuck import stuck

if TYPE_CHECKING:
    from pathlib import Path

    from parity.flow.hang.diagnose import Examined
    from tests.support.stuck import Stuck

__all__ = ["kernel", "stuck"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(180)]


@pytest.fixture
def examined(stuck: Stuck) -> Examined:
    return examine(load_configuration(stuck.file), stuck.capture)


def read(examined: Examined, wanted: Wanted) -> list[dict[str, Any]]:
    events = describe_events(examined, wanted)["events"]
    assert isinstance(events, list)
    return events


@pytest.mark.parametrize(
    ("text", "nanoseconds"), [("250ms", 250e6), ("0.25s", 250e6), ("-250 ms", 250e6), ("250000us", 250e6)]
)
def test_a_time_is_before_the_end_in_whatever_unit(examined: Examined, text: str, nanoseconds: float) -> None:
    every = read(examined, Wanted())
    kept = [event for event in every if event["time_ns"] >= -nanoseconds]
    assert read(examined, Wanted(since=text)) == kept
    assert 0 < len(kept) < len(every)


@pytest.mark.parametrize("text", ["", "5", "ms", "1e9s", "5 minutes", "nan s", "9" * 40 + "s", "\x1b[2Jms"])
def test_what_is_no_time_is_refused(examined: Examined, text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        list(trace_lines(examined, Wanted(since=text)))


def test_a_provider_is_a_name_or_a_number(examined: Examined) -> None:
    by_name = read(examined, Wanted(providers=("SysCall",)))
    assert by_name == read(examined, Wanted(providers=("0x03",))) == read(examined, Wanted(providers=("3",)))
    assert by_name
    for name in ("nobody", "0x100", "256", "-1", "", "0xzz"):
        with pytest.raises(UnknownNameError):
            read(examined, Wanted(providers=(name,)))


def test_an_unknown_event_offers_the_nearest(examined: Examined) -> None:
    with pytest.raises(UnknownNameError) as caught:
        read(examined, Wanted(types=("SYSCAL_ENTRY",)))
    assert "SYSCALL_ENTRY" in str(caught.value.hint)


def test_nothing_that_matches_is_an_empty_trace(examined: Examined) -> None:
    assert read(examined, Wanted(cpus=(99,))) == []
    assert read(examined, Wanted(threads=(65_000,))) == []
    assert render_perfetto(examined, Wanted(cpus=(99,)))
    assert render_page(examined, Wanted(cpus=(99,)))


def test_counts_are_those_of_the_events(examined: Examined) -> None:
    header, rows = count_events(examined)
    assert header[0] == "CPU"
    assert header[-2:] == ("written", "overwritten")
    counted = sum(int(number) for row in rows for number in row[1:-2])
    assert counted == len(read(examined, Wanted()))


def test_the_sample_kernels_trace_is_sound(examined: Examined) -> None:
    assert {check.standing for check in validate(examined)} <= {"passed", "not-applicable"}


def test_a_capture_without_rings_is_told(stuck: Stuck, tmp_path: Path) -> None:
    copied = stuck.copy_capture(tmp_path, lambda found: found.update(layout=None, missing=[]))
    examined = examine(load_configuration(stuck.file), copied)
    with pytest.raises(UsageError, match="the kernel has no trace rings that are known") as caught:
        list(trace_lines(examined, Wanted()))
    assert caught.value.hint == "`hang.symbols` in parity.toml names the rings"
