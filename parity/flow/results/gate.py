"""The gate of a continuous integration: the newest results against the baseline and the expectations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.campaign import Case, group_by_case
from parity.comparison import Pairing, pair_by_time
from parity.flow.results.compare import Side, find_baseline, list_runs, read_side, side_of_run
from parity.flow.results.expectations import read_expectations
from parity.flow.results.status import choose_scope
from parity.gate import GateReport, judge_gate
from parity.outcome import Outcome
from parity.standing import build_standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from db import Repository
    from parity.attempt import StoredAttempt
    from parity.configuration import Configuration
    from parity.expectations import Expectations


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What was held against what, and what came of it."""

    baseline: Side
    now: Side
    report: GateReport


def hold_gate(
    configuration: Configuration,
    repository: Repository,
    *,
    today: date,
    baseline: str | None = None,
    run: int | None = None,
    targets: Sequence[str] = (),
    strict_flaky: bool = False,
) -> Gate:
    """Judge what was known once a run was over (the newest where none is named) against a baseline.

    Without a name, the baseline is the one called `default`; where that is not pinned, each test's first result is.
    Raises `UsageError` where there is no such run or baseline, and `ExpectationError`.
    """
    expectations = read_expectations(configuration)
    then = find_baseline(repository, baseline)
    campaign = list_runs(repository)[0] if run is None else repository.campaign(run)
    now = side_of_run(campaign, "the newest run" if run is None else "")
    scope = choose_scope(configuration, targets=targets)
    before = _read_measured(repository, then)
    pairings = pair_by_time(
        build_standing(scope, before), build_standing(scope, _read_measured(repository, now))
    )
    pairings += _find_gone(pairings, before, then, targets)
    on_image = _read_attempts_on_image(repository, pairings, expectations, campaign.number)
    report = judge_gate(
        pairings,
        expectations,
        on_image,
        today=today,
        strict_flaky=strict_flaky,
    )
    return Gate(baseline=then, now=now, report=report)


def _read_measured(repository: Repository, side: Side) -> tuple[StoredAttempt, ...]:
    """Return one attempt for each case, in place of the harness's own failure what the same run measured before it."""
    attempts = read_side(repository, side)
    failed = {attempt.campaign for attempt in attempts if not attempt.verdict.outcome.is_measured}
    measured = {
        (attempt.campaign, attempt.target, attempt.test): attempt
        for campaign in failed
        for attempt in repository.campaign_attempts(campaign)
        if attempt.verdict.outcome.is_measured
    }
    return tuple(
        attempt
        if attempt.verdict.outcome.is_measured
        else measured.get((attempt.campaign, attempt.target, attempt.test), attempt)
        for attempt in attempts
    )


def _read_attempts_on_image(
    repository: Repository, pairings: Sequence[Pairing], expectations: Expectations, run: int
) -> dict[Case, tuple[StoredAttempt, ...]]:
    """Return, oldest first, what was measured on the image of each newest attempt, of the runs up to this one.

    Only of those for which it matters: what lost its pass, what is expected to fail and passes, and what may be flaky.
    """
    numbers = [campaign.number for campaign in repository.campaigns()]
    up_to = set(numbers[numbers.index(run) :])
    on_image = group_by_case(repository.unstable_attempts())
    mixed = {
        case
        for case, attempts in group_by_case(repository.campaign_attempts(run)).items()
        if _is_mixed(attempts)
    }
    found = {}
    for pairing in pairings:
        case, now = Case.of(pairing), pairing.now
        if now is None:
            continue
        if case in mixed or _lost_its_pass(pairing) or _passes_unexpectedly(pairing, expectations):
            attempts = tuple(reversed(repository.attempts_of(case.test, target=case.target)))
        else:
            attempts = on_image.get(case, ())
        found[case] = tuple(
            attempt
            for attempt in attempts
            if attempt.campaign in up_to
            and attempt.verdict.outcome.is_measured
            and _is_same_image(attempt, now)
        )
    return found


def _is_same_image(attempt: StoredAttempt, now: StoredAttempt) -> bool:
    """Whether both are of one image; where an import does not tell it, a run is taken for one."""
    if now.fingerprint is None:
        return attempt.campaign == now.campaign
    return attempt.fingerprint == now.fingerprint


def _find_gone(
    pairings: Sequence[Pairing], before: Iterable[StoredAttempt], then: Side, targets: Sequence[str]
) -> tuple[Pairing, ...]:
    """Return what the baseline's own run attempted and parity.toml no longer has: nobody gets rid of a test unseen."""
    number = then.campaign.number if then.campaign else None
    known = {Case.of(pairing) for pairing in pairings}
    return tuple(
        Pairing(test=attempt.test, target=attempt.target, then=attempt, now=None)
        for attempt in before
        if attempt.campaign == number
        and (not targets or attempt.target in targets)
        and Case.of(attempt) not in known
    )


def _is_mixed(attempts: Iterable[StoredAttempt]) -> bool:
    measured = [attempt for attempt in attempts if attempt.verdict.outcome.is_measured]
    return len({attempt.verdict.outcome is Outcome.PASS for attempt in measured}) > 1


def _lost_its_pass(pairing: Pairing) -> bool:
    return (
        pairing.then is not None
        and pairing.then.verdict.outcome is Outcome.PASS
        and pairing.now is not None
        and pairing.now.verdict.outcome is not Outcome.PASS
    )


def _passes_unexpectedly(pairing: Pairing, expectations: Expectations) -> bool:
    case = Case.of(pairing)
    return (
        case in expectations.by_case
        and pairing.now is not None
        and pairing.now.verdict.outcome is Outcome.PASS
    )
