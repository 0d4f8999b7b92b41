"""Some CPU is busy with the test itself, and gets on or does not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gdb.evidence.window import Count
from gdb.kernel_file.roles import Role
from gdb.rules.patience import SLEEPS, may_end_by_itself, sleeping
from gdb.rules.verdict import below, call_on, kernel_functions, seen, stack, telling, verdict
from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence, Diagnosis
from parity.error_numbers import ERROR_NAMES

if TYPE_CHECKING:
    from gdb.evidence.cpu_evidence import CpuEvidence
    from gdb.evidence.evidence import Evidence

_POLLS_PER_S: Final = 200
_RACING_PER_S: Final = 10_000
_REQUEUES_PER_S: Final = 1000
_ALIKE: Final = 0.9
_NARROW: Final = 1024
"""Bytes of user code that a spin stays in; a computation that gets on seldom does."""
_TIGHT: Final = 256
_RING_AT_LEAST: Final = 256
"""Events that a ring keeps of a window at least."""
_LONG_S: Final = 2.0
"""A call that has been under way in the kernel for so long is no longer taken for work."""
_USEFUL: Final = 3
_SCHEDULING: Final = (
    *(Event.CTX_SWITCH_ENTRY, Event.CTX_SWITCH_EXIT, Event.SCHED_PICK, Event.SCHED_RESCHED, Event.PREEMPT),
    *(Event.QUEUE_STATE, Event.TO_IDLE, Event.WAKE),
)
_IDLE_CALLS: Final = frozenset(
    SLEEPS
    | {"sched_yield", "poll", "ppoll", "select", "pselect6", "clock_gettime", "gettimeofday", "time"}
    | {"getpid", "getppid", "gettid", "getuid", "epoll_wait", "epoll_pwait"}
)
"""Calls whose success is no progress."""


def polling_livelock(evidence: Evidence) -> Diagnosis | None:
    """User space repeats one system call that always fails alike."""
    seconds = evidence.seconds
    total = evidence.window.total(Count.SYSTEM_CALLS)
    if not seconds or total is None or total / seconds < _POLLS_PER_S:
        return None
    entries, exits = evidence.recent(Event.SYSCALL_ENTRY), evidence.recent(Event.SYSCALL_EXIT)
    if not len(exits):
        return _polling_by_place(evidence)
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
    cpu = int(Counter(entries["cpu"].tolist()).most_common(1)[0][0])
    if thread < 0:  # its switch to user code is long overwritten
        thread = evidence.running_thread(cpu)
    who = "the program" if thread is None else evidence.thread_name(thread)
    helper = _who_may_help(evidence, cpu)
    return verdict(
        evidence,
        Cause.POLLING_LIVELOCK,
        Confidence.HIGH if failed and not helper else Confidence.MEDIUM,
        f"{who} polls: {name} answers {answer} {total / seconds:,.0f} times a second",
        [
            f"CPU {cpu}: {calls} of the last {len(entries)} system calls are {name}",
            f"{results} of the last {len(exits)} results are {answer}",
            f"{total} system calls in {seconds:.1f} s",
            helper,
        ],
        subject=f"{name} {answer}",
        frames=(),
    )


def _polling_by_place(evidence: Evidence) -> Diagnosis | None:
    """Without results: system calls race out of one place in user code."""
    for cpu in evidence.busy:
        rate = (cpu.system_calls or 0) / evidence.seconds
        places = sorted(cpu.user_places)
        span = places[-1] - places[0] if places else 0
        if rate < _RACING_PER_S or span > _TIGHT or cpu.switches:
            continue
        where = f", all from about {places[0]:#x}" if places else ""
        return verdict(
            evidence,
            Cause.POLLING_LIVELOCK,
            Confidence.MEDIUM,
            f"user code on CPU {cpu.cpu} seems to poll: {rate:,.0f} system calls a second{where}",
            [
                f"CPU {cpu.cpu}: {cpu.system_calls} system calls in {evidence.seconds:.1f} s",
                f"CPU {cpu.cpu}: its user program counters span {span} bytes"
                if places
                else f"CPU {cpu.cpu}: no sample is in user code, so little is done between the calls",
                "no event tells what the calls answer",
            ],
            subject="system call",
            frames=(),
        )
    return None


def _who_may_help(evidence: Evidence, cpu: int) -> str:
    """Return who else may yet bring about what is waited for, as a fact; empty where nobody is at work."""
    others = [other.cpu for other in evidence.busy if other.cpu != cpu]
    if others:
        return f"CPU {others[0]} is at work as well"
    return may_end_by_itself(evidence)


def requeue_livelock(evidence: Evidence) -> Diagnosis | None:
    """The scheduler goes round by itself: it switches and picks without end, and no tick comes.

    It is a loop of the kernel's, though its trace looks busy and interrupts are off; hence it is asked for before
    the rules on interrupts, which it would match as well.
    """
    for cpu in evidence.busy:
        if not evidence.seconds or cpu.ticks != 0 or not cpu.mostly_kernel or cpu.lock is not None:
            continue
        switches, events = (cpu.switches or 0) / evidence.seconds, (cpu.events or 0) / evidence.seconds
        recent = evidence.recent(*_SCHEDULING)
        recent = recent[recent["cpu"] == cpu.cpu] if len(recent) else recent
        by_events = events >= _REQUEUES_PER_S and len(recent) >= _ALIKE * min(cpu.events or 0, _RING_AT_LEAST)
        if cpu.system_calls or not (switches >= _REQUEUES_PER_S or by_events):
            continue
        place = telling(evidence, cpu) or cpu.function
        return verdict(
            evidence,
            Cause.KERNEL_LOOP,
            Confidence.HIGH,
            f"the scheduler goes round on CPU {cpu.cpu} in {place}: {max(switches, events):,.0f} "
            + ("context switches" if switches >= events else "scheduling events")
            + " a second, and neither a tick nor a system call",
            [
                seen(cpu),
                f"{cpu.switches or 0} context switches and {cpu.events or 0} events in {evidence.seconds:.1f} s",
                stack(cpu),
            ],
            subject=place,
            cpu=cpu,
        )
    return None


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
        entered = evidence.running_call(cpu.cpu)
        age_s = evidence.age_s(entered.entered_at) if entered is not None else None
        long = age_s is not None and age_s >= _LONG_S
        return verdict(
            evidence,
            Cause.KERNEL_LOOP,
            Confidence.HIGH if certain and long else Confidence.MEDIUM,
            f"the kernel loops on CPU {cpu.cpu}{below(evidence, cpu)}"
            + ("" if call else f", {inside}")
            + "; interrupts are served, and the call does not end",
            [
                seen(cpu),
                f"no system call came or went in {evidence.seconds:.1f} s" if certain else "",
                f"CPU {entered.cpu}, event {entered.sequence}: SYSCALL_ENTRY of {call}, {age_s:.1f} s before the "
                "last event, without exit"
                if entered is not None and age_s is not None
                else "",
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
        pcs = sorted(cpu.user_places)
        span = pcs[-1] - pcs[0] if pcs else 0
        certain = cpu.system_calls is not None and span <= _TIGHT
        helper = _who_may_help(evidence, cpu.cpu)
        where = f"{pcs[0]:#x}" if len(pcs) == 1 else f"{pcs[0]:#x} to {pcs[-1]:#x}" if pcs else "?"
        thread = evidence.running_thread(cpu.cpu)
        who = evidence.thread_name(thread) if thread is not None else "the program"
        return verdict(
            evidence,
            Cause.USER_SPIN,
            Confidence.HIGH
            if certain and cpu.repeats_itself and not helper
            else Confidence.MEDIUM
            if span <= _NARROW
            else Confidence.LOW,
            f"{who} spins in user mode on CPU {cpu.cpu}, at {where}, and makes no system call",
            [
                seen(cpu),
                f"no system call in {evidence.seconds:.1f} s" if cpu.system_calls is not None else "",
                f"CPU {cpu.cpu}: its program counters span {span} bytes",
                "all general registers are equal whenever it is at the same place"
                if cpu.repeats_itself
                else "its registers change, or were not seen: it may compute, and come to an end",
                helper,
            ],
            subject="user code",
            frames=(),
        )
    return None


def slow(evidence: Evidence) -> Diagnosis | None:
    """It gets on: system calls come and go, or a sleep is going to end by itself."""
    calls, switches = evidence.window.total(Count.SYSTEM_CALLS), evidence.window.total(Count.SWITCHES)
    if calls and evidence.seconds:
        useful = _useful_calls(evidence)
        facts = [
            f"{calls} system calls and {switches or 0} context switches in {evidence.seconds:.1f} s",
            f"{useful} of the newest succeeded, and not only at waiting" if useful else "",
        ]
        return verdict(
            evidence,
            Cause.SLOW,
            Confidence.HIGH if useful >= _USEFUL else Confidence.MEDIUM,
            f"it is slow, not stuck: {calls / evidence.seconds:,.0f} system calls a second",
            facts,
            frames=(),
        )
    asleep = sleeping(evidence)
    if evidence.all_idle and asleep:
        first = asleep[0]
        name = evidence.call_name(first.number)
        return verdict(
            evidence,
            Cause.SLOW,
            Confidence.MEDIUM,
            f"{evidence.thread_name(first.thread)} sleeps in {name}, which ends by itself",
            [f"CPU {first.cpu}, event {first.sequence}: SYSCALL_ENTRY of {name}", "every CPU idles"],
            frames=(),
        )
    return None


def _useful_calls(evidence: Evidence) -> int:
    """Return how many of the newest system calls succeeded, and not only at waiting."""
    left = evidence.completed
    first = evidence.window_start
    return sum(
        bool(call["has_result"])
        and int(call["result"]) >= 0
        and int(call["left_at"]) >= first
        and evidence.call_name(int(call["number"])) not in _IDLE_CALLS
        for call in left[-256:]
    )


def _above_anchor(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the function just inside the system call's entry."""
    names = kernel_functions(cpu)
    anchor = evidence.roles.first(names, Role.SYSTEM_CALL)
    return names[anchor - 1] if anchor else ""


def _stable_frames(evidence: Evidence, cpu: CpuEvidence) -> tuple[str, ...]:
    """Return the stack without the functions that the loop calls on its way: the outer half repeats itself."""
    canonical = evidence.roles.canonical(kernel_functions(cpu))
    return canonical[-3:] if len(canonical) > 3 else canonical
