"""The kernel's symbols: where a name is, and what is at an address."""

from __future__ import annotations

import bisect
import copy
import functools
import re
import struct
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

import itanium_demangler
from rust_demangler import demangle as demangle_rust
from rust_demangler import rust_v0

from gdb.kernel_file.roles import LEGACY_HASH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

rust_v0.print = lambda *_: None
"""It prints what it cannot demangle, and standard output is not its own."""

_LAYOUT_64: Final = struct.Struct("<IBBHQQ")
_LAYOUT_32: Final = struct.Struct("<IIIBBH")
_UNDEFINED: Final = 0
_ABSOLUTE: Final = 0xFFF1
_MAPPING: Final = re.compile(r"\$[adtx](\..*)?")
"""Marks of code and data that assemblers leave (ELF for the Arm 64-bit Architecture, "mapping symbols")."""
_MANGLED: Final = re.compile(r"_{0,2}[ZR]")
_SUBSTITUTION: Final = re.compile(r"S[0-9A-Z]*_")
_MOST_SUBSTITUTIONS: Final = 24
"""C++ names with more are shown as they are: each can double the length of what is shown."""
_QUALIFIERS: Final = re.compile(r"(?: const| volatile)+$")
_ADDRESS_MASK: Final = (1 << 64) - 1
_ENCLOSING: Final = 32
"""How many symbols below an address may lie inside the one that holds it."""
_NAME_LIMIT: Final = 4096
"""Longer mangled names are shown as they are: v0's back references can make a page of a line."""


class SymbolKind(Enum):
    """What a symbol stands for. The better name for an address has the greater value."""

    ABSOLUTE = 0
    """A number that the linker made: no place in memory."""
    LABEL = 1
    OBJECT = 2
    FUNCTION = 3


_KINDS: Final = {
    0: SymbolKind.LABEL,
    1: SymbolKind.OBJECT,
    2: SymbolKind.FUNCTION,
    10: SymbolKind.FUNCTION,  # chosen at run time (GNU_IFUNC)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A name with its place."""

    name: str
    """The linker's; `demangle` makes it legible."""
    address: int
    size: int
    """Bytes; 0 where nobody said."""
    kind: SymbolKind
    is_global: bool = True


class SymbolTable:
    """Symbols by name and by address."""

    def __init__(self, symbols: Iterable[Symbol], *, ends: Sequence[int] = ()) -> None:
        """Index the symbols; `ends` are the sections' ends, where a symbol without a size stops at the latest."""
        self._base = 0
        self._by_name: dict[str, Symbol] = {}
        self._ambiguous: set[str] = set()
        placed: list[Symbol] = []
        for symbol in symbols:
            known = self._by_name.setdefault(symbol.name, symbol)
            if known is not symbol:
                self._add_namesake(symbol, known)
            if symbol.kind is not SymbolKind.ABSOLUTE:
                placed.append(symbol)
        self._placed = sorted(placed, key=lambda symbol: (symbol.address, *_rank(symbol)))
        self._addresses = [symbol.address for symbol in self._placed]
        self._ends = sorted(ends)
        self._found: dict[str, Symbol | None] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Everything that has a place, by address."""
        return tuple(self._moved(symbol) for symbol in self._placed)

    def relocated(self, base: int) -> SymbolTable:
        """Return the same table for a kernel that was loaded `base` bytes above where it was linked."""
        other = copy.copy(self)
        other._base = base  # noqa: SLF001 - it is one of these
        return other

    def find(self, name: str) -> Symbol | None:
        """Return a symbol by its linker name, its Rust path, or the end of one (`module::NAME`).

        None where there is none, or where several files have one of their own: any of them would be a guess.
        """
        if name in self._ambiguous:
            return None
        known = self._by_name.get(name)
        if known is None:
            if name not in self._found:
                self._found[name] = self._find_demangled(name)
            known = self._found[name]
        return known and self._moved(known)

    def at(self, address: int) -> tuple[Symbol, int] | None:
        """Return the symbol that holds an address and the offset in it.

        A size is respected; without one, a symbol reaches to the next or to its section's end.
        """
        linked = (address - self._base) & _ADDRESS_MASK
        index = bisect.bisect_right(self._addresses, linked) - 1
        if index < 0:
            return None
        for symbol in reversed(self._placed[max(0, index + 1 - _ENCLOSING) : index + 1]):
            if linked - symbol.address < symbol.size:
                return self._moved(symbol), linked - symbol.address
        nearest = self._placed[index]
        if nearest.size or not linked < self._end_after(nearest.address):
            return None
        return self._moved(nearest), linked - nearest.address

    def _add_namesake(self, symbol: Symbol, known: Symbol) -> None:
        if _rank(symbol) > _rank(known):
            self._by_name[symbol.name] = symbol
            self._ambiguous.discard(symbol.name)
        elif _rank(symbol) == _rank(known) and symbol.address != known.address:
            self._ambiguous.add(symbol.name)

    def _moved(self, symbol: Symbol) -> Symbol:
        if not self._base or symbol.kind is SymbolKind.ABSOLUTE:
            return symbol
        return replace(symbol, address=(symbol.address + self._base) & _ADDRESS_MASK)

    def _end_after(self, address: int) -> float:
        index = bisect.bisect_right(self._ends, address)
        if index < len(self._ends):
            return self._ends[index]
        return address + 1 if self._ends else float("inf")

    def _find_demangled(self, name: str) -> Symbol | None:
        """Demangle only what has the last word of the name in it: all manglings write identifiers out."""
        words = re.findall(r"\w+", name)
        if not words:
            return None
        exact, ending = [], []
        for mangled, symbol in self._by_name.items():
            if words[-1] in mangled and _MANGLED.match(mangled):
                path = demangle(mangled)
                if path == name:
                    exact.append(symbol)
                elif path.endswith(f"::{name}"):
                    ending.append(symbol)
        return _only(exact) if exact else _only(ending)


def decode_symbols(table: bytes, names: bytes, *, is_64_bit: bool = True) -> tuple[Symbol, ...]:
    """Decode an ELF symbol table and its string table; undefined symbols and assemblers' marks are left out."""
    layout = _LAYOUT_64 if is_64_bit else _LAYOUT_32
    symbols = []
    for row in layout.iter_unpack(table[: len(table) - len(table) % layout.size]):
        if is_64_bit:
            name_at, info, _other, section, address, size = row
        else:
            name_at, address, size, info, _other, section = row
        kind = _KINDS.get(info & 0xF)
        if kind is None or section == _UNDEFINED:
            continue
        end = names.find(b"\0", name_at)
        name = names[name_at : end if end >= 0 else len(names)].decode("utf-8", "backslashreplace")
        if not name or name.startswith(".L") or _MAPPING.fullmatch(name):
            continue
        symbols.append(
            Symbol(
                name=name,
                address=address,
                size=size,
                kind=SymbolKind.ABSOLUTE if section == _ABSOLUTE else kind,
                is_global=info >> 4 != 0,
            )
        )
    return tuple(symbols)


@functools.lru_cache(maxsize=65_536)
def demangle(name: str) -> str:
    """Return the path of a Rust symbol (legacy and v0 mangling) without its hash, or of a C++ one without its parameters.

    Any other name is returned as it is.
    """
    if not _MANGLED.match(name) or len(name) > _NAME_LIMIT:
        return name
    try:
        path = demangle_rust(name)
    except Exception:  # noqa: BLE001 - the package fails in any way on what is not quite a Rust name
        return _demangle_cxx(name)
    return LEGACY_HASH.sub("", path) or name


def _demangle_cxx(name: str) -> str:
    """Demangle by the Itanium C++ ABI, 5.1."""
    if len(_SUBSTITUTION.findall(name)) > _MOST_SUBSTITUTIONS:
        return name
    try:
        parsed = itanium_demangler.parse(name)
        path = "" if parsed is None else str(parsed.name if parsed.kind == "func" else parsed)
    except Exception:  # noqa: BLE001 - the package knows most of the names that there are, and fails on the others
        return name
    return _QUALIFIERS.sub("", path) or name


def _rank(symbol: Symbol) -> tuple[int, bool, bool]:
    return symbol.kind.value, symbol.is_global, symbol.size > 0


def _only(symbols: Sequence[Symbol]) -> Symbol | None:
    """Return the symbol if all are at one place: one of several would be a guess."""
    return symbols[0] if len({symbol.address for symbol in symbols}) == 1 else None
