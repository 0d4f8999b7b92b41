"""Rings merged into one story: threads, system calls, and what must not be inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.trace.event_types import Event
from gdb.trace.ring import EVENT, Mark, decode_rings
from gdb.trace.timeline import (
    InFlight,
    Loss,
    SystemCalls,
    Timeline,
    merge,
    pair_system_calls,
    system_calls_in_flight,
)
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

READ, WAIT4, EXIT_GROUP = 63, 260, 94


def timeline_of(
    *cpus: Sequence[tuple[int, int, int]], capacity: int = 64, hz: int | None = 10**9
) -> Timeline:
    """Write each CPU's events (time, type, payload) into its ring, and merge what is decoded."""
    layout = ring_layout(cpus=len(cpus), capacity=capacity)
    writers = [RingWriter(layout=layout, cpu=cpu) for cpu in range(len(cpus))]
    for writer, events in zip(writers, cpus, strict=True):
        writer.emit_all(events)
    return merge(decode_rings(rings_memory(writers), layout), hz)


def switch(time: int, old: int, new: int) -> list[tuple[int, int, int]]:
    """Return what a CPU writes when it changes threads."""
    return [(time, Event.CTX_SWITCH_ENTRY, old << 16 | new), (time + 1, Event.CTX_SWITCH_EXIT, new)]


def spans(calls: SystemCalls) -> list[tuple[int, int, int | None]]:
    """Return thread, number and result of all that was completed."""
    return [
        (int(span["thread"]), int(span["number"]), int(span["result"]) if span["has_result"] else None)
        for span in calls.completed
    ]


def test_events_are_merged_by_time_and_by_cpu_where_times_are_equal() -> None:
    timeline = timeline_of(
        [(10, Event.TIMER_TICK, 1), (30, Event.TIMER_TICK, 2)],
        [(10, Event.TIMER_TICK, 3), (20, Event.TIMER_TICK, 4)],
    )
    assert timeline.events["payload"].tolist() == [1, 3, 4, 2]
    assert timeline.newest == 30


def test_both_numbers_of_an_event_are_merged_into_one() -> None:
    timeline = timeline_of([(10, 0x0010, 5), (20, 0x0200, 6), (30, 0x0011, 7)])
    assert timeline.of_type(Event.SCHED_PICK)["payload"].tolist() == [5, 6]
    assert timeline.of_type(Event.SCHED_RESCHED)["payload"].tolist() == [7]


def test_an_event_belongs_to_the_thread_that_its_cpu_runs() -> None:
    timeline = timeline_of(
        [(10, Event.TIMER_TICK, 0), *switch(20, 4, 5), (30, Event.TIMER_TICK, 0), *switch(40, 5, 6)],
        [(15, Event.TIMER_TICK, 0), (25, Event.CTX_SWITCH_EXIT, 9), (35, Event.TIMER_TICK, 0)],
        [(50, Event.TIMER_TICK, 0)],
    )
    assert timeline.of_cpu(0)["thread"].tolist() == [4, 4, 5, 5, 5, 6]
    assert timeline.of_cpu(1)["thread"].tolist() == [-1, 9, 9]
    assert timeline.of_cpu(2)["thread"].tolist() == [-1]


def test_a_switch_that_ends_one_cpus_events_says_nothing_of_the_next_cpu() -> None:
    timeline = timeline_of([(10, Event.CTX_SWITCH_ENTRY, 4 << 16 | 5)], [(20, Event.TIMER_TICK, 0)])
    assert timeline.events["thread"].tolist() == [4, -1]


def test_the_threads_that_cpus_idle_in_are_found() -> None:
    timeline = timeline_of([(10, Event.TO_IDLE, 0), *switch(11, 5, 2), *switch(20, 2, 5)])
    assert timeline.idle_threads == {2}


def test_slots_that_were_never_written_are_no_events() -> None:
    layout = ring_layout(capacity=64)
    writer = RingWriter(layout=layout)
    writer.emit_all((10 + time, Event.TIMER_TICK, 0) for time in range(20))
    writer.reserve()
    timeline = merge(decode_rings(writer.raw(), layout), None)
    assert (len(timeline.rings[0].events), len(timeline.events)) == (21, 20)


def test_times_are_told_in_nanoseconds_from_the_newest() -> None:
    timeline = timeline_of([(1000, Event.TIMER_TICK, 0), (1625, Event.TIMER_TICK, 0)], hz=62_500_000)
    assert timeline.relative_ns(timeline.events["time"]).tolist() == [-10_000, 0]
    assert timeline.since_ns(1000) == 10_000


def test_without_a_frequency_a_tick_is_told_as_a_nanosecond() -> None:
    assert timeline_of([(1, 2, 0), (5, 2, 0)], hz=None).since_ns(1) == 4
    assert timeline_of([(1, 2, 0), (5, 2, 0)], hz=0).hz is None


def test_what_a_ring_lost_is_told_with_its_windows_start() -> None:
    timeline = timeline_of([(time, Event.TIMER_TICK, 0) for time in range(1, 101)], [(50, 2, 0)])
    assert timeline.losses == (Loss(cpu=0, count=36, window_start=37),)
    assert timeline.window_starts == {0: 37, 1: 50}
    assert [timeline.reaches_back_to(cpu, 20) for cpu in (0, 1, 9)] == [False, True, False]


def test_a_call_without_an_exit_is_in_flight() -> None:
    timeline = timeline_of([*switch(10, 0, 7), (20, Event.SYSCALL_ENTRY, READ), *switch(30, 7, 0)])
    assert system_calls_in_flight(timeline) == (
        InFlight(thread=7, cpu=0, number=READ, entered_at=20, sequence=2),
    )


def test_a_call_that_leaves_on_another_cpu_is_completed() -> None:
    timeline = timeline_of(
        [*switch(10, 0, 7), (20, Event.SYSCALL_ENTRY, READ), *switch(30, 7, 0)],
        [*switch(40, 0, 7), (50, Event.SYSCALL_EXIT, 0xFFFFFFF5)],
    )
    calls = pair_system_calls(timeline)
    assert (spans(calls), calls.in_flight) == ([(7, READ, -11)], ())
    assert (calls.completed["entry_cpu"][0], calls.completed["exit_cpu"][0]) == (0, 1)
    assert (calls.completed["entered_at"][0], calls.completed["left_at"][0]) == (20, 50)


def test_an_exit_ends_with_the_process_and_a_thread_with_its_thread_exit() -> None:
    timeline = timeline_of(
        [
            *switch(10, 0, 7),
            (20, Event.SYSCALL_ENTRY, EXIT_GROUP),
            (30, Event.PROCESS_EXIT, 7 << 16),
            *switch(40, 7, 8),
            (50, Event.SYSCALL_ENTRY, READ),
            *switch(60, 8, 9),
            (70, Event.THREAD_EXIT, 8),
        ]
    )
    calls = pair_system_calls(timeline)
    assert (spans(calls), calls.in_flight) == ([(7, EXIT_GROUP, None), (8, READ, None)], ())


def test_exec_ends_with_the_first_step_in_user_mode_and_any_call_with_the_next() -> None:
    timeline = timeline_of(
        [
            *switch(10, 0, 7),
            (20, Event.SYSCALL_ENTRY, 221),
            (30, Event.TO_USER, 7),
            (40, Event.SYSCALL_ENTRY, READ),
            (50, Event.SYSCALL_ENTRY, WAIT4),
        ]
    )
    calls = pair_system_calls(timeline)
    assert spans(calls) == [(7, 221, None), (7, READ, None)]
    assert [call.number for call in calls.in_flight] == [WAIT4]


def test_a_forked_childs_first_step_leaves_its_parents_call_alone() -> None:
    timeline = timeline_of(
        [*switch(10, 0, 7), (20, Event.SYSCALL_ENTRY, WAIT4), *switch(30, 7, 8), (40, Event.TO_USER, 8)]
    )
    assert [(call.thread, call.number) for call in system_calls_in_flight(timeline)] == [(7, WAIT4)]


def test_a_cpu_that_never_switched_has_one_unknown_thread_whose_calls_pair() -> None:
    polling = [(Event.SYSCALL_ENTRY, READ), (Event.SYSCALL_EXIT, 0xFFFFFFF5)] * 3
    timeline = timeline_of(
        [(10 + at, kind, payload) for at, (kind, payload) in enumerate(polling)],
        [(12, Event.SYSCALL_ENTRY, WAIT4)],
    )
    calls = pair_system_calls(timeline)
    assert spans(calls) == [(-1, READ, -11)] * 3
    assert [(call.thread, call.cpu, call.number) for call in calls.in_flight] == [(-1, 1, WAIT4)]


def test_a_call_is_only_doubtful_where_another_cpu_may_have_forgotten_its_exit() -> None:
    blocked = [*switch(10, 0, 7), (20, Event.SYSCALL_ENTRY, READ), *switch(30, 7, 0)]
    timeline = timeline_of(blocked, [(time, Event.TIMER_TICK, 0) for time in range(5, 200)])
    calls = pair_system_calls(timeline)
    assert calls.in_flight == ()
    assert [call.thread for call in calls.doubtful] == [7]


def test_a_thread_that_never_left_its_cpu_is_in_flight_whatever_others_have_forgotten() -> None:
    running = [*switch(10, 0, 7), (20, Event.SYSCALL_ENTRY, READ), (300, Event.TIMER_TICK, 0)]
    timeline = timeline_of(running, [(time, Event.TIMER_TICK, 0) for time in range(5, 200)])
    assert [call.thread for call in system_calls_in_flight(timeline)] == [7]


def test_an_exit_without_an_entry_is_no_call() -> None:
    calls = pair_system_calls(timeline_of([(10, Event.SYSCALL_EXIT, 0)]))
    assert (len(calls.completed), calls.in_flight, calls.doubtful) == (0, (), ())


def test_no_events_make_an_empty_timeline() -> None:
    timeline = timeline_of([], [])
    assert (len(timeline.events), timeline.newest, timeline.window_starts, timeline.idle_threads) == (
        0,
        0,
        {},
        frozenset(),
    )
    assert system_calls_in_flight(timeline) == ()


KINDS = st.sampled_from([*Event]) | st.integers(0, 0xFFFF)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 1 << 64), KINDS, st.integers(0, 0xFFFFFFFF)), max_size=40),
        min_size=1,
        max_size=4,
    ),
    st.none() | st.integers(-1, 1 << 64),
)
def test_any_events_make_a_timeline(cpus: list[list[tuple[int, int, int]]], hz: int | None) -> None:
    timeline = timeline_of(*cpus, capacity=24, hz=hz)
    assert (np.diff(timeline.events["time"].astype(np.int64)) >= 0).all()
    assert (timeline.relative_ns(timeline.events["time"]) <= 0).all()
    assert not (timeline.events["marks"] & (Mark.UNCOMMITTED | Mark.BAD_TIME)).any()
    assert set(timeline.events.dtype.names or ()) == {*(EVENT.names or ()), "thread"}
    calls = pair_system_calls(timeline)
    entries = len(timeline.of_type(Event.SYSCALL_ENTRY))
    assert len(calls.completed) + len(calls.in_flight) + len(calls.doubtful) <= entries
    assert (calls.completed["left_at"] >= calls.completed["entered_at"]).all()
