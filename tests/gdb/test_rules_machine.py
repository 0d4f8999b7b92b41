"""How little time a host may give before nothing but that is said."""

from __future__ import annotations

from parity.diagnosis import Cause
from tests.support.captures import capture, diagnosed, idle, lock, runs
from tests.support.rule_cases import spins


def test_many_that_spin_on_few_cores_are_not_starved() -> None:
    spinning = [
        runs(
            "spin_lock",
            "enter",
            pointers={"lock": "tree"},
            masked=True,
            ticks=None,
            ran_s=0.11,
            waited_s=2.8,
        )
        for _ in range(16)
    ]
    found = diagnosed(capture(*spinning, seconds=3.0))
    assert (found.cause, found.subject) == (Cause.LOCK_LEAKED, "tree")
    assert not any(other.cause is Cause.NOT_THE_GUEST for other in found.runners_up)


def test_a_lock_that_its_record_proves_leaked_is_told_though_the_host_starves() -> None:
    waiting = runs(
        "spin_lock", "enter", pointers={"lock": "tree"}, masked=True, ticks=0, ran_s=0.01, waited_s=0.9
    )
    found = diagnosed(capture(waiting, idle(), locks=[lock("tree", holder=1)]))
    assert found.cause is Cause.LOCK_LEAKED
    assert found.runners_up[0].cause is Cause.NOT_THE_GUEST


def test_a_guess_about_a_lock_stands_back_where_the_host_starves() -> None:
    waiting = spins("enter")
    starved = runs(*waiting.stack, pointers=waiting.pointers, masked=True, ticks=0, ran_s=0.01, waited_s=0.9)
    assert diagnosed(capture(starved, idle())).subject == "host"
