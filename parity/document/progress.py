"""Pass rates then and now, and what changed between two standings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from parity.document.chronicle import reported_rate
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parity.attempt import StoredAttempt
    from parity.campaign import StoredCampaign
    from parity.document.history import History
    from parity.standing import Rate, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProgress:
    """One target's pass rate, then and now."""

    target: str
    role: str
    """`port`, `reference`, `Linux` or nothing."""
    baseline: Rate | None
    """None where it was never measured."""
    now: Rate
    has_goal: bool
    """Whether the goal is about this target."""

    @property
    def change(self) -> str:
        """What the target gained since the baseline, in words."""
        if self.baseline is None or not self.baseline.total:
            return "-"
        tests = self.now.passed - self.baseline.passed
        if tests == 0:
            return "none"
        points = 100 * tests / self.now.total
        return f"{tests:+d} {'test' if abs(tests) == 1 else 'tests'} ({points:+.1f} points)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChanges:
    """What one target gained and lost."""

    target: str
    gained: tuple[str, ...]
    """Tests that pass and did not."""
    lost: tuple[StoredAttempt, ...]
    """The newest attempts of tests that passed and do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """How many tests of one target stand how."""

    target: str
    rows: tuple[tuple[str, int | None, int | None, int], ...]
    """Each outcome that occurs, with its counts at the baseline, before the last run, and now; None where an imported
    page tells how many passed and nothing else."""


def measure_progress(
    standing: Standing, baseline: Standing, reported: Mapping[str, Rate]
) -> tuple[TargetProgress, ...]:
    """Return every target's pass rates, in reading order; `reported` are totals that an imported baseline came with."""
    scope = standing.scope
    roles = dict.fromkeys(scope.hosts, "Linux")
    if scope.pair is not None:
        roles |= {scope.pair[0]: "reference", scope.pair[1]: "port"}
    return tuple(
        TargetProgress(
            target=target,
            role=roles.get(target, ""),
            baseline=reported.get(target) or (baseline.rate(target) if _was_run(baseline, target) else None),
            now=standing.rate(target),
            has_goal=target == scope.pair[1] if scope.pair else target not in scope.hosts,
        )
        for target in scope.targets
    )


def find_baseline_runs(history: History, baseline: Standing) -> tuple[StoredCampaign, ...]:
    """Return the campaigns that the baseline's results are of, the first one first.

    Where none is pinned, a page that reports totals is one of them if it is older than every result.
    """
    numbers = {
        attempt.campaign for row in baseline.tests for attempt in row.results.values() if attempt is not None
    }
    oldest_first = tuple(reversed(history.campaigns))
    if history.pinned is None:
        known = (
            run.number for run in oldest_first if run.number in numbers or run.number in history.reported
        )
        numbers |= set(islice(known, 1))
    return tuple(campaign for campaign in oldest_first if campaign.number in numbers)


def find_reported_totals(history: History, runs: Sequence[StoredCampaign]) -> dict[str, Rate]:
    """Return by target what the page that the baseline was imported from says it came to.

    Where no run is pinned as the baseline, that is the first one of its runs.
    """
    first = history.pinned.campaign if history.pinned else runs[0].number if runs else None
    return _reported(history, first)


def count_outcomes(
    history: History, now: Standing, before: Standing, baseline: Standing, reported: Mapping[str, Rate]
) -> tuple[OutcomeCounts, ...]:
    """Count how the tests of each kernel target stand, stood before the last run, and stood at the baseline."""
    earlier = _reported(history, history.campaigns[1].number if len(history.campaigns) > 1 else None)
    found = []
    for target in now.scope.kernel_targets:
        if _was_run(now, target):
            rows = [
                (
                    word,
                    _count(baseline, target, word, reported),
                    _count(before, target, word, earlier),
                    _count(now, target, word, {}) or 0,
                )
                for word in (*map(str, Outcome), "never run")
            ]
            found.append(OutcomeCounts(target=target, rows=tuple(row for row in rows if any(row[1:]))))
    return tuple(found)


def find_changes(now: Standing, then: Standing) -> tuple[TargetChanges, ...]:
    """Compare two standings of one scope; a test that had no result then has not changed."""
    found = []
    for target in now.scope.targets:
        gained, lost = [], []
        for row, earlier in zip(now.tests, then.tests, strict=True):
            was, attempt = earlier.outcome(target), row.results.get(target)
            if was is None or attempt is None:
                continue
            passes = attempt.verdict.outcome is Outcome.PASS
            if passes and was is not Outcome.PASS:
                gained.append(row.test)
            elif not passes and was is Outcome.PASS:
                lost.append(attempt)
        if gained or lost:
            found.append(TargetChanges(target=target, gained=tuple(gained), lost=tuple(lost)))
    return tuple(found)


def _reported(history: History, campaign: int | None) -> dict[str, Rate]:
    totals = history.reported.get(campaign, ()) if campaign is not None else ()
    return {total.target: reported_rate(total) for total in totals}


def _count(standing: Standing, target: str, word: str, reported: Mapping[str, Rate]) -> int | None:
    if target in reported:
        return reported[target].passed if word == Outcome.PASS else None
    return sum(target in row.results and row.describe(target) == word for row in standing.tests)


def _was_run(standing: Standing, target: str) -> bool:
    return any(row.outcome(target) for row in standing.tests)
