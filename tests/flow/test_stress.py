"""How often tests fail, and what failures have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.diagnosis import Cause
from parity.errors import UsageError
from parity.flow.campaign.stress import failure_signature, mask_numbers, read_stress, select_booted
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from tests.conftest import Make


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("PANIC at 0xffff800000123abc, CPU 3", "PANIC at #, CPU #"),
        ("a: FAIL: errno 38 (ENOSYS)", "a: FAIL: errno # (ENOSYS)"),
        ("pc ffff800000123abc in add_feed", "pc # in add_feed"),
        ("deadbeefcafe x2 effaced", "deadbeefcafe x# effaced"),
        ("", ""),
    ],
)
def test_numbers_are_masked_and_words_are_not(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked


@given(st.text(), st.integers(0, 2**64))
def test_texts_that_differ_in_a_number_alone_are_alike(text: str, number: int) -> None:
    assert mask_numbers(f"{text} {number} end") == mask_numbers(f"{text} 7 end")
    assert mask_numbers(f"{text} {number:#x} end") == mask_numbers(f"{text} 0x7 end")


def test_a_hang_goes_by_its_cause_and_a_crash_by_its_panic_line(make: Make, tmp_path: Path) -> None:
    hang = make.hang(tmp_path, Cause.LOCK_LEAKED)
    hung = make.attempt(outcome=Outcome.HANG, evidence="silent for 5 s", hang=hang)
    assert failure_signature(hung) == "hang | lock-leaked | root_lock"
    parked = make.hang(tmp_path, Cause.PANIC_PARKED)
    crashed = make.attempt(outcome=Outcome.CRASH, evidence="KERNEL PANIC: frame 12", hang=parked)
    assert failure_signature(crashed) == "crash | KERNEL PANIC: frame #"
    failed = make.attempt(outcome=Outcome.FAIL, evidence="fork_test: FAIL: line 20")
    assert failure_signature(failed) == "fail | fork_test: FAIL: line #"


def test_rates_and_groups_come_from_the_runs_attempts(
    repository: Repository, make: Make, tmp_path: Path
) -> None:
    other = repository.start_campaign(make.plan())
    repository.add_attempt(other, make.attempt(outcome=Outcome.FAIL))
    number = repository.start_campaign(make.plan())
    hang = make.hang(tmp_path / ".parity" / "captures" / "1")
    for attempt in (
        make.attempt(),
        make.attempt(outcome=Outcome.SKIP),
        make.attempt(outcome=Outcome.FAIL, evidence="line 1", transcript=b"what it said"),
        make.attempt(outcome=Outcome.FAIL, evidence="line 2", target="x86_64"),
        make.attempt(outcome=Outcome.HANG, hang=hang),
        make.attempt(outcome=Outcome.ERROR, evidence="QEMU was killed"),
    ):
        repository.add_attempt(number, attempt)

    stress = read_stress(repository, number)
    assert (stress.total.failures, stress.total.trials, stress.unmeasured) == (3, 5, 1)
    assert [(case.target, case.rate.failures, case.rate.trials) for case in stress.cases] == [
        ("aarch64", 2, 4),
        ("x86_64", 1, 1),
    ]
    failed, hung = stress.groups
    assert (failed.signature, dict(failed.targets)) == ("fail | line #", {"aarch64": 1, "x86_64": 1})
    assert failed.attempts[0].logs[0].read_bytes() == b"what it said"
    assert (hung.signature, hung.attempts[0].capture) == ("hang | lock-leaked | root_lock", hang.folder)


def test_a_run_without_an_attempt_measures_nothing(repository: Repository, make: Make) -> None:
    stress = read_stress(repository, repository.start_campaign(make.plan()))
    assert (stress.cases, stress.groups, stress.total.trials) == ((), (), 0)


def test_only_machines_can_be_booted(configure: Callable[..., Configuration]) -> None:
    configuration = configure("a", targets=("aarch64", "x86_64", "linux-x86_64"))
    names = tuple(configuration.targets)
    assert select_booted(configuration, names, named=()) == ("aarch64", "x86_64")
    with pytest.raises(UsageError, match="linux-x86_64 is the host's own Linux"):
        select_booted(configuration, names, named=("linux-x86_64",))
