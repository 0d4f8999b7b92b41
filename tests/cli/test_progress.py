"""What a run looks like while it goes on, told event by event."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from parity.attempt import BootFailure, Isolation
from parity.campaign import Case, StopRule
from parity.cli.progress import BriefObserver, LiveObserver, PlainObserver, describe_order, describe_slow
from parity.cli.slowness import Slow
from parity.flow.campaign.order import Order
from parity.flow.campaign.work import BootFailed, Finished, Started
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


@pytest.mark.parametrize(("tries_left", "then"), [(2, "; it is tried again"), (0, "")])
def test_a_failed_boot_is_told_at_once(tries_left: int, then: str) -> None:
    text = io.StringIO()
    observer = PlainObserver(Console(file=text, width=200))
    observer.begun(7, ORDER, jobs=1)
    failure = BootFailure(
        target="x86_64", started_at=datetime.now(UTC), duration_s=60.0, reason="not ready after 60.0 s"
    )
    observer.happened(BootFailed(worker=0, failure=failure, tries_left=tries_left))
    assert text.getvalue().splitlines()[1:] == [f"x86_64   boot failed: not ready after 60.0 s{then}"]


@pytest.mark.parametrize(
    ("said", "told"), [("PXE-E16: \x1b[2Jno offer\r", "PXE-E16: \\x1b[2Jno offer"), ("", "(nothing)")]
)
def test_a_slow_boot_is_told_with_what_its_console_says_made_harmless(said: str, told: str) -> None:
    started = Started(worker=0, target="aarch64", tests=("fork_test",))
    slow = Slow(started, is_booting=True, seconds=10.0, last_line=said)
    line = describe_slow(slow, width=7)
    assert (
        line == f"aarch64  fork_test                    boots     10.00 s so far; last console line: {told}"
    )


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
