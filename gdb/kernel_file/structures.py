"""What the kernel's DWARF says of its variables and types: where a member is, what a state is called.

Types are looked up when they are asked for; typedefs and qualifiers are looked through, as are Rust's wrappers of
one field (`AtomicU64`, `UnsafeCell`) where a number or a pointer is wanted. place.py makes plain records of it.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from gdb.kernel_file.dwarf_index import ENUMERATION, STRUCTURES, VARIABLE, DwarfIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gdb.kernel_file.dwarf_index import Entry
    from gdb.kernel_file.elf_image import ElfImage

POINTER_SIZE: Final = 8
_DEPTH: Final = 64
"""How far types may lead to types before that is taken for a circle."""
_CHILDREN: Final = 20_000
_TRANSPARENT: Final = {
    *("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_atomic_type"),
    *("DW_TAG_restrict_type", "DW_TAG_immutable_type", "DW_TAG_packed_type"),
}
_SIGNED: Final = {5, 6, 13}  # DW_ATE_signed, signed_char, signed_fixed (DWARF 5, 7.8)
_ADDRESS: Final = 0x03  # DW_OP_addr
_ADDRESS_INDEX: Final = {0xA1, 0xFB}  # DW_OP_addrx, DW_OP_GNU_addr_index
_PLUS: Final = 0x23  # DW_OP_plus_uconst


class Kind(Enum):
    """What a type is, as far as reading memory is concerned."""

    INTEGER = "integer"
    POINTER = "pointer"
    ENUMERATION = "enumeration"
    ARRAY = "array"
    STRUCTURE = "structure"
    """A union as well."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member, at an offset in bytes."""

    name: str
    offset: int
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A global variable."""

    name: str
    path: str
    address: int
    """At link time."""
    type: Type


class Type:
    """A type without its typedefs and qualifiers. Sizes are in bytes, 0 where nobody said."""

    def __init__(self, structures: Structures, die: Any) -> None:
        self._structures = structures
        self._die = die
        self.name = _text(die, "DW_AT_name")
        self.kind = _kind(die.tag)

    @functools.cached_property
    def size(self) -> int:
        """Bytes."""
        if self.kind is Kind.ARRAY and "DW_AT_byte_size" not in self._die.attributes:
            with contextlib.suppress(RecursionError):  # damage: an array of itself
                return self.count * (self.target.size if self.target is not None else 0)
            return 0
        default = POINTER_SIZE if self.kind is Kind.POINTER else 0
        return _number(self._die, "DW_AT_byte_size", default)

    @property
    def is_signed(self) -> bool:
        """Whether numbers of this type can be negative."""
        if self.kind is Kind.ENUMERATION:
            return any(value < 0 for value, _ in self.enumerators)
        return _number(self._die, "DW_AT_encoding") in _SIGNED

    @functools.cached_property
    def target(self) -> Type | None:
        """What a pointer points to, or an array consists of."""
        return self._structures.type_of(self._die) if self.kind in (Kind.POINTER, Kind.ARRAY) else None

    @functools.cached_property
    def count(self) -> int:
        """An array's elements, over all its dimensions; 0 where it is open."""
        count = 1
        for child in self._children("DW_TAG_subrange_type"):
            bound = _number(child, "DW_AT_upper_bound", -1) + 1
            count *= max(0, _number(child, "DW_AT_count", bound))
        return count if self.kind is Kind.ARRAY else 0

    @functools.cached_property
    def enumerators(self) -> tuple[tuple[int, str], ...]:
        """Values with their names: an enumeration's, or a Rust enumeration's that holds data."""
        if self.kind is Kind.ENUMERATION:
            children = self._children("DW_TAG_enumerator")
            return tuple((_number(c, "DW_AT_const_value"), _text(c, "DW_AT_name")) for c in children)
        variants = self._variants()
        return tuple((value, member.name) for value, member in variants if value is not None)

    @functools.cached_property
    def members(self) -> Mapping[str, Member]:
        """A structure's members by name, those of its unnamed members and C++ base classes among them."""
        found: dict[str, Member] = {}
        for member in (*self._own_members(self._die), *self._bases()):
            inner: Mapping[str, Member] = {}
            if not member.name and member.type.kind is Kind.STRUCTURE:
                with contextlib.suppress(RecursionError):  # damage: a structure in itself
                    inner = member.type.members
            for name, one in inner.items():
                found.setdefault(name, Member(name=name, offset=member.offset + one.offset, type=one.type))
            if member.name:
                found[member.name] = member
        return found

    @functools.cached_property
    def discriminant(self) -> Member | None:
        """The member that tells a Rust enumeration's variants apart."""
        part = next(iter(self._children("DW_TAG_variant_part")), None)
        return next(iter(self._own_members(part)), None) if part is not None else None

    def number(self) -> tuple[int, Type] | None:
        """Return the offset and the type of the one number in it, for atomics, cells and enumerations."""
        offset, at = 0, self
        for _ in range(_DEPTH):
            if at.kind in (Kind.INTEGER, Kind.ENUMERATION, Kind.POINTER):
                return (offset, at) if 0 < at.size <= 8 else None
            inner = at.discriminant or at.wrapped()
            if inner is None:
                return None
            offset, at = offset + inner.offset, inner.type
        return None

    def pointer(self) -> tuple[int, Type] | None:
        """Return the offset and the type of the one pointer in it: Rust's `Option<&T>`, `NonNull`, atomics."""
        offset, at = 0, self
        for _ in range(_DEPTH):
            if at.kind is Kind.POINTER:
                return offset, at
            inner = at.wrapped() or at.only_payload()
            if inner is None:
                return None
            offset, at = offset + inner.offset, inner.type
        return None

    def array(self) -> tuple[int, Type] | None:
        """Return the offset and the type of the one array in it, for Rust's cells."""
        offset, at = 0, self
        for _ in range(_DEPTH):
            if at.kind is Kind.ARRAY:
                return offset, at
            inner = at.wrapped()
            if inner is None:
                return None
            offset, at = offset + inner.offset, inner.type
        return None

    def wrapped(self) -> Member | None:
        """Return the only member that is of any size."""
        sizable = [member for member in self.members.values() if member.type.size]
        return sizable[0] if len(sizable) == 1 and self.discriminant is None else None

    def empty_values(self) -> frozenset[int]:
        """Return the discriminants of the variants without content: Rust's `None`."""
        variants = self._variants()
        return frozenset(v for v, one in variants if v is not None and one.type.wrapped() is None)

    def parameter(self, name: str) -> Type | None:
        """Return what a generic type was made for: `T` of Rust's `Vec<T>`."""
        for child in self._children("DW_TAG_template_type_param"):
            if _text(child, "DW_AT_name") == name:
                return self._structures.type_of(child)
        return None

    def only_payload(self) -> Member | None:
        """Return the content of the only variant that has any."""
        payloads = [
            member for _, variant in self._variants() if (member := variant.type.wrapped()) is not None
        ]
        return payloads[0] if len(payloads) == 1 else None

    def _variants(self) -> list[tuple[int | None, Member]]:
        """Return a Rust enumeration's variants with their values; None for the one that has all others."""
        found = []
        for part in self._children("DW_TAG_variant_part"):
            for variant in self._structures.children(part, "DW_TAG_variant"):
                known = "DW_AT_discr_value" in variant.attributes
                value = _number(variant, "DW_AT_discr_value") if known else None
                found += [(value, member) for member in self._own_members(variant)]
        return found

    def _bases(self) -> Iterator[Member]:
        return self._members_of(self._children("DW_TAG_inheritance"))

    def _own_members(self, die: Any) -> Iterator[Member]:
        return self._members_of(self._structures.children(die, "DW_TAG_member"))

    def _members_of(self, children: Iterable[Any]) -> Iterator[Member]:
        """Leave out bit fields, and C++'s static members, which DWARF 4 lists as well."""
        for child in children:
            target = self._structures.type_of(child)
            if target is not None and not child.attributes.keys() & {"DW_AT_bit_size", "DW_AT_declaration"}:
                offset = _number(child, "DW_AT_data_member_location")
                yield Member(name=_text(child, "DW_AT_name"), offset=offset, type=target)

    def _children(self, tag: str) -> list[Any]:
        return self._structures.children(self._die, tag)


class Structures:
    """The DWARF of one kernel. Nothing raises for what is damaged in it: that part is then not there."""

    def __init__(self, elf: ElfImage) -> None:
        self._symbols = elf.symbols
        self._dwarf = elf.dwarf
        self._types: dict[int, Type | None] = {}

    @property
    def is_there(self) -> bool:
        """Whether the kernel has any DWARF."""
        return self._dwarf is not None

    @functools.cached_property
    def _index(self) -> DwarfIndex | None:
        return DwarfIndex(self._dwarf) if self._dwarf is not None else None

    def variable(self, name: str) -> Variable | None:
        """Return a global variable by name or Rust path; None where there is none, or several.

        Where several files have one of that name, it is the one that the linker's symbol stands for.
        """
        entries = self._index.find(name, VARIABLE) if self._index is not None else []
        found = {one.address: one for entry in entries if (one := self._variable(entry)) is not None}
        if len(found) == 1:
            return next(iter(found.values()))
        symbol = self._symbols.find(name)
        return found.get(symbol.address) if symbol is not None else None

    def variables(self) -> Iterator[Variable]:
        """Yield every global variable that has an address, each once."""
        seen = set()
        for entry in self._index.all(VARIABLE) if self._index is not None else ():
            variable = self._variable(entry)
            if variable is not None and variable.address not in seen:
                seen.add(variable.address)
                yield variable

    def structure(self, name: str) -> Type | None:
        """Return a structure's definition by name, Rust path, or typedef."""
        return self._defined(name, STRUCTURES) or self._defined(name, {"DW_TAG_typedef"})

    def enumerators(self, name: str) -> Mapping[int, str]:
        """Return an enumeration's values with their names; empty where there is none of that name."""
        found = self._defined(name, {ENUMERATION}) or self.structure(name)
        return dict(found.enumerators) if found is not None else {}

    def type_of(self, die: Any) -> Type | None:
        """Return the type that an entry refers to."""
        if "DW_AT_type" not in die.attributes:
            return None
        try:
            return self._type(die.get_DIE_from_attribute("DW_AT_type"))
        except Exception:  # noqa: BLE001 - pyelftools fails on damage in any way
            return None

    def children(self, die: Any, tag: str) -> list[Any]:
        """Return an entry's children with a tag."""
        found = []
        try:
            for number, child in enumerate(die.iter_children()):
                if child.tag == tag:
                    found.append(child)
                if number > _CHILDREN:
                    break
        except Exception:  # noqa: BLE001 - as above
            return found
        return found

    def _defined(self, name: str, tags: set[str] | frozenset[str]) -> Type | None:
        for entry in self._index.find(name, *tags) if self._index is not None else ():
            die = None if entry.is_declaration else _die_at(entry)
            found = self._type(die) if die is not None else None
            if found is not None and found.kind is not Kind.OTHER:
                return found
        return None

    def _type(self, die: Any) -> Type | None:
        """Return a type behind its typedefs and qualifiers, and its definition where this is a declaration."""
        start = die.offset
        if start not in self._types:
            for _ in range(_DEPTH):
                if die.tag not in _TRANSPARENT or "DW_AT_type" not in die.attributes:
                    break
                die = die.get_DIE_from_attribute("DW_AT_type")
            self._types[start] = None  # what leads back here while it is being looked up
            name = _text(die, "DW_AT_name")
            declared = "DW_AT_declaration" in die.attributes and die.tag in STRUCTURES
            defined = self._defined(name, {die.tag}) if declared and name else None
            self._types[start] = defined or Type(self, die)
        return self._types[start]

    def _variable(self, entry: Entry) -> Variable | None:
        die = None if entry.is_declaration else _die_at(entry)
        if die is None:
            return None
        try:
            if "DW_AT_specification" in die.attributes and "DW_AT_type" not in die.attributes:
                typed = die.get_DIE_from_attribute("DW_AT_specification")
            else:
                typed = die
            address = self._address(die, entry)
        except Exception:  # noqa: BLE001 - as above
            return None
        found = self.type_of(typed)
        if address is None or found is None:
            return None
        return Variable(name=entry.name, path=entry.path, address=address, type=found)

    def _address(self, die: Any, entry: Entry) -> int | None:
        """Return a variable's address: its location, or its symbol's where the compiler left that out (Rust)."""
        location = die.attributes.get("DW_AT_location")
        if location is None:
            if "DW_AT_const_value" in die.attributes:
                return None
            symbol = self._symbols.find(_text(die, "DW_AT_linkage_name") or entry.name)
            return symbol.address if symbol is not None else None
        if not isinstance(location.value, list):
            return None  # a list of locations: a register at times
        expression = bytes(location.value)
        if expression[0] == _ADDRESS:
            address, rest = int.from_bytes(expression[1:9], "little"), expression[9:]
        elif expression[0] in _ADDRESS_INDEX:
            index, used = _uleb(expression[1:])
            address, rest = int(self._dwarf.get_addr(die.cu, index)), expression[1 + used :]
        else:
            return None
        if rest and rest[0] == _PLUS:
            return address + _uleb(rest[1:])[0]
        return None if rest else address


def _kind(tag: str) -> Kind:
    if tag in STRUCTURES:
        return Kind.STRUCTURE
    return {
        "DW_TAG_base_type": Kind.INTEGER,
        "DW_TAG_pointer_type": Kind.POINTER,
        "DW_TAG_reference_type": Kind.POINTER,
        ENUMERATION: Kind.ENUMERATION,
        "DW_TAG_array_type": Kind.ARRAY,
    }.get(tag, Kind.OTHER)


def _die_at(entry: Entry) -> Any:
    try:
        return entry.unit.get_DIE_from_refaddr(entry.offset)
    except Exception:  # noqa: BLE001 - as above
        return None


def _text(die: Any, name: str) -> str:
    attribute = die.attributes.get(name)
    value = attribute.value if attribute is not None else b""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else ""


def _number(die: Any, name: str, default: int = 0) -> int:
    attribute = die.attributes.get(name)
    value = attribute.value if attribute is not None else default
    return value if isinstance(value, int) else default


def _uleb(content: bytes) -> tuple[int, int]:
    """Return an unsigned number and how many bytes it took; 0 where it is cut."""
    value = 0
    for used, byte in enumerate(content[:10]):
        value |= (byte & 0x7F) << 7 * used
        if byte < 0x80:
            return value, used + 1
    return 0, len(content)
