"""Which global variables and types a kernel's DWARF knows, by name, and where their entries are.

One pass over `.debug_info` that steps over everything else: pyelftools would make an object of each entry, ten
times as slow. What the entries say is read with pyelftools, for the few that are asked for, in structures.py.
Chapter and table numbers are those of the DWARF 5 standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE: Final = "DW_TAG_variable"
STRUCTURES: Final = frozenset({"DW_TAG_structure_type", "DW_TAG_class_type", "DW_TAG_union_type"})
ENUMERATION: Final = "DW_TAG_enumeration_type"
_INDEXED: Final = STRUCTURES | {VARIABLE, ENUMERATION, "DW_TAG_typedef"}
_SCOPES: Final = {"DW_TAG_namespace", "DW_TAG_module"}
_FUNCTIONS: Final = {"DW_TAG_subprogram", "DW_TAG_inlined_subroutine", "DW_TAG_lexical_block"}

_LEB: Final = -1
_STRING: Final = -2
_COUNTED: Final = -3
_BLOCKS: Final = {"block1": -11, "block2": -12, "block4": -14}
"""Minus ten, minus the size of the length in front."""
_SIZES: Final = {
    **dict.fromkeys(("flag_present", "implicit_const"), 0),
    **dict.fromkeys(("data1", "ref1", "flag", "strx1", "addrx1"), 1),
    **dict.fromkeys(("data2", "ref2", "strx2", "addrx2"), 2),
    **dict.fromkeys(("strx3", "addrx3"), 3),
    **dict.fromkeys(("data4", "ref4", "strx4", "addrx4", "ref_sup4"), 4),
    **dict.fromkeys(("data8", "ref8", "ref_sig8", "ref_sup8"), 8),
    "data16": 16,
    **dict.fromkeys(("udata", "sdata", "ref_udata", "strx", "addrx", "loclistx", "rnglistx"), _LEB),
    **dict.fromkeys(("GNU_addr_index", "GNU_str_index"), _LEB),
    "string": _STRING,
    **dict.fromkeys(("block", "exprloc"), _COUNTED),
}
"""Bytes of each form (7.5.6, table 7.6), or how to find out; those that depend on the unit are in `_form_size`."""
_UNIT_SIZED: Final = {"sec_offset", "strp", "line_strp", "strp_sup", "GNU_ref_alt", "GNU_strp_alt"}
_ENTRY_LIMIT: Final = 4_000_000
"""Some eight seconds' worth: a kernel of a hundred megabytes."""
_NEEDED: Final = {
    "DW_AT_name": "name",
    "DW_AT_declaration": "declaration",
    "DW_AT_specification": "specification",
    "DW_AT_str_offsets_base": "base",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A global variable or a type that has a name."""

    unit: Any
    """pyelftools' compile unit."""
    offset: int
    """In `.debug_info`."""
    tag: str
    name: str
    path: str
    """The name behind those of the namespaces and types around it: `kernel::task::Thread`."""
    is_declaration: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """An abbreviation, as it is stepped over."""

    tag: str
    has_children: bool
    size: int | None
    """Bytes after the code, where all its forms have a fixed size."""
    forms: tuple[tuple[str, str, int], ...]
    """What is needed of each attribute (`_NEEDED`'s values, else empty), its form, and the form's size."""


class DwarfIndex:
    """Named entries, in the order of the file."""

    def __init__(self, dwarf: Any) -> None:
        """Index what can be read: a unit that is damaged ends where the damage starts."""
        self.is_complete = True
        """False where a unit is damaged, or the limit was reached."""
        self._dwarf = dwarf
        self._left = _ENTRY_LIMIT
        self._content = _content(dwarf.debug_info_sec)
        self._strings = {
            "strp": _content(dwarf.debug_str_sec),
            "line_strp": _content(getattr(dwarf, "debug_line_str_sec", None)),
            "offsets": _content(getattr(dwarf, "debug_str_offsets_sec", None)),
        }
        self._by_name: dict[str, list[Entry]] = {}
        for unit in self._units():
            for entry in self._unit_entries(unit):
                self._by_name.setdefault(entry.name, []).append(entry)

    def find(self, name: str, *tags: str) -> list[Entry]:
        """Return the entries with one of the tags and a name, or a Rust path or its end."""
        last = name.rsplit("::", 1)[-1]
        return [
            entry
            for entry in self._by_name.get(last, ())
            if entry.tag in tags and (last == name or f"::{entry.path}".endswith(f"::{name}"))
        ]

    def all(self, *tags: str) -> Iterator[Entry]:
        """Yield every entry with one of the tags."""
        return (entry for entries in self._by_name.values() for entry in entries if entry.tag in tags)

    def _units(self) -> list[Any]:
        units = []
        try:
            units.extend(self._dwarf.iter_CUs())
        except Exception:  # noqa: BLE001 - pyelftools fails on damage in any way
            self.is_complete = False
        return units

    def _unit_entries(self, unit: Any) -> list[Entry]:
        walk = _UnitWalk(unit, self._content, self._strings, limit=self._left)
        try:
            walk.run()
        except Exception:  # noqa: BLE001 - the abbreviations are parsed by pyelftools; what was found counts
            self.is_complete = False
        self._left -= walk.count
        self.is_complete = self.is_complete and self._left > 0
        return walk.entries


class _UnitWalk:
    """One pass over one unit."""

    def __init__(self, unit: Any, content: bytes, strings: dict[str, bytes], *, limit: int) -> None:
        self.entries: list[Entry] = []
        self.count = 0
        self._unit = unit
        self._content = content
        self._strings = strings
        self._limit = limit
        self._shapes: dict[int, _Shape] = {}
        self._offset_size = 8 if unit.structs.dwarf_format == 64 else 4
        self._strings_base = 8 if self._offset_size == 4 else 16  # of a unit that does not say, 7.26
        self._names: dict[int, str] = {}

    def run(self) -> None:
        """Step through all entries; raises anything on damage."""
        content, at = self._content, self._unit.cu_die_offset
        end = min(self._unit.cu_offset + self._unit.size, len(content))
        scopes: list[str] = []
        function_depth = 0
        while at < end and self.count < self._limit:
            start = at
            code = content[at]
            at += 1
            if code >= 0x80:
                code, at = _uleb(content, start)
            if not code:
                if not scopes:
                    return
                scopes.pop()
                function_depth = function_depth and function_depth - 1
                if not scopes:
                    return
                continue
            self.count += 1
            shape = self._shapes.get(code) or self._shape(code)
            name = ""
            if not function_depth and (shape.tag in _INDEXED or shape.tag in _SCOPES or not scopes):
                name = self._note(shape, start, at, scopes)
            at = at + shape.size if shape.size is not None else self._step_over(shape, at)
            if shape.has_children:
                scopes.append(name if scopes else "")
                if function_depth or shape.tag in _FUNCTIONS:
                    function_depth += 1

    def _shape(self, code: int) -> _Shape:
        declared = self._unit.get_abbrev_table().get_abbrev(code)
        forms = []
        for name, form in declared.iter_attr_specs():
            short = str(form).removeprefix("DW_FORM_")
            forms.append((_NEEDED.get(name, ""), short, self._form_size(short)))
        sizes = [size for _, _, size in forms]
        shape = _Shape(
            tag=str(declared["tag"]),
            has_children=declared.has_children(),
            size=sum(sizes) if all(size >= 0 for size in sizes) else None,
            forms=tuple(forms),
        )
        self._shapes[code] = shape
        return shape

    def _form_size(self, form: str) -> int:
        if form in _UNIT_SIZED:
            return self._offset_size
        if form == "addr" or (form == "ref_addr" and self._unit["version"] == 2):
            return int(self._unit["address_size"])
        if form == "ref_addr":
            return self._offset_size
        if form in _BLOCKS:
            return _BLOCKS[form]
        return _SIZES[form]

    def _step_over(self, shape: _Shape, at: int) -> int:
        for _, _, size in shape.forms:
            at = at + size if size >= 0 else _skip(self._content, at, size)
        return at

    def _note(self, shape: _Shape, start: int, at: int, scopes: list[str]) -> str:
        """Keep an entry if it is one for the index; return its name."""
        found: dict[str, tuple[str, int]] = {}
        for need, form, size in shape.forms:
            if need:
                found[need] = (form, at)
            at = at + size if size >= 0 else _skip(self._content, at, size)
        if "base" in found and not scopes:
            self._strings_base = self._integer(found["base"][1], self._offset_size)
        name = self._text(*found["name"]) if "name" in found else self._specified(found)
        if shape.tag in _INDEXED:
            self._names[start] = name
            form, place = found.get("declaration", ("", 0))
            is_declaration = form == "flag_present" or (form == "flag" and self._content[place] != 0)
            if name:
                self.entries.append(
                    Entry(
                        unit=self._unit,
                        offset=start,
                        tag=shape.tag,
                        name=name,
                        path="::".join(filter(None, (*scopes, name))),
                        is_declaration=is_declaration,
                    )
                )
        return name

    def _specified(self, found: dict[str, tuple[str, int]]) -> str:
        """Return the name of the declaration that a definition completes (GCC, for C's `extern`)."""
        form, place = found.get("specification", ("", 0))
        sizes = {"ref1": 1, "ref2": 2, "ref4": 4, "ref8": 8}
        if form not in sizes:
            return ""
        return self._names.get(self._unit.cu_offset + self._integer(place, sizes[form]), "")

    def _text(self, form: str, at: int) -> str:
        """Return a string attribute; empty for forms that lead out of the file."""
        if form == "string":
            return _string(self._content, at)
        if form in ("strp", "line_strp"):
            return _string(self._strings[form], self._integer(at, self._offset_size))
        if not form.startswith("strx"):
            return ""
        index = _uleb(self._content, at)[0] if form == "strx" else self._integer(at, int(form[4:]))
        place = self._strings_base + index * self._offset_size
        offset = self._strings["offsets"][place : place + self._offset_size]
        return _string(self._strings["strp"], int.from_bytes(offset, "little"))

    def _integer(self, at: int, size: int) -> int:
        return int.from_bytes(self._content[at : at + size], "little")


def _content(section: Any) -> bytes:
    if section is None:
        return b""
    section.stream.seek(0)
    return bytes(section.stream.read())


def _string(strings: bytes, at: int) -> str:
    end = strings.find(b"\0", at)
    return strings[at : end if end >= 0 else len(strings)].decode("utf-8", "backslashreplace")


def _uleb(content: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number and what follows it (7.6)."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _skip(content: bytes, at: int, size: int) -> int:
    """Return what follows a value whose size is in it."""
    if size == _LEB:
        while content[at] >= 0x80:
            at += 1
        return at + 1
    if size == _STRING:
        return content.index(b"\0", at) + 1
    if size == _COUNTED:
        length, at = _uleb(content, at)
        return at + length
    length_size = -size - 10
    return at + length_size + int.from_bytes(content[at : at + length_size], "little")
