from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.campaign import Case
from parity.comparison import (
    ChangeKind,
    Pairing,
    compare_times,
    find_change,
    find_differences,
    find_pair_changes,
    may_differ,
    pair_by_target,
    pair_by_time,
)
from parity.diagnosis import Cause
from parity.outcome import Outcome, PairState
from tests.support.standings import attempt, standing

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt


def kind(then: StoredAttempt | None, now: StoredAttempt | None) -> ChangeKind | None:
    change = find_change(Pairing(test="fork_test", target="aarch64", then=then, now=now))
    return change.kind if change else None


@pytest.mark.parametrize("failure", [Outcome.FAIL, Outcome.HANG, Outcome.SKIP, Outcome.BOOT_FAILURE])
def test_a_pass_gained_and_a_pass_lost_are_told_whatever_else_it_was(failure: Outcome) -> None:
    assert kind(attempt(outcome=failure), attempt()) is ChangeKind.NEW_PASS
    assert kind(attempt(), attempt(outcome=failure)) is ChangeKind.NEW_FAILURE


def test_a_failure_that_ends_differently_has_another_outcome() -> None:
    assert kind(attempt(outcome=Outcome.FAIL), attempt(outcome=Outcome.HANG)) is ChangeKind.OTHER_OUTCOME


@pytest.mark.parametrize("nothing", [None, attempt(outcome=Outcome.ERROR), attempt(outcome=Outcome.NOT_RUN)])
def test_what_says_nothing_about_the_kernel_is_no_change(nothing: StoredAttempt | None) -> None:
    assert kind(nothing, attempt()) is None
    assert kind(attempt(), nothing) is None


@pytest.mark.parametrize(
    "other",
    [
        attempt(outcome=Outcome.FAIL, evidence="fork_test.c:36: wait: -1"),
        attempt(outcome=Outcome.FAIL, evidence="fork_test.c:30: fork: -1", error_number=38),
        attempt(outcome=Outcome.FAIL, evidence="fork_test.c:30: fork: -1", signal=11),
        attempt(outcome=Outcome.FAIL, evidence="fork_test.c:30: fork: -1", exit_status=2),
    ],
)
def test_a_failure_for_another_reason_has_other_evidence(other: StoredAttempt) -> None:
    then = attempt(outcome=Outcome.FAIL, evidence="fork_test.c:30: fork: -1")
    assert kind(then, other) is ChangeKind.OTHER_EVIDENCE


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("no output for 3.1 s, the guest idle", "no output for 3.04 s, the guest idle"),
        ("Data abort at 0xffff00001234", "Data abort at 0xffff0000abcd"),
        ("pid 12 was killed", "pid 13 was killed"),
        ("the test said so", "the test said so"),
    ],
)
def test_what_varies_from_attempt_to_attempt_is_no_other_evidence(then: str, now: str) -> None:
    before, after = (attempt(outcome=Outcome.FAIL, evidence=said) for said in (then, now))
    assert kind(before, after) is None


def test_a_hang_goes_by_its_cause_and_not_by_its_words() -> None:
    hang = Outcome.HANG
    same = attempt(outcome=hang, cause=Cause.LOCK_CYCLE, evidence="other words")
    assert kind(attempt(outcome=hang, cause=Cause.LOCK_CYCLE), same) is None
    other = attempt(outcome=hang, cause=Cause.LOCK_LEAKED)
    assert kind(attempt(outcome=hang, cause=Cause.LOCK_CYCLE), other) is ChangeKind.OTHER_EVIDENCE


def test_passes_have_no_other_evidence() -> None:
    assert kind(attempt(evidence="one"), attempt(evidence="two")) is None


def test_each_test_is_held_against_itself_on_each_target() -> None:
    then = standing(attempt(), attempt(target="x86_64"), tests=("fork_test", "dup_test"))
    now = standing(attempt(outcome=Outcome.FAIL), attempt("dup_test"), tests=("fork_test", "dup_test"))
    found = find_differences(pair_by_time(then, now))
    assert [(change.kind, change.test, change.target) for change in found.changes] == [
        (ChangeKind.NEW_FAILURE, "fork_test", "aarch64")
    ]
    assert found.compared == 1
    assert [(only.test, only.target) for only in found.only_then] == [("fork_test", "x86_64")]
    assert [(only.test, only.target) for only in found.only_now] == [("dup_test", "aarch64")]


def test_a_test_that_is_not_meant_for_a_target_is_not_held_against_anything_there() -> None:
    apart = (Case(target="x86_64", test="fork_test"),)
    now = standing(attempt(), excluded=apart)
    assert [pairing.target for pairing in pair_by_time(now, now)] == ["aarch64"]
    assert pair_by_target(now, "x86_64", "aarch64") == ()


def test_two_targets_are_compared_test_by_test() -> None:
    now = standing(attempt(outcome=Outcome.CRASH), attempt(target="x86_64"))
    (change,) = find_differences(pair_by_target(now, "x86_64", "aarch64")).of_kind(ChangeKind.NEW_FAILURE)
    assert (change.then.target, change.now.target) == ("x86_64", "aarch64")


def test_a_pair_state_that_is_another_is_told() -> None:
    then = standing(attempt(outcome=Outcome.FAIL), attempt(target="x86_64"))
    now = standing(attempt(), attempt(target="x86_64"))
    (change,) = find_pair_changes(then, now)
    assert (change.then, change.now) == (PairState.GAP, PairState.PARITY)
    assert find_pair_changes(now, now) == ()


USUAL = (1.0, 1.1, 0.9, 1.2, 1.0)


@pytest.mark.parametrize(
    ("took_s", "is_slower"), [(1.6, True), (1.51, True), (1.5, None), (1.0, None), (0.72, None), (0.6, False)]
)
def test_a_time_has_changed_where_it_is_a_quarter_beyond_all_recorded(
    took_s: float,
    is_slower: bool | None,  # noqa: FBT001
) -> None:
    change = compare_times(attempt(duration_s=took_s), USUAL)
    assert (change.is_slower if change else None) is is_slower


def test_less_than_a_tenth_of_a_second_is_no_change() -> None:
    assert compare_times(attempt(duration_s=0.109), (0.01,) * 5) is None
    assert compare_times(attempt(duration_s=0.111), (0.01,) * 5) is not None


def test_four_recorded_passes_do_not_say_what_is_usual() -> None:
    assert compare_times(attempt(duration_s=60.0), (1.0,) * 4) is None
    assert compare_times(attempt(duration_s=60.0), (1.0,) * 5) is not None


SECONDS = st.floats(min_value=0, max_value=1000)


@given(SECONDS, st.lists(SECONDS, min_size=5, max_size=20))
def test_no_changed_time_is_missed_for_looking_at_the_newest_pass_first(
    took_s: float, passes_s: list[float]
) -> None:
    now, then = attempt(duration_s=took_s), attempt(duration_s=passes_s[0])
    assert compare_times(now, passes_s) is None or may_differ(now, then)
