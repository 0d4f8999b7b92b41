"""What the events of a trace are called, and what their payloads mean.

The numbers are `provider << 8 | probe`; the table is the one that duet (kernel/include/trace.h) and Breenix share. A
kernel's own types come from its configuration, by number and name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import TYPE_CHECKING, Final, assert_never

from gdb.trace.system_calls import result_name, signed_result, system_call_name
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping


class Event(IntEnum):
    """The shared types by name; where two numbers mean the same, the one that the others are read as."""

    CTX_SWITCH_ENTRY = 0x0001
    CTX_SWITCH_EXIT = 0x0002
    TO_USER = 0x0003
    TO_KERNEL = 0x0004
    TO_IDLE = 0x0005
    QUEUE_STATE = 0x0012
    IRQ_ENTRY = 0x0100
    IRQ_EXIT = 0x0101
    TIMER_TICK = 0x0102
    HEARTBEAT_MARKER = 0x0103
    SCHED_PICK = 0x0200
    SCHED_RESCHED = 0x0201
    PREEMPT = 0x0202
    WAKE = 0x0203
    RESCHED_IPI_SEND = 0x0204
    RESCHED_IPI_RECV = 0x0205
    SYSCALL_ENTRY = 0x0300
    SYSCALL_EXIT = 0x0301
    PAGE_FAULT = 0x0400
    TLB_FLUSH = 0x0401
    CR3_SWITCH = 0x0402
    LOCK_ACQUIRE = 0x0500
    LOCK_RELEASE = 0x0501
    LOCK_CONTEND = 0x0502
    FORK_ENTRY = 0x0600
    FORK_EXIT = 0x0601
    EXEC_ENTRY = 0x0602
    EXEC_EXIT = 0x0603
    COW_FAULT = 0x0604
    COW_COPY = 0x0605
    STACK_MAP = 0x0606
    DATA_ABORT = 0x0607
    PROCESS_EXIT = 0x0608
    COW_LOCK_FAIL = 0x0609
    SPAWN_FRONT = 0x060A
    WAITPID_BLOCK = 0x060B
    WAITPID_WAKE = 0x060C
    THREAD_EXIT = 0x060D
    MARKER_A = 0xFF00
    MARKER_B = 0xFF01
    MARKER_C = 0xFF02
    MARKER_D = 0xFF03


SECOND_NUMBERS: Final = {0x0010: Event.SCHED_PICK, 0x0011: Event.SCHED_RESCHED}
"""Older numbers of the same events."""

PROVIDER_NAMES: Final = {
    0x00: "context",
    0x01: "irq",
    0x02: "sched",
    0x03: "syscall",
    0x04: "memory",
    0x05: "lock",
    0x06: "process",
    0xFF: "marker",
}


class Payload(Enum):
    """How a payload is to be read; pairs have the first in the upper half."""

    NOTHING = auto()
    VALUE = auto()
    SWITCH = auto()
    """Old and new thread."""
    THREAD = auto()
    CPU = auto()
    VECTOR = auto()
    TICK = auto()
    QUEUE = auto()
    """Length and thread."""
    CALL = auto()
    RESULT = auto()
    PAGE = auto()
    LOCK = auto()
    PROCESS = auto()
    FAULT = auto()
    """Process and the architecture's fault status, or a signal."""
    EXIT = auto()
    """Process and exit status."""
    PARENT_AND_CHILD = auto()


_PAYLOADS: Final = {
    Event.CTX_SWITCH_ENTRY: Payload.SWITCH,
    Event.CTX_SWITCH_EXIT: Payload.THREAD,
    Event.TO_USER: Payload.THREAD,
    Event.TO_KERNEL: Payload.VALUE,
    Event.TO_IDLE: Payload.NOTHING,
    Event.QUEUE_STATE: Payload.QUEUE,
    Event.IRQ_ENTRY: Payload.VECTOR,
    Event.IRQ_EXIT: Payload.VECTOR,
    Event.TIMER_TICK: Payload.TICK,
    Event.HEARTBEAT_MARKER: Payload.VALUE,
    Event.SCHED_PICK: Payload.THREAD,
    Event.SCHED_RESCHED: Payload.THREAD,
    Event.PREEMPT: Payload.THREAD,
    Event.WAKE: Payload.THREAD,
    Event.RESCHED_IPI_SEND: Payload.CPU,
    Event.RESCHED_IPI_RECV: Payload.CPU,
    Event.SYSCALL_ENTRY: Payload.CALL,
    Event.SYSCALL_EXIT: Payload.RESULT,
    Event.PAGE_FAULT: Payload.PAGE,
    Event.TLB_FLUSH: Payload.PAGE,
    Event.LOCK_ACQUIRE: Payload.LOCK,
    Event.LOCK_RELEASE: Payload.LOCK,
    Event.LOCK_CONTEND: Payload.LOCK,
    Event.FORK_ENTRY: Payload.PROCESS,
    Event.FORK_EXIT: Payload.PROCESS,
    Event.EXEC_ENTRY: Payload.PROCESS,
    Event.EXEC_EXIT: Payload.PROCESS,
    Event.COW_FAULT: Payload.PAGE,
    Event.COW_COPY: Payload.PAGE,
    Event.DATA_ABORT: Payload.FAULT,
    Event.PROCESS_EXIT: Payload.EXIT,
    Event.WAITPID_BLOCK: Payload.PARENT_AND_CHILD,
    Event.WAITPID_WAKE: Payload.PARENT_AND_CHILD,
    Event.THREAD_EXIT: Payload.THREAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One type of event."""

    number: int
    name: str
    provider: str
    payload: Payload = Payload.VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What payloads are told with; what is not there is told by number."""

    architecture: str = ""
    system_calls: Mapping[int, str] = field(default_factory=dict)
    """The kernel's own, before Linux's."""
    locks: Mapping[int, str] = field(default_factory=dict)
    threads: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTypes:
    """The types that a kernel's trace can have."""

    by_number: Mapping[int, EventType]

    @property
    def known(self) -> frozenset[int]:
        """All numbers."""
        return frozenset(self.by_number)

    @property
    def aliases(self) -> dict[int, int]:
        """Numbers that mean the same as one of the shared types, and that type's number."""
        shared = {event.name: event.value for event in Event}
        return {
            number: shared[kind.name]
            for number, kind in self.by_number.items()
            if shared.get(kind.name, number) != number
        }

    def name(self, number: int) -> str:
        """Return a type's name; `event 0x0742` where it has none."""
        return self.by_number[number].name if number in self.by_number else f"event 0x{number:04x}"

    def provider(self, number: int) -> str:
        """Return the name of the provider that a type belongs to."""
        known = self.by_number.get(number)
        return known.provider if known else provider_name(number >> 8)

    def describe_payload(self, number: int, payload: int, names: Names) -> str:
        """Return what an event says besides its type, in words; empty where that is nothing."""
        known = self.by_number.get(number)
        return describe_payload(known.payload if known else Payload.VALUE, payload, names)


def event_types(own: Mapping[int, str] | None = None) -> EventTypes:
    """Return the shared types and a kernel's own.

    An own type with the name of a shared one is read as that; one with its number replaces it.
    """
    known = {event.value: _shared_type(event.value, event) for event in Event}
    known |= {number: _shared_type(number, event) for number, event in SECOND_NUMBERS.items()}
    for number, name in (own or {}).items():
        if name in Event.__members__:
            known[number] = _shared_type(number, Event[name])
        else:
            shown = printable_line(name, limit=64)
            known[number] = EventType(number=number, name=shown, provider=provider_name(number >> 8))
    return EventTypes(by_number=known)


def provider_name(number: int) -> str:
    """Return the name of a provider."""
    return PROVIDER_NAMES.get(number, f"provider 0x{number:02x}")


def describe_payload(kind: Payload, payload: int, names: Names) -> str:  # noqa: C901, PLR0911, PLR0912 - one match
    """Return a payload in words."""
    high, low = payload >> 16 & 0xFFFF, payload & 0xFFFF
    match kind:
        case Payload.NOTHING:
            return ""
        case Payload.VALUE:
            return hex(payload) if payload > 9 else str(payload)
        case Payload.SWITCH:
            return f"{thread_name(high, names)} → {thread_name(low, names)}"
        case Payload.THREAD:
            return thread_name(payload, names)
        case Payload.CPU:
            return f"CPU {payload}"
        case Payload.VECTOR:
            return f"interrupt {payload}"
        case Payload.TICK:
            return f"tick {payload}"
        case Payload.QUEUE:
            return f"{high} waiting, {thread_name(low, names)}"
        case Payload.CALL:
            return system_call_name(names.architecture, payload, names.system_calls)
        case Payload.RESULT:
            return result_name(signed_result(payload))
        case Payload.PAGE:
            return "all pages" if payload == 0xFFFFFFFF else f"page {payload:#x}"
        case Payload.LOCK:
            return lock_name(payload, names)
        case Payload.PROCESS:
            return f"process {payload}" if payload else "failed"
        case Payload.FAULT:
            return f"process {high}, fault {low:#x}"
        case Payload.EXIT:
            return f"process {high}, status {low:#x}"
        case Payload.PARENT_AND_CHILD:
            return f"{thread_name(high, names)}, {f'child {low}' if low else 'any child'}"
        case _ as never:
            assert_never(never)


def thread_name(thread: int, names: Names) -> str:
    """Return `thread 7`, with the name where it is known: `thread 7 (sh)`."""
    name = names.threads.get(thread)
    return f"thread {thread} ({printable_line(name, limit=32)})" if name else f"thread {thread}"


def lock_name(lock: int, names: Names) -> str:
    """Return `lock tree`, or `lock 3` where it has no name."""
    name = names.locks.get(lock)
    return f"lock {printable_line(name, limit=64)}" if name else f"lock {lock}"


def _shared_type(number: int, event: Event) -> EventType:
    return EventType(
        number=number,
        name=event.name,
        provider=provider_name(number >> 8),
        payload=_PAYLOADS.get(event, Payload.VALUE),
    )
