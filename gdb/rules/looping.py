"""Rules 12 to 15: some CPU is busy with the test itself, and gets on or does not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gdb.event_types import Event
from gdb.roles import Role
from gdb.rules.verdict import below, call_on, kernel_functions, seen, stack, verdict
from gdb.window import Count
from parity.diagnosis import Cause, Confidence, Diagnosis
from parity.error_numbers import ERROR_NAMES

if TYPE_CHECKING:
    from gdb.cpu_evidence import CpuEvidence
    from gdb.evidence import Evidence

_POLLS_PER_S: Final = 200
_ALIKE: Final = 0.9
_NARROW: Final = 1024
"""Bytes of user code that a spin stays in; a computation that gets on seldom does."""


def polling_livelock(evidence: Evidence) -> Diagnosis | None:
    """User space repeats one system call that always fails alike."""
    seconds = evidence.seconds
    total = evidence.window.total(Count.SYSTEM_CALLS)
    if not seconds or total is None or total / seconds < _POLLS_PER_S:
        return None
    entries, exits = evidence.recent(Event.SYSCALL_ENTRY), evidence.recent(Event.SYSCALL_EXIT)
    if len(entries) < 16 or len(exits) < 16:
        return None
    (number, calls), *_ = Counter(entries["payload"].tolist()).most_common(1)
    (result, results), *_ = Counter(exits["payload"].tolist()).most_common(1)
    failed = result >= 2**32 - 4095
    if calls < _ALIKE * len(entries) or results < _ALIKE * len(exits) or not (failed or result == 0):
        return None
    name = evidence.call_name(number)
    answer = ERROR_NAMES.get(2**32 - result, f"-{2**32 - result}") if failed else "0"
    thread = Counter(entries["thread"].tolist()).most_common(1)[0][0]
    if thread < 0:  # its switch to user code is long overwritten
        thread = evidence.running_thread(int(Counter(entries["cpu"].tolist()).most_common(1)[0][0]))
    who = "the program" if thread is None else evidence.thread_name(thread)
    return verdict(
        evidence,
        Cause.POLLING_LIVELOCK,
        Confidence.HIGH if failed else Confidence.MEDIUM,
        f"{who} polls: {name} answers {answer} {total / seconds:,.0f} times a second",
        [
            f"{calls} of the last {len(entries)} system calls are {name}",
            f"{results} of the last {len(exits)} results are {answer}",
            f"{total} system calls in {seconds:.1f} s",
        ],
        subject=f"{name} {answer}",
        frames=(),
    )


def kernel_loop(evidence: Evidence) -> Diagnosis | None:
    """The kernel goes round and round, with interrupts on."""
    for cpu in evidence.busy:
        if cpu.offline or cpu.lock is not None or not cpu.mostly_kernel or cpu.parked or cpu.always_masked:
            continue
        if cpu.ticks == 0 or cpu.system_calls or evidence.window.total(Count.SYSTEM_CALLS):
            continue
        call = call_on(evidence, cpu)
        anchor = _above_anchor(evidence, cpu)
        inside = f"below {call}" if call else f"in {anchor or cpu.function or 'the kernel'}"
        certain = cpu.ticks is not None and cpu.system_calls is not None
        return verdict(
            evidence,
            Cause.KERNEL_LOOP,
            Confidence.HIGH if certain and (call or anchor) else Confidence.MEDIUM,
            f"the kernel loops on CPU {cpu.cpu}{below(evidence, cpu)}"
            + ("" if call else f", {inside}")
            + "; interrupts are served, and the call does not end",
            [
                seen(cpu),
                f"no system call came or went in {evidence.seconds:.1f} s" if certain else "",
                stack(cpu),
            ],
            subject=anchor or call or cpu.function,
            cpu=cpu,
            frames=_stable_frames(evidence, cpu),
        )
    return None


def user_spin(evidence: Evidence) -> Diagnosis | None:
    """User code runs in circles and asks the kernel for nothing."""
    for cpu in evidence.busy:
        if not cpu.mostly_user or cpu.system_calls or cpu.ticks == 0:
            continue
        narrow = cpu.span <= _NARROW
        known = cpu.system_calls is not None
        pcs = sorted({sample.pc for sample in cpu.samples if sample.mode == "user"})
        where = f"{pcs[0]:#x}" if len(pcs) == 1 else f"{pcs[0]:#x} to {pcs[-1]:#x}" if pcs else "?"
        thread = evidence.running_thread(cpu.cpu)
        who = evidence.thread_name(thread) if thread is not None else "the program"
        return verdict(
            evidence,
            Cause.USER_SPIN,
            Confidence.HIGH if narrow and known else Confidence.MEDIUM if narrow else Confidence.LOW,
            f"{who} spins in user mode on CPU {cpu.cpu}, at {where}, and makes no system call",
            [
                seen(cpu),
                f"no system call in {evidence.seconds:.1f} s" if known else "",
                f"its program counters span {cpu.span} bytes",
            ],
            subject="user code",
            frames=(),
        )
    return None


def slow(evidence: Evidence) -> Diagnosis | None:
    """It gets on: system calls come and go, or a sleep is going to end by itself."""
    calls, switches = evidence.window.total(Count.SYSTEM_CALLS), evidence.window.total(Count.SWITCHES)
    if calls:
        facts = [f"{calls} system calls and {switches or 0} context switches in {evidence.seconds:.1f} s"]
        return verdict(
            evidence,
            Cause.SLOW,
            Confidence.HIGH,
            f"it is slow, not stuck: {calls / evidence.seconds:,.0f} system calls a second",
            facts,
            frames=(),
        )
    sleeping = [
        call
        for call in evidence.in_flight
        if evidence.call_name(call.number) in ("nanosleep", "clock_nanosleep")
    ]
    if evidence.all_idle and sleeping:
        return verdict(
            evidence,
            Cause.SLOW,
            Confidence.MEDIUM,
            f"{evidence.thread_name(sleeping[0].thread)} sleeps in {evidence.call_name(sleeping[0].number)}, "
            "which ends by itself",
            ["every CPU idles"],
            frames=(),
        )
    return None


def _above_anchor(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the function just inside the system call's entry."""
    names = kernel_functions(cpu)
    anchor = evidence.roles.first(names, Role.SYSTEM_CALL)
    return names[anchor - 1] if anchor else ""


def _stable_frames(evidence: Evidence, cpu: CpuEvidence) -> tuple[str, ...]:
    """Return the stack without the functions that the loop calls on its way: the outer half repeats itself."""
    canonical = evidence.roles.canonical(kernel_functions(cpu))
    return canonical[-3:] if len(canonical) > 3 else canonical
