"""No CPU has anything to do, and yet somebody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gdb.evidence.window import Count
from gdb.rules.patience import may_end_by_itself, sleeping
from gdb.rules.verdict import verdict
from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from gdb.evidence.evidence import Evidence
    from gdb.scheduler.scheduler_state import ThreadState
    from gdb.trace.timeline import InFlight

    Row: TypeAlias = Any
    """One event of a timeline: numpy has no type for a structured array's element."""

_WAITS_FOR_CHILDREN: Final = ("wait4", "waitid", "waitpid", "wait")


def lost_wakeup(evidence: Evidence) -> Diagnosis | None:
    """A parent sleeps for a child that has already ended."""
    if not _stands_still(evidence):
        return None
    asleep = {int(event["payload"]) >> 16: event for event in evidence.events(Event.WAITPID_BLOCK)}
    waiting = {
        parent: event
        for parent, event in asleep.items()
        if not _woken_since(evidence, parent, int(event["time"]))
    }
    last = max(waiting, key=lambda parent: int(waiting[parent]["time"]), default=None)
    for parent, blocked in waiting.items():
        since = int(blocked["time"])
        ended = _ended_process(evidence, parent, blocked)
        if ended is None and parent == last:  # whose children wait in turn, waits for them
            ended = _ended_thread(evidence, parent, blocked)
        if ended is None:
            continue
        kind = evidence.types.name(int(ended["event_type"]))
        is_process = int(ended["event_type"]) == Event.PROCESS_EXIT
        who = f"process {int(ended['payload']) >> 16}" if is_process else f"thread {int(ended['payload'])}"
        order = "just before" if int(ended["time"]) <= since else "after"
        return verdict(
            evidence,
            Cause.LOST_WAKEUP,
            Confidence.HIGH if is_process else Confidence.MEDIUM,
            f"{evidence.thread_name(parent)} sleeps in waitpid for a child that has ended: {who} exited "
            f"{order} it went to sleep, and nobody woke it",
            [
                f"CPU {int(ended['cpu'])}, event {int(ended['sequence'])}: {kind} of {who}",
                f"CPU {int(blocked['cpu'])}, event {int(blocked['sequence'])}: WAITPID_BLOCK of thread {parent}"
                + _age(evidence, since),
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
    still = evidence.window.total(Count.SWITCHES) == 0
    confidence = Confidence.HIGH if still else Confidence.MEDIUM
    unswitched = f"no context switch in {evidence.seconds:.1f} s" if still else ""
    if ready:
        thread = ready[0]
        queue = "" if length is None else f", and the run queue's length is {length}"
        return verdict(
            evidence,
            Cause.RUNNABLE_NOT_SCHEDULED,
            confidence,
            f"{_named(thread)} could run ({thread.state}), and every CPU idles{queue}: no CPU finds it",
            [
                *(f"{_named(other)}: {other.state}, last on CPU {other.cpu}" for other in ready[:4]),
                _given_up(evidence, thread.id),
                unswitched,
            ],
            subject="run queue",
            frames=(),
        )
    if length:
        return verdict(
            evidence,
            Cause.RUNNABLE_NOT_SCHEDULED,
            confidence,
            f"{length} thread{'s are' if length != 1 else ' is'} in the run queue, and every CPU idles",
            ["no CPU was told of the work, or none looks at the queue", unswitched],
            subject="run queue",
            frames=(),
        )
    return _dropped_by_trace(evidence)


def blocked_in_system_call(evidence: Evidence) -> Diagnosis | None:
    """A thread waits in a system call, and nothing that could end the wait is left."""
    if not _stands_still(evidence) or sleeping(evidence):
        return None
    call = _innermost_wait(evidence)
    if call is None:
        return _blocked_by_scheduler(evidence)
    name = evidence.call_name(call.number)
    known = evidence.thread(call.thread)
    waits = f", on {known.waits_for}" if known is not None and _is_symbol(known.waits_for) else ""
    others = [other for other in evidence.in_flight if other.thread != call.thread]
    awaited = may_end_by_itself(evidence)
    certain = not awaited and evidence.window.total(Count.SYSTEM_CALLS) == 0
    return verdict(
        evidence,
        Cause.BLOCKED_IN_SYSTEM_CALL,
        Confidence.HIGH if certain else Confidence.MEDIUM,
        f"{evidence.thread_name(call.thread)} is blocked in {name}{waits}, and "
        + ("nobody is left to wake it" if certain else "no CPU works on anything that would wake it"),
        [
            f"CPU {call.cpu}, event {call.sequence}: SYSCALL_ENTRY of {name}, without exit"
            + _age(evidence, call.entered_at),
            "every CPU idles with interrupts on" + (", and ticks" if evidence.ticking else ""),
            awaited,
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
    blocked = [t for t in evidence.blocked_threads if "idle" not in t.name.lower()]
    if not blocked:
        return None
    thread = next((one for one in blocked if one.waits_for), blocked[0])
    return verdict(
        evidence,
        Cause.BLOCKED_IN_SYSTEM_CALL,
        Confidence.MEDIUM,
        f"{_named(thread)} sleeps ({thread.state}){_on(thread)}, and no CPU works on anything that would wake it",
        [
            *(f"{_named(other)}: {other.state}{_on(other)}" for other in blocked[:6]),
            "every CPU idles" + (", and ticks" if evidence.ticking else ""),
            may_end_by_itself(evidence),
        ],
        subject=thread.waits_for if _is_symbol(thread.waits_for) else "",
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


def _ended_process(evidence: Evidence, parent: int, blocked: Row) -> Row | None:
    """Return the last exit that a sleeping parent waits for and was not told of."""
    child = int(blocked["payload"]) & 0xFFFF
    forks = evidence.events(Event.FORK_EXIT)
    children = {int(f["payload"]) & 0xFFFF for f in forks if int(f["thread"]) == parent}
    for event in evidence.events(Event.PROCESS_EXIT)[::-1]:
        pid = int(event["payload"]) >> 16
        if (pid == child if child else pid in children) and not _told(evidence, event, parent, pid):
            return event
    return None


def _ended_thread(evidence: Evidence, parent: int, blocked: Row) -> Row | None:
    """Return the same where the ring has no PROCESS_EXIT any more: a process of one thread bears its number."""
    child = int(blocked["payload"]) & 0xFFFF
    if not child and _working_calls(evidence, parent):
        return None  # who is in them may be the child
    for event in evidence.events(Event.THREAD_EXIT)[::-1]:
        tid = int(event["payload"]) & 0xFFFF
        is_child = tid == child if child else tid != parent and _all_reach_back(evidence, int(event["time"]))
        if tid and is_child and not _told(evidence, event, parent, tid):
            return event
    return None


def _working_calls(evidence: Evidence, parent: int) -> list[InFlight]:
    """Return other threads' calls under way that are no waits for children."""
    return [
        call
        for call in evidence.in_flight
        if call.thread != parent and evidence.call_name(call.number) not in _WAITS_FOR_CHILDREN
    ]


def _told(evidence: Evidence, exit_event: Row, parent: int, pid: int) -> bool:
    """Whether a parent collected a child, or was woken for one, after it had ended."""
    time = int(exit_event["time"])
    returned = evidence.events(Event.SYSCALL_EXIT)
    woken = evidence.events(Event.WAITPID_WAKE)
    return any(
        int(e["payload"]) == pid
        and int(e["thread"]) == parent
        and int(e["time"]) >= time
        and _may_be_of_a_wait(evidence, e)
        for e in returned
    ) or any(int(e["payload"]) >> 16 == parent and int(e["time"]) >= time for e in woken)


def _may_be_of_a_wait(evidence: Evidence, returned: Row) -> bool:
    """Whether a call that returned a child's number may have waited for it: fork returns that too, later than it ends."""
    calls = evidence.completed
    calls = calls[(calls["thread"] == returned["thread"]) & (calls["left_at"] == returned["time"])]
    names = {evidence.call_name(int(call["number"])) for call in calls}
    return not names or any(name in _WAITS_FOR_CHILDREN or not name.isidentifier() for name in names)


def _all_reach_back(evidence: Evidence, time: int) -> bool:
    """Whether every ring still holds what happened since."""
    timeline = evidence.timeline
    return timeline is not None and all(timeline.reaches_back_to(ring.cpu, time) for ring in timeline.rings)


def _is_symbol(name: str) -> bool:
    """Whether a name is one, and no mere address: that differs with every boot."""
    return bool(name) and not name.startswith("0x")


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


def _on(thread: ThreadState) -> str:
    return f" on {thread.waits_for}" if thread.waits_for else ""


def _named(thread: ThreadState) -> str:
    return f"thread {thread.id} ({thread.name})" if thread.name else f"thread {thread.id}"
