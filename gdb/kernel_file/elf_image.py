"""The kernel's ELF file: segments, initial data, symbols, and the way to its DWARF.

Whatever is in the file, reading it ends: counts and sizes are held against the file before they are followed.
What the DWARF means is in structures.py.
"""

from __future__ import annotations

import contextlib
import functools
import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from elftools.elf.elffile import ELFFile

from gdb.kernel_file.symbols import SymbolTable, decode_symbols
from parity.architecture import ARCHITECTURES
from parity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MACHINES: Final = {architecture.elf_machine: name for name, architecture in ARCHITECTURES.items()}
_SEGMENT_LIMIT: Final = 1_000
_SECTION_LIMIT: Final = 20_000
"""`-ffunction-sections` leaves thousands in a file that was not linked whole."""
_READ_LIMIT: Final = 1 << 28
_BUILD_ID: Final = 3
"""The note's type (NT_GNU_BUILD_ID)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A loaded piece of the kernel; sizes and offset in bytes."""

    address: int
    physical_address: int
    offset: int
    file_size: int
    memory_size: int
    is_writable: bool
    is_executable: bool


class ElfImage:
    """An ELF file as it was linked; a `Memory` of what is initially at its addresses."""

    def __init__(self, stream: BinaryIO, *, name: str) -> None:
        """Read the headers; raises `UsageError` with `name` and the reason where it is no such file."""
        self.name = name
        self._stream = stream
        with _readable(name):
            self._size = stream.seek(0, io.SEEK_END)
            self._file: Any = ELFFile(stream)
            if not self._file.little_endian:
                raise ValueError("it is big-endian")
            header = self._file.header
            self.machine: str = _MACHINES.get(header["e_machine"], str(header["e_machine"]))
            """An architecture's name, or ELF's own for one that parity does not know."""
            self.entry: int = header["e_entry"]
            self.is_position_independent: bool = header["e_type"] == "ET_DYN"
            """Whether it runs elsewhere than at the addresses in it."""
            self._headers = _program_headers(self._file)
            self._sections = _sections(self._file)
        self.segments = tuple(_segment(row) for row in self._headers if row["p_type"] == "PT_LOAD")

    @functools.cached_property
    def build_id(self) -> str | None:
        """The GNU build id in hexadecimal, where the linker was asked for one."""
        spans = [(row["p_offset"], row["p_filesz"]) for row in self._headers if row["p_type"] == "PT_NOTE"]
        spans += [
            (row["sh_offset"], row["sh_size"]) for row in self._sections if row["sh_type"] == "SHT_NOTE"
        ]
        for offset, size in spans:
            for name, kind, content in _notes(self._bytes(offset, size)):
                if name == b"GNU\0" and kind == _BUILD_ID:
                    return content.hex()
        return None

    @functools.cached_property
    def symbols(self) -> SymbolTable:
        """Every symbol that has a place, at link addresses; those for dynamic linking where nothing else is left."""
        tables = {row["sh_type"]: row for row in self._sections}
        table = tables.get("SHT_SYMTAB") or tables.get("SHT_DYNSYM")
        if table is None or not table["sh_link"] < len(self._sections):
            return SymbolTable(())
        names = self._sections[table["sh_link"]]
        symbols = decode_symbols(
            self._bytes(table["sh_offset"], table["sh_size"]),
            self._bytes(names["sh_offset"], names["sh_size"]),
            is_64_bit=self._file.elfclass == 64,
        )
        ends = [row["sh_addr"] + row["sh_size"] for row in self._sections if row["sh_flags"] & 2]  # allocated
        return SymbolTable(symbols, ends=ends)

    @functools.cached_property
    def dwarf(self) -> Any:
        """Return the DWARFInfo of pyelftools, or None where the file has none that can be read."""
        with contextlib.suppress(UsageError), _readable(self.name):
            if self._file.has_dwarf_info():
                return self._file.get_dwarf_info()
        return None

    def read(self, address: int, size: int) -> bytes | None:
        """Return what is at a link address when the kernel starts; zeros for what the file leaves out."""
        if not 0 <= size <= _READ_LIMIT:
            return None
        pieces, at, end = [], address, address + size
        while at < end:
            segment = next((s for s in self.segments if s.address <= at < s.address + s.memory_size), None)
            if segment is None:
                return None
            start = at - segment.address
            length = min(end, segment.address + segment.memory_size) - at
            stored = max(0, min(length, segment.file_size - start))
            piece = self._bytes(segment.offset + start, stored) if stored else b""
            pieces.append(piece.ljust(length, b"\0"))
            at += length
        return b"".join(pieces)

    def physical(self, address: int) -> int | None:
        """Return where a loader that goes by the program headers puts a link address."""
        for segment in self.segments:
            if segment.address <= address < segment.address + segment.memory_size:
                return segment.physical_address + address - segment.address
        return None

    def _bytes(self, offset: int, size: int) -> bytes:
        """Return what the file has of a span."""
        if offset >= self._size:
            return b""
        with _readable(self.name):
            self._stream.seek(offset)
            return self._stream.read(min(size, self._size - offset))


def read_elf(path: Path) -> ElfImage:
    """Read an ELF file whole, so that a build that runs meanwhile cannot change it.

    Raises `UsageError` with the file and the reason where it cannot be read or is no ELF file.
    """
    with _readable(str(path)):
        return ElfImage(io.BytesIO(path.read_bytes()), name=str(path))


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    """Say of which file and why it cannot be read: pyelftools fails on a damaged one in any way."""
    try:
        yield
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror or error}") from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(
            f"{name}: cannot be read as an ELF file: {reason}",
            hint="`symbols` names the kernel's ELF file, where `kernel` is not one",
        ) from error


def _program_headers(file: Any) -> list[Any]:
    count = file.num_segments()
    if count > _SEGMENT_LIMIT:
        raise ValueError(f"it claims {count} segments")
    return [file.get_segment(index).header for index in range(count)]


def _sections(file: Any) -> list[Any]:
    """Return the section headers; a file whose section table is damaged or gone still has its segments."""
    try:
        count = file.num_sections()
        if count > _SECTION_LIMIT:
            return []
        return [file._get_section_header(index) for index in range(count)]  # noqa: SLF001 - no names needed
    except Exception:  # noqa: BLE001 - as in _readable
        return []


def _segment(row: Any) -> Segment:
    return Segment(
        address=row["p_vaddr"],
        physical_address=row["p_paddr"],
        offset=row["p_offset"],
        file_size=min(row["p_filesz"], row["p_memsz"]),
        memory_size=row["p_memsz"],
        is_writable=bool(row["p_flags"] & 2),
        is_executable=bool(row["p_flags"] & 1),
    )


def _notes(content: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield each note's name, type and content (ELF, "Note Section"; padded to 4 bytes)."""
    at = 0
    while at + 12 <= len(content):
        name_size, size, kind = struct.unpack_from("<III", content, at)
        start = at + 12 + (name_size + 3 & ~3)
        yield content[at + 12 : at + 12 + name_size], kind, content[start : start + size]
        at = start + (size + 3 & ~3)
