"""A trace ring as a kernel writes it: the clock is read, a slot is reserved, the event is stored, in that order.

What the writer knows and memory does not, which slots were never stored, is what a decoder is measured against.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gdb.trace.layout import EventLayout, Field, RingLayout

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENT_LAYOUT = EventLayout(
    size=16,
    timestamp=Field(offset=0, size=8),
    event_type=Field(offset=8, size=2),
    cpu=Field(offset=10, size=1),
    flags=Field(offset=11, size=1),
    payload=Field(offset=12, size=4),
)


def ring_layout(*, cpus: int = 1, capacity: int = 1024, event: EventLayout = EVENT_LAYOUT) -> RingLayout:
    """Return a layout as kernel/include/trace.h has it: entries first, then the three indices."""
    end = capacity * event.size
    return RingLayout(
        address=0xFFFF_8000_0000_0000,
        stride=(end + 24 + 63) // 64 * 64,
        cpus=cpus,
        capacity=capacity,
        entries=0,
        write_index=Field(offset=end, size=8),
        read_index=Field(offset=end + 8, size=8),
        dropped=Field(offset=end + 16, size=8),
        event=event,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An event as it was stored."""

    time: int
    event_type: int
    payload: int
    flags: int = 0


@dataclass(slots=True, kw_only=True)
class RingWriter:
    """One CPU's ring."""

    layout: RingLayout
    cpu: int = 0
    write_index: int = 0
    dropped: int = 0
    stored: dict[int, Written] = field(default_factory=dict)
    """By sequence number, since the last reset."""
    memory: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.memory = bytearray(self.layout.stride)

    def reserve(self) -> int:
        """Take the next slot and return its sequence number."""
        sequence = self.write_index
        self.write_index += 1
        self.dropped += sequence >= self.layout.capacity
        self._put_index()
        return sequence

    def store(self, sequence: int, event: Written) -> None:
        """Fill a reserved slot, if it still is this one's."""
        kind = self.layout.event
        start = self.layout.entries + sequence % self.layout.capacity * kind.size
        slot = memoryview(self.memory)[start : start + kind.size]
        _put(slot, kind.timestamp, event.time)
        _put(slot, kind.event_type, event.event_type)
        _put(slot, kind.cpu, self.cpu)
        _put(slot, kind.flags, event.flags)
        _put(slot, kind.payload, event.payload)
        self.stored[sequence] = event

    def emit(self, time: int, event_type: int, payload: int = 0, flags: int = 0) -> int:
        """Write an event undisturbed; return its sequence number."""
        sequence = self.reserve()
        self.store(sequence, Written(time=time, event_type=event_type, payload=payload, flags=flags))
        return sequence

    def emit_all(self, events: Iterable[tuple[int, int, int]]) -> None:
        """Write events, each time, type and payload."""
        for time, event_type, payload in events:
            self.emit(time, event_type, payload)

    def reset(self) -> None:
        """Begin anew; the old entries stay where they are."""
        self.write_index = self.dropped = 0
        self.stored.clear()
        self._put_index()

    def raw(self) -> bytes:
        """Return the ring's memory."""
        return bytes(self.memory)

    def _put_index(self) -> None:
        _put(self.memory, self.layout.write_index, self.write_index)
        _put(self.memory, self.layout.dropped, self.dropped)


def rings_memory(writers: Iterable[RingWriter]) -> bytes:
    """Return the memory of rings that lie one behind another."""
    return b"".join(writer.raw() for writer in writers)


def _put(memory: bytearray | memoryview, place: Field | None, value: int) -> None:
    if place is not None:
        memory[place.offset : place.offset + place.size] = (value & (1 << 8 * place.size) - 1).to_bytes(
            place.size, "little"
        )
