"""What went on between two moments a second apart: counters first, else the events that the rings took meanwhile."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gdb.trace.event_types import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gdb.captures.capture import Progress
    from gdb.trace.counters import Counter
    from gdb.trace.timeline import Timeline


class Count(StrEnum):
    """What is counted, whatever the kernel calls its counter."""

    TICKS = "ticks"
    INTERRUPTS = "interrupts"
    SWITCHES = "switches"
    SYSTEM_CALLS = "system calls"
    FAULTS = "faults"


_GLOBS: Final = {
    Count.TICKS: ("*tick*",),
    Count.INTERRUPTS: ("irq*", "*interrupt*"),
    Count.SWITCHES: ("ctx_switch*", "*context_switch*", "*switches*"),
    Count.SYSTEM_CALLS: ("*syscall*", "*system_call*"),
    Count.FAULTS: ("*page_fault*", "*faults*"),
}
_EVENTS: Final = {
    Count.TICKS: Event.TIMER_TICK,
    Count.INTERRUPTS: Event.IRQ_ENTRY,
    Count.SWITCHES: Event.CTX_SWITCH_ENTRY,
    Count.SYSTEM_CALLS: Event.SYSCALL_ENTRY,
    Count.FAULTS: Event.PAGE_FAULT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostShare:
    """What the host gave one virtual CPU's thread, in seconds."""

    ran_s: float
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time between the two progress samples."""

    seconds: float = 0.0
    counts: Mapping[tuple[Count, int], int] = field(default_factory=dict)
    """By what was counted and CPU; what is not there could not be told."""
    first_events: Mapping[int, int] = field(default_factory=dict)
    """By CPU, the sequence number that the next event got when the window began."""
    events: Mapping[int, int] = field(default_factory=dict)
    """By CPU, how many events its ring took, also those that were overwritten since."""
    totals: Mapping[tuple[Count, int], int] = field(default_factory=dict)
    """Like `counts`, since the kernel's start; of counters alone."""
    host: Mapping[int, HostShare] = field(default_factory=dict)

    def count(self, what: Count, cpu: int) -> int | None:
        """Return how often it happened on one CPU."""
        return self.counts.get((what, cpu))

    def has_ever(self, what: Count, cpu: int) -> bool | None:
        """Return whether it ever happened on one CPU."""
        total = self.totals.get((what, cpu))
        return None if total is None else total > 0

    def total(self, what: Count) -> int | None:
        """Return how often it happened on all CPUs of which that is known."""
        known = [number for (counted, _cpu), number in self.counts.items() if counted is what]
        return sum(known) if known else None

    @staticmethod
    def between(progress: Sequence[Progress], timeline: Timeline | None) -> Window:
        """Compare the first sample with the last."""
        if len(progress) < 2:
            return Window()
        first, last = progress[0], progress[-1]
        began = dict(enumerate(first.write_indices))
        counts = _from_events(began, timeline)
        totals: dict[tuple[Count, int], int] = {}
        for what, globs in _GLOBS.items():
            before, after = _counter(first.counters, globs), _counter(last.counters, globs)
            if before is not None and after is not None:
                for cpu, (old, new) in enumerate(zip(before.per_cpu, after.per_cpu, strict=False)):
                    counts[what, cpu] = (new - old) % 2**64
                    totals[what, cpu] = new
        shares = {thread.cpu: thread for thread in first.host}
        return Window(
            seconds=max(last.at_s - first.at_s, 0.0),
            counts=counts,
            first_events=began,
            events={cpu: max(end - began.get(cpu, end), 0) for cpu, end in enumerate(last.write_indices)},
            totals=totals,
            host={
                thread.cpu: HostShare(
                    ran_s=thread.ran_s - shares[thread.cpu].ran_s,
                    waited_s=thread.waited_s - shares[thread.cpu].waited_s,
                )
                for thread in last.host
                if thread.cpu in shares
            },
        )


def _counter(counters: Sequence[Counter], globs: Sequence[str]) -> Counter | None:
    return next(
        (found for glob in globs for found in counters if fnmatch.fnmatchcase(found.name.lower(), glob)), None
    )


def _from_events(began: Mapping[int, int], timeline: Timeline | None) -> dict[tuple[Count, int], int]:
    """Count events. A type that the whole ring has none of may be off: then nothing is known of it."""
    counts: dict[tuple[Count, int], int] = {}
    if timeline is None:
        return counts
    for what, event in _EVENTS.items():
        found = timeline.of_type(event)
        if not len(found):
            continue
        for cpu, first in began.items():
            counts[what, cpu] = int(((found["cpu"] == cpu) & (found["sequence"] >= first)).sum())
    return counts
