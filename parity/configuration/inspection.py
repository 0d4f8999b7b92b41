"""`hang` in parity.toml: when a guest is looked into, and what its functions, trace and scheduler are called.

Names of variables are the linker's, or Rust paths, or the unique end of one. A *member path* names a member of a
structure, and of what that member holds or points to: `process.name`.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from parity.configuration.table import Table, Words
from parity.configuration.template import Pattern, PatternField

_ADDRESS: Final = re.compile(r"0x[0-9A-Fa-f]{1,16}")
_EVENT: Final = re.compile(r"0x[0-9A-Fa-f]{1,4}")
_CALL: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_PATH: Final = re.compile(r"\w+(?:\.\w+)*")
_VARIABLE: Final = re.compile(r"[\w$<>]+(?:::[\w$<>]+)*(?:\.\w+)*")


def _base_or_address(pattern: Pattern) -> Pattern:
    if not _ADDRESS.fullmatch(pattern.source) and "base" not in pattern.anywhere().groupindex:
        raise PydanticCustomError(
            "missing_group",
            "is neither an address nor a pattern with the group (?P<base>...)",
            {"hint": "write \"0x10000000000\" or 'offset: (?P<base>0x[0-9a-f]+)'"},
        )
    return pattern


def _event_number(text: str) -> str:
    if not _EVENT.fullmatch(text):
        raise PydanticCustomError(
            "bad_event",
            "is no event type: four hexadecimal digits, the provider's two first",
            {"hint": 'for example "0x0700" = "DISK_READ"'},
        )
    return text


def _call_number(text: str) -> str:
    if not _CALL.fullmatch(text):
        raise PydanticCustomError(
            "bad_call", "is no system call's number", {"hint": 'for example "500" = "spawn"'}
        )
    return text


def _member_path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise PydanticCustomError(
            "bad_path",
            "is no member path: members' names with dots between",
            {"hint": 'such as "process.name"'},
        )
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise PydanticCustomError(
            "bad_variable",
            "is no variable: a symbol or a path, with members behind dots",
            {"hint": 'such as "all_threads" or "kernel::task::SCHEDULER.threads"'},
        )
    return text


LoadBase = Annotated[PatternField, AfterValidator(_base_or_address)]
MemberPath = Annotated[str, AfterValidator(_member_path)]
MemberPaths = Annotated[tuple[MemberPath, ...], Field(strict=False)]
VariableName = Annotated[str, AfterValidator(_variable)]
VariableNames = Annotated[tuple[VariableName, ...], Field(strict=False)]
EventName = Annotated[str, Field(min_length=1, max_length=64)]
States = Annotated[tuple[str | int, ...], Field(strict=False)]
Moments = Annotated[tuple[Literal["hang", "timeout", "crash", "boot"], ...], Field(strict=False)]


class TraceNames(Table):
    """`hang.symbols`: the variables of the kernel's trace; what is not there is not used."""

    buffers: VariableName = "TRACE_BUFFERS"
    """The rings, an array with one element per CPU."""
    enabled: VariableName = "TRACE_ENABLED"
    timestamp_hz: VariableName = "TRACE_TIMESTAMP_HZ"
    counters: VariableName = "TRACE_COUNTERS"
    """An array of pointers to counters."""
    counter_count: VariableName = "TRACE_COUNTER_COUNT"
    named_counters: VariableNames = ("SYSCALL_TOTAL", "IRQ_TOTAL", "CTX_SWITCH_TOTAL", "TIMER_TICK_TOTAL")
    """Counters with a symbol of their own."""
    providers: VariableName = "TRACE_PROVIDERS"
    provider_count: VariableName = "TRACE_PROVIDER_COUNT"
    lock_names: VariableName = "LOCK_NAMES"
    """An array of strings: the names of the ids in lock events."""
    byte_trace: VariableName = "EXEC_TRACE_BUF"
    """The older trace of single bytes."""
    byte_trace_index: VariableName = "EXEC_TRACE_IDX"


class ThreadNames(Table):
    """`hang.threads`: where the kernel keeps its threads."""

    list: VariableName
    """A pointer to the first thread, an array of threads, or an array of pointers to them."""
    next: MemberPath | None = None
    """The member that points to the next thread, where `list` is the first of a chain."""
    id: MemberPath
    state: MemberPath
    """A number, best an enumeration's."""
    cpu: MemberPath | None = None
    """Where it runs or last ran."""
    name: MemberPaths = ()
    """Text; the first of these that is there and not empty."""
    waits_for: MemberPath | None = None
    """What it sleeps on: a pointer or a number."""
    ready: States = ()
    """What `state` is for a thread that could run: names or numbers. Guessed from the names where it is not said."""
    blocked: States = ()
    running: States = ()
    unused: States = ("UNUSED", "FREE")
    """Elements of an array that are no thread."""


class LockNames(Table):
    """`hang.locks`: what the kernel's spinlocks look like."""

    type: Annotated[str, Field(min_length=1)]
    """The structure's name without `struct`; a glob, for Rust's generic ones."""
    held: MemberPath | None = None
    """Not 0 while it is held."""
    holder: MemberPath | None = None
    """The number of the CPU that holds it."""
    name: MemberPath | None = None
    """Text; the variable's name where it is not said."""
    free: int = -1
    """What `holder` is while nobody holds it."""

    @model_validator(mode="after")
    def _tells_whether_it_is_held(self) -> LockNames:
        if self.held is None and self.holder is None:
            raise PydanticCustomError("missing", "is missing", {"key": "held", "hint": "or say `holder`"})
        return self


class HangRules(Table):
    """`hang`: what is done about an attempt that does not end, and how its kernel is read."""

    capture: Moments = ("hang", "timeout", "boot")
    """After which outcomes the guest is looked into before it is ended."""
    core: bool = False
    """Whether a core file is kept as well."""
    base: LoadBase | None = None
    """Where a position-independent kernel is: an address, or what the console says of it (group: base)."""
    panic_symbols: Words = (
        *("*panic*", "*begin_unwind*", "abort", "die", "oops_end", "*halt_forever*", "*hang_forever*"),
        *("halt_and_catch_fire", "hcf", "arch_park"),
    )
    """Functions of a kernel that has given up."""
    idle_symbols: Words = (
        *("idle", "idle_*", "*_idle", "*idle_loop*", "*idle_thread*", "*idle_task*", "cpu_idle*"),
        *("*wait_for_interrupt*", "wfi", "hlt", "halt", "enable_and_hlt"),
    )
    lock_symbols: Words = (
        *(
            "*spin_lock*",
            "*spinlock*lock*",
            "*ticket*lock*",
            "*raw_lock*",
            "*lock_acquire*",
            "*acquire_lock*",
        ),
        *("*mutex*::*lock*", "*rwlock*::*", "lock", "lock_irqsave", "acquire", "lock_slow"),
    )
    """Functions that spin on a lock."""
    wait_symbols: Words = (
        *("schedule", "*::schedule*", "sched", "swtch", "*switch_to*", "*context_switch*", "switch_away"),
        *("switch_stacks", "yield", "yield_*", "*_yield", "sleep", "sleep_*", "wait_on", "wait_event*"),
        *(
            "*_relax",
            "*spin_loop*",
            "*cpu_pause*",
            "block_current*",
            "*waitqueue*",
            "*wait_queue*",
            "mutex_lock*",
            "acquiresleep",
        ),
    )
    """Functions that put a thread to sleep or switch to another."""
    interrupt_symbols: Words = (
        *("*interrupt_handler*", "*handle_interrupt*", "*interrupt_entry*", "*irq_handler*", "*handle_irq*"),
        *("*trap_irq*", "*_irq", "irq_entry*", "*_isr", "*exception_handler*", "*timer_handler*"),
        *("*handle_*exception*", "exception_vector*", "el1_sync*", "el1_irq*", "el0_irq*", "kernel_sync"),
        *("timer_interrupt*", "timer_tick*", "*_nmi", "nmi_*", "*fault_handler*", "trap_handle*"),
        *("trap_from_*", "trap_kernel_*", "trap_entry*", "kerneltrap", "kernelvec", "usertrap"),
        *("vector[0-9]*", "isr[0-9]*", "trap[0-9]*"),
    )
    """The entries of interrupts and exceptions, and their dispatchers."""
    syscall_symbols: Words = (
        *("syscall", "do_syscall*", "*syscall_handler*", "*handle_syscall*", "*syscall_entry*"),
        *("*syscall_dispatch*", "*dispatch_syscall*", "el0_svc*", "trap_user_sync"),
    )
    """The entries of system calls, and their dispatchers."""
    symbols: TraceNames = TraceNames()
    events: dict[Annotated[str, AfterValidator(_event_number)], EventName] = Field(default={})
    """The kernel's own event types: `"0x0700" = "DISK_READ"`."""
    system_calls: dict[Annotated[str, AfterValidator(_call_number)], EventName] = Field(default={})
    """Its own system calls: `"500" = "spawn"`."""
    timestamp_hz: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)] | None = None
    """The trace clock's frequency, where the kernel has no variable for it."""
    threads: ThreadNames | None = None
    locks: LockNames | None = None
    queue_length: VariableName | None = None
    """An integer: how many threads wait in the run queue."""

    @model_validator(mode="after")
    def _events_are_distinct(self) -> HangRules:
        numbers = [int(key, 16) for key in self.events]
        for key, number in zip(self.events, numbers, strict=True):
            if numbers.count(number) > 1:
                raise PydanticCustomError(
                    "same_event", "is named twice", {"key": f"events.{key}", "hint": "leave one out"}
                )
        return self

    @property
    def fixed_base(self) -> int | None:
        """The load address, where parity.toml says it itself."""
        source = self.base.source if self.base is not None else ""
        return int(source, 16) if _ADDRESS.fullmatch(source) else None
