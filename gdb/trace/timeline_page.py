"""What a page that draws a timeline needs, as plain data: lanes of spans and moments, in ns before the end.

The template only draws; everything in words is made here, already printable.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gdb.trace.event_types import Event, Names, thread_name
from gdb.trace.spans import CallSpan, CallState, call_spans, running_spans
from gdb.trace.system_calls import is_error, result_name, system_call_name
from gdb.trace.timeline_text import EVERYTHING, TimelineFilter, choose, describe_marks, format_moment
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gdb.trace.event_types import EventTypes
    from gdb.trace.timeline import Timeline

_LAST_EVENTS: Final = 250
_MOST_LOSSES: Final = 4
_MOST_LANES: Final = 200
"""Threads drawn; the ones that were in a system call at the end come first."""
_IN_SPANS: Final = (
    Event.CTX_SWITCH_ENTRY,
    Event.CTX_SWITCH_EXIT,
    Event.SYSCALL_ENTRY,
    Event.SYSCALL_EXIT,
    Event.TO_IDLE,
)


def timeline_page_data(
    timeline: Timeline,
    types: EventTypes,
    names: Names | None = None,
    *,
    title: str = "trace",
    wanted: TimelineFilter = EVERYTHING,
) -> dict[str, Any]:
    """Return the fields of templates/trace.html.j2: `title`, `facts`, `open_calls`, `last` and `drawing`.

    `drawing` is for the page's script and can be written as JSON. Its times are ns from the newest event, 0 and
    below; ticks where the timeline has no frequency.
    """
    page = _Page(timeline, types, names or Names(), wanted)
    return {
        "title": printable_line(title),
        "facts": page.facts(),
        "open_calls": page.open_calls(),
        "last": page.last_events(),
        "drawing": page.drawing(),
    }


class _Page:
    """A timeline on its way to a page."""

    def __init__(self, timeline: Timeline, types: EventTypes, names: Names, wanted: TimelineFilter) -> None:
        self._timeline, self._types, self._names, self._wanted = timeline, types, names, wanted
        self._events = timeline.events[choose(timeline, wanted)]
        self._idle = timeline.idle_threads
        self._runs = [
            run for run in running_spans(timeline).tolist() if self._wants(run[3], run[2], run[0], run[1])
        ]
        self._calls = [
            call for call in call_spans(timeline) if self._wants(call.thread, call.cpu, call.start, call.end)
        ]

    def facts(self) -> list[str]:
        """Return what is to be known before looking: how much there is, and what is missing."""
        timeline = self._timeline
        span = timeline.since_ns(int(timeline.events["time"][0])) if len(timeline.events) else 0
        cpus = len(np.unique(timeline.events["cpu"]))
        facts = [
            f"{len(timeline.events):,} events",
            f"{cpus} CPU" + "s" * (cpus != 1),
            "over " + format_moment(-span, timeline.hz).lstrip("-"),
        ]
        if timeline.hz is None:
            facts[-1] += " ticks (the kernel does not say how many make a second)"
        if not self._wanted.is_everything:
            facts.append(f"{len(self._events):,} shown by the filter")
        losses = timeline.losses
        if len(losses) > _MOST_LOSSES:
            lost = sum(loss.count for loss in losses)
            return [*facts, f"{lost:,} older events lost on {len(losses)} CPUs"]
        facts += [f"CPU {loss.cpu}: {loss.count:,} older events lost" for loss in losses]
        return facts

    def open_calls(self) -> list[dict[str, str]]:
        """Return the system calls that were not left, the oldest first."""
        return [
            {
                "thread": self._runner(call.thread),
                "name": self._call_name(call.number),
                "cpu": f"CPU {call.cpu}",
                "since": format_moment(self._moment(call.start), self._timeline.hz).lstrip("-"),
                "doubt": "perhaps left on a CPU whose window is too short"
                if call.state is CallState.DOUBTFUL
                else "",
            }
            for call in self._calls
            if _is_open(call)
        ]

    def last_events(self) -> list[dict[str, str]]:
        """Return the last events in words, the newest first."""
        events = self._events[-_LAST_EVENTS:][::-1]
        return [
            {
                "moment": format_moment(int(moment), self._timeline.hz),
                "at": str(int(moment)),
                "cpu": str(int(event["cpu"])),
                "thread": self._runner(int(event["thread"])),
                "type": self._types.name(int(event["event_type"])),
                "provider": self._types.provider(int(event["event_type"])),
                "words": self._words(event),
                "doubt": describe_marks(int(event["marks"])),
            }
            for event, moment in zip(events, self._timeline.relative_ns(events["time"]), strict=True)
        ]

    def drawing(self) -> dict[str, Any]:
        """Return the lanes: a CPU's has its threads, calls and moments, a thread's its calls."""
        times = self._timeline.relative_ns(self._events["time"])
        return {
            "start": int(times[0]) if len(times) else -1,
            "unit": "ns" if self._timeline.hz else "ticks",
            "idle": sorted(self._idle),
            "threads": {run[3]: self._runner(run[3]) for run in self._runs},
            "kinds": self._kinds(),
            "calls": [self._call_row(call) for call in self._calls],
            "cpus": self._cpu_lanes(times),
            "lanes": self._thread_lanes(),
        }

    def _cpu_lanes(self, times: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
        losses = {loss.cpu: loss.count for loss in self._timeline.losses}
        starts = self._timeline.window_starts
        parts = self._call_parts()
        return [
            {
                "cpu": cpu,
                "window": self._moment(starts[cpu]) if cpu in starts else 0,
                "lost": losses.get(cpu, 0),
                "runs": [[self._moment(s), self._moment(e), t] for s, e, c, t in self._runs if c == cpu],
                "parts": parts.get(cpu, []),
                "marks": self._marks(cpu, times),
            }
            for cpu in sorted({run[2] for run in self._runs})
        ]

    def _marks(self, cpu: int, times: npt.NDArray[np.int64]) -> list[list[Any]]:
        """Return a CPU's moments: time, index of the kind, thread, words."""
        index = {number: at for at, number in enumerate(self._kind_numbers())}
        chosen = (self._events["cpu"] == cpu) & ~np.isin(self._events["event_type"], _IN_SPANS)
        return [
            [int(moment), index[int(event["event_type"])], int(event["thread"]), self._words(event)]
            for event, moment in zip(self._events[chosen], times[chosen], strict=True)
        ]

    def _call_parts(self) -> dict[int, list[list[int]]]:
        """Return for each CPU when it ran which call: the call's span less the time off that CPU."""
        runs: dict[int, list[tuple[int, int, int]]] = {}
        for start, end, cpu, thread in sorted(self._runs):
            runs.setdefault(thread, []).append((start, end, cpu))
        parts: dict[int, list[list[int]]] = {}
        for number, call in enumerate(self._calls):
            of_thread = runs.get(call.thread, []) if call.thread >= 0 else [(call.start, call.end, call.cpu)]
            at = max(0, bisect.bisect_right(of_thread, (call.start, 1 << 64, 0)) - 1)
            while at < len(of_thread) and of_thread[at][0] <= call.end:
                start, end, cpu = of_thread[at]
                if end >= call.start:
                    row = [self._moment(max(start, call.start)), self._moment(min(end, call.end)), number]
                    parts.setdefault(cpu, []).append(row)
                at += 1
        return parts

    def _thread_lanes(self) -> list[dict[str, Any]]:
        """Return the threads that made system calls, those that are in one first."""
        lanes: dict[int, list[int]] = {}
        for number, call in enumerate(self._calls):
            lanes.setdefault(call.track, []).append(number)
        is_open = {call.track for call in self._calls if _is_open(call)}
        order = sorted(lanes, key=lambda track: (track not in is_open, track < 0, abs(track)))
        return [
            {
                "thread": track,
                "label": self._lane_name(track),
                "open": track in is_open,
                "calls": lanes[track],
            }
            for track in order[:_MOST_LANES]
        ]

    def _call_row(self, call: CallSpan) -> list[Any]:
        """Return a call: start, end, name, result in words, state, whether it failed, thread."""
        result = "" if call.result is None else result_name(call.result)
        failed = call.result is not None and is_error(call.result)
        name = self._call_name(call.number)
        return [
            self._moment(call.start),
            self._moment(call.end),
            name,
            result,
            call.state.value,
            int(failed),
            self._lane_name(call.track),
        ]

    def _kind_numbers(self) -> list[int]:
        numbers: Sequence[int] = np.unique(self._events["event_type"]).tolist()
        return [number for number in numbers if number not in _IN_SPANS]

    def _kinds(self) -> list[list[str]]:
        """Return name and provider of each type of moment."""
        return [[self._types.name(number), self._types.provider(number)] for number in self._kind_numbers()]

    def _wants(self, thread: int, cpu: int, start: int, end: int) -> bool:
        wanted = self._wanted
        return (
            (not wanted.cpus or cpu in wanted.cpus)
            and (not wanted.threads or thread in wanted.threads)
            and (wanted.since_ns is None or self._moment(end) >= wanted.since_ns)
            and (wanted.until_ns is None or self._moment(start) <= wanted.until_ns)
        )

    def _moment(self, time: int) -> int:
        return -self._timeline.since_ns(time)

    def _words(self, event: np.void) -> str:
        return self._types.describe_payload(int(event["event_type"]), int(event["payload"]), self._names)

    def _call_name(self, number: int) -> str:
        return system_call_name(self._names.architecture, number, self._names.system_calls)

    def _runner(self, thread: int) -> str:
        if thread < 0:
            return "?"
        return "idle" if thread in self._idle else thread_name(thread, self._names)

    def _lane_name(self, track: int) -> str:
        return thread_name(track, self._names) if track >= 0 else f"CPU {-1 - track}'s thread"


def _is_open(call: CallSpan) -> bool:
    return call.state in (CallState.UNFINISHED, CallState.DOUBTFUL)
