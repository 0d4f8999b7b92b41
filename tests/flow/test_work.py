"""The queue that workers share: who waits, who is woken, and what is not worth trying."""

from __future__ import annotations

import threading
import time

from parity.campaign import Case
from parity.flow.campaign.schedule import Capacity, Schedule
from parity.flow.campaign.work import WorkQueue
from parity.outcome import Outcome


def make_schedule(*tests: str, costs: dict[str, int] | None = None, cores: int = 1) -> Schedule:
    costs = costs or {"a": 4}
    cases = (Case(target=target, test=test) for target in costs for test in tests)
    return Schedule(cases, capacity=Capacity(host_cores=cores, costs=costs))


def test_workers_that_wait_do_not_keep_waking_each_other() -> None:
    waiting = WorkQueue(make_schedule("x", "y"))
    waiting.take(0)
    end = time.monotonic() + 1.0
    turns: list[int] = []

    def wait(worker: int) -> None:
        while time.monotonic() < end:
            waiting.take(worker)
            waiting.wait(worker)
            turns.append(worker)

    threads = [threading.Thread(target=wait, args=(worker,)) for worker in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 3 <= len(turns) <= 12


def test_who_waits_is_woken_when_a_machine_ends() -> None:
    waiting = WorkQueue(make_schedule("x", "y"))
    waiting.take(0)
    woken = threading.Event()

    def wait() -> None:
        while waiting.take(1) is None:
            waiting.wait(1)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    assert not woken.is_set()
    waiting.leave(0)
    assert woken.wait(0.25)
    thread.join()


def test_a_target_that_did_not_boot_is_given_up_with_what_was_never_tried_on_it() -> None:
    waiting = WorkQueue(make_schedule("x", "y", "z", "x", "y", "z"), boot_failures_in_a_row=2)
    for test in ("x", "y"):
        waiting.take(0)
        rest = waiting.learn("a", test, Outcome.BOOT_FAILURE)
    assert rest == ("z",)
    assert not waiting.wait(0)


def test_boot_failures_count_only_in_a_row() -> None:
    waiting = WorkQueue(make_schedule("x", "y", "z"), boot_failures_in_a_row=2)
    for outcome in (Outcome.BOOT_FAILURE, Outcome.PASS, Outcome.BOOT_FAILURE):
        assert waiting.learn("a", "x", outcome) == ()


def test_the_first_attempt_that_is_not_wanted_empties_the_queue_where_it_is_to() -> None:
    waiting = WorkQueue(make_schedule("x", "y", costs={"a": 1, "b": 1}), stop_when_unwanted=True)
    waiting.learn("a", "x", Outcome.SKIP)
    assert waiting.take(0) is not None
    waiting.learn("a", "y", Outcome.FAIL)
    assert waiting.take(0) is None
    assert not waiting.wait(0)
