from __future__ import annotations

from datetime import date

import pytest

from parity.campaign import Case
from parity.diagnosis import Cause
from parity.expectations import Coverage, Expectation, Mark, collect_expectations, select_cases
from parity.outcome import Outcome
from tests.support.standings import attempt

CASE = Case(target="aarch64", test="fork_test")


def expectation(
    outcome: Outcome = Outcome.FAIL, *, evidence: Coverage | None = None, expires: date | None = None
) -> Expectation:
    return Expectation(
        test="fork_test",
        target="aarch64",
        outcome=outcome,
        reason="known",
        evidence=evidence or Coverage(),
        expires=expires,
        cases=(CASE,),
    )


def test_a_failure_that_was_announced_is_expected_and_a_pass_is_not() -> None:
    known = collect_expectations([expectation()])
    assert known.mark(attempt(outcome=Outcome.FAIL)) is Mark.XFAIL
    assert known.mark(attempt()) is Mark.XPASS


@pytest.mark.parametrize("outcome", [Outcome.HANG, Outcome.CRASH, Outcome.SKIP, Outcome.ERROR])
def test_another_outcome_than_the_announced_one_is_not_expected(outcome: Outcome) -> None:
    assert collect_expectations([expectation()]).mark(attempt(outcome=outcome)) is None


def test_another_target_or_test_is_not_expected() -> None:
    known = collect_expectations([expectation()])
    assert known.mark(attempt(outcome=Outcome.FAIL, target="x86_64")) is None
    assert known.mark(attempt("dup_test", Outcome.FAIL)) is None


def test_another_error_than_the_covered_one_is_not_expected() -> None:
    known = collect_expectations([expectation(evidence=Coverage(error_number=38))])
    assert known.mark(attempt(outcome=Outcome.FAIL, error_number=38)) is Mark.XFAIL
    assert known.mark(attempt(outcome=Outcome.FAIL, error_number=22)) is None
    assert known.mark(attempt(outcome=Outcome.FAIL)) is None


def test_another_cause_than_the_covered_one_is_not_expected() -> None:
    known = collect_expectations([expectation(Outcome.HANG, evidence=Coverage(cause=Cause.LOCK_CYCLE))])
    assert known.mark(attempt(outcome=Outcome.HANG, cause=Cause.LOCK_CYCLE)) is Mark.XFAIL
    assert known.mark(attempt(outcome=Outcome.HANG, cause=Cause.LOCK_LEAKED)) is None
    assert known.mark(attempt(outcome=Outcome.HANG)) is None


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("socket(AF_INET", True),
        ("socket(*): -1", True),
        ("lib/*.c:*socket(AF_INET*errno 38", True),
        ("*", True),
        ("socket(AF_UNIX", False),
        ("errno 38*socket", False),
        ("socket.", False),
    ],
)
def test_covered_text_is_part_of_a_sentence_and_a_star_stands_for_anything(text: str, covered: bool) -> None:  # noqa: FBT001
    known = collect_expectations([expectation(evidence=Coverage(text=text))])
    found = attempt(
        outcome=Outcome.FAIL, evidence="FAIL: lib/network.c:11: socket(AF_INET, type, 0): -1, errno 38"
    )
    assert (known.mark(found) is Mark.XFAIL) is covered


def test_all_that_is_said_of_the_evidence_must_be_true() -> None:
    known = collect_expectations([expectation(evidence=Coverage(error_number=38, text="socket("))])
    assert (
        known.mark(attempt(outcome=Outcome.FAIL, error_number=38, evidence="socket(AF_INET)")) is Mark.XFAIL
    )
    assert known.mark(attempt(outcome=Outcome.FAIL, error_number=38, evidence="open(path)")) is None


def test_two_entries_of_one_test_cover_two_failures() -> None:
    known = collect_expectations(
        [expectation(), expectation(Outcome.HANG, evidence=Coverage(cause=Cause.LOCK_CYCLE))]
    )
    assert known.mark(attempt(outcome=Outcome.HANG, cause=Cause.LOCK_CYCLE)) is Mark.XFAIL
    assert known.mark(attempt(outcome=Outcome.FAIL)) is Mark.XFAIL


def test_an_entry_holds_until_the_end_of_the_day_on_which_it_expires() -> None:
    entry = expectation(expires=date(2026, 12, 1))
    assert not entry.has_expired(date(2026, 12, 1))
    assert entry.has_expired(date(2026, 12, 2))
    assert not expectation().has_expired(date(9999, 12, 31))


def test_a_glob_chooses_tests_on_its_target_alone() -> None:
    cases = [CASE, Case(target="x86_64", test="fork_test"), Case(target="aarch64", test="dup_test")]
    assert select_cases("fork_*", "aarch64", cases) == (CASE,)
