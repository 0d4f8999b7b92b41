"""Pass rates then and now, and what changed between two standings."""

from __future__ import annotations

from dataclasses import dataclass
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
    rows: tuple[tuple[str, int, int, int], ...]
    """Each outcome that occurs, with its counts at the baseline, before the last run, and now."""


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
    """Return the campaigns in which the baseline's results were measured, the first one first."""
    numbers = {
        attempt.campaign for row in baseline.tests for attempt in row.results.values() if attempt is not None
    }
    return tuple(campaign for campaign in reversed(history.campaigns) if campaign.number in numbers)


def find_reported_totals(history: History, runs: Sequence[StoredCampaign]) -> dict[str, Rate]:
    """Return by target what the page that the baseline was imported from says it came to.

    Where no run is pinned as the baseline, that is the first one of its runs.
    """
    first = history.pinned.campaign if history.pinned else runs[0].number if runs else None
    totals = history.reported.get(first, ()) if first is not None else ()
    return {total.target: reported_rate(total) for total in totals}


def count_outcomes(now: Standing, before: Standing, baseline: Standing) -> tuple[OutcomeCounts, ...]:
    """Count how the tests of each kernel target stand, stood before the last run, and stood at the baseline."""
    words = [*map(str, Outcome), "never run"]
    found = []
    for target in now.scope.kernel_targets:
        if _was_run(now, target):
            rows = [
                (
                    word,
                    _count(baseline, target, word),
                    _count(before, target, word),
                    _count(now, target, word),
                )
                for word in words
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


def _count(standing: Standing, target: str, word: str) -> int:
    return sum(target in row.results and row.describe(target) == word for row in standing.tests)


def _was_run(standing: Standing, target: str) -> bool:
    return any(row.outcome(target) for row in standing.tests)
