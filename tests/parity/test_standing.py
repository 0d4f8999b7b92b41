from __future__ import annotations

from datetime import UTC, datetime

import pytest

from parity.attempt import Isolation, StoredAttempt, Verdict
from parity.campaign import Case
from parity.outcome import Outcome, PairState
from parity.standing import Scope, build_standing, format_percent


def attempt(target: str, test: str, outcome: Outcome) -> StoredAttempt:
    return StoredAttempt(
        id=1,
        campaign=1,
        target=target,
        test=test,
        verdict=Verdict(outcome=outcome, evidence=()),
        nonce="",
        isolation=Isolation.BOOT,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        duration_s=1.0,
        boot_s=None,
        fingerprint=None,
    )


def scope(*tests: str, excluded: tuple[Case, ...] = ()) -> Scope:
    return Scope(
        kernel="duet",
        tests=tests,
        targets=("x86_64", "aarch64"),
        excluded=frozenset(excluded),
        reference="x86_64",
        port="aarch64",
    )


def test_a_rate_counts_passes_of_all_tests_measured_or_not() -> None:
    outcomes = {"a": Outcome.PASS, "b": Outcome.SKIP, "c": Outcome.ERROR, "d": Outcome.FAIL}
    found = [attempt("aarch64", test, outcome) for test, outcome in outcomes.items()]
    rate = build_standing(scope("a", "b", "c", "d", "never"), found).rate("aarch64")
    assert (rate.passed, rate.total, rate.measured) == (1, 5, 3)
    assert str(rate) == "20.0% (1/5)"


def test_a_test_that_is_not_meant_for_a_target_is_not_counted_there() -> None:
    standing = build_standing(
        scope("a", "b", excluded=(Case(target="aarch64", test="b"),)), [attempt("aarch64", "a", Outcome.PASS)]
    )
    assert str(standing.rate("aarch64")) == "100% (1/1)"
    assert standing.tests[1].pair is PairState.NOT_APPLICABLE


def test_a_target_with_no_tests_has_no_rate() -> None:
    standing = build_standing(scope("a", excluded=(Case(target="aarch64", test="a"),)), [])
    assert standing.rate("aarch64").percent is None
    assert str(standing.rate("aarch64")) == "no tests"


def test_a_pass_on_the_reference_alone_is_a_gap() -> None:
    found = [attempt("x86_64", "a", Outcome.PASS), attempt("aarch64", "a", Outcome.HANG)]
    assert [row.test for row in build_standing(scope("a"), found).in_state(PairState.GAP)] == ["a"]


def test_without_a_reference_in_scope_there_are_no_pair_states() -> None:
    alone = Scope(kernel="duet", tests=("a",), targets=("aarch64",), excluded=frozenset(), port="aarch64")
    (row,) = build_standing(alone, [attempt("aarch64", "a", Outcome.PASS)]).tests
    assert (alone.pair, row.pair) == (None, None)


def test_results_of_tests_that_are_no_longer_listed_are_left_out() -> None:
    standing = build_standing(scope("a"), [attempt("aarch64", "gone", Outcome.PASS)])
    assert not standing.is_measured


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(33, 80, "41.3%"), (50, 80, "62.5%"), (1, 3, "33.3%"), (9999, 10000, "99.9%"), (1, 10000, "0.1%")],
)
def test_a_share_has_one_decimal_and_is_never_rounded_to_none_or_all(
    part: int, whole: int, shown: str
) -> None:
    assert format_percent(part, whole) == shown
