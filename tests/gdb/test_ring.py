"""What a ring's memory says: writer against decoder, and memory that no writer made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.trace.layout import EventLayout, Field
from gdb.trace.ring import NESTING, UNUSABLE, DecodedRing, Mark, decode_ring, decode_rings
from tests.support.ring_writer import RingWriter, Written, ring_layout, rings_memory

TICK = 0x0102


def writer_of(count: int, *, capacity: int = 32, first_time: int = 1000) -> RingWriter:
    writer = RingWriter(layout=ring_layout(capacity=capacity))
    writer.emit_all((first_time + 10 * number, TICK, number) for number in range(count))
    return writer


def decoded(writer: RingWriter, **options: int) -> DecodedRing:
    return decode_ring(writer.raw(), writer.layout, cpu=writer.cpu, **options)  # type: ignore[arg-type]


def sequences(ring: DecodedRing) -> list[int]:
    return [int(number) for number in ring.events["sequence"]]


def marked(ring: DecodedRing, mark: Mark) -> list[int]:
    return [int(event["sequence"]) for event in ring.events if event["marks"] & mark]


def test_a_ring_that_has_not_wrapped_gives_its_events_in_order() -> None:
    ring = decoded(writer_of(5))
    assert sequences(ring) == [0, 1, 2, 3, 4]
    assert ring.events["time"].tolist() == [1000, 1010, 1020, 1030, 1040]
    assert ring.events["payload"].tolist() == [0, 1, 2, 3, 4]
    assert (ring.overwritten, ring.window_start, ring.is_complete) == (0, 1000, True)
    assert not ring.events["marks"].any()


def test_a_wrapped_ring_gives_the_newest_and_says_what_is_gone() -> None:
    ring = decoded(writer_of(100))
    assert sequences(ring) == list(range(68, 100))
    assert ring.events["payload"].tolist() == list(range(68, 100))
    assert (ring.overwritten, ring.lost, ring.window_start, ring.is_complete) == (68, 68, 1680, False)


def test_a_ring_whose_capacity_is_no_power_of_two_is_read_around_its_end() -> None:
    assert sequences(decoded(writer_of(75, capacity=30))) == list(range(45, 75))


def test_an_empty_ring_is_complete_and_has_no_window() -> None:
    ring = decoded(writer_of(0))
    assert (len(ring.events), ring.window_start, ring.is_complete, ring.notes) == (0, None, True, ())


def test_events_are_read_from_where_the_last_reading_ended() -> None:
    writer = writer_of(20)
    first = decoded(writer)
    writer.emit_all([(5000, TICK, 20), (5010, TICK, 21)])
    ring = decoded(writer, last=first.next_sequence)
    assert (sequences(ring), ring.lost, ring.next_sequence) == ([20, 21], 0, 22)


def test_what_was_overwritten_since_the_last_reading_is_lost() -> None:
    assert decoded(writer_of(100), last=60).lost == 8
    assert decoded(writer_of(100), last=68).lost == 0


def test_a_live_ring_is_read_up_to_eight_before_its_newest() -> None:
    ring = decoded(writer_of(100), live=True)
    assert sequences(ring) == list(range(68, 92))
    assert ring.next_sequence == 92


def test_what_was_overwritten_while_a_live_ring_was_read_is_left_out() -> None:
    ring = decoded(writer_of(100), live=True, write_index_after=105)
    assert sequences(ring) == list(range(73, 92))
    assert ring.overwritten == 73


def test_a_live_ring_copied_in_one_piece_is_read_by_the_index_from_before() -> None:
    ring = decoded(writer_of(105), live=True, write_index_before=100)
    assert sequences(ring) == list(range(73, 92))
    assert (ring.write_index, ring.next_sequence) == (100, 92)


def test_a_live_ring_with_few_events_gives_none_yet() -> None:
    ring = decoded(writer_of(6), live=True)
    assert (sequences(ring), ring.next_sequence) == ([], 0)


def test_a_write_index_that_went_backwards_is_a_reset() -> None:
    writer = writer_of(100)
    writer.reset()
    writer.emit_all([(9000, TICK, 1), (9010, TICK, 2)])
    ring = decoded(writer, last=100)
    assert (ring.was_reset, sequences(ring), ring.lost) == (True, [0, 1], 0)
    assert ring.events["time"].tolist() == [9000, 9010]


def test_a_reset_while_it_is_read_leaves_nothing_to_rely_on() -> None:
    ring = decoded(writer_of(100), live=True, write_index_after=3)
    assert (len(ring.events), ring.was_reset) == (0, True)
    assert "reset while it was read" in ring.notes[0]


def test_a_newest_slot_that_was_reserved_and_not_written_is_marked() -> None:
    writer = writer_of(100)
    hole = writer.reserve()
    assert marked(decoded(writer), Mark.UNCOMMITTED) == [hole]


def test_a_hole_below_the_events_of_a_nested_interrupt_is_marked() -> None:
    writer = writer_of(100)
    hole = writer.reserve()
    writer.emit_all((3000 + number, TICK, 0) for number in range(5))
    ring = decoded(writer)
    assert marked(ring, UNUSABLE) == [hole]
    assert len(ring.usable) == 31


def test_a_hole_deep_below_the_newest_events_is_marked_as_well() -> None:
    writer = writer_of(100)
    hole = writer.reserve()
    writer.emit_all((3000 + number, TICK, 0) for number in range(20))
    assert marked(decoded(writer), Mark.UNCOMMITTED) == [hole]


def test_a_slot_that_was_never_used_is_marked_in_a_ring_not_yet_full() -> None:
    writer = writer_of(3)
    hole = writer.reserve()
    ring = decoded(writer)
    assert marked(ring, Mark.UNCOMMITTED) == marked(ring, Mark.BAD_TIME) == [hole]


def test_an_event_that_an_interrupt_came_between_keeps_its_time_and_is_marked_nested() -> None:
    writer = writer_of(20)
    writer.emit_all([(2000, TICK, 0), (2010, TICK, 0), (1500, TICK, 7)])
    writer.emit_all((3000 + number, TICK, 0) for number in range(10))
    ring = decoded(writer)
    assert (marked(ring, Mark.NESTED), marked(ring, UNUSABLE | Mark.OUT_OF_ORDER)) == ([22], [])
    assert ring.events["payload"][-11] == 7


def test_a_long_run_that_goes_back_in_time_is_corruption() -> None:
    writer = RingWriter(layout=ring_layout(capacity=64))
    writer.emit_all((5000 + number, TICK, 0) for number in range(30))
    writer.emit_all((5010 + number, TICK, 0) for number in range(9))
    writer.emit_all((9000 + number, TICK, 0) for number in range(10))
    assert marked(decoded(writer), Mark.OUT_OF_ORDER) == list(range(30, 39))


def test_one_time_far_ahead_does_not_make_all_that_follow_suspect() -> None:
    writer = writer_of(10)
    writer.emit(1 << 50, TICK)
    writer.emit_all((2000 + number, TICK, 0) for number in range(20))
    ring = decoded(writer)
    assert (marked(ring, Mark.BAD_TIME), marked(ring, Mark.OUT_OF_ORDER)) == ([10], [])


def test_an_event_of_another_cpu_and_one_of_no_known_type_are_marked() -> None:
    layout = ring_layout(capacity=32)
    writer = RingWriter(layout=layout, cpu=3)
    writer.emit_all([(1000, TICK, 0), (1010, 0x0777, 0)])
    ring = decode_ring(writer.raw(), layout, cpu=2, known_types=frozenset({TICK}))
    assert marked(ring, Mark.WRONG_CPU) == [0, 1]
    assert marked(ring, Mark.UNKNOWN_TYPE) == [1]


def test_fields_may_lie_anywhere_have_any_size_or_not_be_there() -> None:
    event = EventLayout(
        size=24,
        timestamp=Field(offset=9, size=6),
        event_type=Field(offset=1, size=1),
        cpu=None,
        flags=None,
        payload=Field(offset=16, size=3),
    )
    writer = RingWriter(layout=ring_layout(capacity=10, event=event))
    writer.emit_all((1 << 40 | number, number, 0xABC000 + number) for number in range(25))
    ring = decoded(writer)
    assert ring.events["time"].tolist() == [1 << 40 | number for number in range(15, 25)]
    assert ring.events["event_type"].tolist() == list(range(15, 25))
    assert ring.events["payload"].tolist() == [0xABC000 + number for number in range(15, 25)]
    assert not ring.events["marks"].any()


def test_all_cpus_are_decoded_and_memory_that_ends_early_is_said() -> None:
    layout = ring_layout(cpus=3, capacity=32)
    writers = [RingWriter(layout=layout, cpu=cpu) for cpu in range(3)]
    for writer in writers:
        writer.emit(100 + writer.cpu, TICK)
    first, second, third = decode_rings(rings_memory(writers)[: -layout.stride], layout, last=[0])
    assert (first.events["time"].tolist(), second.events["time"].tolist()) == ([100], [101])
    assert third.notes == ("the ring's memory ends before its write index",)


def test_a_ring_cut_short_gives_the_slots_that_are_there() -> None:
    writer = writer_of(40)
    layout = replace(writer.layout, entries=64, write_index=Field(offset=0, size=8))
    raw = writer.write_index.to_bytes(8, "little") + bytes(56) + writer.raw()[: 20 * 16 + 7]
    ring = decode_ring(raw, layout, cpu=0)
    assert sequences(ring) == [*range(8, 20), *range(32, 40)]
    assert ring.notes == ("the memory holds 20 of 32 events",)


@pytest.mark.parametrize("index", [1 << 64, (1 << 64) - 1, 1 << 63, 1025])
def test_any_write_index_is_taken_as_it_is(index: int) -> None:
    writer = RingWriter(layout=ring_layout())
    writer.memory[0x4000:0x4008] = (index & (1 << 64) - 1).to_bytes(8, "little")
    ring = decoded(writer)
    assert len(ring.usable) == 0
    assert len(ring.events) == min(index & (1 << 64) - 1, 1024)


class History:
    """Events drawn one after another, and their writer."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.writer = RingWriter(layout=ring_layout(capacity=draw(st.sampled_from([24, 31, 32, 50]))))
        self.now = draw(st.integers(1, 1 << 40))

    def tick(self) -> int:
        self.now += self.draw(st.integers(1, 1000))
        return self.now

    def store(self, sequence: int, time: int) -> None:
        event = Written(
            time=time,
            event_type=self.draw(st.integers(0, 0xFFFF)),
            payload=self.draw(st.integers(0, 0xFFFF_FFFF)),
            flags=self.draw(st.integers(0, 255)),
        )
        self.writer.store(sequence, event)

    def emit(self, count: int = 1) -> None:
        for _ in range(count):
            time = self.tick()
            self.store(self.writer.reserve(), time)

    def interrupted_before_reserving(self) -> None:
        time = self.tick()
        self.emit(self.draw(st.integers(1, 4)))
        self.store(self.writer.reserve(), time)

    def interrupted_before_storing(self) -> None:
        time, sequence = self.tick(), self.writer.reserve()
        self.emit(self.draw(st.integers(1, 4)))
        self.store(sequence, time)


@st.composite
def histories(draw: st.DrawFn) -> tuple[RingWriter, set[int]]:
    """A writer that was interrupted at all points, and the slots that it left unwritten, among its newest 8."""
    history = History(draw)
    history.emit(draw(st.integers(9, 60)))
    if draw(st.booleans()):
        history.writer.reset()
        history.emit(9)
    for step in draw(st.lists(st.integers(0, 2), max_size=12)):
        [history.emit, history.interrupted_before_reserving, history.interrupted_before_storing][step]()
    history.emit(9)
    holes = set()
    for _ in range(draw(st.integers(0, 3))):
        holes.add(history.writer.reserve())
        history.emit(draw(st.integers(0, 1)))
    return history.writer, holes


@settings(max_examples=150, deadline=None)
@given(histories())
def test_what_a_writer_stored_is_decoded_exactly_and_what_it_did_not_is_marked(
    history: tuple[RingWriter, set[int]],
) -> None:
    writer, holes = history
    ring = decoded(writer)
    start = max(0, writer.write_index - writer.layout.capacity)
    assert sequences(ring) == list(range(start, writer.write_index))
    assert set(marked(ring, UNUSABLE)) == holes
    assert marked(ring, Mark.OUT_OF_ORDER) == []
    latest = 0
    for event in ring.usable:
        stored = writer.stored[int(event["sequence"])]
        assert (stored.time, stored.event_type) == (event["time"], event["event_type"])
        assert (stored.payload, stored.flags) == (event["payload"], event["flags"])
        assert bool(event["marks"] & Mark.NESTED) == (stored.time < latest)
        latest = max(latest, stored.time)


FIELDS = st.builds(Field, offset=st.integers(-2, 40), size=st.integers(-1, 9))


@settings(max_examples=300, deadline=None)
@given(
    raw=st.binary(max_size=700),
    event=st.builds(
        EventLayout,
        size=st.integers(-1, 40),
        timestamp=FIELDS,
        event_type=FIELDS,
        cpu=st.none() | FIELDS,
        flags=st.none() | FIELDS,
        payload=FIELDS,
    ),
    shape=st.tuples(*[st.integers(-2, 1 << 40) | st.integers(0, 64)] * 3),
    index=FIELDS,
    last=st.integers(-5, (1 << 64) + 5),
    before=st.none() | st.integers(-5, (1 << 64) + 5),
    after=st.none() | st.integers(-5, (1 << 64) + 5),
    live=st.booleans(),
)
def test_any_memory_under_any_layout_is_decoded_or_refused_in_words(
    *,
    raw: bytes,
    event: EventLayout,
    shape: tuple[int, int, int],
    index: Field,
    last: int,
    before: int | None,
    after: int | None,
    live: bool,
) -> None:
    stride, capacity, entries = shape
    layout = replace(
        ring_layout(),
        cpus=4,
        stride=stride,
        capacity=capacity,
        entries=entries,
        write_index=index,
        event=event,
    )
    ring = decode_ring(
        raw, layout, cpu=0, last=last, write_index_before=before, write_index_after=after, live=live
    )
    assert len(ring.events) <= len(raw)
    assert np.all(ring.events["sequence"][1:] > ring.events["sequence"][:-1])
    assert len(decode_rings(raw, layout, live=live, last=[last])) == 4


def test_the_nesting_that_is_borne_is_the_number_of_events_left_to_a_live_writer() -> None:
    ring = decoded(writer_of(20), live=True)
    assert ring.write_index - ring.next_sequence == NESTING
