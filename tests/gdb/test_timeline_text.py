"""A timeline as text, whole and in part."""

from __future__ import annotations

import pytest

from gdb.trace.event_types import Event, Names, event_types
from gdb.trace.ring import decode_rings
from gdb.trace.timeline import Timeline, merge
from gdb.trace.timeline_text import TimelineFilter, choose, format_moment, format_timeline
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory

TYPES = event_types()
NAMES = Names(architecture="aarch64", locks={3: "tree"}, threads={7: "evil\x1b[2J"})


def timeline(*, hz: int | None = 10**9, ticks: int = 0) -> Timeline:
    """Two CPUs: one reads and takes a lock, one ticks, `ticks` of them long before."""
    layout = ring_layout(cpus=2, capacity=32)
    first, second = RingWriter(layout=layout), RingWriter(layout=layout, cpu=1)
    first.emit_all(
        [
            (1_000_000, Event.CTX_SWITCH_EXIT, 7),
            (2_000_000, Event.SYSCALL_ENTRY, 63),
            (2_500_000, Event.LOCK_CONTEND, 3),
            (3_000_000, Event.SYSCALL_EXIT, 0xFFFFFFF5),
        ]
    )
    second.emit_all((100 + number, Event.TIMER_TICK, number) for number in range(ticks))
    second.emit_all([(2_200_000, Event.TIMER_TICK, 99), (2_100_000, Event.IRQ_ENTRY, 5)])
    second.emit_all((2_999_990 + number, Event.TIMER_TICK, 100) for number in range(10))
    return merge(decode_rings(rings_memory([first, second]), layout, known_types=TYPES.known), hz)


def lines(wanted: TimelineFilter | None = None, **options: int | None) -> list[str]:
    return [
        " ".join(line.split())
        for line in format_timeline(timeline(**options), TYPES, NAMES, wanted or TimelineFilter())  # type: ignore[arg-type]
    ]


def test_an_event_is_told_with_its_time_before_the_end_cpu_thread_and_payload_in_words() -> None:
    text = lines(TimelineFilter(cpus=frozenset({0})))
    assert text == [
        "-2.000 ms CPU 0 window starts",
        r"-2.000 ms CPU 0 7 (evil\x1b[2J) CTX_SWITCH_EXIT thread 7 (evil\x1b[2J)",
        r"-1.000 ms CPU 0 7 (evil\x1b[2J) SYSCALL_ENTRY read",
        r"-500.000 µs CPU 0 7 (evil\x1b[2J) LOCK_CONTEND lock tree",
        r"0.000 µs CPU 0 7 (evil\x1b[2J) SYSCALL_EXIT -EAGAIN",
    ]


def test_an_event_that_is_doubtful_says_so() -> None:
    assert [line for line in lines() if "nested" in line] == [
        "-900.000 µs CPU 1 - IRQ_ENTRY interrupt 5 [nested]"
    ]


def test_what_was_lost_is_told_where_the_cpus_window_starts() -> None:
    text = lines(ticks=100)
    at = next(index for index, line in enumerate(text) if "LOST" in line)
    assert text[at] == "-3.000 ms CPU 1 LOST 80, window starts"
    assert text[at + 1].startswith("-3.000 ms CPU 1")


def test_without_a_frequency_times_are_ticks_and_that_is_said() -> None:
    text = lines(TimelineFilter(types=frozenset({Event.LOCK_CONTEND})), hz=None)
    assert text[0].startswith("times are in ticks")
    assert next(line for line in text if "LOCK" in line).startswith("-500,000 CPU 0")


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (TimelineFilter(), 16),
        (TimelineFilter(cpus=frozenset({1})), 12),
        (TimelineFilter(threads=frozenset({7})), 4),
        (TimelineFilter(threads=frozenset({70000})), 0),
        (TimelineFilter(providers=frozenset({3, 5})), 3),
        (TimelineFilter(types=frozenset({Event.TIMER_TICK})), 11),
        (TimelineFilter(since_ns=-500_000), 12),
        (TimelineFilter(until_ns=-500_000), 5),
        (TimelineFilter(since_ns=-1_000_000, until_ns=-500_000, cpus=frozenset({0})), 2),
        (TimelineFilter(since_ns=1), 0),
    ],
)
def test_a_filter_chooses_by_cpu_thread_provider_type_and_time(wanted: TimelineFilter, count: int) -> None:
    assert int(choose(timeline(), wanted).sum()) == count


def test_a_filter_of_no_events_chooses_none() -> None:
    empty = merge((), None)
    assert len(choose(empty, TimelineFilter(since_ns=-5, cpus=frozenset({1})))) == 0
    assert list(format_timeline(empty, TYPES)) == [
        "times are in ticks: the kernel does not say how many make a second"
    ]


def test_moments_change_from_microseconds_to_milliseconds() -> None:
    assert [format_moment(ns, 1) for ns in (0, -1500, -999_999, -1_000_000, -2_500_000_000)] == [
        "0.000 µs",
        "-1.500 µs",
        "-999.999 µs",
        "-1.000 ms",
        "-2,500.000 ms",
    ]
