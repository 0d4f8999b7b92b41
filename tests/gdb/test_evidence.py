"""What the rules are told of a capture as a whole."""

from __future__ import annotations

from dataclasses import replace

from gdb.evidence.evidence import read_evidence
from gdb.guest.memory import Block
from gdb.rules.patience import armed_timer, may_end_by_itself
from gdb.trace.event_types import Event
from parity.configuration import HangRules
from parity.configuration.inspection import ThreadNames
from tests.support.captures import capture, idle, runs, thread, user

_ON_5 = (0, Event.CTX_SWITCH_EXIT, 5)


def test_the_call_entered_last_comes_first() -> None:
    found = capture(
        *(idle(), idle()),
        before=[
            _ON_5,
            (0, Event.SYSCALL_ENTRY, 1),
            (1, Event.CTX_SWITCH_EXIT, 6),
            (1, Event.SYSCALL_ENTRY, 2),
        ],
    )
    assert [call.thread for call in read_evidence(found, HangRules()).in_flight] == [6, 5]


def test_recent_events_are_those_of_the_window() -> None:
    found = capture(idle(), before=[(0, Event.WAKE, 1)], events=[(0, Event.WAKE, 2), (0, Event.WAKE, 3)])
    assert read_evidence(found, HangRules()).recent(Event.WAKE)["payload"].tolist() == [2, 3]


def test_the_thread_on_a_cpu_is_the_schedulers_and_no_idle_one() -> None:
    threads = [thread(0, "RUNNING", name="idle/0"), thread(7, "RUNNING", name="test")]
    assert read_evidence(capture(user(), threads=threads), HangRules()).running_thread(0) == 7


def test_without_the_schedulers_records_the_trace_tells_the_thread() -> None:
    assert read_evidence(capture(user(), before=[_ON_5]), HangRules()).running_thread(0) == 5


def test_ready_is_guessed_from_the_states_names() -> None:
    found = capture(idle(), threads=[thread(1, "Runnable"), thread(2, "Blocked"), thread(3, "TASK_READY")])
    assert [t.id for t in read_evidence(found, HangRules()).ready_threads] == [1, 3]


def test_rings_that_were_not_read_leave_no_timeline() -> None:
    found = replace(capture(idle(), before=[_ON_5]), memory=(Block(address=1, content=b"x"),))
    assert read_evidence(found, HangRules()).timeline is None


def test_a_timer_that_a_living_thread_set_may_end_a_wait() -> None:
    found = capture(idle(), arch="x86_64", before=[_ON_5, (0, Event.SYSCALL_ENTRY, 37)])
    assert "alarm" in armed_timer(read_evidence(found, HangRules()))


def test_a_timer_of_a_thread_that_ended_does_not() -> None:
    calls = [_ON_5, (0, Event.SYSCALL_ENTRY, 37), (0, Event.SYSCALL_EXIT, 0), (0, Event.THREAD_EXIT, 5)]
    assert armed_timer(read_evidence(capture(idle(), arch="x86_64", before=calls), HangRules())) == ""


def test_a_kernel_at_work_with_no_timer_waits_for_nothing() -> None:
    assert may_end_by_itself(read_evidence(capture(runs("work")), HangRules())) == ""


def test_states_may_be_configured_as_numbers() -> None:
    threads = [
        replace(thread(1, "READY"), state_number=3),
        replace(thread(2, "ON_CPU"), state_number=4),
        replace(thread(3, "ASLEEP"), state_number=5),
        replace(thread(4, "3"), state_number=3),
    ]
    names = ThreadNames(list="threads", id="id", state="state", ready=(3,), running=(4,), blocked=(5,))
    evidence = read_evidence(capture(idle(), threads=threads), HangRules(threads=names))
    assert [one.id for one in evidence.ready_threads] == [1, 4]
    assert [one.id for one in evidence.blocked_threads] == [3]
    assert evidence.running_thread(0) == 2
