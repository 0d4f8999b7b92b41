"""What a drawn timeline is made of."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.trace.event_types import Event, Names, event_types
from gdb.trace.ring import decode_rings
from gdb.trace.timeline import Timeline, merge
from gdb.trace.timeline_page import timeline_page_data
from gdb.trace.timeline_text import TimelineFilter
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory

TYPES = event_types()
NAMES = Names(architecture="x86_64", threads={7: "sh"})


def timeline_of(*cpus: list[tuple[int, int, int]], hz: int | None = 10**9, capacity: int = 64) -> Timeline:
    layout = ring_layout(cpus=len(cpus), capacity=capacity)
    writers = [RingWriter(layout=layout, cpu=cpu) for cpu in range(len(cpus))]
    for writer, events in zip(writers, cpus, strict=True):
        writer.emit_all(events)
    return merge(decode_rings(rings_memory(writers), layout), hz)


STORY = timeline_of(
    [
        (100, Event.CTX_SWITCH_ENTRY, 2 << 16 | 7),
        (110, Event.SYSCALL_ENTRY, 0),
        (120, Event.TO_IDLE, 0),
        (121, Event.CTX_SWITCH_ENTRY, 7 << 16 | 2),
        (122, Event.CTX_SWITCH_EXIT, 2),
    ],
    [
        (130, Event.TO_IDLE, 1),
        (131, Event.CTX_SWITCH_ENTRY, 9 << 16 | 2),
        (140, Event.CTX_SWITCH_ENTRY, 2 << 16 | 7),
        (141, Event.CTX_SWITCH_EXIT, 7),
        (150, Event.SYSCALL_EXIT, 0xFFFFFFF7),
        (160, Event.PAGE_FAULT, 5),
        (170, Event.SYSCALL_ENTRY, 61),
        (200, Event.TIMER_TICK, 3),
    ],
)


def test_a_cpus_lane_has_its_threads_and_moments_in_ns_before_the_end() -> None:
    drawing = timeline_page_data(STORY, TYPES, NAMES)["drawing"]
    first, second = drawing["cpus"]
    assert first["runs"] == [[-100, -90, 2], [-90, -78, 7], [-78, 0, 2]]
    assert drawing["threads"] == {2: "idle", 7: "thread 7 (sh)", 9: "thread 9"}
    fault, tick = (drawing["kinds"].index(kind) for kind in (["PAGE_FAULT", "memory"], ["TIMER_TICK", "irq"]))
    assert second["marks"] == [[-40, fault, 7, "page 0x5"], [0, tick, 7, "tick 3"]]


def test_a_call_is_drawn_on_each_cpu_that_ran_it_and_whole_in_its_threads_lane() -> None:
    drawing = timeline_page_data(STORY, TYPES, NAMES)["drawing"]
    assert drawing["calls"] == [
        [-90, -50, "read", "-EBADF", "completed", 1, "thread 7 (sh)"],
        [-30, 0, "wait4", "", "unfinished", 0, "thread 7 (sh)"],
    ]
    first, second = drawing["cpus"]
    assert first["parts"] == [[-90, -78, 0]]
    assert second["parts"] == [[-59, -50, 0], [-30, 0, 1]]
    assert drawing["lanes"] == [{"thread": 7, "label": "thread 7 (sh)", "open": True, "calls": [0, 1]}]


def test_the_calls_that_were_not_left_are_told() -> None:
    (call,) = timeline_page_data(STORY, TYPES, NAMES)["open_calls"]
    assert (call["thread"], call["name"], call["cpu"]) == ("thread 7 (sh)", "wait4", "CPU 1")
    assert (call["since"], call["doubt"]) == ("0.030 µs", "")


def test_the_last_events_are_told_the_newest_first() -> None:
    last = timeline_page_data(STORY, TYPES, NAMES)["last"]
    assert len(last) == 13
    assert last[0] == {
        "moment": "0.000 µs",
        "at": "0",
        "cpu": "1",
        "thread": "thread 7 (sh)",
        "type": "TIMER_TICK",
        "provider": "irq",
        "words": "tick 3",
        "doubt": "",
    }


def test_what_was_lost_and_what_a_filter_leaves_out_is_told() -> None:
    lossy = timeline_of([(number, Event.TIMER_TICK, 0) for number in range(1, 101)], hz=None)
    data = timeline_page_data(lossy, TYPES, wanted=TimelineFilter(since_ns=-9))
    assert data["facts"] == [
        "64 events",
        "1 CPU",
        "over 63 ticks (the kernel does not say how many make a second)",
        "10 shown by the filter",
        "CPU 0: 36 older events lost",
    ]
    assert (data["drawing"]["cpus"][0]["lost"], data["drawing"]["cpus"][0]["window"]) == (36, -63)


def test_losses_on_many_cpus_are_told_together() -> None:
    ticks: list[tuple[int, int, int]] = [(number, Event.TIMER_TICK, 0) for number in range(1, 101)]
    lossy = timeline_of(*[ticks] * 6)
    facts = timeline_page_data(lossy, TYPES)["facts"]
    assert [fact for fact in facts if "lost" in fact] == ["216 older events lost on 6 CPUs"]


def test_a_title_from_the_guest_is_made_printable() -> None:
    assert timeline_page_data(STORY, TYPES, title="a\x1b[31mb")["title"] == r"a\x1b[31mb"


EVENTS = st.tuples(st.integers(1, 2000), st.sampled_from(list(Event)), st.integers(0, 0x30003))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(EVENTS, max_size=40), max_size=3), st.none() | st.integers(1, 10**10))
def test_any_timeline_gives_data_that_is_json_and_lanes_that_do_not_overlap(
    cpus: list[list[tuple[int, int, int]]], hz: int | None
) -> None:
    drawing = timeline_page_data(timeline_of(*cpus, hz=hz, capacity=24), TYPES, NAMES)["drawing"]
    json.dumps(drawing, allow_nan=False)
    for lane in drawing["cpus"]:
        for spans in (lane["runs"], lane["parts"]):
            assert all(start <= end <= 0 for start, end, _ in spans)
        assert all(end <= start for (_, end, _), (start, _, _) in pairwise(lane["runs"]))
