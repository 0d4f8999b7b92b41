"""One run with all that other programs may want of it: attempts, what was before, the ends of transcripts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from parity.campaign import Case, group_by_case
from parity.errors import UsageError
from parity.flow.results.attempts import read_tail
from parity.flow.results.expectations import read_expectations
from parity.flow.results.status import choose_scope
from parity.interchange.results import CaseResult, RunResults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from db import Repository
    from parity.attempt import StoredAttempt
    from parity.campaign import StoredCampaign
    from parity.configuration import Configuration
    from parity.expectations import Expectations

TRANSCRIPT_LINES: Final = 40
_LINE_CHARACTERS: Final = 500
_MOST_TRANSCRIPTS: Final = 2000
"""Attempts whose transcript is read; a kernel that never boots fails more often, and always in the same way."""


def read_results(
    configuration: Configuration, repository: Repository, number: int | None = None
) -> RunResults:
    """Return a run, the newest one where no number is given; raise `UsageError` where there is none."""
    campaigns = repository.campaigns()
    run = repository.campaign(number) if number is not None else next(iter(campaigns), None)
    if run is None:
        raise UsageError("nothing was run yet: there are no results", hint="start with: parity run")
    attempts = repository.campaign_attempts(run.number)
    before = _run_before(campaigns, run)
    unwanted = [attempt for attempt in attempts if not attempt.verdict.outcome.is_wanted]
    return RunResults(
        run=run,
        before=before,
        facts={facts.target: facts for facts in repository.campaign_facts(run.number)},
        cases=_arrange(
            configuration,
            attempts,
            repository.newest_attempts(before=run.started_at) if before is not None else (),
            read_expectations(configuration),
        ),
        unreached=_unreached(repository, run, attempts),
        reported={total.target: total for total in repository.reported_totals().get(run.number, ())},
        transcripts={
            attempt.id: tuple(line[:_LINE_CHARACTERS] for line in tail)
            for attempt in unwanted[:_MOST_TRANSCRIPTS]
            if (tail := read_tail(repository, attempt, lines=TRANSCRIPT_LINES))
        },
    )


def _run_before(campaigns: Sequence[StoredCampaign], run: StoredCampaign) -> StoredCampaign | None:
    """Return the newest run that started before another; `campaigns` are the newest first."""
    return next((other for other in campaigns if other.started_at < run.started_at), None)


def _unreached(
    repository: Repository, run: StoredCampaign, attempts: Iterable[StoredAttempt]
) -> tuple[Case, ...]:
    """Return what was planned and has no attempt; nothing of a run that has no end."""
    if run.endless:
        return ()
    reached = {Case.of(attempt) for attempt in attempts}
    return tuple(
        case for case in dict.fromkeys(repository.remaining_cases(run.number)) if case not in reached
    )


def _arrange(
    configuration: Configuration,
    attempts: Iterable[StoredAttempt],
    before: Iterable[StoredAttempt],
    expectations: Expectations,
) -> tuple[CaseResult, ...]:
    """Return the cases, the targets in reading order and the tests as listed; what is not listed comes last."""
    found = group_by_case(attempts)
    earlier = {Case.of(attempt): attempt for attempt in before}
    targets = {name: place for place, name in enumerate(choose_scope(configuration).targets)}
    tests = {name: place for place, name in enumerate(configuration.tests)}

    def place(case: Case) -> tuple[int, str, int, str]:
        return (
            targets.get(case.target, len(targets)),
            case.target,
            tests.get(case.test, len(tests)),
            case.test,
        )

    made = []
    for case in sorted(found, key=place):
        result = CaseResult(
            target=case.target, test=case.test, attempts=found[case], before=earlier.get(case)
        )
        entry = expectations.covering(result.worst)
        made.append(result if entry is None else replace(result, expected=entry.reason))
    return tuple(made)
