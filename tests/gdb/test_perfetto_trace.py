"""The trace file for Perfetto, read back."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

from gdb.trace.counters import Counter
from gdb.trace.event_types import Event, Names, event_types
from gdb.trace.perfetto_trace import CounterReading, perfetto_trace
from gdb.trace.ring import decode_rings
from gdb.trace.timeline import Timeline, merge
from gdb.trace.timeline_text import TimelineFilter
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory

TYPES = event_types()
NAMES = Names(architecture="aarch64", threads={7: "sh"})


def timeline_of(
    *cpus: list[tuple[int, int, int]], hz: int | None = 1_000_000, capacity: int = 64
) -> Timeline:
    layout = ring_layout(cpus=len(cpus), capacity=capacity)
    writers = [RingWriter(layout=layout, cpu=cpu) for cpu in range(len(cpus))]
    for writer, events in zip(writers, cpus, strict=True):
        writer.emit_all(events)
    return merge(decode_rings(rings_memory(writers), layout), hz)


def story(hz: int | None = 1_000_000) -> Timeline:
    """Thread 7 reads, faults, and waits for ever; it goes from CPU 0 to CPU 1 in its read."""
    return timeline_of(
        [
            (100, Event.TO_IDLE, 0),
            (100, Event.CTX_SWITCH_ENTRY, 7 << 16 | 2),
            (105, Event.CTX_SWITCH_EXIT, 2),
            (110, Event.CTX_SWITCH_ENTRY, 2 << 16 | 7),
            (111, Event.CTX_SWITCH_EXIT, 7),
            (120, Event.SYSCALL_ENTRY, 63),
            (130, Event.CTX_SWITCH_ENTRY, 7 << 16 | 2),
            (131, Event.CTX_SWITCH_EXIT, 2),
        ],
        [
            (139, Event.CTX_SWITCH_ENTRY, 2 << 16 | 7),
            (140, Event.CTX_SWITCH_EXIT, 7),
            (150, Event.SYSCALL_EXIT, 0xFFFFFFFE),
            (160, Event.PAGE_FAULT, 0x1234),
            (170, Event.TIMER_TICK, 9),
            (180, Event.SYSCALL_ENTRY, 260),
            (200, Event.PAGE_FAULT, 0x1235),
        ],
        hz=hz,
    )


class Parsed:
    """A trace file's tracks by identifier, and its events by track."""

    def __init__(self, content: bytes) -> None:
        trace = Trace()
        trace.ParseFromString(content)
        self.tracks: dict[int, Any] = {}
        self.events: dict[int, list[tuple[int, Any]]] = defaultdict(list)
        for packet in trace.packet:
            if packet.HasField("track_descriptor"):
                self.tracks[packet.track_descriptor.uuid] = packet.track_descriptor
            else:
                assert packet.track_event.track_uuid in self.tracks, "a track is described before its events"
                self.events[packet.track_event.track_uuid].append((packet.timestamp, packet.track_event))

    def path(self, uuid: int) -> str:
        track = self.tracks[uuid]
        return f"{self.tracks[track.parent_uuid].process.process_name}/{track.name}"

    def slices(self, path: str) -> list[tuple[int, int, str]]:
        """Return begin, end and name of a track's slices; fails where they are not nested and ended."""
        found, stack = [], []
        for moment, event in next(events for uuid, events in self.events.items() if self.path(uuid) == path):
            if event.type == TrackEvent.TYPE_SLICE_BEGIN:
                stack.append((moment, event.name))
            elif event.type == TrackEvent.TYPE_SLICE_END:
                begin, name = stack.pop()
                found.append((begin, moment, name))
        assert not stack, "a slice has no end"
        return found

    def instants(self, path: str) -> list[tuple[int, str]]:
        events = next(events for uuid, events in self.events.items() if self.path(uuid) == path)
        return [(moment, event.name) for moment, event in events if event.type == TrackEvent.TYPE_INSTANT]


def notes_of(event: Any) -> dict[str, object]:
    return {note.name: note.string_value or note.uint_value for note in event.debug_annotations}


def test_each_cpus_track_shows_what_it_ran() -> None:
    parsed = Parsed(perfetto_trace(story(), TYPES, NAMES))
    assert parsed.slices("CPUs/CPU 0") == [
        (0, 5_000, "thread 7 (sh)"),
        (5_000, 11_000, "idle"),
        (11_000, 31_000, "thread 7 (sh)"),
        (31_000, 100_000, "idle"),
    ]
    assert parsed.slices("CPUs/CPU 1")[-1] == (40_000, 100_000, "thread 7 (sh)")
    assert parsed.instants("CPUs/CPU 1") == [(70_000, "TIMER_TICK")]


def test_each_threads_track_shows_its_calls_with_their_results() -> None:
    parsed = Parsed(perfetto_trace(story(), TYPES, NAMES))
    assert parsed.slices("threads/thread 7 (sh)") == [
        (20_000, 50_000, "read"),
        (80_000, 100_000, "wait4 (unfinished)"),
    ]
    (thread,) = (uuid for uuid in parsed.events if parsed.path(uuid) == "threads/thread 7 (sh)")
    begins = [e for _, e in parsed.events[thread] if e.type == TrackEvent.TYPE_SLICE_BEGIN]
    assert notes_of(begins[0]) == {"number": 63, "entered on CPU": 0, "result": "-ENOENT"}
    assert notes_of(begins[1])["result"] == "none: unfinished"


def test_a_moment_bears_what_its_payload_says() -> None:
    parsed = Parsed(perfetto_trace(story(), TYPES, NAMES))
    assert parsed.instants("threads/thread 7 (sh)") == [(60_000, "PAGE_FAULT"), (100_000, "PAGE_FAULT")]
    fault = next(e for events in parsed.events.values() for _, e in events if e.name == "PAGE_FAULT")
    assert notes_of(fault) == {"payload": 0x1234, "CPU": 1, "sequence": 3, "says": "page 0x1234"}
    assert list(fault.categories) == ["memory"]


def test_without_a_frequency_a_tick_is_a_nanosecond_and_the_groups_say_so() -> None:
    parsed = Parsed(perfetto_trace(story(hz=None), TYPES, NAMES))
    assert parsed.slices("CPUs (1 tick shown as 1 ns)/CPU 0")[0] == (0, 5, "thread 7 (sh)")


def test_what_was_lost_is_a_moment_on_its_cpu() -> None:
    lossy = timeline_of([(number, Event.TIMER_TICK, 0) for number in range(1, 101)])
    parsed = Parsed(perfetto_trace(lossy, TYPES))
    assert (0, "LOST 36, window starts") in parsed.instants("CPUs/CPU 0")


def test_counters_have_tracks_of_their_own() -> None:
    readings = [
        CounterReading(time=time, counters=(Counter(name="TICKS", address=1, per_cpu=(value, 1)),))
        for time, value in ((100, 5), (200, 9))
    ]
    parsed = Parsed(perfetto_trace(story(), TYPES, NAMES, readings=readings))
    (track,) = (uuid for uuid in parsed.events if parsed.path(uuid) == "counters/TICKS")
    assert [(moment, event.counter_value) for moment, event in parsed.events[track]] == [
        (0, 6),
        (100_000, 10),
    ]


def test_a_filter_leaves_out_tracks_and_moments() -> None:
    wanted = TimelineFilter(cpus=frozenset({1}), since_ns=-30_000)
    parsed = Parsed(perfetto_trace(story(), TYPES, NAMES, wanted))
    assert {parsed.path(uuid) for uuid in parsed.events} == {"CPUs/CPU 1", "threads/thread 7 (sh)"}
    assert parsed.slices("threads/thread 7 (sh)") == [(80_000, 100_000, "wait4 (unfinished)")]


def test_an_empty_timeline_is_an_empty_trace() -> None:
    assert Parsed(perfetto_trace(merge((), None), TYPES)).tracks == {}


EVENTS = st.tuples(st.integers(1, 2000), st.sampled_from(list(Event)), st.integers(0, 0x30003))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(EVENTS, max_size=40), min_size=1, max_size=3), st.none() | st.integers(1, 10**10))
def test_any_timelines_slices_are_ended_in_order_and_do_not_overlap(
    cpus: list[list[tuple[int, int, int]]], hz: int | None
) -> None:
    parsed = Parsed(perfetto_trace(timeline_of(*cpus, hz=hz, capacity=24), TYPES, NAMES))
    for uuid, events in parsed.events.items():
        assert [moment for moment, _ in events] == sorted(moment for moment, _ in events)
        slices = parsed.slices(parsed.path(uuid))
        assert all(end <= begin for (_, end, _), (begin, _, _) in itertools.pairwise(slices))
