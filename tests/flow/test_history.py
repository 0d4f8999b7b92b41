"""How one test fared over its attempts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from parity.flow.results.history import SYMBOLS, State, TargetHistory, build_target_history
from parity.outcome import Outcome
from tests.support.standings import attempt


def history(*outcomes: Outcome, images: str = "") -> TargetHistory:
    """Return the history of attempts in runs 1, 2, ..., each on the image of one letter."""
    letters = images or "a" * len(outcomes)
    return build_target_history(
        [
            attempt(outcome=outcome, number=run, run=run, image=image)
            for run, (outcome, image) in enumerate(zip(outcomes, letters, strict=True), 1)
        ]
    )


PASS, FAIL, HANG, SKIP, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.HANG, Outcome.SKIP, Outcome.ERROR


def test_a_failing_test_says_since_when_and_when_it_last_passed() -> None:
    found = history(PASS, PASS, FAIL, ERROR, HANG)
    assert found.now is not None
    assert (found.now.state, found.now.first.campaign, found.now.attempts) == (State.FAILS, 3, 2)
    passing = found.newest(State.PASSES)
    assert passing is not None
    assert (passing.first.campaign, passing.last.campaign) == (1, 2)


def test_a_passing_test_says_when_it_first_and_last_failed_before() -> None:
    found = history(PASS, FAIL, HANG, PASS)
    assert found.now is not None
    assert (found.now.state, found.now.first.campaign) == (State.PASSES, 4)
    failing = found.newest(State.FAILS)
    assert failing is not None
    assert (failing.first.campaign, failing.last.campaign) == (2, 3)


def test_a_skip_neither_passes_nor_fails() -> None:
    assert [stretch.state for stretch in history(PASS, SKIP, FAIL).stretches] == [
        State.PASSES,
        State.IS_SKIPPED,
        State.FAILS,
    ]


def test_what_measured_nothing_neither_ends_nor_begins_anything() -> None:
    found = history(ERROR)
    assert (found.now, found.line, found.attempts) == (None, "e", 1)
    assert len(history(PASS, ERROR, PASS).stretches) == 1


def test_both_directions_on_one_image_are_flaky_and_on_two_images_are_not() -> None:
    assert history(PASS, FAIL, images="aa").is_flaky
    assert not history(PASS, FAIL, images="ab").is_flaky


def test_only_the_image_booted_last_says_whether_it_is_flaky_now() -> None:
    found = history(PASS, FAIL, PASS, PASS, images="aabb")
    assert (found.is_flaky, found.flaky_images) == (False, 1)
    assert (found.image_rate.failures, found.image_rate.trials) == (0, 2)


def test_a_pass_after_a_failure_hides_nothing() -> None:
    found = history(FAIL, PASS)
    assert found.is_flaky
    assert (found.image_rate.failures, found.image_rate.trials) == (1, 2)


def test_each_outcome_has_a_character_of_its_own() -> None:
    assert len(set(SYMBOLS.values())) == len(Outcome) == len(SYMBOLS)


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=300))
def test_stretches_cover_all_that_was_measured_and_alternate(outcomes: list[Outcome]) -> None:
    found = history(*outcomes)
    measured = sum(outcome.is_measured for outcome in outcomes)
    states = [stretch.state for stretch in found.stretches]
    assert all(one is not other for one, other in pairwise(states))
    assert len(found.stretches) <= 100
    assert sum(stretch.attempts for stretch in found.stretches) <= measured
    if len(found.stretches) < 100:
        assert sum(stretch.attempts for stretch in found.stretches) == measured
    assert len(found.line) == min(len(outcomes), 80)
