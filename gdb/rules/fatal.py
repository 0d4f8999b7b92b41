"""The kernel died and stands, or takes one fault for ever."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from gdb.evidence.window import Count
from gdb.guest.cpu_facts import (
    describe_kernel_fault,
    describe_registers,
    describe_user_fault,
    is_kernel_fault,
)
from gdb.guest.cpu_state import Mode
from gdb.kernel_file.roles import Role, is_exception, short_name
from gdb.rules.verdict import kernel_functions, seen, stack, verdict
from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from gdb.evidence.cpu_evidence import CpuEvidence
    from gdb.evidence.evidence import Evidence

_VECTORS: Final = 0x800
"""Bytes of aarch64's vector table (Arm ARM DDI 0487, D1.3.1)."""
_STORM_PER_S: Final = 100
_FAST_PER_S: Final = 1000
_CERTAIN_PER_S: Final = 100_000
"""Without a system call between; as first accesses to fresh pages they would be 400 MB a second."""
_ALIKE: Final = 0.95
_PAGE_FAULT: Final = re.compile(r"(?:vector|isr|trap)_?14(?![0-9])")
"""Intel SDM volume 3, 6.15: the page fault's vector."""
_MACHINERY: Final = re.compile(
    r"(?:^|::)(?:_*(?:k|v|do_|kernel_|rust_)?panic|panic_(?:fmt|handler|impl|display|bounds_check)"
    r"|(?:rust_)?begin_unwind|(?:unwrap|expect)_failed)$|(?:^|::)panicking::"
)
"""What lies between who panics and the halt, in C and in Rust."""


def panic_parked(evidence: Evidence) -> Diagnosis | None:
    """A CPU stands in the kernel's last words, or in an exception's vector."""
    dead = [cpu for cpu in evidence.cpus if _is_dead(evidence, cpu)]
    if not dead:
        return None
    cpu = max(dead, key=lambda found: _tells(evidence, found))
    fault = _fault(evidence, cpu)
    culprit = _culprit(evidence, cpu, by_fault=bool(fault))
    where = f" in {culprit}" if culprit else ""
    panicked = any("panic" in name.lower() for name in cpu.functions)
    what = fault or ("a panic" if panicked else "a panic or a fatal exception")
    certain = bool(fault) or not _parked_in_handler(evidence, cpu)
    others = [other.cpu for other in dead if other.cpu != cpu.cpu]
    parked = ", ".join(f"CPU {number}" for number in others)
    return verdict(
        evidence,
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH if certain else Confidence.HIGH,
        f"the kernel died of {what}{where} on CPU {cpu.cpu}, and stands in {cpu.function or 'its handler'}",
        [
            seen(cpu),
            describe_registers(cpu.state) if fault else "",
            _fault_address(evidence, cpu) if fault else "",
            stack(cpu, depth=12),
            f"parked as well: {parked}" if others else "",
            *(f"console: {line}" for line in evidence.capture.subject.console_tail[-2:]),
        ],
        subject=f"fault in {culprit}" if fault else f"panic in {culprit}" if culprit else "panic",
        frames=_frames(evidence, cpu, culprit),
    )


def fault_storm(evidence: Evidence) -> Diagnosis | None:
    """One fault is taken again and again: its handler returns and has mended nothing."""
    return _storm_in_trace(evidence) or _storm_in_counter(evidence) or _storm_in_registers(evidence)


def _is_dead(evidence: Evidence, cpu: CpuEvidence) -> bool:
    if cpu.offline or cpu.mostly_user or cpu.lock is not None or cpu.never_masked:
        return False
    panics = evidence.roles.first(cpu.functions[:6], Role.PANIC) is not None
    sampled = not any(cpu.functions) and cpu.spends_in(evidence.roles, Role.PANIC) >= 0.75
    vectors = cpu.state.registers.get("VBAR_EL1") if cpu.state is not None else None
    in_vector = bool(vectors) and cpu.within(vectors or 0, (vectors or 0) + _VECTORS - 1)
    faulted = cpu.always_masked and is_kernel_fault(cpu.state) and (cpu.parked or cpu.span <= 64)
    stands = in_vector or faulted or _parked_in_handler(evidence, cpu)
    return (panics and cpu.always_masked) or (sampled and not cpu.ticks) or stands


def _parked_in_handler(evidence: Evidence, cpu: CpuEvidence) -> bool:
    """Whether it waits with interrupts off above kernel code that an exception, by its handler's name, broke off."""
    names = kernel_functions(cpu)
    entry = _entry(evidence, names)
    if entry < 0 or not cpu.parked or not cpu.always_masked or cpu.ticks:
        return False
    return is_exception(names[: entry + 1]) is True


def _fault_address(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return what CR2 tells, as a fact: the address of the last page fault (Intel SDM volume 3, 2.5)."""
    address = cpu.state.registers.get("cr2") if cpu.state is not None else None
    if not address:
        return ""
    known = address in (evidence.capture.places or {})
    return f"CPU {cpu.cpu}: CR2 is {evidence.place(address)}" + (
        "" if known else ", where the kernel has nothing"
    )


def _tells(evidence: Evidence, cpu: CpuEvidence) -> tuple[bool, bool, int]:
    """The CPU that died first says more: a panic on its stack, a fault in its registers, more than a park loop."""
    panics = any("panic" in name.lower() for name in cpu.functions)
    telling = evidence.roles.canonical(kernel_functions(cpu))
    return panics, bool(_fault(evidence, cpu)), len(telling)


def _fault(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the kernel's own fault in words; empty where it was none, or a panic of another kind."""
    fault = describe_kernel_fault(cpu.state)
    if fault or any("panic" in name.lower() for name in cpu.functions):
        return fault
    entry = _entry(evidence, kernel_functions(cpu))
    address = cpu.state.registers.get("cr2") if cpu.state is not None else None
    handler = kernel_functions(cpu)[: entry + 1]
    faulted = any("fault" in name.lower() or _PAGE_FAULT.match(name.lower()) for name in handler)
    return f"a page fault at address {address:#x}" if faulted and address is not None else ""


def _entry(evidence: Evidence, names: tuple[str, ...]) -> int:
    """Return the index of the exception's outermost entry with known code below it; -1 where there is none."""
    found = [n for n, name in enumerate(names[:-1]) if evidence.roles.of(name) is Role.INTERRUPT]
    return found[-1] if found else -1


def _culprit(evidence: Evidence, cpu: CpuEvidence, *, by_fault: bool) -> str:
    """Return the function that faulted, or that called panic."""
    names = kernel_functions(cpu)
    if by_fault and cpu.state is not None:
        at = cpu.state.registers.get("ELR_EL1")
        for frame in cpu.state.frames[1:]:
            if frame.function and frame.address == at:
                return short_name(frame.function)
    machinery = [n for n, name in enumerate(names) if _MACHINERY.search(name.lower())]
    if machinery and machinery[-1] + 1 < len(names):
        return names[machinery[-1] + 1]
    inner = max((n for n, name in enumerate(names) if evidence.roles.of(name) is Role.PANIC), default=-1)
    for cut in (max(_entry(evidence, names), inner), inner):
        rest = evidence.roles.canonical(names[cut + 1 :])
        if rest:
            return rest[0]
    return ""


def _frames(evidence: Evidence, cpu: CpuEvidence, culprit: str) -> tuple[str, ...]:
    """Return the telling frames from the culprit outwards."""
    names = kernel_functions(cpu)
    start = names.index(culprit) if culprit in names else 0
    return (*((culprit,) if culprit else ()), *evidence.roles.canonical(names[start + bool(culprit) :]))


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
            f"{times} of the last {len(events)} fault events bear the payload {payload:#x}, the page",
            f"{total} faults in {seconds:.1f} s",
            seen(cpu) if cpu else "",
            stack(cpu) if cpu else "",
        ],
        subject="page-fault",
        frames=(),
    )


def _storm_in_counter(evidence: Evidence) -> Diagnosis | None:
    """Without events: faults race, and between them user mode does not leave one instruction."""
    if len(evidence.recent(Event.PAGE_FAULT, Event.COW_FAULT, Event.DATA_ABORT)):
        return None  # they tell which pages
    for cpu in evidence.busy:
        rate = (cpu.faults or 0) / evidence.seconds if evidence.seconds else 0.0
        places = cpu.user_places
        addresses = {sample.registers["cr2"] for sample in cpu.samples if "cr2" in sample.registers}
        if rate < _FAST_PER_S or cpu.system_calls or len(places) > 1 or len(addresses) > 1:
            continue
        pinned = bool(addresses) and bool(places)
        certain = pinned or rate >= _CERTAIN_PER_S
        where = f" at pc {next(iter(places)):#x}" if places else ""
        return verdict(
            evidence,
            Cause.FAULT_STORM,
            Confidence.HIGH if certain else Confidence.MEDIUM,
            f"CPU {cpu.cpu} takes a page fault{where} {rate:,.0f} times a second, and gets no further: "
            "its handler returns without having mended it",
            [
                f"CPU {cpu.cpu}: {cpu.faults} page faults and no system call in {evidence.seconds:.1f} s",
                f"CR2 is {next(iter(addresses)):#x} in every sample" if addresses else "",
                describe_user_fault(cpu.state),
                seen(cpu),
            ],
            subject="page-fault",
            frames=(),
        )
    return None


def _storm_in_registers(evidence: Evidence) -> Diagnosis | None:
    """Without a count: user mode stands at one instruction, and the rest is the fault's handler."""
    for cpu in evidence.busy:
        kernel = [sample for sample in cpu.samples if sample.mode is Mode.KERNEL]
        if cpu.faults is not None or len(cpu.user_places) != 1 or len(kernel) < 2 or cpu.system_calls:
            continue
        addresses = {sample.registers.get("cr2", 0) for sample in cpu.samples}
        fault_path = [place for place in cpu.places if "fault" in place.lower() or "abort" in place.lower()]
        pinned = len(addresses) == 1 and addresses != {0}
        faulting = describe_user_fault(cpu.state)
        if not (fault_path and (pinned or faulting)):
            continue
        return verdict(
            evidence,
            Cause.FAULT_STORM,
            Confidence.MEDIUM,
            f"CPU {cpu.cpu} seems to take one page fault again and again, at pc {next(iter(cpu.user_places)):#x}",
            [
                f"CPU {cpu.cpu}: {len(fault_path)} of {len(cpu.samples)} samples are in the fault's path",
                faulting or f"CR2 is {next(iter(addresses)):#x} in every sample",
                stack(cpu),
            ],
            subject="page-fault",
            frames=(),
        )
    return None
