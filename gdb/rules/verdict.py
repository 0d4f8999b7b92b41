"""Words that all rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdb.evidence.cpu_evidence import CpuEvidence
    from gdb.evidence.evidence import Evidence


def verdict(
    evidence: Evidence,
    cause: Cause,
    confidence: Confidence,
    sentence: str,
    facts: Iterable[str],
    *,
    subject: str = "",
    cpu: CpuEvidence | None = None,
    frames: tuple[str, ...] | None = None,
    is_for_good: bool = False,
) -> Diagnosis:
    """Return a diagnosis; its frames are those of `cpu` where they are not given."""
    if frames is None:
        frames = evidence.roles.canonical(stuck_functions(cpu)) if cpu is not None else ()
    return Diagnosis(
        cause=cause,
        confidence=confidence,
        sentence=sentence,
        evidence=tuple(fact for fact in facts if fact),
        subject=subject,
        frames=frames[:8],
        is_for_good=is_for_good,
    )


def most_certain(found: Iterable[Diagnosis]) -> Diagnosis | None:
    """Return the verdict of the highest confidence, the first of several; None where there is none."""
    return max(found, key=lambda one: one.confidence.rank, default=None)


def kernel_functions(cpu: CpuEvidence) -> tuple[str, ...]:
    """Return the known functions of a CPU's stack, innermost first."""
    return tuple(name for name in cpu.functions if name)


def stuck_functions(cpu: CpuEvidence) -> tuple[str, ...]:
    """Return the same without those that take the lock that the CPU spins on."""
    return tuple(name for name in cpu.functions[cpu.lock.depth if cpu.lock is not None else 0 :] if name)


def below(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return ` in FUNCTION, below CALL` for the first telling frame of a stuck stack."""
    place = telling(evidence, cpu)
    words = f" in {place}" if place else ""
    call = call_on(evidence, cpu)
    return f"{words}, below {call}" if call else words


def telling(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the innermost function of a stuck stack that is no primitive."""
    canonical = evidence.roles.canonical(stuck_functions(cpu))
    return canonical[0] if canonical else cpu.function


def call_on(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the system call under way on a CPU, as the trace tells it."""
    call = evidence.running_call(cpu.cpu)
    return evidence.call_name(call.number) if call is not None else ""


def seen(cpu: CpuEvidence) -> str:
    """Return what the samples of one CPU have in common, as a fact."""
    if not cpu.samples:
        return f"CPU {cpu.cpu}: stopped{_at(cpu)}"
    names = sorted({name or "?" for name in cpu.places})
    where = f" in {', '.join(names[:4])}" if any(cpu.places) else f" within {cpu.span} bytes"
    masked = ", interrupts off" if cpu.always_masked else ", interrupts on" if cpu.never_masked else ""
    return f"CPU {cpu.cpu}: {len(cpu.samples)} samples{where}{masked}{ticks(cpu)}"


def ticks(cpu: CpuEvidence) -> str:
    """Return how often the timer interrupted a CPU, as a sentence part."""
    if cpu.ticks is None:
        return ""
    return ", no tick" if cpu.ticks == 0 else f", {cpu.ticks} tick{'s' if cpu.ticks != 1 else ''}"


def others_tick(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return that other CPUs tick on, as a fact; empty where none is known to."""
    ticking = [other for other in evidence.cpus if other.cpu != cpu.cpu and other.ticks]
    if not ticking:
        return ""
    counts = ", ".join(f"CPU {other.cpu}: {other.ticks}" for other in ticking[:8])
    return f"other CPUs tick in the same {evidence.seconds:.1f} s ({counts})"


def stack(cpu: CpuEvidence, *, depth: int = 8) -> str:
    """Return a CPU's stack in one line, as a fact."""
    names = kernel_functions(cpu)
    return f"CPU {cpu.cpu} stack: {' < '.join(names[:depth])}" if names else ""


def _at(cpu: CpuEvidence) -> str:
    return f" in {cpu.function}" if cpu.function else ""
