"""The older trace: one byte a marker. It keeps the first markers, not the last; only its index goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.guest.memory import read_integer

if TYPE_CHECKING:
    from gdb.guest.memory import Memory
    from gdb.trace.layout import ByteTraceLayout

_MOST_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteTrace:
    """The markers of a byte trace."""

    markers: bytes
    """The first ones, as far as there is room for them."""
    emitted: int
    """How many there were in all."""

    @property
    def missing(self) -> int:
        """How many came when it was full: what happened last is not in it."""
        return max(0, self.emitted - len(self.markers))

    @property
    def text(self) -> str:
        """The markers as they were meant to be read, apart from each other: `D D E N 0x01`."""
        return " ".join(chr(byte) if 0x20 < byte < 0x7F else f"0x{byte:02x}" for byte in self.markers)


def read_byte_trace(memory: Memory, layout: ByteTraceLayout) -> ByteTrace | None:
    """Read a byte trace; None where its memory cannot be."""
    emitted = read_integer(memory, layout.index_address, layout.index_size)
    if emitted is None or not 0 <= layout.capacity <= _MOST_BYTES:
        return None
    count = min(emitted, layout.capacity)
    markers = memory.read(layout.address, count) if count else b""
    return None if markers is None else ByteTrace(markers=markers, emitted=emitted)
