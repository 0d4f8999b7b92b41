from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.campaign import CampaignState, Case
from parity.errors import UsageError
from parity.flow.exchange.export_results import TRANSCRIPT_LINES, read_results
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db import Repository
    from parity.attempt import Attempt
    from parity.configuration import Configuration
    from tests.conftest import Make
    from tests.flow.conftest import Past

PASS = (Outcome.PASS, "passed", None)
FAIL = (Outcome.FAIL, "errno 38", 38)


@pytest.fixture
def configuration(configure: Callable[..., Configuration]) -> Configuration:
    return configure("dup_test", "fork_test", "pty_test")


def test_cases_come_in_reading_order_with_what_was_before(configuration: Configuration, past: Past) -> None:
    past.run(0, {("aarch64", "fork_test"): PASS})
    past.run(1, {("aarch64", "fork_test"): FAIL, ("aarch64", "dup_test"): PASS, ("x86_64", "dup_test"): PASS})
    results = read_results(configuration, past.repository)
    told = [(case.target, case.test, case.before and case.before.verdict.outcome) for case in results.cases]
    assert told == [
        ("x86_64", "dup_test", None),
        ("aarch64", "dup_test", None),
        ("aarch64", "fork_test", Outcome.PASS),
    ]
    assert results.before is not None


def test_an_older_run_is_compared_with_what_was_before_it(configuration: Configuration, past: Past) -> None:
    first = past.run(0, {("aarch64", "fork_test"): PASS})
    past.run(1, {("aarch64", "fork_test"): FAIL})
    results = read_results(configuration, past.repository, first)
    assert (results.run.number, results.before, results.cases[0].before) == (first, None, None)


def test_every_attempt_of_a_case_is_there(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    campaign = repository.start_campaign(make.plan(("aarch64", "dup_test")))
    for outcome in (Outcome.FAIL, Outcome.PASS):
        repository.add_attempt(campaign, make.attempt("dup_test", outcome))
    (case,) = read_results(configuration, repository).cases
    assert [attempt.verdict.outcome for attempt in case.attempts] == [Outcome.FAIL, Outcome.PASS]
    assert (case.is_mixed, case.worst.verdict.outcome) == (True, Outcome.FAIL)


def test_what_was_planned_and_never_attempted_is_there(configuration: Configuration, past: Past) -> None:
    past.run(0, {("aarch64", "dup_test"): PASS}, planned=2, state=CampaignState.INTERRUPTED)
    assert read_results(configuration, past.repository).unreached == (
        Case(target="aarch64", test="unreached_0"),
    )


def test_the_end_of_a_failure_s_transcript_is_there(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    def attempt(test: str, outcome: Outcome) -> Attempt:
        text = "".join(f"line {number}\n" for number in range(100)) + "last\x1b[2J\n"
        return make.attempt(test, outcome, transcript=text.encode())

    campaign = repository.start_campaign(make.plan())
    number = repository.add_attempt(campaign, attempt("dup_test", Outcome.FAIL))
    repository.add_attempt(campaign, attempt("pty_test", Outcome.PASS))
    transcripts = read_results(configuration, repository).transcripts
    assert list(transcripts) == [number]
    assert len(transcripts[number]) == TRANSCRIPT_LINES
    assert transcripts[number][-1] == "last\\x1b[2J"


def test_a_failure_that_is_expected_says_why(
    configuration: Configuration, past: Past, tmp_path: Path
) -> None:
    past.run(0, {("aarch64", "dup_test"): FAIL, ("aarch64", "fork_test"): FAIL})
    (tmp_path / "expectations.toml").write_text(
        '[[expect]]\ntest = "dup_test"\ntarget = "aarch64"\noutcome = "fail"\nreason = "not yet"\n'
    )
    cases = read_results(configuration, past.repository).cases
    assert [case.expected for case in cases] == ["not yet", ""]


def test_a_run_that_is_not_there_is_an_error(configuration: Configuration, past: Past) -> None:
    past.run(0, {("aarch64", "dup_test"): PASS})
    with pytest.raises(UsageError, match="there is no run 9"):
        read_results(configuration, past.repository, 9)


def test_no_run_at_all_says_how_to_begin(configuration: Configuration, repository: Repository) -> None:
    with pytest.raises(UsageError, match="nothing was run yet"):
        read_results(configuration, repository)
