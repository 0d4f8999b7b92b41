"""Guest memory by virtual address, as everything that decodes it sees it: live, recorded, or both at once.

Decoders take a `Memory` and read what they need, pointers followed. In a capture they read through a `Recorder`, so
that the capture holds exactly what they looked at; a replay gives them those blocks as `RecordedMemory`.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Memory(Protocol):
    """Reads guest memory; never raises for what the guest has there."""

    def read(self, address: int, size: int) -> bytes | None:
        """Return `size` bytes at a virtual address, or None where not all of them can be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of guest memory."""

    address: int
    content: bytes


class RecordedMemory:
    """The blocks of a capture. Where blocks overlap, the one given last is right."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = _joined(sorted(_without_overlaps(blocks), key=lambda block: block.address))
        self._addresses = [block.address for block in self._blocks]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Everything that is there, by address; none overlaps or touches another."""
        return tuple(self._blocks)

    def read(self, address: int, size: int) -> bytes | None:
        """Return the bytes, where one block has them all."""
        index = bisect.bisect_right(self._addresses, address) - 1
        if size < 0 or index < 0:
            return None
        block = self._blocks[index]
        start = address - block.address
        return block.content[start : start + size] if start + size <= len(block.content) else None


class Recorder:
    """Reads through to another memory and remembers what was read."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._blocks: list[Block] = []

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What was read so far, in the order in which it was."""
        return tuple(self._blocks)

    def read(self, address: int, size: int) -> bytes | None:
        """Return what the other memory has there."""
        content = self._memory.read(address, size)
        if content:
            self._blocks.append(Block(address=address, content=content))
        return content


def read_integer(memory: Memory, address: int, size: int, *, signed: bool = False) -> int | None:
    """Return a little-endian integer of `size` bytes; both architectures are little-endian."""
    raw = memory.read(address, size)
    return None if raw is None or len(raw) != size else int.from_bytes(raw, "little", signed=signed)


def read_text(memory: Memory, address: int, *, limit: int = 256) -> str | None:
    """Return a NUL-terminated string, decoded with backslash escapes; what is over `limit` bytes is cut."""
    raw = bytearray()
    while len(raw) < limit:
        piece = memory.read(address + len(raw), 16) or memory.read(address + len(raw), 1)
        if piece is None:
            return None if not raw else raw.decode("utf-8", "backslashreplace")
        raw += piece
        if 0 in piece:
            break
    return bytes(raw).split(b"\0", 1)[0][:limit].decode("utf-8", "backslashreplace")


def _joined(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks, given by address, with those that touch made one."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if last is not None and last.address + len(last.content) == block.address:
            joined[-1] = Block(address=last.address, content=last.content + block.content)
        else:
            joined.append(block)
    return joined


def _without_overlaps(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks cut so that none overlaps another; later ones win."""
    kept: list[Block] = []
    for block in blocks:
        if not block.content:
            continue
        end = block.address + len(block.content)
        rest: list[Block] = []
        for other in kept:
            other_end = other.address + len(other.content)
            if other_end <= block.address or other.address >= end:
                rest.append(other)
                continue
            if other.address < block.address:
                rest.append(
                    Block(address=other.address, content=other.content[: block.address - other.address])
                )
            if other_end > end:
                rest.append(Block(address=end, content=other.content[end - other.address :]))
        kept = [*rest, block]
    return kept
