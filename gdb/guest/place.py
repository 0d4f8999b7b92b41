"""Where a value is, for reading it quickly from a stopped guest: found once from types, then plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.guest.memory import read_integer, read_text
from gdb.kernel_file.structures import POINTER_SIZE, Kind, Member
from parity.errors import did_you_mean, nearest_names

if TYPE_CHECKING:
    from gdb.guest.memory import Memory
    from gdb.kernel_file.structures import Type

_STEPS: Final = 64
"""Pointers and wrappers on one path; more are a circle."""


class PathError(LookupError):
    """A variable or member is not there as it was named; the message says which, and what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How to get to a value: offsets in bytes, with a pointer followed between each two; the value's form."""

    offsets: tuple[int, ...]
    size: int
    is_signed: bool = False
    names: tuple[tuple[int, str], ...] = ()
    """An enumeration's."""

    def locate(self, memory: Memory, address: int) -> int | None:
        """Return where the value is, for what starts at `address`; None behind a pointer that is null or bad."""
        at = address + self.offsets[0]
        for offset in self.offsets[1:]:
            pointer = read_integer(memory, at, POINTER_SIZE)
            if not pointer:
                return None
            at = pointer + offset
        return at

    def read(self, memory: Memory, address: int) -> int | None:
        """Return the value as an integer."""
        at = self.locate(memory, address)
        return None if at is None else read_integer(memory, at, self.size, signed=self.is_signed)

    def name_of(self, value: int) -> str:
        """Return what an enumeration calls a value; the number itself where it has no name."""
        return next((name for number, name in self.names if number == value), str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPlace:
    """How to get to a text."""

    start: Place
    """Of the text itself, or of a pointer to it."""
    is_inline: bool
    """Whether the text lies right there, as an array of `start.size` bytes."""
    length: Place | None = None
    """Rust's, in bytes; without it, a NUL ends the text."""

    def read(self, memory: Memory, address: int, *, limit: int = 64) -> str:
        """Return the text, at most `limit` bytes; empty where there is none."""
        at = self.start.locate(memory, address) if self.is_inline else self.start.read(memory, address)
        if not at:
            return ""
        if not self.is_inline and self.length is None:
            return read_text(memory, at, limit=limit) or ""
        size = self.start.size if self.length is None else self.length.read(memory, address)
        raw = memory.read(at, min(size, limit)) if size else None
        return (raw or b"").split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def follow(start: Type, path: str) -> tuple[tuple[int, ...], Type]:
    """Return the offsets to a member and its type; pointers on the way are followed, also that to the start.

    `path` is members' names with dots between; a number is an array's element or a Rust tuple's field.
    Raises `PathError` where a member is not there.
    """
    offsets, at, steps = [0], start, 0
    for name in path.split("."):
        member = _step(at, name)
        while member is None and (inner := _way_in(at)) is not None:
            offset, follows, at = inner
            steps += 1
            offsets[-1] += offset
            if follows:
                offsets.append(0)
            if steps > _STEPS:
                break
            member = _step(at, name)
        if member is None:
            near = nearest_names(name, at.members)
            raise PathError(f"{at.name or at.kind.value} has no member {name}" + _hint(near))
        offsets[-1] += member.offset
        at = member.type
    return tuple(offsets), at


def place_of(start: Type, path: str) -> Place:
    """Return how to read the number, or the pointer as a number, that `path` leads to; "" is `start` itself.

    Raises `PathError` where there is none.
    """
    offsets, at = follow(start, path) if path else ((0,), start)
    number = at.number()
    if number is None and (pointer := at.pointer()) is not None:
        number = pointer
    if number is None:
        raise PathError(f"{path or at.name} is no number: it is {_described(at)}")
    offset, form = number
    names = form.enumerators or (at.enumerators if at.discriminant is not None else ())
    return Place(
        offsets=(*offsets[:-1], offsets[-1] + offset), size=form.size, is_signed=form.is_signed, names=names
    )


def text_place_of(start: Type, path: str) -> TextPlace:
    """Return how to read a text: an array of bytes, a pointer to some, Rust's `&str` or `String`.

    Raises `PathError` where there is none.
    """
    offsets, at = follow(start, path)
    array = at.array()
    if array is not None and array[1].target is not None and array[1].target.size == 1:
        *before, last = offsets
        return TextPlace(start=Place(offsets=(*before, last + array[0]), size=array[1].size), is_inline=True)
    for pointer, length in (("data_ptr", "length"), ("vec.buf", "vec.len"), ("bytes", "length")):
        try:
            begin = pointer_place_of(start, f"{path}.{pointer}")
            return TextPlace(start=begin, is_inline=False, length=place_of(start, f"{path}.{length}"))
        except PathError:
            continue
    return TextPlace(start=pointer_place_of(start, path), is_inline=False)


def pointer_place_of(start: Type, path: str) -> Place:
    """Return where a pointer is, also one inside the vectors of Rust's library; raises `PathError` without one."""
    offsets, at = follow(start, path)
    pointer = at.pointer()
    if pointer is not None:
        return Place(offsets=(*offsets[:-1], offsets[-1] + pointer[0]), size=POINTER_SIZE)
    inner = at.wrapped()
    if "ptr" in at.members or (inner is not None and "ptr" in inner.type.members):
        return pointer_place_of(start, f"{path}.ptr")
    raise PathError(f"{path} is no text: it is {_described(at)}")


def _step(at: Type, name: str) -> Member | None:
    if at.kind is Kind.ARRAY and name.isdecimal() and at.target is not None:
        index = int(name)
        return Member(name=name, offset=index * at.target.size, type=at.target) if index < at.count else None
    return at.members.get(name) or (at.members.get(f"__{name}") if name.isdecimal() else None)


def _way_in(at: Type) -> tuple[int, bool, Type] | None:
    """Return where to look on for a member: behind a pointer, or inside a wrapper."""
    if at.kind is Kind.POINTER:
        return (0, True, at.target) if at.target is not None else None
    inner = (at.wrapped() or at.only_payload()) if at.kind is Kind.STRUCTURE else None
    return (inner.offset, False, inner.type) if inner is not None else None


def _described(type_: Type) -> str:
    return f"a {type_.kind.value}" + (f" {type_.name}" if type_.name else "") + f" of {type_.size} bytes"


def _hint(near: tuple[str, ...]) -> str:
    asked = did_you_mean(near)
    return f"; {asked}" if asked else ""
