"""The events of all CPUs as one story: merged by time, each with its thread, system calls paired.

One clock feeds all CPUs of an emulated machine, so that merging by timestamp is sound. Events whose time or content
says nothing (`gdb.trace.ring.UNUSABLE`) are left out here; the rings still have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gdb.trace.event_types import SECOND_NUMBERS, Event
from gdb.trace.ring import EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gdb.trace.ring import DecodedRing, Events

TIMELINE_EVENT: Final = np.dtype([*((name, EVENT[name]) for name in EVENT.names or ()), ("thread", np.int32)])
"""An event with its thread; -1 where the window does not tell. Kernels cut thread ids to 16 bits in their events."""

_THREAD_MASK: Final = 0xFFFF
_UNKNOWN: Final = -1
_LONGEST_NS: Final = 1 << 62
"""What a wrong frequency makes longer is cut to this, 146 years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Events that a CPU's ring no longer holds: all of them are from before its window."""

    cpu: int
    count: int
    window_start: int
    """In ticks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """What all rings tell together."""

    events: Events
    """Of type `TIMELINE_EVENT`, oldest first. Types that have two numbers have `gdb.trace.event_types.Event`'s."""
    rings: tuple[DecodedRing, ...]
    hz: int | None
    """Ticks in a second; None where the kernel does not say."""

    @property
    def newest(self) -> int:
        """Time of the last event, in ticks; 0 where there is none."""
        return int(self.events["time"][-1]) if len(self.events) else 0

    @property
    def window_starts(self) -> dict[int, int]:
        """Time of the oldest event of each CPU that has any, in ticks."""
        return {ring.cpu: ring.window_start for ring in self.rings if ring.window_start is not None}

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What each CPU's window does not reach back to, in the order of the CPUs."""
        return tuple(
            Loss(cpu=ring.cpu, count=ring.overwritten, window_start=ring.window_start)
            for ring in self.rings
            if ring.overwritten and ring.window_start is not None
        )

    @property
    def idle_threads(self) -> frozenset[int]:
        """The threads that CPUs switch to when they have nothing to do."""
        order = np.argsort(self.events["cpu"], kind="stable")
        events = self.events[order]
        is_idle = (events["event_type"][:-1] == Event.TO_IDLE) & (
            events["event_type"][1:] == Event.CTX_SWITCH_ENTRY
        )
        is_idle &= events["cpu"][:-1] == events["cpu"][1:]
        return frozenset((events["payload"][1:][is_idle] & _THREAD_MASK).tolist())

    def of_cpu(self, cpu: int) -> Events:
        """Return one CPU's events."""
        chosen: Events = self.events[self.events["cpu"] == cpu]
        return chosen

    def of_thread(self, thread: int) -> Events:
        """Return one thread's events, on all CPUs."""
        chosen: Events = self.events[self.events["thread"] == thread & _THREAD_MASK]
        return chosen

    def of_type(self, *types: Event) -> Events:
        """Return the events of some types."""
        chosen: Events = self.events[np.isin(self.events["event_type"], types)]
        return chosen

    def reaches_back_to(self, cpu: int, time: int) -> bool:
        """Say whether a CPU's ring still holds everything since `time`, in ticks."""
        ring = next((ring for ring in self.rings if ring.cpu == cpu), None)
        if ring is None:
            return False
        return ring.is_complete or (ring.window_start is not None and ring.window_start <= time)

    def relative_ns(self, times: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return times in nanoseconds from the newest event: 0 and below. Without `hz`, a tick counts as one."""
        ticks = times.astype(np.int64) - np.int64(self.newest)
        if self.hz is None:
            return ticks
        rounded: npt.NDArray[np.int64] = np.rint(
            np.clip(ticks * (1e9 / self.hz), -_LONGEST_NS, _LONGEST_NS)
        ).astype(np.int64)
        return rounded

    def since_ns(self, time: int) -> int:
        """Return how long before the newest event a time in ticks was, in nanoseconds."""
        return -int(self.relative_ns(np.array([time], np.uint64))[0])


def merge(
    rings: Iterable[DecodedRing], hz: int | None, *, aliases: Mapping[int, int] | None = None
) -> Timeline:
    """Merge decoded rings by time, and by CPU and sequence number where times are equal.

    `aliases` (`EventTypes.aliases`) are a kernel's own numbers for the shared types.
    """
    rings = tuple(sorted(rings, key=lambda ring: ring.cpu))
    usable = [ring.usable for ring in rings]
    merged = np.empty(sum(map(len, usable)), TIMELINE_EVENT)
    at = 0
    for events in usable:
        for name in EVENT.names or ():
            merged[name][at : at + len(events)] = events[name]
        at += len(events)
    for second, shared in {**SECOND_NUMBERS, **(aliases or {})}.items():
        merged["event_type"][merged["event_type"] == second] = shared
    merged = merged[np.argsort(merged["time"], kind="stable")]
    merged["thread"] = _threads(merged)
    return Timeline(events=merged, rings=rings, hz=hz if hz and hz > 0 else None)


def _threads(events: Events) -> npt.NDArray[np.int32]:
    """Return the thread that runs on each event's CPU then, from the context switches around it."""
    by_cpu = np.argsort(events["cpu"], kind="stable")
    cpu, kind = events["cpu"][by_cpu], events["event_type"][by_cpu]
    payload = events["payload"][by_cpu].astype(np.int64)
    entries, exits = (
        np.flatnonzero(kind == Event.CTX_SWITCH_ENTRY),
        np.flatnonzero(kind == Event.CTX_SWITCH_EXIT),
    )
    told = np.full(len(events) + 1, _UNKNOWN, np.int64)
    told[entries + 1] = payload[entries] & _THREAD_MASK
    first = np.flatnonzero(np.concatenate([[True], cpu[1:] != cpu[:-1]])) if len(events) else entries
    told[first] = _UNKNOWN  # a switch on the CPU before says nothing here
    told[entries] = payload[entries] >> 16 & _THREAD_MASK
    told[exits] = payload[exits] & _THREAD_MASK
    told = told[:-1]
    is_told = told != _UNKNOWN
    is_told[first] = True
    threads = told[np.maximum.accumulate(np.where(is_told, np.arange(len(events)), 0))]
    _fill_before_first_switch(threads, first, entries, exits, payload)
    result = np.empty(len(events), np.int32)
    result[by_cpu] = threads
    return result


def _fill_before_first_switch(
    threads: npt.NDArray[np.int64],
    first: npt.NDArray[np.intp],
    entries: npt.NDArray[np.intp],
    exits: npt.NDArray[np.intp],
    payload: npt.NDArray[Any],
) -> None:
    """Give the events before a CPU's first switch the thread that it switches away from."""
    ends = np.append(first[1:], len(threads))[: len(first)]
    for start, end in zip(first, ends, strict=True):
        entry = entries[np.searchsorted(entries, start) :][:1]
        left = exits[np.searchsorted(exits, start) :][:1]
        if len(entry) and entry[0] < end and not (len(left) and left[0] < entry[0]):
            threads[start : entry[0]] = payload[entry[0]] >> 16 & _THREAD_MASK


SYSTEM_CALL_SPAN: Final = np.dtype(
    [
        ("entered_at", np.uint64),  # ticks
        ("left_at", np.uint64),
        ("thread", np.int32),  # -1: not known
        ("number", np.uint32),
        ("result", np.int32),
        ("has_result", np.bool_),  # what ends by exit, exec or a killed thread has none
        ("entry_cpu", np.uint16),
        ("exit_cpu", np.uint16),
    ]
)
"""A system call from its entry to its end."""

_CALL_EVENTS: Final = (
    Event.SYSCALL_ENTRY,
    Event.SYSCALL_EXIT,
    Event.TO_USER,
    Event.PROCESS_EXIT,
    Event.THREAD_EXIT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A system call that was entered and not left."""

    thread: int
    """-1: not known, as where a CPU never switched in its window."""
    cpu: int
    """Where it was entered."""
    number: int
    entered_at: int
    """In ticks."""
    sequence: int
    """Of the entry, in that CPU's ring."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SystemCalls:
    """The system calls of a timeline."""

    completed: npt.NDArray[np.void]
    """Of type `SYSTEM_CALL_SPAN`, by the time at which they ended."""
    in_flight: tuple[InFlight, ...]
    """By the time at which they were entered."""
    doubtful: tuple[InFlight, ...]
    """Entered, and perhaps left on a CPU whose window does not reach back so far."""

    def of_thread(self, thread: int) -> npt.NDArray[np.void]:
        """Return what a thread has completed."""
        chosen: npt.NDArray[np.void] = self.completed[self.completed["thread"] == thread]
        return chosen


def system_calls_in_flight(timeline: Timeline) -> tuple[InFlight, ...]:
    """Return the system calls that were surely entered and not left."""
    return pair_system_calls(timeline).in_flight


def pair_system_calls(timeline: Timeline) -> SystemCalls:
    """Pair entries and exits by thread, whatever CPU each is on.

    A call ends with its exit, with the thread's next entry, first step in user mode (exec) or end. Where a CPU's
    window is too short to tell, a call in flight is only doubtful, and a pair is left out.
    """
    events = timeline.events
    chosen = np.flatnonzero(np.isin(events["event_type"], _CALL_EVENTS))
    stays = _stays(events)
    threads = _call_threads(events[chosen])
    order = np.argsort(threads, kind="stable")
    places, threads = chosen[order], threads[order]
    kind = events["event_type"][places]
    is_followed = np.concatenate([threads[1:] == threads[:-1], [False]])[: len(threads)]
    is_entry = kind == Event.SYSCALL_ENTRY
    paired, left = np.flatnonzero(is_entry & is_followed), np.flatnonzero(is_entry & ~is_followed)
    starts, ends = places[paired], places[paired + 1]
    is_sure = (events["time"][starts] >= _whole_since(timeline)) | (stays[starts] == stays[ends])
    completed = _spans(events, starts[is_sure], ends[is_sure])
    return SystemCalls(completed=completed, **_in_flight(timeline, np.sort(places[left]), stays))


def _stays(events: Events) -> npt.NDArray[np.int64]:
    """Return a number for each event that is the same as long as its CPU runs the same thread."""
    order = np.argsort(events["cpu"], kind="stable")
    cpu, thread = events["cpu"][order], events["thread"][order]
    changes = (cpu[1:] != cpu[:-1]) | (thread[1:] != thread[:-1])
    stays = np.empty(len(events), np.int64)
    stays[order] = np.concatenate([[0], np.cumsum(changes)])[: len(events)]
    return stays


def _call_threads(events: Events) -> npt.NDArray[np.int32]:
    """Return whose call each event is about; a number of its own for the unknown thread of each CPU."""
    threads = np.where(events["thread"] == _UNKNOWN, -2 - events["cpu"].astype(np.int32), events["thread"])
    is_end = events["event_type"] == Event.THREAD_EXIT
    return np.where(is_end, (events["payload"] & _THREAD_MASK).astype(np.int32), threads)


def _whole_since(timeline: Timeline) -> np.uint64:
    """Return since when, in ticks, every CPU's ring holds everything."""
    starts = [ring.window_start for ring in timeline.rings if not ring.is_complete]
    return np.uint64(max((timeline.newest + 1 if start is None else start for start in starts), default=0))


def _spans(events: Events, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]) -> npt.NDArray[np.void]:
    spans = np.empty(len(starts), SYSTEM_CALL_SPAN)
    spans["entered_at"], spans["left_at"] = events["time"][starts], events["time"][ends]
    spans["thread"], spans["number"] = events["thread"][starts], events["payload"][starts]
    spans["has_result"] = events["event_type"][ends] == Event.SYSCALL_EXIT
    spans["result"] = np.where(spans["has_result"], events["payload"][ends].view(np.int32), 0)
    spans["entry_cpu"], spans["exit_cpu"] = events["cpu"][starts], events["cpu"][ends]
    return spans[np.argsort(spans["left_at"], kind="stable")]


def _in_flight(
    timeline: Timeline, places: npt.NDArray[np.intp], stays: npt.NDArray[np.int64]
) -> dict[str, tuple[InFlight, ...]]:
    """Return the calls entered at `places`, apart what a window is too short for."""
    events, since = timeline.events, _whole_since(timeline)
    last_stays = {cpu: stays[events["cpu"] == cpu].max() for cpu in np.unique(events["cpu"][places])}
    sure: list[InFlight] = []
    doubtful: list[InFlight] = []
    for place in places:
        event = events[place]
        is_there_still = stays[place] == last_stays[event["cpu"]]
        (sure if event["time"] >= since or is_there_still else doubtful).append(
            InFlight(
                thread=int(event["thread"]),
                cpu=int(event["cpu"]),
                number=int(event["payload"]),
                entered_at=int(event["time"]),
                sequence=int(event["sequence"]),
            )
        )
    return {"in_flight": tuple(sure), "doubtful": tuple(doubtful)}
