from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from parity.diagnosis import Cause, Confidence
from parity.hangs import cause_key, count_blocked, deciding_sentence, group_hangs
from parity.outcome import Outcome
from tests.conftest import Make

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from parity.attempt import Attempt

MAKE = Make()


def hung(
    test: str = "fork_test",
    cause: Cause = Cause.LOCK_LEAKED,
    *,
    target: str = "aarch64",
    subject: str = "root_lock",
    frames: tuple[str, ...] = ("root_fs",),
    confidence: Confidence = Confidence.MEDIUM,
    outcome: Outcome = Outcome.HANG,
) -> Attempt:
    hang = MAKE.hang(Path("/captures") / test, cause, subject=subject, frames=frames)
    hang = replace(hang, diagnosis=replace(hang.diagnosis, confidence=confidence))
    return MAKE.attempt(test, outcome, target=target, evidence="no output for 5 s", hang=hang)


def test_one_leaked_lock_that_blocks_35_tests_is_one_group_wherever_they_came_for_it() -> None:
    attempts = [hung(f"test_{n}", frames=("root_fs", f"sys_{n % 4}")) for n in range(35)]
    (group,) = group_hangs(attempts)
    assert (group.cause, group.count, len(group.stacks)) == (Cause.LOCK_LEAKED, 35, 4)
    assert count_blocked([group]) == ("1 cause blocks 35 tests on aarch64",)


def test_two_leaked_locks_are_two_groups() -> None:
    groups = group_hangs([hung(subject="root_lock"), hung(subject="pipe_lock")])
    assert [group.diagnosis.subject for group in groups] == ["pipe_lock", "root_lock"]


def test_loops_below_different_functions_are_different_causes() -> None:
    attempts = [hung(cause=Cause.KERNEL_LOOP, frames=(frame,)) for frame in ("ext2_walk", "tcp_poll")]
    assert len(group_hangs(attempts)) == 2


def test_the_largest_group_comes_first_and_what_nobody_explains_last() -> None:
    slow = [hung(f"slow_{n}", Cause.SLOW, subject="") for n in range(4)]
    unknown = [hung(f"unknown_{n}", Cause.UNKNOWN, subject="", frames=("poll",)) for n in range(5)]
    few = [hung("one", Cause.TIMER_LOST)]
    many = [hung(f"many_{n}") for n in range(2)]
    groups = group_hangs([*unknown, *slow, *few, *many])
    assert [group.cause for group in groups] == [
        *(Cause.LOCK_LEAKED, Cause.TIMER_LOST, Cause.SLOW, Cause.UNKNOWN),
    ]


def test_unknown_hangs_of_which_nothing_was_seen_are_not_taken_for_one() -> None:
    attempts = [hung(test, Cause.UNKNOWN, subject="", frames=()) for test in ("dup_test", "fork_test")]
    assert len(group_hangs(attempts)) == 2


def test_a_group_is_told_by_its_surest_diagnosis() -> None:
    attempts = [
        hung("dup_test"),
        hung("fork_test", confidence=Confidence.HIGH),
        hung("pty_test", confidence=Confidence.HIGH),
    ]
    (group,) = group_hangs(attempts)
    assert (group.example.test, group.diagnosis.confidence) == ("fork_test", Confidence.HIGH)
    assert group.hang.folder == Path("/captures/fork_test")


def test_a_test_that_hung_twice_in_a_run_counts_once() -> None:
    (group,) = group_hangs([hung(), hung()])
    assert group.count == 1


def test_whom_a_group_blocks_is_told_by_target() -> None:
    attempts = [hung("dup_test", target="x86_64"), *(hung(test) for test in ("dup_test", "fork_test"))]
    (group,) = group_hangs(attempts)
    assert group.extent == "1 test on x86_64, 2 on aarch64"


def test_attempts_without_a_capture_are_left_out() -> None:
    assert group_hangs([MAKE.attempt(outcome=Outcome.HANG)]) == ()


def test_what_blocks_is_counted_by_target_and_what_is_merely_slow_is_not() -> None:
    attempts = [
        hung("dup_test"),
        hung("fork_test"),
        hung("pty_test", Cause.TIMER_LOST, subject="", target="aarch64"),
        hung("pty_test", target="x86_64"),
        hung("cat_test", Cause.SLOW, target="x86_64"),
    ]
    assert count_blocked(group_hangs(attempts)) == (
        "2 causes block 3 tests on aarch64",
        "1 cause blocks 1 test on x86_64",
    )


def test_a_failure_is_told_by_its_diagnosis() -> None:
    sure = hung(confidence=Confidence.HIGH)
    assert deciding_sentence(sure) == "CPU 1 spins on root_lock, which nobody holds"


def test_a_diagnosis_that_proves_nothing_is_told_as_a_guess() -> None:
    assert deciding_sentence(hung()) == "perhaps: CPU 1 spins on root_lock, which nobody holds"


def test_a_failure_that_nobody_explains_is_told_by_its_evidence() -> None:
    assert deciding_sentence(hung(cause=Cause.UNKNOWN)) == "no output for 5 s"


def test_a_pass_is_told_by_its_evidence_whatever_was_captured() -> None:
    assert deciding_sentence(hung(outcome=Outcome.PASS)) == "no output for 5 s"


def test_what_was_never_run_is_told_by_nothing() -> None:
    assert deciding_sentence(None) == ""


anything = st.lists(
    st.builds(
        hung,
        test=st.sampled_from(["a", "b", "c", "d"]),
        cause=st.sampled_from(Cause),
        target=st.sampled_from(["aarch64", "x86_64"]),
        subject=st.sampled_from(["", "root_lock", "pipe_lock"]),
        frames=st.sampled_from([(), ("f",), ("g", "f")]),
    ),
    max_size=12,
)


@given(anything)
def test_every_hang_is_in_exactly_one_group_of_its_key(attempts: Sequence[Attempt]) -> None:
    groups = group_hangs(attempts)
    assert len({group.key for group in groups}) == len(groups)
    for attempt in attempts:
        assert attempt.hang is not None
        key = cause_key(attempt.hang.diagnosis)
        holding = [group for group in groups if cause_key(group.diagnosis) == key]
        assert any(attempt.test in group.tests.get(attempt.target, ()) for group in holding)


@given(anything, st.randoms())
def test_the_groups_and_their_order_do_not_depend_on_the_attempts_order(
    attempts: list[Attempt], random: Random
) -> None:
    before = [(group.key, group.count) for group in group_hangs(attempts)]
    random.shuffle(attempts)
    assert [(group.key, group.count) for group in group_hangs(attempts)] == before
