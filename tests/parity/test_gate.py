from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from parity.campaign import Case
from parity.comparison import Pairing
from parity.expectations import Coverage, Expectation, Expectations, collect_expectations
from parity.gate import GateReport, judge_gate
from parity.outcome import Outcome
from tests.support.standings import attempt

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt

TODAY = date(2026, 11, 21)
CASE = Case(target="aarch64", test="fork_test")
FAIL, PASS, HANG = Outcome.FAIL, Outcome.PASS, Outcome.HANG


def entry(
    outcome: Outcome = FAIL, *, error_number: int | None = None, expires: date | None = None, also: str = ""
) -> Expectations:
    cases = (CASE, *([Case(target="aarch64", test=also)] if also else []))
    return collect_expectations(
        [
            Expectation(
                test="*" if also else "fork_test",
                target="aarch64",
                outcome=outcome,
                reason="known",
                evidence=Coverage(error_number=error_number),
                expires=expires,
                cases=cases,
            )
        ]
    )


def judge(
    then: StoredAttempt | None,
    *now: StoredAttempt,
    expectations: Expectations | None = None,
    strict_flaky: bool = False,
) -> GateReport:
    """Judge fork_test's newest attempt, the last of `now`; all of them are on its image."""
    pairing = Pairing(test="fork_test", target="aarch64", then=then, now=now[-1] if now else None)
    measured = [found for found in now if found.verdict.outcome.is_measured]
    return judge_gate(
        [pairing],
        expectations or Expectations(),
        {CASE: measured},
        today=TODAY,
        strict_flaky=strict_flaky,
    )


@pytest.mark.parametrize("outcome", [FAIL, HANG, Outcome.CRASH, Outcome.SKIP, Outcome.BOOT_FAILURE])
def test_a_pass_that_was_lost_closes_the_gate(outcome: Outcome) -> None:
    report = judge(attempt(), attempt(outcome=outcome))
    assert [found.now.verdict.outcome for found in report.regressions] == [outcome]
    assert not report.is_open


@pytest.mark.parametrize("then", [None, attempt(outcome=FAIL), attempt(outcome=Outcome.ERROR)])
def test_a_failure_of_what_did_not_pass_before_is_no_regression(then: StoredAttempt | None) -> None:
    assert judge(then, attempt(outcome=HANG)).is_open


def test_a_pass_is_no_finding() -> None:
    report = judge(attempt(), attempt())
    assert (report.regressions, report.stale, report.flaky, report.covered, report.lost) == (
        (),
        (),
        (),
        (),
        (),
    )


@pytest.mark.parametrize("now", [(), (attempt(outcome=Outcome.ERROR),)])
def test_a_lost_result_is_told_and_closes_nothing(now: tuple[StoredAttempt, ...]) -> None:
    report = judge(attempt(), *now)
    assert report.lost == (CASE,)
    assert report.is_open


def test_an_announced_failure_is_no_regression() -> None:
    report = judge(attempt(), attempt(outcome=FAIL, error_number=38), expectations=entry(error_number=38))
    assert len(report.covered) == 1
    assert report.is_open


@pytest.mark.parametrize(
    "now", [attempt(outcome=FAIL, error_number=22), attempt(outcome=HANG, error_number=38)]
)
def test_another_failure_than_the_announced_one_is_a_regression(now: StoredAttempt) -> None:
    report = judge(attempt(), now, expectations=entry(error_number=38))
    assert len(report.regressions) == 1


def test_an_expired_entry_covers_nothing_and_is_stale() -> None:
    yesterday = entry(expires=date(2026, 11, 20))
    report = judge(attempt(), attempt(outcome=FAIL), expectations=yesterday)
    assert len(report.regressions) == len(report.stale) == 1
    assert report.stale[0].passing == ()


def test_an_entry_that_expires_today_still_holds() -> None:
    assert judge(attempt(), attempt(outcome=FAIL), expectations=entry(expires=TODAY)).is_open


def test_an_expired_entry_closes_the_gate_even_where_nothing_else_is_wrong() -> None:
    report = judge(
        attempt(outcome=FAIL), attempt(outcome=FAIL), expectations=entry(expires=date(2026, 11, 1))
    )
    assert not report.is_open


def test_an_entry_whose_test_passes_is_stale() -> None:
    report = judge(attempt(outcome=FAIL), attempt(), expectations=entry())
    assert [found.passing for found in report.stale] == [(CASE,)]
    assert not report.is_open


def test_of_a_glob_the_tests_that_pass_are_named() -> None:
    pairings = [
        Pairing(test="fork_test", target="aarch64", then=None, now=attempt(outcome=FAIL)),
        Pairing(test="dup_test", target="aarch64", then=None, now=attempt("dup_test")),
    ]
    report = judge_gate(pairings, entry(also="dup_test"), {}, today=TODAY)
    assert [found.passing for found in report.stale] == [(Case(target="aarch64", test="dup_test"),)]


def test_an_entry_about_a_flaky_test_that_passes_now_is_not_stale() -> None:
    report = judge(attempt(outcome=FAIL), attempt(outcome=FAIL), attempt(), expectations=entry())
    assert report.stale == ()
    assert len(report.flaky) == 1


@pytest.mark.parametrize("order", [(FAIL, PASS), (PASS, FAIL), (PASS, FAIL, PASS), (FAIL, PASS, FAIL)])
def test_what_passes_and_fails_in_one_run_is_flaky_in_whichever_order(order: tuple[Outcome, ...]) -> None:
    attempts = [attempt(outcome=outcome) for outcome in order]
    report = judge(attempt(), *attempts)
    (flaky,) = report.flaky
    assert (len(flaky.attempts), flaky.failures) == (len(order), order.count(FAIL))
    assert report.regressions == ()
    assert report.is_open
    assert not judge(attempt(), *attempts, strict_flaky=True).is_open


def test_a_run_in_which_it_always_fails_is_a_regression_though_it_passed_on_the_image_before() -> None:
    report = judge(attempt(), attempt(run=1), attempt(outcome=FAIL, run=2), attempt(outcome=FAIL, run=2))
    assert len(report.regressions) == len(report.flaky) == 1


def test_a_later_pass_does_not_hide_a_failure_on_the_same_image() -> None:
    report = judge(attempt(), attempt(outcome=FAIL, run=1), attempt(run=2))
    assert [found.case for found in report.flaky] == [CASE]


def test_a_flaky_test_that_did_not_pass_at_the_baseline_closes_nothing() -> None:
    report = judge(attempt(outcome=FAIL), attempt(outcome=FAIL), attempt(), strict_flaky=True)
    assert len(report.flaky) == 1
    assert report.is_open
