"""Spinlocks. Who holds what comes from the locks' own records, else from lock events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.kernel_file.roles import is_exception
from gdb.rules.verdict import below, others_tick, seen, stack, stuck_functions, verdict
from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from gdb.evidence.cpu_evidence import CpuEvidence
    from gdb.evidence.evidence import Evidence


_INTERRUPTS: Final = {True: "a fault", False: "an interrupt", None: "an interrupt or a fault"}

_SAMPLES: Final = 4
"""So many must have found a CPU deaf before it is said that it stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock, as far as that is known."""

    cpu: int | None
    fact: str


def self_deadlock(evidence: Evidence) -> Diagnosis | None:
    """A CPU spins on a lock that code further out on its own stack holds."""
    for cpu in evidence.cpus:
        reentered = _reentered(evidence, cpu)
        may_yield = cpu.ticks and not cpu.always_masked and not _by_exception(cpu) and not reentered
        if cpu.lock is None or may_yield:
            continue
        holder = find_holder(evidence, cpu)
        interrupted = cpu.interrupted_at is not None
        if holder is not None and holder.cpu is not None:
            if holder.cpu != cpu.cpu:
                continue
            confidence = Confidence.HIGH if interrupted and cpu.always_masked else Confidence.MEDIUM
        elif (interrupted or reentered or cpu.ends_at_entry) and not _others_in_kernel(evidence, cpu):
            confidence = Confidence.MEDIUM if interrupted or reentered else Confidence.LOW
        else:
            continue
        if not interrupted and not reentered and not cpu.always_masked:
            continue
        never_ends = _nobody_left(evidence, cpu)
        return verdict(
            evidence,
            Cause.SELF_DEADLOCK,
            confidence,
            f"CPU {cpu.cpu} waits for {_called(cpu)}{below(evidence, cpu)}, and "
            + _how_it_holds(evidence, cpu, reentered, is_known=holder is not None),
            [
                seen(cpu),
                holder.fact if holder else "no other CPU is in the kernel",
                _reads(cpu),
                never_ends,
                stack(cpu, depth=12),
                others_tick(evidence, cpu),
            ],
            subject=cpu.lock.name,
            cpu=cpu,
            is_for_good=bool(never_ends),
        )
    return None


def _how_it_holds(evidence: Evidence, cpu: CpuEvidence, reentered: str, *, is_known: bool) -> str:
    if cpu.interrupted_at is not None:
        held = "holds it itself" if is_known else "seems to hold it itself"
        return f"{held}: {_INTERRUPTS[_by_exception(cpu)]} asks for it above {_interrupted(evidence, cpu)}"
    held = "holds it itself" if is_known else "may hold it itself"
    if reentered:
        return f"{held}: {reentered} is further out on its stack as well"
    if cpu.ends_at_entry:
        return f"{held}: its stack ends at {_entry(cpu)}, and what that interrupted may hold it"
    return f"{held}: it took it before"


def _reentered(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the function that wants the lock where it is on the stack once more, and may have taken it there."""
    names = evidence.roles.canonical(stuck_functions(cpu)) if cpu.lock is not None else ()
    return names[0] if names and names[0] in names[1:] else ""


def lock_cycle(evidence: Evidence) -> Diagnosis | None:
    """CPUs wait for one another's locks."""
    waiting = {cpu.cpu: cpu for cpu in evidence.cpus if cpu.lock is not None}
    holders = {number: find_holder(evidence, cpu) for number, cpu in waiting.items()}
    for start in waiting:
        path = [start]
        while (holder := holders.get(path[-1])) is not None and holder.cpu in waiting:
            if holder.cpu == start and len(path) > 1:
                return _cycle(evidence, [waiting[number] for number in path], holders, Confidence.HIGH)
            if holder.cpu in path:
                break
            path.append(holder.cpu)
    if any(holder is not None and holder.cpu is not None for holder in holders.values()):
        return None
    stuck = [cpu for cpu in waiting.values() if cpu.always_masked and not cpu.ticks]
    names = {cpu.lock.name for cpu in stuck if cpu.lock is not None and cpu.lock.name}
    return _cycle(evidence, stuck, holders, Confidence.MEDIUM) if len(names) > 1 else None


def lock_leaked(evidence: Evidence) -> Diagnosis | None:
    """A CPU spins on a lock, and nothing that runs is going to release it."""
    for cpu in evidence.cpus:
        if cpu.lock is None:
            continue
        holder = find_holder(evidence, cpu)
        own = holder is None or holder.cpu in (None, cpu.cpu)
        if own and cpu.interrupted_at is not None and cpu.always_masked:
            continue
        owner = None if holder is None else next((c for c in evidence.cpus if c.cpu == holder.cpu), None)
        if owner is not None and owner.cpu != cpu.cpu and _may_release(owner, cpu):
            continue
        if owner is None and _others_in_kernel(evidence, cpu):
            continue
        acquired = _unreleased(evidence, cpu)
        confidence = Confidence.HIGH if acquired or owner is not None else Confidence.MEDIUM
        hidden = own and cpu.ends_at_entry
        known = acquired or holder is not None
        waiters = [c for c in evidence.cpus if c.lock is not None and c.lock.name == cpu.lock.name]
        never_ends = _nobody_left(evidence, cpu)
        return verdict(
            evidence,
            Cause.LOCK_LEAKED,
            Confidence.LOW if hidden else confidence,
            f"CPU {cpu.cpu} waits for {_called(cpu)}{below(evidence, cpu)}, and "
            + (
                f"no other CPU holds it: it was leaked, or what {_entry(cpu)} interrupted holds it"
                if hidden
                else "its holder has left: no CPU is inside the section that it guards"
                if known
                else "no other CPU is inside the section that it guards: it was leaked, or is held further out on this stack"
            ),
            [
                seen(cpu),
                acquired,
                holder.fact if holder else "no record and no event says who took it",
                _reads(cpu),
                _whereabouts(owner, cpu) if owner is not None else _others(evidence, cpu),
                f"{len(waiters)} CPUs wait for it" if len(waiters) > 1 else "",
                never_ends,
                stack(cpu),
            ],
            subject=cpu.lock.name,
            cpu=cpu,
            is_for_good=bool(never_ends),
        )
    return None


def find_holder(evidence: Evidence, cpu: CpuEvidence) -> Holder | None:
    """Return who holds the lock that a CPU waits for; None where nothing says so."""
    lock = cpu.lock
    if lock is None:
        return None
    if lock.holder is not None:
        return Holder(
            cpu=lock.holder, fact=f"the record of {lock.name} names CPU {lock.holder} as its holder"
        )
    found = _last_acquirer(evidence, lock.name)
    if found is None:
        return None
    number, sequence = found
    return Holder(
        cpu=number, fact=f"CPU {number} acquired {lock.name} (its event {sequence}) and did not release it"
    )


def _last_acquirer(evidence: Evidence, name: str) -> tuple[int, int] | None:
    """Return (CPU, sequence) of the last acquisition of a lock that no release follows."""
    ids = [number for number, known in enumerate(evidence.capture.lock_names) if known == name]
    events = evidence.events(Event.LOCK_ACQUIRE, Event.LOCK_RELEASE)
    events = events[[payload in ids for payload in events["payload"].tolist()]] if len(events) else events
    if not len(events):
        return None
    last = events[-1]
    if int(last["event_type"]) != Event.LOCK_ACQUIRE:
        return None
    return int(last["cpu"]), int(last["sequence"])


def _unreleased(evidence: Evidence, cpu: CpuEvidence) -> str:
    name = cpu.lock.name if cpu.lock is not None else ""
    found = _last_acquirer(evidence, name)
    if found is None:
        return ""
    number, sequence = found
    return f"the trace's last word on {name}: acquired on CPU {number} (event {sequence}), never released"


def _nobody_left(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return that no code runs any more but loops around locks, and none will, as a fact.

    A loop that only looks like a lock's may wait for a device.
    """
    if cpu.lock is None or not cpu.lock.depth or len(cpu.samples) < _SAMPLES or not _is_deaf(cpu):
        return ""
    if not all(_is_out(other) for other in evidence.cpus):
        return ""
    return "no interrupt is let in, and no CPU runs that could release it: this never ends"


def _is_deaf(cpu: CpuEvidence) -> bool:
    return cpu.always_masked and not cpu.ticks


def _is_out(cpu: CpuEvidence) -> bool:
    """Whether a CPU releases nothing: it is off, unused, or spins on a lock, deaf."""
    unused = cpu.parked and not cpu.has_worked
    return cpu.offline or (_is_deaf(cpu) and (cpu.lock is not None or unused))


def _cycle(
    evidence: Evidence,
    cpus: list[CpuEvidence],
    holders: dict[int, Holder | None],
    confidence: Confidence,
) -> Diagnosis:
    chain = "; ".join(f"CPU {cpu.cpu} waits for {_called(cpu)}{below(evidence, cpu)}" for cpu in cpus)
    facts = [fact for cpu in cpus for fact in (seen(cpu), _fact(holders.get(cpu.cpu)), stack(cpu))]
    names = sorted(cpu.lock.name for cpu in cpus if cpu.lock is not None)
    known = (
        "each holds what another waits for" if confidence is Confidence.HIGH else "all with interrupts off"
    )
    never_ends = _nobody_left(evidence, cpus[0])
    return verdict(
        evidence,
        Cause.LOCK_CYCLE,
        confidence,
        f"{chain}: {known}",
        [*facts, never_ends],
        subject=" and ".join(names),
        cpu=cpus[0],
        is_for_good=bool(never_ends),
    )


def _fact(holder: Holder | None) -> str:
    return holder.fact if holder is not None else ""


def _called(cpu: CpuEvidence) -> str:
    name = cpu.lock.name if cpu.lock is not None else ""
    return f"the lock `{name}`" if name else "a lock"


def _by_exception(cpu: CpuEvidence) -> bool | None:
    """Whether it is a fault, not an interrupt, above whose entry the CPU spins: that comes with interrupts on too."""
    if cpu.interrupted_at is None:
        return False
    return is_exception(cpu.functions[: cpu.interrupted_at + 1])


def _interrupted(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return the innermost telling function below the interrupt."""
    names = tuple(filter(None, cpu.functions[(cpu.interrupted_at or 0) + 1 :]))
    return next(iter(evidence.roles.canonical(names)), names[0] if names else "?")


def _entry(cpu: CpuEvidence) -> str:
    """Return the last known function of a stack, the interrupt's entry."""
    return next((name for name in reversed(cpu.functions) if name), "?")


def _reads(cpu: CpuEvidence) -> str:
    """Return how a lock was told without a lock's function, as a fact."""
    if cpu.lock is None or cpu.lock.depth:
        return ""
    return f"CPU {cpu.cpu}: its loop reads {cpu.lock.name} atomically, as a lock's does ({cpu.lock.how})"


def _others(evidence: Evidence, cpu: CpuEvidence) -> str:
    """Return what the other CPUs do instead of holding the lock, as a fact."""
    others = [other for other in evidence.cpus if other.cpu != cpu.cpu]
    started = [other for other in others if not other.offline]
    if not started:
        return "no other CPU was started" if others else "there is no other CPU"
    doing = {
        "idles": any(other.idle for other in started),
        "runs user code": any(other.mostly_user for other in started),
        "waits for a lock as well": any(other.lock is not None for other in started),
    }
    words = " or ".join(word for word, found in doing.items() if found)
    return f"every other CPU{' that was started' if len(started) < len(others) else ''} {words}"


def _others_in_kernel(evidence: Evidence, cpu: CpuEvidence) -> bool:
    """Whether another CPU runs kernel code that could hold the lock."""
    return any(
        other.cpu != cpu.cpu
        and not other.idle
        and not other.offline
        and not other.mostly_user
        and other.lock is None
        for other in evidence.cpus
    )


def _may_release(owner: CpuEvidence, waiter: CpuEvidence) -> bool:
    """Whether the CPU that a lock names is still in the kernel, on its way to the release."""
    if owner.idle or owner.mostly_user or owner.offline:
        return False
    return owner.lock is None or (waiter.lock is not None and owner.lock.name != waiter.lock.name)


def _whereabouts(owner: CpuEvidence, waiter: CpuEvidence) -> str:
    if owner.cpu == waiter.cpu:
        return f"that is the CPU which waits: who took it there has left, or asks for it again in {waiter.function}"
    where = (
        "idles"
        if owner.idle
        else "is in user mode"
        if owner.mostly_user
        else f"is in {owner.function or '?'}"
    )
    return f"CPU {owner.cpu}, its holder by name, {where}"
