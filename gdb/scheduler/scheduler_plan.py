"""Where a kernel keeps its threads and spinlocks: worked out from DWARF and parity.toml before anything is stopped."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from gdb.guest.place import PathError, Place, TextPlace, follow, place_of, pointer_place_of, text_place_of
from gdb.kernel_file.structures import POINTER_SIZE, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gdb.kernel_file.elf_image import ElfImage
    from gdb.kernel_file.structures import Structures, Type, Variable
    from gdb.kernel_file.symbols import SymbolTable
    from parity.configuration import HangRules, LockNames, ThreadNames

Found = TypeVar("Found")
_LOCK_LIMIT: Final = 512
_ELEMENTS: Final = 256
"""Of an array of locks, or of structures with locks."""
_LEVELS: Final = 2
"""A lock in a structure, or in a structure that a Rust cell wraps."""
_GROWN: Final = 4096
"""The longest list that is read of an array that grows."""
_READ_AHEAD: Final = 4096


class Listing(Enum):
    """How the threads are strung together."""

    CHAIN = "chain"
    """The variable points to the first, each thread to the next."""
    ARRAY = "array"
    POINTERS = "pointers"
    """An array of pointers; some may be null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPlan:
    """Where the threads are, and what is where in one. Addresses are those where the kernel runs."""

    listing: Listing
    address: int
    start: Place
    """From `address` to the pointer to the chain's first, or to the array."""
    stride: int = 0
    count: int = 0
    """Elements of the array."""
    length: Place | None = None
    """From `address` to the number of elements, of an array that grows."""
    empty: Place | None = None
    """What tells whether an element holds a thread at all: Rust's `Option<Thread>`."""
    empty_values: frozenset[int] = frozenset()
    size: int
    """How much of a thread holds what is looked at."""
    next: Place | None = None
    id: Place
    state: Place
    cpu: Place | None = None
    names: tuple[TextPlace, ...] = ()
    waits_for: Place | None = None
    unused: frozenset[str] = frozenset()
    """States, in small letters or digits, of elements that are no thread."""
    symbols: SymbolTable | None = None
    """To name what a thread waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFields:
    """What is where in one type of lock."""

    size: int
    held: Place | None
    holder: Place | None
    name: TextPlace | None
    free: int
    """What `holder` is while nobody holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLock:
    """One lock."""

    address: int
    symbol: str
    fields: LockFields
    name: str = ""
    """The name that it has from the start; empty where it gets one later, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerPlan:
    """Everything that is to be read while the guest stands still."""

    threads: ThreadPlan | None = None
    locks: tuple[PlannedLock, ...] = ()
    queue_length: tuple[int, Place] | None = None
    missing: tuple[str, ...] = ()
    """What parity.toml names and the kernel does not have, or not so."""


def plan_scheduler(
    elf: ElfImage, structures: Structures, rules: HangRules, *, base: int = 0
) -> SchedulerPlan:
    """Return what is to be read of a kernel that was loaded `base` bytes above its link addresses."""
    missing: list[str] = []

    def tried(what: str, find: Callable[[], Found]) -> Found | None:
        try:
            return find()
        except PathError as error:
            missing.append(f"{what}: {error}")
            return None

    threads, locks, length = rules.threads, rules.locks, rules.queue_length
    symbols = elf.symbols.relocated(base)
    return SchedulerPlan(
        threads=tried("threads", lambda: _plan_threads(structures, threads, symbols, base))
        if threads
        else None,
        locks=(tried("locks", lambda: _plan_locks(elf, structures, locks, base)) or ()) if locks else (),
        queue_length=tried("queue_length", lambda: _plan_integer(elf, structures, length, base))
        if length
        else None,
        missing=tuple(missing),
    )


def _plan_threads(structures: Structures, names: ThreadNames, symbols: SymbolTable, base: int) -> ThreadPlan:
    variable, path = _variable(structures, names.list)
    listed = _listed(variable.type, path, names)
    thread = listed.thread

    def optional(member: str | None) -> Place | None:
        return place_of(thread, member) if member is not None else None

    identity, state = place_of(thread, names.id), place_of(thread, names.state)
    cpu, waits_for = optional(names.cpu), optional(names.waits_for)
    following = _next(thread, names.next) if names.next and listed.listing is Listing.CHAIN else None
    texts = tuple(text_place_of(thread, name) for name in names.name)
    return ThreadPlan(
        listing=listed.listing,
        address=variable.address + base,
        start=listed.start,
        stride=listed.stride,
        count=listed.count,
        length=listed.length,
        empty=place_of(thread, "") if thread.discriminant is not None else None,
        empty_values=thread.empty_values(),
        size=_extent((following, identity, state, cpu, waits_for), texts),
        next=following,
        id=identity,
        state=state,
        cpu=cpu,
        names=texts,
        waits_for=waits_for,
        unused=frozenset(str(one).lower() for one in names.unused),
        symbols=symbols,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What a list of threads turned out to be."""

    listing: Listing
    thread: Type
    start: Place
    stride: int = 0
    count: int = 0
    length: Place | None = None


def _listed(variable: Type, path: str, names: ThreadNames) -> _Listed:
    offsets, listed = follow(variable, path) if path else ((0,), variable)
    element = listed.parameter("T")
    if element is not None and {"buf", "len"} <= listed.members.keys():
        dot = f"{path}." if path else ""
        begin = pointer_place_of(variable, f"{dot}buf")
        start = Place(offsets=(*begin.offsets, 0), size=POINTER_SIZE)
        length = place_of(variable, f"{dot}len")
        return replace(_elements(element, start, names), count=_GROWN, length=length)
    array, pointer = listed.array(), listed.pointer()
    found = array or pointer
    if found is None:
        raise PathError(f"{names.list} is neither a pointer nor an array")
    start = Place(offsets=(*offsets[:-1], offsets[-1] + found[0]), size=POINTER_SIZE)
    if array is not None:
        if array[1].target is None or not array[1].count:
            raise PathError(f"{names.list} is an array of no known size")
        return replace(_elements(array[1].target, start, names), count=array[1].count)
    if names.next is None:
        raise PathError(f"{names.list} is a pointer: `next` must say how to get from one thread to another")
    return _Listed(listing=Listing.CHAIN, thread=_target(found[1], names.list), start=start)


def _elements(element: Type, start: Place, names: ThreadNames) -> _Listed:
    """Return an array's listing by what its elements are."""
    if not element.size:
        raise PathError(f"{names.list} is an array of elements of no known size")
    if element.size == POINTER_SIZE and element.pointer() is not None:
        thread = _target(element, names.list)
        return _Listed(listing=Listing.POINTERS, thread=thread, start=start, stride=element.size)
    return _Listed(listing=Listing.ARRAY, thread=element, start=start, stride=element.size)


def _target(pointer: Type, name: str) -> Type:
    found = pointer.pointer()
    target = found[1].target if found is not None else None
    if target is None or target.kind is not Kind.STRUCTURE:
        raise PathError(f"{name} points to no structure")
    return target


def _next(thread: Type, path: str) -> Place:
    """Return the chain's link; links that are not in front of threads would be read as something else."""
    found = follow(thread, path)[1].pointer()
    target = found[1].target if found is not None else None
    if target is not None and target.name != thread.name:
        raise PathError(f"{path} points to a {target.name or target.kind.value}, not to a {thread.name}")
    return place_of(thread, path)


def _plan_locks(
    elf: ElfImage, structures: Structures, names: LockNames, base: int
) -> tuple[PlannedLock, ...]:
    planned: dict[int, PlannedLock] = {}
    fields: dict[Type, LockFields] = {}
    for variable in structures.variables():
        for offset, suffix, found in _locks_in(variable.type, names.type, _LEVELS):
            address = variable.address + offset
            if len(planned) < _LOCK_LIMIT and address not in planned:
                if found not in fields:
                    fields[found] = _lock_fields(found, names)
                text = fields[found].name
                planned[address] = PlannedLock(
                    address=address + base,
                    symbol=f"{variable.name}{suffix}",
                    fields=fields[found],
                    name=text.read(elf, address) if text is not None else "",
                )
    if not planned:
        raise PathError(f"no global variable is, or has in it, a {names.type}")
    return tuple(planned[address] for address in sorted(planned))


def _locks_in(type_: Type, glob: str, levels: int) -> Iterator[tuple[int, str, Type]]:
    """Yield the offset, the name's end and the type of each lock in a variable."""
    if type_.kind is Kind.STRUCTURE and fnmatch.fnmatchcase(type_.name, glob):
        yield 0, "", type_
    elif type_.kind is Kind.ARRAY and type_.target is not None and type_.target.kind is Kind.STRUCTURE:
        inside = tuple(islice(_locks_in(type_.target, glob, levels), _LOCK_LIMIT))
        for index in range(min(type_.count, _ELEMENTS) if inside else 0):
            for offset, suffix, found in inside:
                yield index * type_.target.size + offset, f"[{index}]{suffix}", found
    elif type_.kind is Kind.STRUCTURE and levels:
        for member in type_.members.values():
            for offset, suffix, found in _locks_in(member.type, glob, levels - 1):
                yield member.offset + offset, f".{member.name}{suffix}", found


def _lock_fields(lock: Type, names: LockNames) -> LockFields:
    held = place_of(lock, names.held) if names.held else None
    holder = place_of(lock, names.holder) if names.holder else None
    name = text_place_of(lock, names.name) if names.name else None
    return LockFields(
        size=lock.size or _extent((held, holder), (name,) if name is not None else ()),
        held=held,
        holder=holder,
        name=name,
        free=names.free if holder is None or holder.is_signed else names.free % (1 << 8 * holder.size),
    )


def _plan_integer(elf: ElfImage, structures: Structures, name: str, base: int) -> tuple[int, Place]:
    """Return an integer's place; without DWARF, a symbol of an integer's size will do."""
    symbol = elf.symbols.find(name)
    if structures.variable(name) is None and symbol is not None and symbol.size in (1, 2, 4, 8):
        return symbol.address + base, Place(offsets=(0,), size=symbol.size)
    variable, path = _variable(structures, name)
    return variable.address + base, place_of(variable.type, path)


def _variable(structures: Structures, name: str) -> tuple[Variable, str]:
    """Return a variable and the member path behind its name."""
    variable = structures.variable(name)
    if variable is not None:
        return variable, ""
    scope, colons, last = name.rpartition("::")
    own, _, path = last.partition(".")
    variable = structures.variable(f"{scope}{colons}{own}")
    if variable is None:
        raise PathError(
            f"no variable {own} is in the DWARF" if structures.is_there else "the kernel's file has no DWARF"
        )
    return variable, path


def _extent(places: Sequence[Place | None], texts: Sequence[TextPlace]) -> int:
    """Return how many bytes from the start hold all these values, or the pointers to them."""
    ends = [
        place.offsets[0] + (place.size if len(place.offsets) == 1 else POINTER_SIZE)
        for place in (*places, *(text.start for text in texts), *(text.length for text in texts))
        if place is not None
    ]
    return min(max(ends, default=POINTER_SIZE), _READ_AHEAD)
