"""A CPU's trace ring, decoded from raw memory: which events it holds, in order, and which of them to doubt.

Whatever the memory holds, the answer is events with marks and notes, never an exception: a ring is read while its
kernel is stuck, broken, or running on. What the events mean together is timeline.py's matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdb.trace.layout import EventLayout, Field, RingLayout

Events: TypeAlias = npt.NDArray[np.void]
"""Decoded events, one element each, of type `EVENT`."""

EVENT: Final = np.dtype(
    [
        ("time", np.uint64),  # raw ticks
        ("sequence", np.uint64),  # what the write index was when the slot was reserved
        ("payload", np.uint32),
        ("event_type", np.uint16),
        ("cpu", np.uint16),  # the ring's, whatever the event says
        ("flags", np.uint8),  # the event's own
        ("marks", np.uint8),
    ]
)


class Mark(IntFlag):
    """Why an event is to be doubted."""

    UNCOMMITTED = 1
    """Its slot was reserved and not written: it shows what was there before."""
    NESTED = 2
    """Behind its predecessor, in a short run: an interrupt came between its clock and its slot. Its time is right."""
    OUT_OF_ORDER = 4
    """Behind its predecessor, in a run too long for that: the ring is corrupt."""
    WRONG_CPU = 8
    """It names another CPU than the ring's."""
    UNKNOWN_TYPE = 16
    BAD_TIME = 32
    """No clock shows that time."""


UNUSABLE: Final = Mark.UNCOMMITTED | Mark.BAD_TIME
"""Marks of events whose time or content says nothing."""

NESTING: Final = 8
"""So many events can be in flight in one ring at once: an interrupt in an interrupt, and so on."""

_LATEST: Final = 1 << 63
"""A 64-bit counter that is this far has run for 97 years at 3 GHz, or was never one."""
_INDEX_LIMIT: Final = (1 << 64) - 1
_MOST_CPUS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecodedRing:
    """What one CPU's ring holds."""

    cpu: int
    events: Events
    """Oldest first."""
    write_index: int
    lost: int
    """Events since `last` that were overwritten before they were read."""
    overwritten: int
    """Events since the ring's start that it no longer holds."""
    was_reset: bool
    """The write index went backwards: a new epoch, in which `last` means nothing."""
    window_start: int | None
    """Time of the oldest event kept, in ticks: nothing can be said of what was before."""
    next_sequence: int
    """What to give as `last` the next time."""
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether it has everything since the ring's start."""
        return not self.write_index or (len(self.events) > 0 and int(self.events["sequence"][0]) == 0)

    @property
    def usable(self) -> Events:
        """The events whose time and content can be relied on."""
        usable: Events = self.events[(self.events["marks"] & UNUSABLE) == 0]
        return usable


def decode_rings(
    raw: bytes | memoryview,
    layout: RingLayout,
    *,
    last: Sequence[int] = (),
    write_index_before: Sequence[int] = (),
    write_index_after: Sequence[int] = (),
    live: bool = False,
    known_types: frozenset[int] | None = None,
) -> tuple[DecodedRing, ...]:
    """Decode the rings of all CPUs, which lie one `layout.stride` after another; see `decode_ring`.

    What the sequences lack for the last CPUs is as if not given.
    """
    view, rings = memoryview(raw), []
    for cpu in range(max(0, min(layout.cpus, _MOST_CPUS))):
        start = cpu * layout.stride
        rings.append(
            decode_ring(
                view[start : start + layout.stride] if layout.stride > 0 else view[:0],
                layout,
                cpu=cpu,
                last=last[cpu] if cpu < len(last) else 0,
                write_index_before=_item(write_index_before, cpu),
                write_index_after=_item(write_index_after, cpu),
                live=live,
                known_types=known_types,
            )
        )
    return tuple(rings)


def _item(values: Sequence[int], index: int) -> int | None:
    return values[index] if index < len(values) else None


def decode_ring(
    raw: bytes | memoryview,
    layout: RingLayout,
    *,
    cpu: int,
    last: int = 0,
    write_index_before: int | None = None,
    write_index_after: int | None = None,
    live: bool = False,
    known_types: frozenset[int] | None = None,
) -> DecodedRing:
    """Decode one CPU's ring; `raw` begins where the ring does.

    `last` is the sequence number from which on events are wanted. Of a running kernel (`live`), the newest
    `NESTING` events are left for the next time; `write_index_before` and `write_index_after` are those read before
    and after the entries, where the one in `raw` is neither: what was overwritten meanwhile is left out. Of a
    stopped one everything is taken, and what was reserved and not yet written is marked.
    """
    write_index = _read_integer(raw, layout.write_index)
    if write_index is None or (fault := _layout_fault(layout)):
        note = "the ring's memory ends before its write index" if write_index is None else fault
        return _empty_ring(cpu, write_index or 0, last=last, notes=(note,))
    after = write_index if write_index_after is None else _clipped(write_index_after)
    write_index = write_index if write_index_before is None else _clipped(write_index_before)
    if after < write_index:
        note = "the ring was reset while it was read: nothing in it can be relied on"
        return _empty_ring(cpu, after, last=0, was_reset=True, notes=(note,))
    was_reset = write_index < last
    last = 0 if was_reset else max(last, 0)
    overwritten = max(0, after - layout.capacity)
    end = max(write_index - NESTING, 0) if live else write_index
    events = _take_events(raw, layout, cpu, start=max(last, overwritten), end=end)
    _mark_events(events, _own_cpus(raw, layout, events), is_live=live, known_types=known_types)
    expected = max(0, end - max(last, overwritten))
    notes = () if len(events) == expected else (f"the memory holds {len(events)} of {expected} events",)
    good = events["time"][(events["marks"] & UNUSABLE) == 0]
    return DecodedRing(
        cpu=cpu,
        events=events,
        write_index=write_index,
        lost=max(0, overwritten - last),
        overwritten=overwritten,
        was_reset=was_reset,
        window_start=int(good[0]) if len(good) else None,
        next_sequence=max(last, end),
        notes=notes,
    )


def _clipped(index: int) -> int:
    return min(max(index, 0), _INDEX_LIMIT)


def _empty_ring(
    cpu: int, write_index: int, *, last: int, notes: tuple[str, ...], was_reset: bool = False
) -> DecodedRing:
    return DecodedRing(
        cpu=cpu,
        events=np.empty(0, EVENT),
        write_index=write_index,
        lost=0,
        overwritten=0,
        was_reset=was_reset,
        window_start=None,
        next_sequence=last,
        notes=notes,
    )


def _read_integer(raw: bytes | memoryview, field: Field) -> int | None:
    if field.offset < 0 or not 0 < field.size <= 8 or field.offset + field.size > len(raw):
        return None
    return int.from_bytes(raw[field.offset : field.offset + field.size], "little")


def _layout_fault(layout: RingLayout) -> str:
    """Return what makes a layout impossible, as a sentence; empty where nothing does."""
    event = layout.event
    fields = (event.timestamp, event.event_type, event.payload, event.cpu, event.flags)
    if not all(
        field is None
        or (field.offset >= 0 and 0 < field.size <= 8 and field.offset + field.size <= event.size)
        for field in fields
    ):
        return f"the event's fields do not fit into its {event.size} bytes"
    if layout.capacity <= 0 or layout.entries < 0:
        return f"no ring has {layout.capacity} events at offset {layout.entries}"
    return ""


@lru_cache(maxsize=16)
def _slot_type(event: EventLayout) -> np.dtype[Any]:
    """Return the type of a raw slot: each field as bytes, or as an integer where numpy has one of that size."""
    fields = {
        "time": event.timestamp,
        "event_type": event.event_type,
        "payload": event.payload,
        "cpu": event.cpu,
        "flags": event.flags,
    }
    there = {name: field for name, field in fields.items() if field is not None}
    return np.dtype(
        {
            "names": list(there),
            "formats": [
                f"<u{f.size}" if f.size in (1, 2, 4, 8) else f"({f.size},)u1" for f in there.values()
            ],
            "offsets": [field.offset for field in there.values()],
            "itemsize": event.size,
        }
    )


def _column(slots: Events, name: str) -> npt.NDArray[Any]:
    """Return a field of all slots as unsigned integers, whatever its size."""
    column: npt.NDArray[Any] = slots[name]
    if column.ndim == 1:
        return column
    shifts = np.arange(column.shape[1], dtype=np.uint64) * np.uint64(8)
    combined: npt.NDArray[Any] = np.bitwise_or.reduce(column.astype(np.uint64) << shifts, axis=1)
    return combined


def _slots(raw: bytes | memoryview, layout: RingLayout) -> Events:
    """Return the slots that are there whole, in memory's order."""
    count = min(layout.capacity, max(0, len(raw) - layout.entries) // layout.event.size)
    if count == 0:
        return np.empty(0, _slot_type(layout.event))
    return np.frombuffer(raw, _slot_type(layout.event), count=count, offset=layout.entries)


def _take_events(raw: bytes | memoryview, layout: RingLayout, cpu: int, *, start: int, end: int) -> Events:
    """Return the events with sequence numbers from `start` to before `end`, as far as memory has them."""
    slots = _slots(raw, layout)
    if start >= end:
        return np.empty(0, EVENT)
    turn = end % layout.capacity
    newer, older = slots[:turn], slots[turn:] if end >= layout.capacity else slots[:0]
    sequences = np.concatenate(
        [_count_up(end - layout.capacity, len(older)), _count_up(end - turn, len(newer))]
    )
    wanted = sequences >= np.uint64(start)
    taken = np.concatenate([older, newer])[wanted]
    events = np.empty(len(taken), EVENT)
    events["sequence"] = sequences[wanted]
    events["cpu"] = cpu & 0xFFFF
    events["time"] = _column(taken, "time")
    for name in ("event_type", "payload", "flags"):
        events[name] = _column(taken, name).astype(EVENT[name]) if name in (taken.dtype.names or ()) else 0
    events["marks"] = 0
    return events


def _count_up(start: int, count: int) -> npt.NDArray[np.uint64]:
    return np.uint64(start) + np.arange(count, dtype=np.uint64) if count else np.empty(0, np.uint64)


def _own_cpus(raw: bytes | memoryview, layout: RingLayout, events: Events) -> npt.NDArray[Any] | None:
    """Return the CPU that each event names itself; None where events name none."""
    if layout.event.cpu is None or len(events) == 0:
        return None
    places = (events["sequence"] % np.uint64(layout.capacity)).astype(np.int64)
    return _column(_slots(raw, layout)[places], "cpu")


def _mark_events(
    events: Events,
    own_cpus: npt.NDArray[Any] | None,
    *,
    is_live: bool,
    known_types: frozenset[int] | None,
) -> None:
    """Set the events' marks."""
    if len(events) == 0:
        return
    marks = events["marks"]
    if own_cpus is not None:
        marks[own_cpus != events["cpu"]] |= np.uint8(Mark.WRONG_CPU)
    if known_types is not None:
        marks[~_type_table(known_types)[events["event_type"]]] |= np.uint8(Mark.UNKNOWN_TYPE)
    time = events["time"]
    marks[(time == 0) | (time >= np.uint64(_LATEST))] |= np.uint8(Mark.BAD_TIME)
    marks[_uncommitted(time, marks, is_live=is_live)] |= np.uint8(Mark.UNCOMMITTED)
    good = np.flatnonzero((marks & UNUSABLE) == 0)
    _mark_order(time, marks, good)


@lru_cache(maxsize=16)
def _type_table(known_types: frozenset[int]) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << 16, np.bool_)
    table[[number for number in known_types if 0 <= number < 1 << 16]] = True
    return table


def _uncommitted(
    time: npt.NDArray[np.uint64], marks: npt.NDArray[np.uint8], *, is_live: bool
) -> npt.NDArray[np.bool_]:
    """Say which slots show what was there before.

    A hole that an interrupted writer left can also lie deep: there it shows an event from before the window.
    """
    is_bad = (marks & Mark.BAD_TIME) != 0
    places = np.arange(len(time))
    newest = (places >= len(time) - NESTING) & (not is_live)
    if is_bad.all():
        return newest
    is_older = (time < time[~is_bad][0]) & ~is_bad
    is_behind = np.zeros(len(time), np.bool_)
    if len(time) > NESTING + 1:
        latest = np.maximum.accumulate(np.where(is_bad, np.uint64(0), time))
        is_behind[NESTING + 1 :] = time[NESTING + 1 :] < latest[: -NESTING - 1]
    result: npt.NDArray[np.bool_] = (newest & (is_bad | is_older | is_behind)) | (
        is_older & (places > NESTING)
    )
    return result


def _mark_order(
    time: npt.NDArray[np.uint64], marks: npt.NDArray[np.uint8], good: npt.NDArray[np.intp]
) -> None:
    """Mark the events at the places `good` that are behind a predecessor.

    A few events ahead of all that follow are not followed by corruption: they are it.
    """
    runs = _runs_behind(time[good])
    if any(length > NESTING for _, length in runs):
        spikes = _runs_behind(-(time[good][::-1].astype(np.int64)))
        ahead = [(len(good) - start - length, length) for start, length in spikes if length <= NESTING]
        followed = {start for start, length in runs if length > NESTING}
        for start, length in ahead:
            if start + length in followed:
                marks[good[start : start + length]] |= np.uint8(Mark.BAD_TIME)
        good = good[(marks[good] & Mark.BAD_TIME) == 0]
        runs = _runs_behind(time[good])
    for start, length in runs:
        mark = Mark.NESTED if length <= NESTING else Mark.OUT_OF_ORDER
        marks[good[start : start + length]] |= np.uint8(mark)


def _runs_behind(time: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Return start and length of each run of values that are less than some value before them."""
    if len(time) < 2:
        return []
    behind = time < np.maximum.accumulate(time)
    if not behind.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], behind, [False]]).astype(np.int8)))
    return [(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
