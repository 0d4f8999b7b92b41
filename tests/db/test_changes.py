"""How results went on over the campaigns."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import open_repository, queries
from parity.campaign import Case
from parity.errors import UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from db import Repository
    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"


def run(repository: Repository, make: Make, hour: int, *outcomes: Outcome) -> int:
    """Record a campaign that attempts one test so often; return its number."""
    campaign = repository.start_campaign(make.plan(minutes=60 * hour))
    for minutes, outcome in enumerate(outcomes):
        repository.add_attempt(campaign, make.attempt(outcome=outcome, minutes=60 * hour + minutes))
    return campaign


def changes(repository: Repository) -> list[tuple[int, Outcome]]:
    return [(change.campaign, change.outcome) for change in repository.pass_changes()]


def test_a_change_is_an_attempt_that_answers_otherwise_than_the_one_before(
    repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.FAIL)
    run(repository, make, 1, Outcome.HANG, Outcome.PASS)
    run(repository, make, 2, Outcome.PASS)
    run(repository, make, 3, Outcome.CRASH)
    assert changes(repository) == [(1, Outcome.FAIL), (2, Outcome.PASS), (4, Outcome.CRASH)]


def test_what_measured_nothing_changes_nothing(repository: Repository, make: Make) -> None:
    run(repository, make, 0, Outcome.ERROR, Outcome.PASS)
    run(repository, make, 1, Outcome.ERROR, Outcome.NOT_RUN)
    run(repository, make, 2, Outcome.PASS)
    assert changes(repository) == [(1, Outcome.PASS)]


def test_each_test_on_each_target_changes_by_itself(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    for minutes, (target, test) in enumerate([("a", "one"), ("b", "one"), ("a", "two")]):
        repository.add_attempt(campaign, make.attempt(test, target=target, minutes=minutes))
    found = [(change.target, change.test, change.attempt) for change in repository.pass_changes()]
    assert found == [("a", "one", 1), ("b", "one", 2), ("a", "two", 3)]


def test_changes_come_by_time_whatever_was_recorded_first(repository: Repository, make: Make) -> None:
    run(repository, make, 2, Outcome.PASS)
    run(repository, make, 1, Outcome.FAIL)
    assert changes(repository) == [(2, Outcome.FAIL), (1, Outcome.PASS)]


def test_changes_are_read_from_the_index_alone(repository: Repository) -> None:
    statement = queries.pass_changes().compile(repository.engine, compile_kwargs={"literal_binds": True})
    with repository.engine.connect() as connection:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert any("COVERING INDEX ix_attempt_by_test" in line for line in plan), plan


@settings(max_examples=30)
@given(outcomes=st.lists(st.sampled_from(Outcome), max_size=12))
def test_changes_alternate_between_passing_and_not(
    tmp_path_factory: pytest.TempPathFactory, outcomes: list[Outcome]
) -> None:
    from tests.conftest import Make  # noqa: PLC0415 - a fixture would be one for all examples

    with open_repository(URL, tmp_path_factory.mktemp("changes") / ".parity") as repository:
        run(repository, Make(), 0, *outcomes)
        found = [outcome is Outcome.PASS for _, outcome in changes(repository)]
    measured = [outcome is Outcome.PASS for outcome in outcomes if outcome.is_measured]
    expected = measured[:1] + [after for before, after in pairwise(measured) if before is not after]
    assert found == expected


def test_as_of_a_campaign_later_ones_are_left_out(repository: Repository, make: Make) -> None:
    ends = (Outcome.FAIL, Outcome.PASS, Outcome.HANG)
    numbers = [run(repository, make, hour, end) for hour, end in enumerate(ends)]
    for number, end in zip(numbers, ends, strict=True):
        (found,) = repository.attempts_as_of(number)
        assert found.verdict.outcome is end


def test_as_of_a_campaign_what_it_did_not_attempt_is_as_it_was(repository: Repository, make: Make) -> None:
    run(repository, make, 0, Outcome.CRASH)
    later = repository.start_campaign(make.plan(minutes=60))
    repository.add_attempt(later, make.attempt("dup_test", minutes=60))
    found = {attempt.test: attempt.verdict.outcome for attempt in repository.attempts_as_of(later)}
    assert found == {"dup_test": Outcome.PASS, "fork_test": Outcome.CRASH}


def test_as_of_an_old_campaign_that_was_recorded_late_goes_by_when_it_started(
    repository: Repository, make: Make
) -> None:
    run(repository, make, 2, Outcome.PASS)
    old = run(repository, make, 1, Outcome.FAIL)
    (found,) = repository.attempts_as_of(old)
    assert found.verdict.outcome is Outcome.FAIL


def test_as_of_the_newest_campaign_is_the_newest_of_all(repository: Repository, make: Make) -> None:
    last = [run(repository, make, hour, Outcome.PASS, Outcome.NOT_RUN) for hour in range(3)][-1]
    assert repository.attempts_as_of(last) == repository.newest_attempts()


def test_as_of_no_campaign_is_the_callers_mistake(repository: Repository) -> None:
    with pytest.raises(UsageError, match="there is no run 3"):
        repository.attempts_as_of(3)


def test_the_newest_passes_of_a_case_are_timed_as_of_a_campaign(repository: Repository, make: Make) -> None:
    numbers = []
    for hour, (seconds, outcome) in enumerate(
        ((1.0, Outcome.PASS), (9.0, Outcome.FAIL), (2.0, Outcome.PASS))
    ):
        number = repository.start_campaign(make.plan(minutes=60 * hour))
        attempt = make.attempt(outcome=outcome, minutes=60 * hour)
        repository.add_attempt(number, replace(attempt, duration_s=seconds))
        repository.add_attempt(number, replace(attempt, duration_s=7.0, target="x86_64"))
        numbers.append(number)
    case = Case(target="aarch64", test="fork_test")
    assert repository.recent_passes(case, campaign=numbers[2], newest=20) == (2.0, 1.0)
    assert repository.recent_passes(case, campaign=numbers[2], newest=1) == (2.0,)
    assert repository.recent_passes(case, campaign=numbers[1], newest=20) == (1.0,)
