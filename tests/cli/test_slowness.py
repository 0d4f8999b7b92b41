"""SLOW marks: which tests are told to take long, and when."""

from __future__ import annotations

from parity.cli.slowness import FIRST_S, SlowTests
from parity.flow.campaign.work import Booted, Booting, MachineStarted, Started, WorkerEnded


def started(*tests: str, worker: int = 1) -> Started:
    return Started(worker=worker, target="aarch64", tests=tests)


def test_a_test_is_told_once_it_takes_long_and_again_when_it_takes_twice_as_long() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test"), 0)
    told = [now for now in range(41) if list(slow.due(now))]
    assert told == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]


def test_a_test_that_ended_is_told_no_more() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test"), 0)
    slow.follow(WorkerEnded(worker=1), 1)
    assert not list(slow.due(100))
    assert not slow.is_slow(1, 100)


def test_a_suite_is_never_slow() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test", "pipe_test"), 0)
    assert not list(slow.due(100))


def test_each_worker_has_its_own_test() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test"), 0)
    slow.follow(started("pipe_test", worker=2), 4)
    assert [found.started.tests for found in slow.due(6)] == [("fork_test",)]
    assert slow.is_slow(1, 6)
    assert not slow.is_slow(2, 6)


def test_a_look_that_comes_late_tells_a_test_once() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test"), 0)
    assert len(list(slow.due(60))) == 1
    assert not list(slow.due(60))


def test_a_boot_is_told_as_one_and_its_time_is_not_the_tests() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test"), 0)
    slow.follow(Booting(worker=1), 0)
    assert [(found.is_booting, found.seconds) for found in slow.due(8)] == [(True, 8)]
    assert slow.is_booting(1)
    assert not slow.is_slow(1, 8)
    slow.follow(Booted(worker=1), 9)
    assert not list(slow.due(13))
    assert not slow.is_booting(1)
    assert [(found.is_booting, found.seconds) for found in slow.due(15)] == [(False, 6)]


def test_a_boot_is_told_with_its_consoles_last_line_and_each_try_has_a_time_of_its_own() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test"), 0)
    slow.follow(Booting(worker=1), 0)
    assert [found.last_line for found in slow.due(6)] == [""]
    slow.follow(MachineStarted(worker=1, last_line=lambda: "no disk"), 7)
    assert not list(slow.due(11))
    assert [(found.seconds, found.last_line) for found in slow.due(13)] == [(6, "no disk")]
    assert slow.last_line(1) == "no disk"


def test_a_suites_boot_is_left_alone_as_well() -> None:
    slow = SlowTests()
    slow.follow(started("fork_test", "pipe_test"), 0)
    slow.follow(Booting(worker=1), 0)
    assert not list(slow.due(100))
    assert not slow.is_booting(1)
