"""What a kernel's function is there for, guessed from its name: panic, idle, lock, wait, interrupt, system call.

The patterns are `[target.NAME.hang]`'s globs; case and Rust's generic arguments do not matter.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parity.configuration import HangRules


class Role(StrEnum):
    """What a function is there for."""

    PANIC = "panic"
    """Prints last words, or halts for ever."""
    IDLE = "idle"
    LOCK = "lock"
    """Takes a spinlock."""
    WAIT = "wait"
    """Puts a thread to sleep, or switches to another."""
    INTERRUPT = "interrupt"
    """The entry of an interrupt or exception, or its dispatcher."""
    SYSTEM_CALL = "system-call"
    """The entry of a system call, or its dispatcher."""
    LIBRARY = "library"
    """The language's own: Rust's `core`, often inlined into what it serves."""
    OTHER = "other"


_SYNCHRONOUS: Final = re.compile(r"fault|abort|exception|sync")
"""What the entries of exceptions are called; those of interrupts may be as well."""
_ASYNCHRONOUS: Final = re.compile(r"irq|interrupt|timer|tick|nmi|isr\b")
_NUMBERED: Final = re.compile(r"(?:vector|isr|trap)_?([0-9]{1,3})(?![0-9])")
_EXCEPTIONS: Final = 32
"""Vectors below are x86-64's exceptions (Intel SDM volume 3, 6.3.1)."""
_NMI: Final = 2
_GENERIC: Final = re.compile(r"<[^<>]*>")
LEGACY_HASH: Final = re.compile(r"::h[0-9a-f]{16}$")
"""What Rust's legacy mangling ends a path with."""
_POINTER: Final = re.compile(r"^(?:[&*]+ *(?:mut |const )?|dyn )+")
_LIBRARIES: Final = ("core::*", "alloc::*", "std::*", "compiler_builtins::*")
_SPINNING: Final = re.compile(r"core::(sync::atomic|hint|intrinsics|core_arch)::")
"""The parts of Rust's library that a loop around an atomic variable consists of."""
_ORDER: Final = (
    Role.PANIC,
    Role.LOCK,
    Role.IDLE,
    Role.INTERRUPT,
    Role.SYSTEM_CALL,
    Role.LIBRARY,
    Role.WAIT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The globs of each role."""

    panic: tuple[str, ...]
    idle: tuple[str, ...]
    lock: tuple[str, ...]
    wait: tuple[str, ...]
    interrupt: tuple[str, ...]
    system_call: tuple[str, ...]

    @staticmethod
    def by(rules: HangRules) -> Roles:
        """Return the roles that parity.toml gives to names."""
        return Roles(
            panic=rules.panic_symbols,
            idle=rules.idle_symbols,
            lock=rules.lock_symbols,
            wait=rules.wait_symbols,
            interrupt=rules.interrupt_symbols,
            system_call=rules.syscall_symbols,
        )

    def of(self, function: str | None) -> Role:
        """Return the role of a function; the first of the order above whose globs match."""
        return Role.OTHER if not function else _role(self, function)

    def first(self, functions: Sequence[str], *roles: Role) -> int | None:
        """Return the index of the first function that has one of the roles."""
        return next((n for n, function in enumerate(functions) if self.of(function) in roles), None)

    def canonical(self, functions: Iterable[str]) -> tuple[str, ...]:
        """Return the functions that tell one stuck stack from another, innermost first."""
        kept = [function for function in functions if self.of(function) is Role.OTHER]
        return tuple(short_name(function) for function in kept)


def is_exception(functions: Iterable[str]) -> bool | None:
    """Return whether a handler's frames, its entry among them, serve an exception; None where no name tells."""
    names = [function.rsplit("::", 1)[-1].lower() for function in functions]
    numbers = [int(match[1]) for name in names if (match := _NUMBERED.match(name)) is not None]
    above = " ".join(names)
    if _ASYNCHRONOUS.search(above) or any(number >= _EXCEPTIONS or number == _NMI for number in numbers):
        return False
    return True if numbers or _SYNCHRONOUS.search(above) else None


def _is_library(function: str) -> bool:
    """Return whether a function is of the language's own library, by its path."""
    return any(fnmatch.fnmatchcase(function, glob) for glob in _LIBRARIES)


def own_place(functions: Sequence[str]) -> int:
    """Return the index of the innermost function that is the kernel's own; 0 where the innermost is, or none is known."""
    if not functions or not _is_library(functions[0]):
        return 0
    return next((n for n, name in enumerate(functions) if name and not _is_library(name)), 0)


def is_of_a_spin(function: str) -> bool:
    """Return whether a function is of the library, and what a loop around an atomic variable consists of."""
    return _SPINNING.match(function) is not None


@lru_cache(maxsize=65_536)
def short_name(function: str) -> str:
    """Return a function's path without generic arguments and hash: `<a::B<T> as c::D>::e` is `a::B::e`.

    C++'s parameters, which GDB shows of what has no debug information, go as well.
    """
    bare = LEGACY_HASH.sub("", _without_parameters(function).replace("->", ""))
    while bare.startswith("<") and (end := _closing(bare)) is not None:
        bare = _POINTER.sub("", _of_type(bare[1:end])) + bare[end + 1 :]
    return _without_arguments(bare).replace("::::", "::").strip(":") or function


def _without_parameters(text: str) -> str:
    """Return `a::b` of `a::b(c, d (*)(e)) const`."""
    bare = text.removesuffix(" const")
    depth = 0
    for at in range(len(bare) - 1, -1, -1):
        depth += (bare[at] == ")") - (bare[at] == "(")
        if not depth:
            return bare[:at] if bare[at] == "(" and at else text
    return text


def _closing(text: str) -> int | None:
    """Return where the bracket closes that a text begins with."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if not depth:
            return at
    return None


def _of_type(text: str) -> str:
    """Return `T` of `T as U`."""
    at = text.find(" as ")
    while at >= 0 and text.count("<", 0, at) != text.count(">", 0, at):
        at = text.find(" as ", at + 1)
    return text if at < 0 else text[:at]


def _without_arguments(path: str) -> str:
    while (cut := _GENERIC.sub("", path)) != path:
        path = cut
    return path


@lru_cache(maxsize=4096)
def _role(roles: Roles, function: str) -> Role:
    name = short_name(function).lower()
    last = name.rsplit("::", 1)[-1]
    globs = {
        Role.PANIC: roles.panic,
        Role.IDLE: roles.idle,
        Role.LOCK: roles.lock,
        Role.WAIT: roles.wait,
        Role.INTERRUPT: roles.interrupt,
        Role.SYSTEM_CALL: roles.system_call,
        Role.LIBRARY: _LIBRARIES,
    }
    for role in _ORDER:
        for glob in globs[role]:
            pattern = glob.lower()
            if fnmatch.fnmatchcase(last, pattern) or fnmatch.fnmatchcase(name, pattern):
                return role
    return Role.OTHER
