"""What lasts in a timeline, for drawing it: which thread a CPU runs from when to when, and its system calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gdb.trace.timeline import pair_system_calls

if TYPE_CHECKING:
    from gdb.trace.timeline import Timeline

RUN_SPAN: Final = np.dtype(
    [("start", np.uint64), ("end", np.uint64), ("cpu", np.uint16), ("thread", np.int32)]
)
"""A thread on a CPU, in ticks; the thread is -1 where it is not known."""


class CallState(StrEnum):
    """How a system call ended."""

    COMPLETED = "completed"
    ENDED = "ended"
    """Without a result: exit, exec, or the thread's end."""
    UNFINISHED = "unfinished"
    DOUBTFUL = "doubtful"
    """Perhaps left, on a CPU whose window is too short to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpan:
    """A system call, in ticks; what is not left lasts to the newest event."""

    thread: int
    cpu: int
    """Where it was entered."""
    number: int
    start: int
    end: int
    result: int | None
    state: CallState

    @property
    def track(self) -> int:
        """What calls of one thread have in common: its number, or one below 0 for a CPU's unknown thread."""
        return self.thread if self.thread >= 0 else -1 - self.cpu


def running_spans(timeline: Timeline) -> npt.NDArray[np.void]:
    """Return which thread each CPU ran, of type `RUN_SPAN`, by CPU and time; spans of a CPU do not overlap."""
    events = timeline.events
    order = np.argsort(events["cpu"], kind="stable")
    cpu, thread, time = events["cpu"][order], events["thread"][order], events["time"][order]
    if len(events) == 0:
        return np.empty(0, RUN_SPAN)
    starts = np.flatnonzero(np.concatenate([[True], (cpu[1:] != cpu[:-1]) | (thread[1:] != thread[:-1])]))
    spans = np.empty(len(starts), RUN_SPAN)
    spans["start"], spans["cpu"], spans["thread"] = time[starts], cpu[starts], thread[starts]
    is_followed = np.concatenate([spans["cpu"][1:] == spans["cpu"][:-1], [False]])
    spans["end"] = np.where(is_followed, np.roll(spans["start"], -1), np.uint64(timeline.newest))
    return spans


def call_spans(timeline: Timeline) -> tuple[CallSpan, ...]:
    """Return all system calls, by the time at which they were entered; those of a track do not overlap."""
    calls = pair_system_calls(timeline)
    spans = [
        CallSpan(
            thread=thread,
            cpu=cpu,
            number=number,
            start=start,
            end=end,
            result=result if has_result else None,
            state=CallState.COMPLETED if has_result else CallState.ENDED,
        )
        for start, end, thread, number, result, has_result, cpu, _ in calls.completed.tolist()
    ]
    for open_calls, state in ((calls.in_flight, CallState.UNFINISHED), (calls.doubtful, CallState.DOUBTFUL)):
        spans += [
            CallSpan(
                thread=call.thread,
                cpu=call.cpu,
                number=call.number,
                start=call.entered_at,
                end=timeline.newest,
                result=None,
                state=state,
            )
            for call in open_calls
        ]
    return tuple(sorted(spans, key=lambda span: span.start))
