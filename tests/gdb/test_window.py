"""What went on between the two progress samples."""

from __future__ import annotations

from gdb.captures.capture import Progress
from gdb.evidence.evidence import read_evidence
from gdb.evidence.window import Count, Window
from gdb.trace.counters import Counter
from gdb.trace.event_types import Event
from parity.configuration import HangRules
from tests.support.captures import capture, idle


def _progress(at_s: float, *per_cpu: int, name: str = "TIMER_TICK_TOTAL", written: int = 0) -> Progress:
    counter = Counter(name=name, address=0, per_cpu=per_cpu)
    return Progress(at_s=at_s, counters=(counter,), write_indices=(written,), host=())


def test_a_counter_tells_what_happened_meanwhile() -> None:
    window = Window.between((_progress(0.0, 10, 5), _progress(2.0, 30, 5)), None)
    assert (window.seconds, window.count(Count.TICKS, 0), window.count(Count.TICKS, 1)) == (2.0, 20, 0)
    assert window.total(Count.TICKS) == 20


def test_what_is_not_counted_is_unknown_and_not_zero() -> None:
    window = Window.between((_progress(0.0, 1), _progress(1.0, 2)), None)
    assert window.count(Count.SYSTEM_CALLS, 0) is None
    assert window.total(Count.SYSTEM_CALLS) is None
    assert window.count(Count.TICKS, 7) is None


def test_a_counter_that_wraps_counts_on() -> None:
    window = Window.between((_progress(0.0, 2**64 - 1), _progress(1.0, 1)), None)
    assert window.count(Count.TICKS, 0) == 2


def test_one_sample_tells_nothing() -> None:
    assert Window.between((_progress(0.0, 1),), None) == Window()


def test_a_counter_that_never_moved_never_ticked() -> None:
    window = Window.between((_progress(0.0, 5, 0), _progress(1.0, 5, 0)), None)
    assert [window.has_ever(Count.TICKS, cpu) for cpu in (0, 1, 2)] == [True, False, None]


def test_events_are_counted_though_the_ring_has_written_them_over() -> None:
    window = Window.between((_progress(0.0, 0, written=10), _progress(1.0, 0, written=90_010)), None)
    assert window.events == {0: 90_000}


def test_events_stand_in_for_a_counter_from_the_window_alone() -> None:
    found = capture(
        idle(ticks=None, calls=None, switches=None),
        before=[(0, Event.SYSCALL_ENTRY, 1)] * 3,
        events=[(0, Event.SYSCALL_ENTRY, 1)] * 4,
    )
    window = read_evidence(found, HangRules()).window
    assert window.count(Count.SYSTEM_CALLS, 0) == 4
    assert window.count(Count.FAULTS, 0) is None
