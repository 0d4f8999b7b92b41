"""Wilson's interval against values that were worked out elsewhere, and what it says in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.statistics import describe_rate, failure_rate, format_share

KNOWN = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
"""R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
table I, method 3."""


@pytest.mark.parametrize(("failures", "trials", "low", "high"), KNOWN)
def test_the_interval_is_wilsons(failures: int, trials: int, low: float, high: float) -> None:
    rate = failure_rate(failures, trials)
    assert rate.low == pytest.approx(low, abs=5e-5)
    assert rate.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_at_the_ends_the_share_is_as_far_away_as_95_percent_allow(failures: int, passes: int) -> None:
    rate = failure_rate(failures, failures + passes)
    for end in (rate.low, rate.high):
        deviation = (end * (1 - end) / rate.trials) ** 0.5
        assert abs(end - rate.share) == pytest.approx(1.959964 * deviation, rel=1e-5)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_interval_holds_the_share_and_nothing_that_is_no_share(failures: int, passes: int) -> None:
    rate = failure_rate(failures, failures + passes)
    assert 0 <= rate.low <= rate.share <= rate.high <= 1
    assert rate.low < rate.high


@given(st.integers(0, 50), st.integers(1, 50))
def test_more_trials_of_the_same_share_say_more(failures: int, passes: int) -> None:
    few, many = failure_rate(failures, failures + passes), failure_rate(failures * 9, (failures + passes) * 9)
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("failures", "trials"), [(-1, 3), (4, 3), (1, 0)])
def test_counts_that_cannot_be_are_refused(failures: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"{failures} failures of {trials} trials"):
        failure_rate(failures, trials)


@pytest.mark.parametrize(
    ("failures", "trials", "words"),
    [
        (0, 400, "0 of 400 failed; with 95 % confidence fewer than 0.95 % do"),
        (3, 400, "3 of 400 failed: 0.75 % (95 % confidence: 0.26 % to 2.2 %)"),
        (10, 10, "10 of 10 failed; with 95 % confidence more than 72.2 % do"),
        (0, 0, "nothing was measured"),
    ],
)
def test_a_rate_is_told_in_one_sentence(failures: int, trials: int, words: str) -> None:
    assert describe_rate(failure_rate(failures, trials)) == words


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0 %"), (0.000012, "0.0012 %"), (0.0999, "10.0 %"), (1.0, "100.0 %")]
)
def test_small_shares_keep_two_digits(share: float, words: str) -> None:
    assert format_share(share) == words
