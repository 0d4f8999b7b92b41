"""The lock that a CPU spins on: by the lock's function on its stack, or by the loop that it goes round in."""

from __future__ import annotations

import itertools
import re
from collections import Counter as Tally
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gdb.kernel_file.roles import Role, is_of_a_spin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdb.captures.capture import Capture, Innermost
    from gdb.guest.register_dump import PcSample
    from gdb.kernel_file.roles import Roles
    from gdb.scheduler.scheduler_state import LockState

_MOST: Final = 0.75
"""The share of samples that must agree: a timer interrupt may fall between."""
_DEEPEST: Final = 2
"""How many frames a lock's function has above it at most: what it calls while it spins."""
_HELPER: Final = 64
"""Bytes that samples in such a helper are spread over at most; what does work moves about."""
_LOCAL: Final = re.compile(r"%rsp|-0x[0-9a-f]+\(%rbp|\[(?:sp|x29)\b")
"""A variable on the stack, as code without optimisation keeps its arguments: no lock, whatever symbol precedes it."""
_LOCK_BYTES: Final = 16
"""A word so far into a variable is a part of one lock; further on it may be another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitedLock:
    """The lock that a CPU spins on."""

    address: int | None
    name: str
    holder: int | None
    """The CPU that its record names."""
    held: bool | None
    how: str
    """What tells, as a sentence part."""
    depth: int = 1
    """How many of the innermost frames belong to its taking; 0 where its loop is part of the function that wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spin:
    """What is known of one CPU, as far as it may spin."""

    functions: tuple[str, ...]
    """The stack, innermost first."""
    samples: tuple[PcSample, ...]
    places: tuple[str, ...]
    """The function of each sample, `` where it is not known."""
    innermost: Innermost | None
    inlined: int = 0
    """So many of the innermost functions are inlined into the next one: no sample's place tells them."""


def find_waited_lock(capture: Capture, spin: Spin, roles: Roles) -> WaitedLock | None:
    """Return the lock that the innermost frames wait for, where their function takes locks, or their loop is one."""
    spin = _without_handlers(spin)
    if _is_in_lock(spin.functions, roles):
        spins = _stays_in_lock(spin, roles) or _stays_in_inlined_lock(spin, roles)
        return _named(capture, spin.innermost, _depth(spin.functions, roles)) if spins else None
    return _named(capture, spin.innermost, 0) if _is_inlined(capture, spin, roles) else None


def _without_handlers(spin: Spin) -> Spin:
    """Leave out the samples that fell into an interrupt's handler: they say nothing of the loop below it.

    A CPU that otherwise lets interrupts in has them off there. On a busy host ticks take long, and many samples fall so.
    """
    below = [not sample.interrupts_masked for sample in spin.samples]
    if 2 * sum(below) < len(below):
        return spin
    samples = tuple(itertools.compress(spin.samples, below))
    return replace(spin, samples=samples, places=tuple(itertools.compress(spin.places, below)))


def _named(capture: Capture, innermost: Innermost | None, depth: int) -> WaitedLock:
    """Return the lock of a spin: by its own record, else by its symbol, else by its address."""
    found = _candidates(innermost)
    for address, how in found:
        lock = _known_lock(capture, address)
        if lock is not None:
            return WaitedLock(
                address=lock.address,
                name=lock.name or lock.symbol,
                holder=lock.holder,
                held=lock.held,
                how=how,
                depth=depth,
            )
    places = capture.places or {}
    first = next((one for one in found if one[0] in places), next(iter(found), None))
    return WaitedLock(
        address=first[0] if first else None,
        name=_variable(places.get(first[0], f"{first[0]:#x}")) if first else "",
        holder=None,
        held=None,
        how=first[1] if first else "its function takes locks",
        depth=depth,
    )


def _variable(place: str) -> str:
    """Return a variable's name, without an offset that is still within one lock."""
    name, _plus, offset = place.partition("+0x")
    return name if offset and int(offset, 16) < _LOCK_BYTES else place


def _is_in_lock(functions: Sequence[str], roles: Roles) -> bool:
    """Whether the innermost frames take a lock, or did when the interrupt came that runs now."""
    at = roles.first(functions, Role.LOCK)
    if at is None:
        return False
    interrupts = [n for n, name in enumerate(functions[:at]) if roles.of(name) is Role.INTERRUPT]
    above = functions[interrupts[-1] + 1 if interrupts else 0 : at]
    return sum(roles.of(name) is not Role.LIBRARY for name in above) <= _DEEPEST


def _depth(functions: Sequence[str], roles: Roles) -> int:
    """Return how many frames belong to the taking: up to the outermost of the lock's functions in a row."""
    at = roles.first(functions, Role.LOCK) or 0
    while at + 1 < len(functions) and roles.of(functions[at + 1]) is Role.LOCK:
        at += 1
    return at + 1


def _stays_in_lock(spin: Spin, roles: Roles) -> bool:
    """Whether the samples are the lock's loop: in the primitive, its callers, or the one helper that it calls."""
    if not any(spin.places):
        return True
    helpers = _helpers(spin, roles)
    in_lock = sum(
        roles.of(place) is Role.LOCK or place in helpers or is_of_a_spin(place) for place in spin.places
    )
    if in_lock >= _MOST * len(spin.places):
        return True
    own = {*spin.functions[:4]}
    others = Tally(p for p in spin.places if p not in own and roles.of(p) is not Role.LOCK)
    if len(others) <= 1:
        return in_lock > 0
    passing = others.total() - others.most_common(1)[0][1]  # interrupts that fell on the loop
    return 4 * in_lock >= len(spin.places) and 5 * passing <= len(spin.places)


def _stays_in_inlined_lock(spin: Spin, roles: Roles) -> bool:
    """Whether the samples are the loop of a lock's function that is inlined into the one that wants the lock."""
    at = roles.first(spin.functions, Role.LOCK) or 0
    return at < spin.inlined and _goes_round(spin, widest=_HELPER)


def _helpers(spin: Spin, roles: Roles) -> frozenset[str]:
    """Return functions in which a sample counts as in the lock: those that its loop calls, and that do not loop."""
    at = roles.first(spin.functions, Role.LOCK) or 0
    loop = spin.innermost.loop if spin.innermost is not None else None
    if at > 0 and loop is None and roles.first(spin.functions[:at], Role.INTERRUPT) is None:
        called = {*spin.functions[:at]}
    elif at == 0 and loop is not None and (loop.has_call or any(one.is_atomic for one in loop.operands[:1])):
        called = {p for p in spin.places if roles.of(p) is not Role.LOCK} - {*spin.functions[:4]}
    else:
        return frozenset()
    pcs = [s.pc for s, place in zip(spin.samples, spin.places, strict=True) if place in called]
    return frozenset(called) if pcs and max(pcs) - min(pcs) <= _HELPER else frozenset()


def _is_inlined(capture: Capture, spin: Spin, roles: Roles) -> bool:
    """Whether the CPU goes round a loop that reads a variable as locks are read; what idles or waits does as well."""
    loop = spin.innermost.loop if spin.innermost is not None else None
    if loop is None or loop.has_wait or not loop.operands:
        return False
    first = loop.operands[0]
    if not first.is_atomic or first.address is None or first.address not in (capture.places or {}):
        return False
    if roles.first(spin.functions[:3], Role.IDLE, Role.PANIC, Role.WAIT) is not None:
        return False
    return _goes_round(spin)


def _goes_round(spin: Spin, *, widest: float = float("inf")) -> bool:
    """Whether nearly all samples are in the loop, which waits for no interrupt and has at most so many bytes."""
    loop = spin.innermost.loop if spin.innermost is not None else None
    if loop is None or loop.has_wait or loop.high - loop.low > widest:
        return False
    within = sum(loop.low <= sample.pc <= loop.high for sample in spin.samples)
    return bool(spin.samples) and within >= _MOST * len(spin.samples)


def _candidates(innermost: Innermost | None) -> list[tuple[int, str]]:
    """Return addresses that may be the lock's: arguments first, then what the loop reads."""
    if innermost is None:
        return []
    found = [(value, f"the argument {name}") for name, value in innermost.pointers.items()]
    operands = innermost.loop.operands if innermost.loop is not None else ()
    found += [
        (operand.address, f"the loop reads {operand.text}")
        for operand in operands
        if operand.address is not None and (operand.is_atomic or not _LOCAL.search(operand.text))
    ]
    return found


def _known_lock(capture: Capture, address: int) -> LockState | None:
    return next(
        (lock for lock in capture.locks if lock.address <= address < lock.address + max(lock.size, 1)), None
    )
