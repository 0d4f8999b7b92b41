"""Rules 8, 9 and 10: no CPU has anything to do, and yet somebody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gdb.event_types import Event
from gdb.rules.verdict import verdict
from gdb.window import Count
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from gdb.evidence import Evidence
    from gdb.scheduler_state import ThreadState
    from gdb.timeline import InFlight

_WAITS_FOR_CHILDREN: Final = ("wait4", "waitid", "waitpid", "wait")
_WAKES_ITSELF: Final = ("nanosleep", "clock_nanosleep")


def lost_wakeup(evidence: Evidence) -> Diagnosis | None:
    """A parent sleeps for a child that has already ended."""
    if not _stands_still(evidence):
        return None
    events = evidence.events(Event.WAITPID_BLOCK)
    asleep = {int(event["payload"]) >> 16: event for event in events}
    for parent, blocked in asleep.items():
        child = int(blocked["payload"]) & 0xFFFF
        if _woken_since(evidence, parent, int(blocked["time"])):
            continue
        exits = [e for e in evidence.events(Event.PROCESS_EXIT) if _awaited(evidence, e, parent, child)]
        if not exits:
            continue
        exit_event = exits[-1]
        pid = int(exit_event["payload"]) >> 16
        earlier = int(exit_event["time"]) <= int(blocked["time"])
        order = "just before" if earlier else "after"
        return verdict(
            evidence,
            Cause.LOST_WAKEUP,
            Confidence.HIGH,
            f"{evidence.thread_name(parent)} sleeps in waitpid for a child that has ended: process {pid} exited "
            f"{order} it went to sleep, and nobody woke it",
            [
                f"CPU {int(exit_event['cpu'])}, event {int(exit_event['sequence'])}: PROCESS_EXIT of process {pid}",
                f"CPU {int(blocked['cpu'])}, event {int(blocked['sequence'])}: WAITPID_BLOCK of thread "
                + str(parent)
                + _age(evidence, int(blocked["time"])),
                f"no WAKE and no WAITPID_WAKE of thread {parent} follows",
                "every CPU idles" + (", and ticks" if evidence.ticking else ""),
            ],
            subject="waitpid",
            frames=(),
        )
    return None


def runnable_not_scheduled(evidence: Evidence) -> Diagnosis | None:
    """A thread could run, CPUs idle, and the scheduler does not see it."""
    if not _stands_still(evidence):
        return None
    ready = evidence.ready_threads
    length = evidence.capture.queue_length
    if ready:
        thread = ready[0]
        queue = "" if length is None else f", and the run queue's length is {length}"
        return verdict(
            evidence,
            Cause.RUNNABLE_NOT_SCHEDULED,
            Confidence.HIGH,
            f"{_named(thread)} could run ({thread.state}) and every CPU idles{queue}: it is in no queue that anybody looks at",
            [
                *(f"{_named(other)}: {other.state}, last on CPU {other.cpu}" for other in ready[:4]),
                _given_up(evidence, thread.id),
                "no context switch between the two samples"
                if evidence.window.total(Count.SWITCHES) == 0
                else "",
            ],
            subject="run queue",
            frames=(),
        )
    if length:
        return verdict(
            evidence,
            Cause.RUNNABLE_NOT_SCHEDULED,
            Confidence.HIGH,
            f"{length} threads are in the run queue and every CPU idles",
            ["no CPU was told of the work, or none looks at the queue"],
            subject="run queue",
            frames=(),
        )
    return _dropped_by_trace(evidence)


def blocked_in_system_call(evidence: Evidence) -> Diagnosis | None:
    """A thread waits in a system call, and nothing that could end the wait is left."""
    if not _stands_still(evidence):
        return None
    call = _innermost_wait(evidence)
    if call is None:
        return _blocked_by_scheduler(evidence)
    name = evidence.call_name(call.number)
    if name in _WAKES_ITSELF:
        return None
    known = evidence.thread(call.thread)
    waits = f", on {known.waits_for}" if known is not None and known.waits_for else ""
    others = [other for other in evidence.in_flight if other.thread != call.thread]
    return verdict(
        evidence,
        Cause.BLOCKED_IN_SYSTEM_CALL,
        Confidence.HIGH,
        f"{evidence.thread_name(call.thread)} is blocked in {name}{waits}, and nobody is left to wake it",
        [
            f"CPU {call.cpu}, event {call.sequence}: SYSCALL_ENTRY of {name}{_age(evidence, call.entered_at)}, without exit",
            "every CPU idles with interrupts on" + (", and ticks" if evidence.ticking else ""),
            *(
                f"{evidence.thread_name(other.thread)} waits in {evidence.call_name(other.number)}"
                for other in others[:4]
            ),
        ],
        subject=name,
        frames=(),
    )


def _stands_still(evidence: Evidence) -> bool:
    """Whether every CPU idles, and no system call came or went meanwhile."""
    return evidence.all_idle and not evidence.window.total(Count.SYSTEM_CALLS)


def _innermost_wait(evidence: Evidence) -> InFlight | None:
    """Return the call that the others wait for: the last one entered that is no wait for a child."""
    waits = [
        call for call in evidence.in_flight if evidence.call_name(call.number) not in _WAITS_FOR_CHILDREN
    ]
    return next(iter(waits or evidence.in_flight), None)


def _blocked_by_scheduler(evidence: Evidence) -> Diagnosis | None:
    """Without a trace: what the scheduler's own records say of who waits."""
    blocked = [t for t in evidence.capture.threads if t.waits_for and "idle" not in t.name.lower()]
    if not blocked:
        return None
    thread = blocked[0]
    return verdict(
        evidence,
        Cause.BLOCKED_IN_SYSTEM_CALL,
        Confidence.MEDIUM,
        f"{_named(thread)} sleeps ({thread.state}) on {thread.waits_for}, every CPU idles, and nobody is left to wake it",
        [f"{_named(other)}: {other.state} on {other.waits_for}" for other in blocked[:6]],
        subject=thread.waits_for,
        frames=(),
    )


def _dropped_by_trace(evidence: Evidence) -> Diagnosis | None:
    """Without the scheduler's records: a thread that gave way and was never picked again."""
    for event in evidence.events(Event.SCHED_RESCHED, Event.PREEMPT)[::-1][:64]:
        tid = int(event["payload"]) & 0xFFFF
        if tid == 0 or _picked_since(evidence, tid, int(event["time"])):
            continue
        if not _switched_away(evidence, tid, int(event["time"]), int(event["cpu"])):
            continue
        return verdict(
            evidence,
            Cause.RUNNABLE_NOT_SCHEDULED,
            Confidence.MEDIUM,
            f"{evidence.thread_name(tid)} gave way and was never picked again, though every CPU idles",
            [_given_up(evidence, tid)],
            subject="run queue",
            frames=(),
        )
    return None


def _woken_since(evidence: Evidence, thread: int, time: int) -> bool:
    wakes = evidence.events(Event.WAKE, Event.CTX_SWITCH_EXIT)
    if any(int(e["payload"]) & 0xFFFF == thread and int(e["time"]) > time for e in wakes):
        return True
    return any(
        int(e["payload"]) >> 16 == thread and int(e["time"]) > time
        for e in evidence.events(Event.WAITPID_WAKE)
    )


def _awaited(evidence: Evidence, exit_event: object, parent: int, child: int) -> bool:
    """Whether an exit is one that a sleeping parent waits for, and that it has not been told of."""
    pid = int(exit_event["payload"]) >> 16  # type: ignore[index]
    time = int(exit_event["time"])  # type: ignore[index]
    if child:
        if pid != child:
            return False
    else:
        forks = evidence.events(Event.FORK_EXIT)
        if not any(int(f["payload"]) & 0xFFFF == pid and int(f["thread"]) == parent for f in forks):
            return False
    reaped = evidence.events(Event.SYSCALL_EXIT)
    if any(
        int(e["payload"]) == pid and int(e["thread"]) == parent and int(e["time"]) >= time for e in reaped
    ):
        return False
    told = evidence.events(Event.WAITPID_WAKE)
    return not any(int(e["payload"]) >> 16 == parent and int(e["time"]) >= time for e in told)


def _picked_since(evidence: Evidence, tid: int, time: int) -> bool:
    picks = evidence.events(Event.SCHED_PICK, Event.CTX_SWITCH_EXIT, Event.WAKE, Event.THREAD_EXIT)
    return any(int(e["payload"]) & 0xFFFF == tid and int(e["time"]) > time for e in picks)


def _switched_away(evidence: Evidence, tid: int, time: int, cpu: int) -> bool:
    switches = evidence.events(Event.CTX_SWITCH_ENTRY)
    return any(
        int(e["payload"]) >> 16 == tid and int(e["time"]) >= time and int(e["cpu"]) == cpu for e in switches
    )


def _given_up(evidence: Evidence, tid: int) -> str:
    """Return when a thread was last switched away from, as a fact."""
    gave = [
        e
        for e in evidence.events(Event.SCHED_RESCHED, Event.PREEMPT)
        if int(e["payload"]) & 0xFFFF == tid & 0xFFFF
    ]
    if not gave or _picked_since(evidence, tid, int(gave[-1]["time"])):
        return ""
    last = gave[-1]
    name = evidence.types.name(int(last["event_type"]))
    return (
        f"CPU {int(last['cpu'])}, event {int(last['sequence'])}: {name} of thread {tid}"
        f"{_age(evidence, int(last['time']))}, and no SCHED_PICK of it since"
    )


def _age(evidence: Evidence, time: int) -> str:
    age = evidence.age_s(time)
    return "" if age is None else f", {age:.1f} s before the last event"


def _named(thread: ThreadState) -> str:
    return f"thread {thread.id} ({thread.name})" if thread.name else f"thread {thread.id}"
