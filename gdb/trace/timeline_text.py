"""A timeline as lines for a terminal, and the choice of events that every export makes alike."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gdb.trace.event_types import Names, thread_name
from gdb.trace.ring import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdb.trace.event_types import EventTypes
    from gdb.trace.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineFilter:
    """Which events are wanted; an empty set or None wants all. Times are in ns from the newest event, below 0."""

    cpus: frozenset[int] = frozenset()
    providers: frozenset[int] = frozenset()
    threads: frozenset[int] = frozenset()
    types: frozenset[int] = frozenset()
    since_ns: int | None = None
    until_ns: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == TimelineFilter()


EVERYTHING: Final = TimelineFilter()

_MARK_WORDS: Final = {
    Mark.NESTED: "nested",
    Mark.OUT_OF_ORDER: "out of order",
    Mark.WRONG_CPU: "names another CPU",
    Mark.UNKNOWN_TYPE: "unknown type",
}


def choose(timeline: Timeline, wanted: TimelineFilter) -> npt.NDArray[np.bool_]:
    """Say of each event of the timeline whether it is wanted."""
    events = timeline.events
    chosen = np.ones(len(events), np.bool_)
    for column, numbers in (
        (events["cpu"], wanted.cpus),
        (events["event_type"] >> 8, wanted.providers),
        (events["thread"], wanted.threads),
        (events["event_type"], wanted.types),
    ):
        if numbers:
            chosen &= np.isin(column, np.array(sorted(numbers)))
    if wanted.since_ns is not None or wanted.until_ns is not None:
        times = timeline.relative_ns(events["time"])
        chosen &= times >= (wanted.since_ns if wanted.since_ns is not None else times.min(initial=0))
        chosen &= times <= (wanted.until_ns if wanted.until_ns is not None else 0)
    return chosen


def format_timeline(
    timeline: Timeline, types: EventTypes, names: Names | None = None, wanted: TimelineFilter = EVERYTHING
) -> Iterator[str]:
    """Yield a line for each wanted event, oldest first: time before the end, CPU, thread, type, what it says.

    Where a CPU's window starts a line says so, and how many events were lost before it.
    """
    names = names or Names()
    events = timeline.events[choose(timeline, wanted)]
    if timeline.hz is None:
        yield "times are in ticks: the kernel does not say how many make a second"
    starts = _window_lines(timeline, wanted)
    times = [time for time, _ in starts]
    idle = timeline.idle_threads
    shown = 0
    for event, moment in zip(events, timeline.relative_ns(events["time"]), strict=True):
        upto = bisect.bisect_right(times, int(moment))
        yield from (line for _, line in starts[shown:upto])
        shown = max(shown, upto)
        thread = int(event["thread"])
        who = "-" if thread < 0 else "idle" if thread in idle else who_runs(thread, names)
        yield f"{format_moment(int(moment), timeline.hz):>16}  {_event_words(event, who, types, names)}"
    yield from (line for _, line in starts[shown:])


def format_moment(moment_ns: int, hz: int | None) -> str:
    """Return a time before the end in µs or ms with three digits after the point, or in ticks."""
    if hz is None:
        return f"{moment_ns:,d}"
    return f"{moment_ns / 1e3:,.3f} µs" if moment_ns > -1_000_000 else f"{moment_ns / 1e6:,.3f} ms"


def describe_marks(marks: int) -> str:
    """Return what is doubtful about an event, in words."""
    return ", ".join(words for mark, words in _MARK_WORDS.items() if marks & mark)


def who_runs(thread: int, names: Names) -> str:
    """Return a thread's number, with its name where it is known: `7 (sh)`."""
    return thread_name(thread, names).removeprefix("thread ")


def _event_words(event: np.void, who: str, types: EventTypes, names: Names) -> str:
    number = int(event["event_type"])
    doubt = describe_marks(int(event["marks"]))
    words = types.describe_payload(number, int(event["payload"]), names) + (f"  [{doubt}]" if doubt else "")
    return f"CPU {int(event['cpu']):<2} {who:>12}  {types.name(number):<18} {words}".rstrip()


def _window_lines(timeline: Timeline, wanted: TimelineFilter) -> list[tuple[int, str]]:
    """Return the lines on where windows start, each with its time in ns, by time."""
    lines = []
    for ring in timeline.rings:
        if ring.window_start is None or (wanted.cpus and ring.cpu not in wanted.cpus):
            continue
        moment = -timeline.since_ns(ring.window_start)
        if wanted.since_ns is not None and moment < wanted.since_ns:
            continue
        if wanted.until_ns is not None and moment > wanted.until_ns:
            continue
        lost = f"LOST {ring.overwritten}, " if ring.overwritten else ""
        shown = format_moment(moment, timeline.hz)
        lines.append((moment, f"{shown:>16}  CPU {ring.cpu:<2} {'':>12}  {lost}window starts"))
    return sorted(lines)
