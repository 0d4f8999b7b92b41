"""QEMU's core file made to be read by the kernel's own addresses: `gdb kernel.elf core`.

`dump-guest-memory` without paging (QEMU 7.2, docs/interop and dump/dump.c) gives physical memory: its segments are at
physical addresses, where no symbol points. Having QEMU walk the page tables instead is not done on aarch64, and trusts
what a broken kernel may have in them. So segments are added here that show the same bytes at virtual addresses.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

PAGE: Final = 4096
_HEADER: Final = struct.Struct("<4sBBBB8xHHIQQQIHHHHHH")
_ROW: Final = struct.Struct("<IIQQQQQQ")
_LOAD: Final = 1
_CORE: Final = 4
_MOST_ROWS: Final = 60_000
_MOST_PAGES: Final = 32_768
_STACK_PAGES: Final = 8
"""Looked at from the stack pointer upwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedMemory:
    """Virtual memory and where it is, in bytes."""

    address: int
    physical: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What is in a core file: its table of program headers, and of those the physical memory."""

    rows: tuple[tuple[int, ...], ...]

    @property
    def loads(self) -> tuple[tuple[int, int, int], ...]:
        """(physical address, offset in the file, size)."""
        return tuple((row[4], row[2], row[5]) for row in self.rows if row[0] == _LOAD)


def read_memory_map(file: Path) -> tuple[tuple[int, int], ...]:
    """Return (physical address, size) of the memory in a core file. Raises `HarnessError` where it is none."""
    return tuple((physical, size) for physical, _offset, size in _read(file).loads)


def map_core(file: Path, mappings: Iterable[MappedMemory]) -> None:
    """Let a core file show its memory at virtual addresses as well. Raises `HarnessError`."""
    core = _read(file)
    added = [row for mapping in mappings for row in _rows(mapping, core.loads)]
    rows = [*core.rows, *added]
    if len(rows) > _MOST_ROWS:
        raise HarnessError(f"{file.name}: the kernel's memory is in {len(rows)} pieces")
    try:
        with file.open("r+b") as stream:
            place = -(-stream.seek(0, 2) // 8) * 8
            stream.seek(place)
            stream.write(b"".join(_ROW.pack(*row) for row in rows))
            stream.seek(32)  # e_phoff
            stream.write(struct.pack("<Q", place))
            stream.seek(56)  # e_phnum
            stream.write(struct.pack("<H", len(rows)))
    except OSError as error:
        raise HarnessError(f"{file.name}: {error.strerror}", hint="is the disk full?") from error


def find_mappings(
    translate: Callable[[int], int | None],
    *,
    image: Sequence[tuple[int, int]],
    stack_pointers: Sequence[int],
    memory: Sequence[tuple[int, int]],
) -> tuple[MappedMemory, ...]:
    """Find where the kernel has its image, its stacks and, at one stroke, all physical memory.

    `translate` returns a page's physical address, `image` are (address, size) of the kernel's segments, `memory` is the
    core's. A map of all memory is believed where both ends of a piece of memory are found through it.
    """
    pages = [page for address, size in image for page in _pages(address, size)][:_MOST_PAGES]
    stacks = [page for pointer in stack_pointers for page in _pages(pointer, _STACK_PAGES * PAGE)]
    found = {page: at for page in (*pages, *stacks) if (at := translate(page)) is not None}
    offsets = Counter(page - found[page] for page in stacks if page in found)
    whole = [
        MappedMemory(address=start + offset, physical=start, size=size)
        for offset, _count in offsets.most_common(1)
        for start, size in memory
        if size >= PAGE
        and _agrees(translate, offset, start)
        and _agrees(translate, offset, start + size - PAGE)
    ]
    return (*_joined(found), *whole)


def _agrees(translate: Callable[[int], int | None], offset: int, physical: int) -> bool:
    page = physical // PAGE * PAGE
    return 0 <= page + offset < 1 << 64 and translate(page + offset) == page


def _pages(address: int, size: int) -> range:
    return range(address // PAGE * PAGE, min(address + size, 1 << 64), PAGE)


def _joined(found: dict[int, int]) -> Iterator[MappedMemory]:
    """Yield pages as mappings, neighbours made one."""
    last: MappedMemory | None = None
    for page, physical in sorted(found.items()):
        if last is not None and (last.address + last.size, last.physical + last.size) == (page, physical):
            last = MappedMemory(address=last.address, physical=last.physical, size=last.size + PAGE)
            continue
        if last is not None:
            yield last
        last = MappedMemory(address=page, physical=physical, size=PAGE)
    if last is not None:
        yield last


def _rows(mapping: MappedMemory, loads: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, ...]]:
    """Yield a program header for each piece of the file in which some of the mapping lies."""
    for start, offset, size in loads:
        first = max(mapping.physical, start)
        length = min(mapping.physical + mapping.size, start + size) - first
        if length > 0:
            address = mapping.address + first - mapping.physical
            yield (_LOAD, 7, offset + first - start, address, first, length, length, 0)


def _read(file: Path) -> _Core:
    try:
        with file.open("rb") as stream:
            header = _HEADER.unpack(stream.read(_HEADER.size))
            stream.seek(header[9])
            table = stream.read(header[14] * _ROW.size)
    except (OSError, struct.error, OverflowError) as error:
        raise HarnessError(f"{file.name}: it cannot be read as a core file: {error}") from error
    is_core = header[:4] == (b"\x7fELF", 2, 1, 1) and header[5] == _CORE and header[13] == _ROW.size
    if not is_core or len(table) != header[14] * _ROW.size:
        raise HarnessError(f"{file.name}: it is no 64-bit ELF core file")
    return _Core(rows=tuple(_ROW.iter_unpack(table)))
