"""What the rules look at: a capture with everything worked out that more than one rule asks for.

    read_evidence(Capture, HangRules) -> Evidence     pure: the same files, the same evidence

Times are seconds. `None` means that it could not be told; no rule may take it for zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gdb.evidence.cpu_evidence import CpuEvidence, read_cpu
from gdb.evidence.window import Window
from gdb.guest.memory import RecordedMemory
from gdb.kernel_file.roles import Roles
from gdb.trace.event_types import Event, Names, event_types
from gdb.trace.ring import decode_rings
from gdb.trace.system_calls import system_call_name
from gdb.trace.timeline import SYSTEM_CALL_SPAN, TIMELINE_EVENT, Timeline, merge, pair_system_calls

if TYPE_CHECKING:
    from collections.abc import Set

    from gdb.captures.capture import Capture
    from gdb.scheduler.scheduler_state import ThreadState
    from gdb.trace.event_types import EventTypes
    from gdb.trace.ring import Events
    from gdb.trace.timeline import InFlight
    from parity.configuration import HangRules

_READY_STATES: Final = ("ready", "runnable", "queued")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One capture, worked out."""

    capture: Capture
    rules: HangRules
    roles: Roles
    types: EventTypes
    cpus: tuple[CpuEvidence, ...]
    timeline: Timeline | None
    in_flight: tuple[InFlight, ...]
    """System calls that were entered and not left, the last one entered first."""
    completed: npt.NDArray[np.void]
    """System calls that were left, by the time at which they were; of type `SYSTEM_CALL_SPAN`."""
    window: Window
    """What happened between the two progress samples."""

    @property
    def arch(self) -> str:
        """The architecture's name."""
        return self.capture.subject.arch

    @property
    def busy(self) -> tuple[CpuEvidence, ...]:
        """The CPUs that do not idle; one that never came up does neither."""
        return tuple(cpu for cpu in self.cpus if not cpu.idle and not cpu.offline)

    @property
    def all_idle(self) -> bool:
        """Whether every CPU that came up idles."""
        return any(cpu.idle for cpu in self.cpus) and not self.busy

    @property
    def ticking(self) -> bool:
        """Whether the timer interrupts some CPU."""
        return any(cpu.ticks for cpu in self.cpus)

    @property
    def seconds(self) -> float:
        """How far apart the two progress samples are; 0 without two."""
        return self.window.seconds

    @property
    def names(self) -> Names:
        """What payloads of events are told with."""
        return Names(
            architecture=self.arch,
            system_calls={int(number): name for number, name in self.rules.system_calls.items()},
            locks=dict(enumerate(self.capture.lock_names)),
            threads={thread.id & 0xFFFF: thread.name for thread in self.capture.threads if thread.name},
        )

    def call_name(self, number: int) -> str:
        """Return a system call's name."""
        own = {int(key): name for key, name in self.rules.system_calls.items()}
        return system_call_name(self.arch, number, own)

    def thread(self, number: int | None) -> ThreadState | None:
        """Return what the scheduler says of a thread; ids in events are cut to 16 bits."""
        return next(
            (t for t in self.capture.threads if number is not None and t.id & 0xFFFF == number & 0xFFFF), None
        )

    def thread_name(self, number: int) -> str:
        """Return a thread as people call it."""
        known = self.thread(number)
        return f"thread {number} ({known.name})" if known is not None and known.name else f"thread {number}"

    def place(self, address: int) -> str:
        """Return an address as people read it."""
        return (self.capture.places or {}).get(address) or f"{address:#x}"

    def age_s(self, time: int) -> float | None:
        """Return how long before the last event a moment of the trace was; None without a known clock."""
        if self.timeline is None or not self.timeline.hz:
            return None
        return self.timeline.since_ns(time) / 1e9

    def events(self, *types: Event) -> Events:
        """Return the events of these types, by time; empty without a trace."""
        return self.timeline.of_type(*types) if self.timeline is not None else np.empty(0, TIMELINE_EVENT)

    def recent(self, *types: Event) -> Events:
        """Return those of the window between the two progress samples, or all where that is not known."""
        events = self.events(*types)
        if not self.window.first_events or not len(events):
            return events
        first = np.zeros(int(events["cpu"].max()) + 1, np.uint64)
        for cpu, sequence in self.window.first_events.items():
            if cpu < len(first):
                first[cpu] = sequence
        chosen: Events = events[events["sequence"] >= first[events["cpu"]]]
        return chosen

    @property
    def window_start(self) -> int:
        """When the window between the two progress samples began, in ticks: the oldest event of it, or 0."""
        if self.timeline is None:
            return 0
        times = [
            int(events["time"][0])
            for cpu, first in self.window.first_events.items()
            if len(events := (own := self.timeline.of_cpu(cpu))[own["sequence"] >= first])
        ]
        return min(times, default=0)

    def running_record(self, cpu: int) -> ThreadState | None:
        """Return what the scheduler says of the thread that a CPU runs; the idle one only where there is no other."""
        names = self.running_states
        found = [t for t in self.capture.threads if t.cpu == cpu and _is_in(t, names)]
        return min(found, key=_is_idle, default=None)

    def running_thread(self, cpu: int) -> int | None:
        """Return the thread that a CPU runs: by the scheduler's own records, else by its last event."""
        record = self.running_record(cpu)
        if record is not None:
            return record.id
        events = self.timeline.of_cpu(cpu) if self.timeline is not None else None
        last = int(events["thread"][-1]) if events is not None and len(events) else -1
        return last if last >= 0 else None

    def running_call(self, cpu: int) -> InFlight | None:
        """Return the system call that the thread on a CPU is in."""
        thread = self.running_thread(cpu)
        return next(
            (call for call in self.in_flight if thread is not None and call.thread == thread & 0xFFFF), None
        )

    @property
    def running_states(self) -> frozenset[str]:
        """What the kernel calls a thread that runs, in lower case."""
        configured = self.rules.threads.running if self.rules.threads is not None else ()
        return frozenset(str(name).lower() for name in configured) or frozenset({"running", "current"})

    @property
    def ready_threads(self) -> tuple[ThreadState, ...]:
        """The threads that the scheduler's own records call ready to run; idle threads are none."""
        names = {str(state).lower() for state in self.ready_states}
        return tuple(t for t in self.capture.threads if _is_in(t, names) and not _is_idle(t))

    @property
    def blocked_threads(self) -> tuple[ThreadState, ...]:
        """The threads that sleep: in the states that parity.toml names, else those that say on what."""
        configured = self.rules.threads.blocked if self.rules.threads is not None else ()
        names = {str(state).lower() for state in configured}
        return tuple(
            t
            for t in self.capture.threads
            if not _is_idle(t) and (_is_in(t, names) if names else bool(t.waits_for))
        )

    @property
    def ready_states(self) -> tuple[str, ...]:
        """What the kernel calls a thread that is ready."""
        configured = self.rules.threads.ready if self.rules.threads is not None else ()
        return tuple(map(str, configured)) or tuple(
            t.state for t in self.capture.threads if any(word in t.state.lower() for word in _READY_STATES)
        )


def read_evidence(capture: Capture, rules: HangRules) -> Evidence:
    """Work out what the rules look at; total: whatever the capture lacks is left out."""
    roles = Roles.by(rules)
    types = event_types({int(key, 16): name for key, name in rules.events.items()})
    timeline = read_timeline(capture, rules, types)
    calls = pair_system_calls(timeline) if timeline is not None else None
    window = Window.between(capture.progress, timeline)
    seen = {state.cpu for state in capture.cpus} | {cpu.cpu for one in capture.samples for cpu in one.cpus}
    return Evidence(
        capture=capture,
        rules=rules,
        roles=roles,
        types=types,
        cpus=_without_false_offline(
            tuple(read_cpu(number, capture, roles=roles, window=window) for number in sorted(seen))
        ),
        timeline=timeline,
        in_flight=tuple(
            sorted(
                calls.in_flight if calls is not None else (), key=lambda call: call.entered_at, reverse=True
            )
        ),
        completed=calls.completed if calls is not None else np.empty(0, SYSTEM_CALL_SPAN),
        window=window,
    )


def _without_false_offline(cpus: tuple[CpuEvidence, ...]) -> tuple[CpuEvidence, ...]:
    """Where no CPU has its MMU on, the kernel runs without: then none is offline for that."""
    return tuple(replace(cpu, offline=False) for cpu in cpus) if all(c.offline for c in cpus) else cpus


def read_timeline(capture: Capture, rules: HangRules, types: EventTypes) -> Timeline | None:
    """Decode and merge the captured rings; None where there are none."""
    layout = capture.layout.rings if capture.layout is not None else None
    if layout is None:
        return None
    memory = RecordedMemory(capture.memory)
    raw = memory.read(layout.address, layout.size)
    if raw is None:
        return None
    rings = decode_rings(raw, layout, known_types=types.known)
    hz = rules.timestamp_hz or capture.timestamp_hz
    return merge(rings, round(hz) if hz else None, aliases=types.aliases)


def _is_in(thread: ThreadState, states: Set[str]) -> bool:
    """Whether a thread is in one of these states, lower-case names or numbers."""
    return not states.isdisjoint({thread.state.lower(), str(thread.state_number)})


def _is_idle(thread: ThreadState) -> bool:
    return thread.name.lower().startswith(("idle", "swapper"))
