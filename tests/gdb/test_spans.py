"""What lasts: threads on CPUs, and system calls."""

from __future__ import annotations

from gdb.trace.event_types import Event
from gdb.trace.ring import decode_rings
from gdb.trace.spans import CallState, call_spans, running_spans
from gdb.trace.timeline import Timeline, merge
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory


def timeline_of(*cpus: list[tuple[int, int, int]]) -> Timeline:
    layout = ring_layout(cpus=len(cpus), capacity=32)
    writers = [RingWriter(layout=layout, cpu=cpu) for cpu in range(len(cpus))]
    for writer, events in zip(writers, cpus, strict=True):
        writer.emit_all(events)
    return merge(decode_rings(rings_memory(writers), layout), None)


STORY = timeline_of(
    [
        (10, Event.CTX_SWITCH_ENTRY, 0 << 16 | 7),
        (11, Event.CTX_SWITCH_EXIT, 7),
        (20, Event.SYSCALL_ENTRY, 63),
        (25, Event.SYSCALL_EXIT, 3),
        (30, Event.SYSCALL_ENTRY, 260),
        (40, Event.CTX_SWITCH_ENTRY, 7 << 16 | 0),
        (41, Event.CTX_SWITCH_EXIT, 0),
    ],
    [(15, Event.SYSCALL_ENTRY, 94), (50, Event.PROCESS_EXIT, 8 << 16), (90, Event.TIMER_TICK, 1)],
)


def test_a_cpus_spans_follow_one_another_up_to_the_newest_event() -> None:
    assert running_spans(STORY).tolist() == [(10, 11, 0, 0), (11, 41, 0, 7), (41, 90, 0, 0), (15, 90, 1, -1)]


def test_calls_last_to_their_end_or_to_the_newest_event() -> None:
    found = [
        (call.track, call.number, call.start, call.end, call.result, call.state) for call in call_spans(STORY)
    ]
    assert found == [
        (-2, 94, 15, 50, None, CallState.ENDED),
        (7, 63, 20, 25, 3, CallState.COMPLETED),
        (7, 260, 30, 90, None, CallState.UNFINISHED),
    ]


def test_an_empty_timeline_has_no_spans() -> None:
    assert len(running_spans(timeline_of([]))) == len(call_spans(timeline_of([]))) == 0
