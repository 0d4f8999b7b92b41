"""Writes small ELF files: segments and symbols as a test wants them, no compiler needed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

AARCH64 = 183
X86_64 = 62

FUNCTION = 2
OBJECT = 1
LABEL = 0

_NOTE_BUILD_ID = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSymbol:
    """A row of the symbol table."""

    name: str
    address: int
    size: int = 0
    kind: int = OBJECT
    is_global: bool = True
    section: int = 1
    """1 is the section that ends with the last segment; 0xFFF1 an absolute number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSegment:
    """A loaded piece; what `memory_size` has over the content is zeros."""

    address: int
    content: bytes = b""
    memory_size: int | None = None
    physical_address: int | None = None
    flags: int = 6


def write_elf(
    *,
    symbols: Sequence[WrittenSymbol] = (),
    segments: Sequence[WrittenSegment] = (),
    machine: int = AARCH64,
    is_position_independent: bool = False,
    entry: int = 0,
    build_id: bytes = b"",
) -> bytes:
    """Return a little-endian ELF64 file with these segments, symbols and build id."""
    note = struct.pack("<III4s", 4, len(build_id), _NOTE_BUILD_ID, b"GNU\0") + build_id if build_id else b""
    body = bytearray()
    body_at = 64 + 56 * (len(segments) + bool(note))
    headers = bytearray()
    for segment in segments:
        size = len(segment.content) if segment.memory_size is None else segment.memory_size
        physical = segment.address if segment.physical_address is None else segment.physical_address
        place = body_at + len(body)
        headers += struct.pack(
            "<IIQQQQQQ", 1, segment.flags, place, segment.address, physical, len(segment.content), size, 1
        )
        body += segment.content
    if note:
        headers += struct.pack("<IIQQQQQQ", 4, 4, body_at + len(body), 0, 0, len(note), len(note), 4)
        body += note
    names, table = _symbol_table(symbols)
    section_names = b"\0.data\0.symtab\0.strtab\0.shstrtab\0"
    first = min((segment.address for segment in segments), default=0)
    last = max((s.address + (s.memory_size or len(s.content)) for s in segments), default=0)
    places = []
    for piece in (table, names, section_names):
        places.append((body_at + len(body), len(piece)))
        body += piece
    sections = [
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (1, 8, 3, first, body_at, last - first, 0, 0, 1, 0),
        (7, 2, 0, 0, *places[0], 3, 1, 8, 24),
        (15, 3, 0, 0, *places[1], 0, 0, 1, 0),
        (23, 3, 0, 0, *places[2], 0, 0, 1, 0),
    ]
    header = struct.pack(
        "<4sBBBB8xHHIQQQIHHHHHH",
        *(b"\x7fELF", 2, 1, 1, 0, 3 if is_position_independent else 2, machine, 1, entry, 64),
        *(body_at + len(body), 0, 64, 56, len(headers) // 56, 64, len(sections), 4),
    )
    return header + headers + body + b"".join(struct.pack("<IIQQQQIIQQ", *row) for row in sections)


def _symbol_table(symbols: Sequence[WrittenSymbol]) -> tuple[bytes, bytes]:
    """Return the string table and the symbol table."""
    names, rows = bytearray(b"\0"), [bytes(24)]
    for symbol in symbols:
        info = (16 if symbol.is_global else 0) | symbol.kind
        rows.append(struct.pack("<IBBHQQ", len(names), info, 0, symbol.section, symbol.address, symbol.size))
        names += symbol.name.encode() + b"\0"
    return bytes(names), b"".join(rows)
