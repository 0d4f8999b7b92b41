"""A guest's memory, kept beside it and put back: much faster than QEMU's own way for memory that it shares with us.

QEMU leaves shared memory out of saved states where it is asked to (the migration capability `x-ignore-shared`, QEMU 4.0
and later), and keeping it is then ours. Most of a small kernel's memory is empty, so a copy holds the pages that are
not, and everything between them is given back to the host with MADV_REMOVE (madvise(2)) and reads as zeros. The guest
must stand still meanwhile.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME: Final = "/memfd:memory-backend-memfd"
"""What Linux calls the file that QEMU makes for such memory (util/memfd.c and backends/hostmem-memfd.c, QEMU 7.2)."""
_CHUNK: Final = 64 * 1024
"""Read at once: of larger pieces the C library keeps one for each thread."""
_EMPTY: Final = bytes(mmap.PAGESIZE)

Span = tuple[int, int]
"""Begin and end, in bytes."""


class SavedMemory:
    """The memory of one QEMU, and a copy of it. Every step raises `OSError` where the host refuses it."""

    def __init__(self, descriptor: int) -> None:
        """Take over the open file of the guest's memory."""
        self._resources = contextlib.ExitStack()
        self._resources.callback(os.close, descriptor)
        try:
            self._memory = descriptor
            self._size = os.fstat(descriptor).st_size
            self._map = self._resources.enter_context(mmap.mmap(descriptor, self._size))
        except BaseException:
            self._resources.close()
            raise
        self._copy: mmap.mmap | None = None
        self._used: tuple[Span, ...] = ()

    def save(self) -> None:
        """Remember what the memory holds now."""
        self._forget()
        copy = os.memfd_create("parity-saved-memory")
        try:
            os.ftruncate(copy, self._size)
            self._used = tuple(merge_spans(self._copy_used(copy)))
            self._copy = mmap.mmap(copy, self._size, prot=mmap.PROT_READ)
        finally:
            os.close(copy)

    @property
    def used_bytes(self) -> int:
        """How much of the memory was saved: the rest was empty."""
        return sum(end - begin for begin, end in self._used)

    def put_back(self) -> None:
        """Make the memory what it was."""
        for begin, end in gaps_between(self._used, self._size):
            self._map.madvise(mmap.MADV_REMOVE, begin, end - begin)
        if self._copy is not None:
            with memoryview(self._map) as memory, memoryview(self._copy) as copy:
                for begin, end in self._used:
                    memory[begin:end] = copy[begin:end]

    def adopt(self, other: SavedMemory) -> None:
        """Take away what another QEMU's memory remembers, which is as large, and make this memory the same."""
        self._forget()
        self._copy, self._used = other._copy, other._used
        other._copy, other._used = None, ()
        self.put_back()

    def close(self) -> None:
        """Let go of both."""
        self._forget()
        self._resources.close()

    def _forget(self) -> None:
        if self._copy is not None:
            self._copy.close()
        self._copy, self._used = None, ()

    def _copy_used(self, copy: int) -> Iterator[Span]:
        """Copy the pages that hold anything to a file; yield where they are, in order."""
        for begin, end in _data_spans(self._memory, self._size):
            for start in range(begin, end, _CHUNK):
                content = os.pread(self._memory, min(_CHUNK, end - start), start)
                for first, last in used_spans(content):
                    os.pwrite(copy, content[first:last], start + first)
                    yield start + first, start + last


def open_memory(pid: int) -> SavedMemory | None:
    """Return the memory that a QEMU shares with us; None where it has none, or not just one, or may not be opened."""
    found = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.readlink(link).startswith(_NAME):  # noqa: PTH115 - the target is no path
                    found.append(link)
    if len(found) != 1:
        return None
    try:
        return SavedMemory(os.open(found[0], os.O_RDWR | os.O_CLOEXEC))
    except OSError:  # not permitted
        return None


def used_spans(content: bytes) -> Iterator[Span]:
    """Yield where the pages are that hold anything but zeros; neighbours are one span."""
    pages = range(0, len(content), mmap.PAGESIZE)
    return merge_spans(
        (page, page + mmap.PAGESIZE) for page in pages if content[page : page + mmap.PAGESIZE] != _EMPTY
    )


def merge_spans(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans that are in order, those that touch as one."""
    waiting: Span | None = None
    for begin, end in spans:
        if waiting is not None and waiting[1] == begin:
            waiting = waiting[0], end
            continue
        if waiting is not None:
            yield waiting
        waiting = begin, end
    if waiting is not None:
        yield waiting


def gaps_between(spans: Iterable[Span], size: int) -> Iterator[Span]:
    """Yield what of `size` bytes no span covers; the spans are in order."""
    position = 0
    for begin, end in spans:
        if position < begin:
            yield position, begin
        position = end
    if position < size:
        yield position, size


def _data_spans(descriptor: int, size: int) -> Iterator[Span]:
    """Yield where a sparse file has content at all."""
    position = 0
    while position < size:
        try:
            begin = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError:  # nothing behind here
            return
        position = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, position
