"""What may still end a wait by itself: sleeps, calls that take a timeout, timers that are armed.

A trace has a system call's number and no arguments. So whether a timeout was given, or a timer only cancelled, is not
known: where one may be, a wait is no proof of a hang.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gdb.trace.event_types import Event

if TYPE_CHECKING:
    from gdb.evidence.evidence import Evidence
    from gdb.trace.timeline import InFlight

SLEEPS: Final = frozenset({"nanosleep", "clock_nanosleep"})
"""Calls that end when their time is over."""
_TAKE_TIMEOUTS: Final = frozenset(
    {"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "epoll_wait", "epoll_pwait"}
    | {"epoll_pwait2", "futex", "futex_waitv", "rt_sigtimedwait", "semtimedop", "mq_timedsend"}
    | {"mq_timedreceive", "io_getevents", "io_pgetevents", "io_uring_enter", "recvmmsg"}
    | {"recv", "recvfrom", "recvmsg", "accept", "accept4", "connect", "send", "sendto", "sendmsg"}
)
"""Calls that may be given one; sockets have theirs from setsockopt (SO_RCVTIMEO)."""
_ARM_TIMERS: Final = frozenset({"alarm", "setitimer", "timer_settime", "timerfd_settime"})
_TIMED_STATE: Final = re.compile(r"timer|timeout|timed|nanosleep|delay|alarm|deadline", re.IGNORECASE)


def sleeping(evidence: Evidence) -> tuple[InFlight, ...]:
    """Return the calls under way that are sleeps."""
    return tuple(call for call in evidence.in_flight if evidence.call_name(call.number) in SLEEPS)


def may_end_by_itself(evidence: Evidence) -> str:
    """Return why somebody who waits may wake without another's help, as a fact; empty where nothing says so."""
    for call in evidence.in_flight:
        name = evidence.call_name(call.number)
        if name in SLEEPS:
            return f"{evidence.thread_name(call.thread)} sleeps in {name}, which ends by itself"
        if name in _TAKE_TIMEOUTS:
            return f"{name} may have been given a timeout: the trace has no arguments"
    for thread in evidence.capture.threads:
        if _TIMED_STATE.search(thread.state) or _TIMED_STATE.search(thread.waits_for):
            return f"thread {thread.id} waits for a time: {thread.state} {thread.waits_for}".rstrip()
    return armed_timer(evidence)


def armed_timer(evidence: Evidence) -> str:
    """Return the last call of a living thread that arms timers, as a fact; empty where there is none."""
    ended = {int(event["payload"]) & 0xFFFF for event in evidence.events(Event.THREAD_EXIT)}
    for event in evidence.events(Event.SYSCALL_ENTRY)[::-1]:
        name = evidence.call_name(int(event["payload"]))
        if name in _ARM_TIMERS and int(event["thread"]) not in ended:
            return (
                f"CPU {int(event['cpu'])}, event {int(event['sequence'])}: {name} was called: "
                "a timer may be armed, whose signal ends the wait"
            )
    return ""
