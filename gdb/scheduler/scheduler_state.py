"""The kernel's own records of its threads and spinlocks, read quickly: the guest stands still meanwhile.

Where they are was found out before (scheduler_plan.py). It takes one read a thread, one for each text that lies
elsewhere, one a lock. The guest is believed in nothing: chains end, numbers that are no state are told, text is made
harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.guest.memory import Memory, read_integer
from gdb.kernel_file.symbols import demangle
from gdb.scheduler.scheduler_plan import Listing, SchedulerPlan, plan_scheduler
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gdb.kernel_file.symbols import SymbolTable
    from gdb.scheduler.scheduler_plan import PlannedLock, ThreadPlan

__all__ = ["LockState", "SchedulerPlan", "SchedulerState", "ThreadState", "plan_scheduler", "read_scheduler"]

_THREAD_LIMIT: Final = 4096
_WHOLE_ARRAY: Final = 1 << 20
"""Up to this size an array of threads is read at once."""
_GAP: Final = 1024
"""Locks that are closer to one another are read at once."""
_STRANGE: Final = 32
"""Threads in states that are none; more, and the list has left the threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadState:
    """A thread, as the scheduler's records have it."""

    id: int
    state: str
    """As the kernel calls it; a number where it has no name."""
    state_number: int = 0
    cpu: int | None = None
    """Where it runs or last ran."""
    name: str = ""
    waits_for: str = ""
    """What it sleeps on: `symbol`, or an address; empty where it sleeps on nothing."""
    waits_for_address: int | None = None
    address: int = 0
    """Of the thread's own structure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockState:
    """A spinlock that is a global variable, or part of one."""

    name: str
    """The kernel's own for it, else the variable's."""
    address: int
    symbol: str
    """The variable, with the member behind a dot."""
    held: bool
    holder: int | None = None
    """The CPU that holds it, where the lock says."""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerState:
    """What was read."""

    threads: tuple[ThreadState, ...] = ()
    locks: tuple[LockState, ...] = ()
    queue_length: int | None = None
    missing: tuple[str, ...] = ()
    """What could not be planned or read, and why."""


class _Ahead:
    """Memory of which a piece was read ahead: most of what is asked for lies in it."""

    def __init__(self, memory: Memory, address: int, size: int) -> None:
        self._memory = memory
        self._address = address
        self.content = memory.read(address, size)

    def read(self, address: int, size: int) -> bytes | None:
        """Return bytes out of the piece, or of the memory below."""
        start = address - self._address
        if self.content is not None and start >= 0 and start + size <= len(self.content):
            return self.content[start : start + size]
        return self._memory.read(address, size)


def read_scheduler(memory: Memory, plan: SchedulerPlan) -> SchedulerState:
    """Read threads, locks and the run queue's length; what cannot be read is told in `missing`."""
    missing = list(plan.missing)
    threads: tuple[ThreadState, ...] = ()
    locks: tuple[LockState, ...] = ()
    if plan.threads is not None:
        threads, problem = read_threads(memory, plan.threads)
        missing += [f"threads: {problem}"] if problem else []
    if plan.locks:
        locks, problem = read_locks(memory, plan.locks)
        missing += [f"locks: {problem}"] if problem else []
    length = None
    if plan.queue_length is not None:
        address, place = plan.queue_length
        length = place.read(memory, address)
        missing += ["the run queue's length cannot be read"] if length is None else []
    return SchedulerState(threads=threads, locks=locks, queue_length=length, missing=tuple(missing))


def read_threads(memory: Memory, plan: ThreadPlan) -> tuple[tuple[ThreadState, ...], str]:
    """Return the threads, and where and why their list ended too early; empty where it did not."""
    threads: list[ThreadState] = []
    strange = 0
    try:
        for ahead, address in _walk(memory, plan):
            thread, is_known = _thread(ahead, plan, address)
            if thread is None:
                return tuple(threads), f"the one at {address:#x} cannot be read"
            if not plan.unused & {thread.state.lower(), str(thread.state_number)}:
                threads.append(thread)
                strange += not is_known
            if strange > _STRANGE:
                return tuple(
                    threads
                ), f"more than {_STRANGE} in states that have no name: these are no threads"
    except _BrokenListError as error:
        return tuple(threads), str(error)
    return tuple(threads), f"{strange} in states that have no name" if strange else ""


def read_locks(memory: Memory, plan: Sequence[PlannedLock]) -> tuple[tuple[LockState, ...], str]:
    """Return the locks, and which of them cannot be read."""
    found = [
        (planned, _lock(ahead, planned)) for group, ahead in _together(memory, plan) for planned in group
    ]
    bad = [planned.symbol for planned, lock in found if lock is None]
    more = f" and {len(bad) - 4} more" if len(bad) > 4 else ""
    problem = f"cannot be read: {', '.join(bad[:4])}{more}" if bad else ""
    return tuple(lock for _, lock in found if lock is not None), problem


def _together(memory: Memory, plan: Sequence[PlannedLock]) -> Iterator[tuple[Sequence[PlannedLock], Memory]]:
    """Yield locks that lie close to one another, with memory that has them read ahead."""
    start = 0
    for index, lock in enumerate(plan):
        following = plan[index + 1] if index + 1 < len(plan) else None
        end = lock.address + lock.fields.size
        first = plan[start].address
        if following is None or not (
            end <= following.address < end + _GAP and following.address - first < _WHOLE_ARRAY
        ):
            yield plan[start : index + 1], _Ahead(memory, first, end - first)
            start = index + 1


class _BrokenListError(Exception):
    """The list of threads is not what it should be."""


def _walk(memory: Memory, plan: ThreadPlan) -> Iterator[tuple[Memory, int]]:
    """Yield each thread's address, with memory that has the thread read ahead."""
    if plan.listing is Listing.CHAIN:
        yield from _chain(memory, plan)
        return
    start = plan.start.locate(memory, plan.address)
    if start is None:
        raise _BrokenListError(f"the list at {plan.address:#x} cannot be read")
    length = plan.length.read(memory, plan.address) if plan.length is not None else plan.count
    if length is None:
        raise _BrokenListError("its length cannot be read")
    count = min(length, plan.count, _THREAD_LIMIT)
    whole: Memory = memory
    if plan.stride * count <= _WHOLE_ARRAY:
        whole = _Ahead(memory, start, plan.stride * count)
    for index in range(count):
        address: int | None = start + index * plan.stride
        if plan.listing is Listing.POINTERS:
            address = read_integer(whole, start + index * plan.stride, plan.stride)
            if address is None:
                raise _BrokenListError(f"the array at {start:#x} cannot be read")
        if address and not (plan.empty is not None and plan.empty.read(whole, address) in plan.empty_values):
            yield (_Ahead(memory, address, plan.size) if plan.listing is Listing.POINTERS else whole), address


def _chain(memory: Memory, plan: ThreadPlan) -> Iterator[tuple[Memory, int]]:
    address = plan.start.read(memory, plan.address)
    if address is None:
        raise _BrokenListError(f"the list at {plan.address:#x} cannot be read")
    first, seen = address, set[int]()
    while address:
        if address in seen:
            if address != first:
                raise _BrokenListError(f"the chain leads back to {address:#x}")
            return
        if len(seen) >= _THREAD_LIMIT:
            raise _BrokenListError(f"the chain is longer than {_THREAD_LIMIT}")
        seen.add(address)
        ahead = _Ahead(memory, address, plan.size)
        yield ahead, address
        address = plan.next.read(ahead, address) if plan.next is not None else 0
        if address is None:
            raise _BrokenListError("the chain breaks off")


def _thread(memory: Memory, plan: ThreadPlan, address: int) -> tuple[ThreadState | None, bool]:
    """Return a thread and whether its state is one that has a name, where states have names."""
    number, state = plan.id.read(memory, address), plan.state.read(memory, address)
    if number is None or state is None:
        return None, False
    waits_for = plan.waits_for.read(memory, address) if plan.waits_for is not None else None
    names = (place.read(memory, address) for place in plan.names)
    name = plan.state.name_of(state)
    thread = ThreadState(
        id=number,
        state=printable_line(name, limit=64),
        state_number=state,
        cpu=plan.cpu.read(memory, address) if plan.cpu is not None else None,
        name=printable_line(next(filter(None, names), ""), limit=64),
        waits_for=_named(waits_for, plan.symbols) if waits_for else "",
        waits_for_address=waits_for or None,
        address=address,
    )
    return thread, not plan.state.names or any(value == state for value, _ in plan.state.names)


def _named(address: int, symbols: SymbolTable | None) -> str:
    found = symbols.at(address) if symbols is not None else None
    if found is None:
        return f"{address:#x}"
    symbol, offset = found
    return printable_line(demangle(symbol.name)) + (f"+{offset:#x}" if offset else "")


def _lock(memory: Memory, planned: PlannedLock) -> LockState | None:
    fields, address = planned.fields, planned.address
    holder = fields.holder.read(memory, address) if fields.holder is not None else None
    held = fields.held.read(memory, address) if fields.held is not None else None
    if holder is None and held is None:
        return None
    is_held = bool(held) if held is not None else holder != fields.free
    name = planned.name
    if not name and fields.name is not None:
        name = fields.name.read(memory, address)
    return LockState(
        name=printable_line(name, limit=64) or planned.symbol,
        address=address,
        symbol=planned.symbol,
        held=is_held,
        holder=holder if is_held and holder != fields.free else None,
        size=fields.size,
    )
