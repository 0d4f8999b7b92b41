"""What a run looks like while it goes on, told event by event."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from parity.attempt import Isolation
from parity.campaign import Case, StopRule
from parity.cli.progress import BriefObserver, LiveObserver, describe_order
from parity.flow.campaign.order import Order
from parity.flow.campaign.work import Finished, Started
from parity.outcome import Outcome
from runners.machine.boot import Report

if TYPE_CHECKING:
    from tests.conftest import Make

ONE = Case(target="aarch64", test="fork_test")
OTHER = Case(target="x86_64", test="fork_test")
ORDER = Order(cases=(ONE, OTHER), isolation=Isolation.BOOT)
ENDLESS = replace(ORDER, endless=True, stop=StopRule.UNTIL_FAIL)


def finished(make: Make, outcome: Outcome = Outcome.PASS) -> Finished:
    return Finished(worker=0, report=Report(attempt=make.attempt(outcome=outcome)))


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (ORDER, "2 tests on aarch64, x86_64"),
        (replace(ORDER, cases=(ONE,)), "1 test on aarch64"),
        (replace(ORDER, cases=(ONE, OTHER) * 5), "2 tests, 10 attempts, on aarch64, x86_64"),
        (ENDLESS, "2 tests until one fails, on aarch64, x86_64"),
        (replace(ORDER, seed=0), "2 tests on aarch64, x86_64; shuffled by --seed 0"),
    ],
)
def test_an_order_is_told_in_a_few_words(order: Order, words: str) -> None:
    assert describe_order(order) == words


def test_brief_lines_tell_failures_and_every_tenth(make: Make) -> None:
    text = io.StringIO()
    observer = BriefObserver(Console(file=text, width=200), "1 machine (--jobs 1)")
    observer.begun(7, replace(ORDER, cases=(ONE,) * 20), jobs=1)
    for outcome in (Outcome.PASS, Outcome.PASS, Outcome.PASS, Outcome.FAIL):
        observer.happened(finished(make, outcome))
    first, half, failed, all_so_far = text.getvalue().splitlines()
    assert first == "run 7: 1 test, 20 attempts, on aarch64; 1 machine (--jobs 1)"
    assert half == "2/20  2 pass"
    assert failed.startswith("aarch64  fork_test")
    assert all_so_far == "4/20  3 pass, 1 fail"


@pytest.mark.parametrize(("order", "count"), [(ORDER, "1/2  1 pass"), (ENDLESS, "1  1 pass")])
def test_the_live_display_counts_what_is_done_and_what_there_is(make: Make, order: Order, count: str) -> None:
    text = io.StringIO()
    console = Console(file=text, width=100)
    observer = LiveObserver(console)
    observer.begun(7, order, jobs=1)
    observer.happened(Started(worker=0, target="aarch64", tests=("fork_test",)))
    observer.happened(finished(make))
    console.print(observer)
    running, counted = text.getvalue().splitlines()[-2:]
    assert "fork_test" in running
    assert counted.startswith(count)
    assert ("left" in counted) == (not order.endless)
