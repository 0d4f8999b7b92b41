"""Interrupts that are off, waited for in vain, no longer sent, or too many."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from gdb.guest.cpu_facts import timers
from gdb.kernel_file.roles import Role
from gdb.rules.verdict import below, most_certain, others_tick, seen, stack, telling, verdict
from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdb.evidence.cpu_evidence import CpuEvidence
    from gdb.evidence.evidence import Evidence

_STORM_PER_S: Final = 1000
_ABOVE_TICKS: Final = 10
"""How many times as often as the timer a storm interrupts at least."""
_LVT_TIMER: Final = re.compile(r"LVTT\s+0x(?P<value>[0-9a-f]+)")
_LVT_MASKED: Final = 1 << 16
"""Intel SDM volume 3, 11.5.1: the mask bit of a local vector table entry."""


def interrupts_off_loop(evidence: Evidence) -> Diagnosis | None:
    """A CPU runs on and lets no interrupt in."""
    return most_certain(_loops_with_interrupts_off(evidence))


def _loops_with_interrupts_off(evidence: Evidence) -> Iterator[Diagnosis]:
    for cpu in evidence.cpus:
        if (
            cpu.offline
            or cpu.idle
            or cpu.parked
            or cpu.lock is not None
            or not cpu.always_masked
            or cpu.ticks
        ):
            continue
        if not cpu.mostly_kernel:
            continue
        pending = pending_timer(cpu)
        certain = cpu.ticks == 0 or bool(pending)
        yield verdict(
            evidence,
            Cause.INTERRUPTS_OFF_LOOP,
            Confidence.HIGH if certain else Confidence.MEDIUM,
            f"CPU {cpu.cpu} loops with interrupts off{below(evidence, cpu)}",
            [seen(cpu), pending, others_tick(evidence, cpu), "it spins on no known lock", stack(cpu)],
            subject=telling(evidence, cpu),
            cpu=cpu,
        )


def wait_with_interrupts_off(evidence: Evidence) -> Diagnosis | None:
    """A CPU waits for an interrupt that it does not let in, and that one is at the door or ticks have ended shows it."""
    return next((one for one in _waits_with_interrupts_off(evidence) if one.confidence.is_proof), None)


def idle_with_interrupts_off(evidence: Evidence) -> Diagnosis | None:
    """A CPU waits for an interrupt that it does not let in: a guess, good where nothing else is to be said.

    An aarch64 CPU wakes from WFI all the same (DDI 0487, D1.6); idle loops wait like that and let the interrupt in
    afterwards, as Linux does, and kernels park CPUs so that they do not use.
    """
    return next((one for one in _waits_with_interrupts_off(evidence) if not one.confidence.is_proof), None)


def _waits_with_interrupts_off(evidence: Evidence) -> Iterator[Diagnosis]:
    for cpu in evidence.cpus:
        if cpu.offline or cpu.idle or not cpu.parked or not cpu.always_masked or cpu.ticks:
            continue
        pending = pending_timer(cpu)
        halted = any(sample.halted for sample in cpu.samples)
        certain = (cpu.has_worked and (halted or cpu.ticks == 0)) or bool(pending)
        yield verdict(
            evidence,
            Cause.WAIT_WITH_INTERRUPTS_OFF,
            Confidence.HIGH if certain else Confidence.LOW,
            f"CPU {cpu.cpu} waits for an interrupt with interrupts off{below(evidence, cpu)}"
            + (": none can end the wait" if certain else ", as an idle or unused one may"),
            [seen(cpu), pending, others_tick(evidence, cpu), stack(cpu)],
            subject=telling(evidence, cpu),
            cpu=cpu,
        )


def timer_lost(evidence: Evidence) -> Diagnosis | None:
    """A CPU lets interrupts in, and its timer sends none any more."""
    return most_certain(_loses_its_timer(evidence))


def _loses_its_timer(evidence: Evidence) -> Iterator[Diagnosis]:
    for cpu in evidence.cpus:
        if cpu.offline or cpu.ticks != 0 or cpu.always_masked or cpu.lock is not None:
            continue
        silent = _silent_timer(evidence, cpu)
        others = others_tick(evidence, cpu)
        expired = any(timer.enabled and timer.masked and timer.expired for timer in timers(cpu.state))
        if cpu.idle and not (expired and others):
            continue  # a tickless kernel's idle CPU is quiet as well
        if not expired and (cpu.has_ticked is False or not (silent or others)):
            continue  # some kernels tick on one CPU alone
        yield verdict(
            evidence,
            Cause.TIMER_LOST,
            Confidence.HIGH if silent and not cpu.idle else Confidence.MEDIUM,
            f"CPU {cpu.cpu} gets no timer interrupts any more{below(evidence, cpu)}, though interrupts are on",
            [silent, seen(cpu), others, stack(cpu)],
            subject="timer",
            cpu=cpu,
        )


def interrupt_storm(evidence: Evidence) -> Diagnosis | None:
    """One interrupt comes faster than the kernel gets on."""
    seconds = evidence.seconds
    for cpu in evidence.cpus:
        if not seconds or cpu.interrupts is None:
            continue
        rate = (cpu.interrupts - (cpu.ticks or 0)) / seconds
        if rate < max(_STORM_PER_S, _ABOVE_TICKS * (cpu.ticks or 0) / seconds):
            continue
        if (cpu.system_calls or 0) > cpu.interrupts / 10:
            continue
        vector, times, of = _usual_vector(evidence, cpu)
        share = cpu.spends_in(evidence.roles, Role.INTERRUPT)
        named = f"interrupt {vector}" if vector is not None else "interrupts"
        return verdict(
            evidence,
            Cause.INTERRUPT_STORM,
            Confidence.HIGH if vector is not None else Confidence.MEDIUM,
            f"{named} storm{'s' if vector is not None else ''} CPU {cpu.cpu}: {rate:,.0f} a second, "
            "and nothing else gets on; it is not acknowledged at its source",
            [
                f"CPU {cpu.cpu}: {cpu.interrupts} interrupts and {cpu.ticks or 0} ticks in {seconds:.1f} s",
                f"{times} of the last {of} interrupt entries are number {vector}" if of else "",
                f"{share:.0%} of the samples are in the interrupt path" if share else "",
                stack(cpu),
            ],
            subject=f"interrupt {vector}" if vector is not None else "interrupt",
            cpu=cpu,
        )
    return None


def pending_timer(cpu: CpuEvidence) -> str:
    """Return that a timer's interrupt waits at a CPU's door, as a fact."""
    for timer in timers(cpu.state):
        if timer.enabled and timer.expired and not timer.masked:
            return f"CPU {cpu.cpu}: {timer.name} is {timer.control:#x}: it fires, and is not let in"
    return ""


def _silent_timer(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return what keeps a timer from interrupting, as a fact."""
    found = [timer for timer in timers(cpu.state) if timer.enabled]
    if found and all(timer.masked for timer in found):
        return (
            f"CPU {cpu.cpu}: {found[0].name} is {found[0].control:#x}: enabled, but masked at the timer"
            + (", its condition met" if found[0].expired else "")
        )
    if not found and timers(cpu.state):
        return f"CPU {cpu.cpu}: no timer is enabled"
    lapic = (evidence.capture.interrupt_controllers or {}).get(cpu.cpu, "")
    if match := _LVT_TIMER.search(lapic):
        value = int(match["value"], 16)
        if value & _LVT_MASKED:
            return f"CPU {cpu.cpu}: the local APIC's timer entry is {value:#x}: masked"
    return ""


def _usual_vector(evidence: Evidence, cpu: CpuEvidence) -> tuple[int | None, int, int]:
    """Return (number, how often, of how many) of the most frequent interrupt among a CPU's newest entries."""
    events = evidence.recent(Event.IRQ_ENTRY)
    events = events[events["cpu"] == cpu.cpu] if len(events) else events
    if not len(events):
        return None, 0, 0
    vector, times = Counter(events["payload"].tolist()).most_common(1)[0]
    return (int(vector), times, len(events)) if times > len(events) / 2 else (None, times, len(events))
