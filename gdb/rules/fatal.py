"""Rules 1 and 2: the kernel died and stands, or takes one fault for ever."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gdb.cpu_facts import describe_kernel_fault, describe_user_fault, is_kernel_fault
from gdb.event_types import Event
from gdb.roles import Role
from gdb.rules.verdict import below, kernel_functions, seen, stack, verdict
from gdb.window import Count
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from gdb.cpu_evidence import CpuEvidence
    from gdb.evidence import Evidence

_VECTORS: Final = 0x800
"""Bytes of aarch64's vector table (Arm ARM DDI 0487, D1.3.1)."""
_STORM_PER_S: Final = 100
_ALIKE: Final = 0.95


def panic_parked(evidence: Evidence) -> Diagnosis | None:
    """A CPU stands in the kernel's last words, or in an exception's vector."""
    dead = [cpu for cpu in evidence.cpus if _is_dead(evidence, cpu)]
    if not dead:
        return None
    cpu = max(dead, key=lambda found: _tells(evidence, found))
    fault = describe_kernel_fault(cpu.state)
    culprit = _culprit(evidence, cpu)
    where = f" in {culprit}" if culprit else ""
    panicked = any("panic" in name.lower() for name in cpu.functions)
    what = fault or ("a panic" if panicked else "a fatal exception or a panic")
    others = [other.cpu for other in dead if other.cpu != cpu.cpu]
    return verdict(
        evidence,
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        f"the kernel died of {what}{where} on CPU {cpu.cpu}, and parked in {cpu.function or 'its handler'}",
        [
            seen(cpu),
            stack(cpu),
            f"CPUs {', '.join(map(str, others))} are parked as well" if others else "",
            *(f"console: {line}" for line in evidence.capture.subject.console_tail[-2:]),
        ],
        subject=f"fault in {culprit}" if fault else f"panic in {culprit}" if culprit else "panic",
        frames=tuple(evidence.roles.canonical(kernel_functions(cpu))),
    )


def fault_storm(evidence: Evidence) -> Diagnosis | None:
    """One fault is taken again and again: its handler returns and has mended nothing."""
    return _storm_in_trace(evidence) or _storm_in_registers(evidence)


def _is_dead(evidence: Evidence, cpu: CpuEvidence) -> bool:
    if cpu.offline or cpu.mostly_user or cpu.lock is not None or cpu.never_masked:
        return False
    panics = evidence.roles.first(cpu.functions[:6], Role.PANIC) is not None
    sampled = not any(cpu.functions) and cpu.spends_in(evidence.roles, Role.PANIC) >= 0.75
    vectors = cpu.state.registers.get("VBAR_EL1") if cpu.state is not None else None
    in_vector = bool(vectors) and cpu.within(vectors or 0, (vectors or 0) + _VECTORS - 1)
    faulted = cpu.always_masked and is_kernel_fault(cpu.state) and (cpu.parked or cpu.span <= 64)
    return (panics and cpu.always_masked) or (sampled and not cpu.ticks) or in_vector or faulted


def _tells(evidence: Evidence, cpu: CpuEvidence) -> tuple[int, int]:
    """The CPU that died first says more: a fault in its registers, a stack with more than a park loop."""
    telling = evidence.roles.canonical(kernel_functions(cpu))
    return int(is_kernel_fault(cpu.state)), len(telling)


def _culprit(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the function that panicked: the first below the last of panic's and the exception's own."""
    names = kernel_functions(cpu)
    last = max(
        (n for n, name in enumerate(names) if evidence.roles.of(name) in (Role.PANIC, Role.INTERRUPT)),
        default=-1,
    )
    inner = max((n for n, name in enumerate(names) if evidence.roles.of(name) is Role.PANIC), default=-1)
    for cut in (last, inner):
        rest = evidence.roles.canonical(names[cut + 1 :])
        if rest:
            return rest[0]
    return ""


def _storm_in_trace(evidence: Evidence) -> Diagnosis | None:
    seconds = evidence.seconds
    total = evidence.window.total(Count.FAULTS)
    if not seconds or total is None or total / seconds < _STORM_PER_S:
        return None
    events = evidence.recent(Event.PAGE_FAULT, Event.COW_FAULT, Event.DATA_ABORT)
    if not len(events):
        return None
    (payload, times), *_ = Counter(events["payload"].tolist()).most_common(1)
    if times < _ALIKE * len(events):
        return None
    number = Counter(events["cpu"].tolist()).most_common(1)[0][0]
    cpu = next((found for found in evidence.cpus if found.cpu == number), None)
    return verdict(
        evidence,
        Cause.FAULT_STORM,
        Confidence.HIGH,
        f"the same page fault is taken {total / seconds:,.0f} times a second on CPU {number}: "
        "its handler returns without having mended it",
        [
            f"{times} of the last {len(events)} fault events bear the payload {payload:#x} (page number)",
            f"{total} faults in {seconds:.1f} s",
            seen(cpu) if cpu else "",
            stack(cpu) if cpu else "",
        ],
        subject="page-fault",
        cpu=cpu,
    )


def _storm_in_registers(evidence: Evidence) -> Diagnosis | None:
    """Without events: user mode stands at one instruction, and the rest is the fault's handler."""
    for cpu in evidence.cpus:
        user = {sample.pc for sample in cpu.samples if sample.mode == "user"}
        kernel = [sample for sample in cpu.samples if sample.mode == "kernel"]
        if cpu.idle or len(user) > 1 or len(kernel) < 2:
            continue
        addresses = {sample.registers.get("cr2", 0) for sample in cpu.samples}
        fault_path = [place for place in cpu.places if "fault" in place.lower() or "abort" in place.lower()]
        pinned = len(addresses) == 1 and addresses != {0}
        faulting = describe_user_fault(cpu.state)
        if not (fault_path and cpu.span > 0 and (pinned or faulting) and not cpu.system_calls):
            continue
        return verdict(
            evidence,
            Cause.FAULT_STORM,
            Confidence.MEDIUM,
            f"CPU {cpu.cpu} seems to take the same fault again and again{below(evidence, cpu)}",
            [
                f"{len(fault_path)} of {len(cpu.samples)} samples are in the fault's path",
                faulting or f"CR2 is {next(iter(addresses)):#x} in every sample",
                stack(cpu),
            ],
            subject="page-fault",
            cpu=cpu,
        )
    return None
