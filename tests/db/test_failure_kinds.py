"""How cases ever failed, as the plan asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.campaign import FailureKind
from parity.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from db import Repository
    from tests.conftest import Make


def test_a_failure_is_remembered_once_however_often_it_happened_and_whatever_came_after(
    repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan())
    for minutes in (0, 1):
        repository.add_attempt(
            campaign, make.attempt("dns_test", Outcome.FAIL, error_number=38, minutes=minutes)
        )
    repository.add_attempt(campaign, make.attempt("dns_test", Outcome.PASS, minutes=2))
    assert repository.failure_kinds(error_numbers={38, 101}, causes=()) == (
        FailureKind(target="aarch64", test="dns_test", error_number=38, cause="", subject=""),
    )


def test_a_hang_is_remembered_by_its_cause_and_what_it_was_about(
    repository: Repository, make: Make, tmp_path: Path
) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.HANG, hang=make.hang(tmp_path)))
    (kind,) = repository.failure_kinds(error_numbers=(), causes={"lock-leaked"})
    assert (kind.test, kind.cause, kind.subject) == ("fork_test", "lock-leaked", "root_lock")


def test_what_says_nothing_about_the_kernel_or_passed_is_no_failure(
    repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan())
    for outcome in (Outcome.ERROR, Outcome.PASS, Outcome.SKIP):
        repository.add_attempt(campaign, make.attempt(f"{outcome}_test", outcome, error_number=38))
    assert repository.failure_kinds(error_numbers={38}, causes={"lock-leaked"}) == ()


def test_nothing_asked_for_is_nothing(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.FAIL))
    assert repository.failure_kinds(error_numbers=(), causes=()) == ()
