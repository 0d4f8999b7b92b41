from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db import open_repository
from parity.attempt import BootFailure, Log, LogKind
from parity.campaign import CampaignState, Case, StopRule
from parity.errors import UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from db import Repository
    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"


def test_campaigns_are_numbered_from_one(repository: Repository, make: Make) -> None:
    assert [repository.start_campaign(make.plan()) for _ in range(3)] == [1, 2, 3]


def test_a_campaign_comes_back_as_it_was_planned(repository: Repository, make: Make) -> None:
    plan = make.plan(("aarch64", "fork_test"))
    stored = repository.campaign(repository.start_campaign(plan))
    assert (stored.kernel, stored.started_at, stored.isolation) == (
        plan.kernel,
        plan.started_at,
        plan.isolation,
    )
    assert (stored.revision, stored.arguments, stored.planned) == (plan.revision, plan.arguments, 1)
    assert (stored.state, stored.finished_at) == (CampaignState.RUNNING, None)


def test_an_unknown_campaign_is_the_callers_mistake(repository: Repository) -> None:
    with pytest.raises(UsageError, match="there is no run 7"):
        repository.campaign(7)


def test_an_attempt_comes_back_as_it_was_given(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_target(campaign, make.facts(image="cd" * 32))
    attempt = make.attempt(outcome=Outcome.FAIL, error_number=101, transcript=b"no route\n")
    number = repository.add_attempt(campaign, attempt)
    (stored,) = repository.attempts_of("fork_test")
    assert (stored.id, stored.campaign, stored.verdict) == (number, campaign, attempt.verdict)
    assert (stored.started_at, stored.duration_s) == (attempt.started_at, attempt.duration_s)
    assert stored.fingerprint == "cd" * 32
    (log,) = repository.logs_of(number)
    assert (log.kind, log.port, log.size_bytes) == (LogKind.TRANSCRIPT, "console", 9)
    assert log.path.read_bytes() == b"no route\n"


def test_times_come_back_aware_and_in_utc_whatever_zone_they_were_given_in(
    repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan())
    tokyo = datetime(2026, 1, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    repository.finish_campaign(campaign, CampaignState.FINISHED, tokyo)
    finished = repository.campaign(campaign).finished_at
    assert finished is not None
    assert (finished, finished.tzinfo) == (tokyo, UTC)


def test_the_newest_attempt_is_the_one_that_started_last(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.PASS, minutes=5))
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.FAIL, minutes=1))
    (newest,) = repository.newest_attempts()
    assert newest.verdict.outcome is Outcome.PASS


def test_newest_attempts_are_told_apart_by_target_and_test(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    for target in ("aarch64", "x86_64"):
        for test in ("dup_test", "fork_test"):
            repository.add_attempt(campaign, make.attempt(test, target=target))
    newest = [(attempt.target, attempt.test) for attempt in repository.newest_attempts()]
    assert newest == [
        ("aarch64", "dup_test"),
        ("aarch64", "fork_test"),
        ("x86_64", "dup_test"),
        ("x86_64", "fork_test"),
    ]


def test_what_was_not_run_is_no_result(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.PASS, minutes=1))
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.NOT_RUN, minutes=2))
    assert [attempt.verdict.outcome for attempt in repository.newest_attempts()] == [Outcome.PASS]


def test_newest_attempts_before_a_time_leave_out_what_came_later(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.FAIL, minutes=1))
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.PASS, minutes=2))
    (newest,) = repository.newest_attempts(before=make.moment(2))
    assert newest.verdict.outcome is Outcome.FAIL


def test_the_first_result_is_the_last_attempt_of_the_first_campaign_that_measured_the_test(
    repository: Repository, make: Make
) -> None:
    broken = repository.start_campaign(make.plan())
    repository.add_attempt(broken, make.attempt(outcome=Outcome.ERROR, minutes=0))
    first = repository.start_campaign(make.plan(minutes=1))
    repository.add_attempt(first, make.attempt(outcome=Outcome.FAIL, minutes=1))
    repository.add_attempt(first, make.attempt(outcome=Outcome.HANG, minutes=2))
    later = repository.start_campaign(make.plan(minutes=3))
    repository.add_attempt(later, make.attempt(outcome=Outcome.PASS, minutes=3))
    assert [attempt.verdict.outcome for attempt in repository.first_attempts()] == [Outcome.HANG]


def test_a_retry_erases_nothing(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    for minutes, outcome in enumerate((Outcome.FAIL, Outcome.PASS)):
        repository.add_attempt(campaign, make.attempt(outcome=outcome, minutes=minutes))
    outcomes = [attempt.verdict.outcome for attempt in repository.attempts_of("fork_test")]
    assert outcomes == [Outcome.PASS, Outcome.FAIL]


def test_attempts_that_differ_on_one_image_are_unstable(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_target(campaign, make.facts())
    for minutes, outcome in enumerate((Outcome.FAIL, Outcome.PASS)):
        repository.add_attempt(campaign, make.attempt("pty_test", outcome, minutes=minutes))
        repository.add_attempt(campaign, make.attempt("dup_test", Outcome.PASS, minutes=minutes))
    assert [attempt.test for attempt in repository.unstable_attempts()] == ["pty_test", "pty_test"]


def test_a_test_that_a_new_image_fixed_is_not_unstable(repository: Repository, make: Make) -> None:
    for number, outcome in enumerate((Outcome.FAIL, Outcome.PASS)):
        campaign = repository.start_campaign(make.plan(minutes=number))
        repository.add_target(campaign, make.facts(image=f"{number}" * 64))
        repository.add_attempt(campaign, make.attempt(outcome=outcome, minutes=number))
    assert repository.unstable_attempts() == ()


def test_an_image_that_changes_in_a_campaign_belongs_to_the_attempts_after_it(
    repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan())
    for number, image in enumerate(("1" * 64, "1" * 64, "2" * 64)):
        repository.add_target(campaign, make.facts(image=image))
        repository.add_attempt(campaign, make.attempt(minutes=number))
    assert [attempt.fingerprint for attempt in repository.attempts_of("fork_test")] == [
        "2" * 64,
        "1" * 64,
        "1" * 64,
    ]


def test_a_failed_boot_is_kept_with_its_log(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    log = Log(kind=LogKind.RAW, port="console", content=b"half a bo")
    repository.add_boot_failure(
        campaign,
        BootFailure(
            target="aarch64", started_at=make.moment(), duration_s=20.0, reason="no prompt", logs=(log,)
        ),
    )
    (failure,) = repository.boot_failures(campaign)
    assert (failure.target, failure.reason) == ("aarch64", "no prompt")
    assert failure.logs[0].path.read_bytes() == b"half a bo"


def test_remaining_cases_are_those_without_an_attempt_in_planned_order(
    repository: Repository, make: Make
) -> None:
    plan = make.plan(("x86_64", "pty_test"), ("aarch64", "fork_test"), ("aarch64", "dup_test"))
    campaign = repository.start_campaign(plan)
    repository.add_attempt(campaign, make.attempt("fork_test"))
    assert repository.remaining_cases(campaign) == (
        Case(target="x86_64", test="pty_test"),
        Case(target="aarch64", test="dup_test"),
    )


def test_a_campaign_under_way_is_not_resumable(repository: Repository, make: Make, tmp_path: Path) -> None:
    repository.start_campaign(make.plan())
    with open_repository(URL, tmp_path / ".parity") as another:
        assert another.resumable_campaign() is None
        with pytest.raises(UsageError, match="still under way"):
            another.resume_campaign(1)


def test_a_campaign_whose_process_went_away_is_resumable(tmp_path: Path, make: Make) -> None:
    with open_repository(URL, tmp_path / ".parity") as gone:
        gone.start_campaign(make.plan())
    with open_repository(URL, tmp_path / ".parity") as repository:
        found = repository.resumable_campaign()
        assert found is not None
        assert found.number == 1


def test_an_interrupted_campaign_is_resumable_and_a_finished_one_is_not(
    repository: Repository, make: Make
) -> None:
    for minutes, state in enumerate((CampaignState.INTERRUPTED, CampaignState.FINISHED)):
        campaign = repository.start_campaign(make.plan(minutes=minutes))
        repository.finish_campaign(campaign, state, make.moment(minutes + 1))
    found = repository.resumable_campaign()
    assert found is not None
    assert found.state is CampaignState.INTERRUPTED
    with pytest.raises(UsageError, match="run 2 is finished"):
        repository.resume_campaign(2)


def test_a_resumed_campaign_runs_again(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.finish_campaign(campaign, CampaignState.INTERRUPTED, make.moment(1))
    repository.resume_campaign(campaign)
    assert repository.campaign(campaign).state is CampaignState.RUNNING
    assert repository.resumable_campaign() is None


def test_an_attempt_of_no_campaign_leaves_no_trace(repository: Repository, make: Make) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        repository.add_attempt(99, make.attempt())
    assert repository.attempts_of("fork_test") == ()


def test_pruning_a_campaign_takes_its_attempts_and_never_gives_its_number_again(
    repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(transcript=b"x"))
    with repository.engine.begin() as connection:
        connection.execute(text("DELETE FROM campaign"))
    assert repository.attempts_of("fork_test") == ()
    assert repository.start_campaign(make.plan()) == campaign + 1


def test_a_case_that_was_planned_several_times_remains_as_often_as_it_was_not_measured(
    repository: Repository, make: Make
) -> None:
    cases = [("aarch64", "fork_test"), ("aarch64", "dup_test")] * 3
    campaign = repository.start_campaign(make.plan(*cases))
    for outcome in (Outcome.FAIL, Outcome.PASS, Outcome.ERROR):
        repository.add_attempt(campaign, make.attempt(outcome=outcome))
    remaining = [case.test for case in repository.remaining_cases(campaign)]
    assert remaining == ["dup_test", "dup_test", "fork_test", "dup_test"]
    assert repository.campaign(campaign).planned == 2


def test_of_an_endless_campaign_every_case_remains(repository: Repository, make: Make) -> None:
    plan = replace(make.plan(("aarch64", "fork_test")), endless=True, stop=StopRule.UNTIL_FAIL, seed=2**40)
    campaign = repository.start_campaign(plan)
    repository.add_attempt(campaign, make.attempt())
    assert repository.remaining_cases(campaign) == plan.cases
    stored = repository.campaign(campaign)
    assert (stored.endless, stored.stop, stored.seed) == (True, StopRule.UNTIL_FAIL, 2**40)


def test_the_expected_duration_is_the_average_of_the_newest_measured_attempts(
    repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan())
    for minutes, seconds in enumerate((100.0, 1.0, 2.0, 3.0)):
        repository.add_attempt(campaign, replace(make.attempt(minutes=minutes), duration_s=seconds))
    unmeasured = make.attempt(outcome=Outcome.ERROR, minutes=9)
    repository.add_attempt(campaign, replace(unmeasured, duration_s=50.0))
    assert repository.expected_durations() == {Case(target="aarch64", test="fork_test"): 2.0}
