"""What `arm64-parity.md` says, as records: built from what the database holds, by nothing but computation.

templates/arm64-parity.md.j2 has the words. No clock, no file, no SQL in here: the same history gives the same
document, byte for byte.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.campaign import CampaignState
from parity.error_numbers import error_name
from parity.outcome import Outcome, PairState
from parity.standing import Rate, Scope, Standing, TestStanding, build_standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parity.attempt import StoredAttempt, StoredBootFailure
    from parity.campaign import StoredCampaign, TargetFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the database holds, as far as the document needs it."""

    scope: Scope
    campaigns: tuple[StoredCampaign, ...]
    """All, the one that started last first."""
    newest: tuple[StoredAttempt, ...]
    first: tuple[StoredAttempt, ...]
    """What each case came to in the first campaign that measured it."""
    before_last: tuple[StoredAttempt, ...]
    """The newest attempts of those before the last campaign."""
    last: tuple[StoredAttempt, ...]
    """All attempts of the last campaign."""
    boot_failures: tuple[StoredBootFailure, ...]
    """Of the last campaign."""
    unstable: tuple[StoredAttempt, ...]
    facts: tuple[TargetFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProgress:
    """One target's pass rate, then and now."""

    target: str
    role: str
    """`port`, `reference` or nothing."""
    baseline: Rate | None
    """None where it was never measured."""
    now: Rate

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
class LastRun:
    """The campaign that started last."""

    campaign: StoredCampaign
    counts: tuple[tuple[Outcome, tuple[int, ...]], ...]
    """By outcome, how many tests of each target ended so; in the order of `targets`."""
    targets: tuple[str, ...]
    attempts: int
    retries: int
    """Attempts beyond the first of each test on each target."""
    left: int
    """Planned cases that were not run."""
    boot_failures: tuple[StoredBootFailure, ...]

    @property
    def duration(self) -> str | None:
        """How long it took, in words; None where it has not ended."""
        if self.campaign.finished_at is None:
            return None
        return format_duration((self.campaign.finished_at - self.campaign.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Tests that failed in one way."""

    outcome: Outcome
    error_number: int | None
    tests: Mapping[str, tuple[str, ...]]
    """By target."""

    @property
    def error(self) -> str:
        """The error's name and number."""
        if self.error_number is None:
            return "-"
        name = error_name(self.error_number)
        return name if name.startswith("errno") else f"{name} ({self.error_number})"

    @property
    def count(self) -> int:
        """How many failures it holds, over all targets."""
        return sum(map(len, self.tests.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstable:
    """A test whose attempts on one image both passed and did not."""

    target: str
    test: str
    attempts: int
    counts: str
    """Such as `1 hang, 3 pass`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A test that did not want to run, and why."""

    test: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that the page says."""

    scope: Scope
    standing: Standing
    progress: tuple[TargetProgress, ...]
    baseline_runs: tuple[StoredCampaign, ...]
    """The campaigns in which the baseline's results were measured, the first one first."""
    last_run: LastRun | None
    since_baseline: tuple[TargetChanges, ...]
    since_before: tuple[TargetChanges, ...] | None
    """Against the results before the last run; None where there were none."""
    pair_counts: Mapping[PairState, int]
    failures: tuple[FailureGroup, ...]
    skipped: tuple[Skipped, ...]
    unmeasured: Mapping[str, tuple[str, ...]]
    """By target, tests that have no result that says something about the kernel."""
    unstable: tuple[Unstable, ...]
    passing: Mapping[str, tuple[str, ...]]
    facts: tuple[TargetFacts, ...]

    @property
    def title(self) -> str:
        """The page's heading."""
        pair = self.scope.pair
        if pair is None:
            return f"{self.scope.kernel}: test results"
        return f"{self.scope.kernel}: {pair[1]} parity with {pair[0]}"

    @property
    def leading_errors(self) -> tuple[FailureGroup, ...]:
        """The named errors behind more than one failure of the port (of any target where there is no port)."""
        groups = [group for group in self.failures if group.error_number is not None]
        return tuple(group for group in groups if self.weight(group) > 1)[:3]

    def weight(self, group: FailureGroup) -> int:
        """How many failures of the port a group explains; of all targets where there is no port."""
        pair = self.scope.pair
        return group.count if pair is None else len(group.tests.get(pair[1], ()))


def build_document(history: History) -> Document:
    """Compute the page from the history."""
    scope = history.scope
    standing = build_standing(scope, history.newest)
    baseline = build_standing(scope, history.first)
    before = build_standing(scope, history.before_last)
    return Document(
        scope=scope,
        standing=standing,
        progress=_progress(standing, baseline),
        baseline_runs=_baseline_runs(history, baseline),
        last_run=_last_run(history),
        since_baseline=_changes(standing, baseline),
        since_before=_changes(standing, before) if before.is_measured else None,
        pair_counts=Counter(row.pair for row in standing.tests if row.pair is not None),
        failures=_group_failures(standing),
        skipped=_skipped(standing),
        unmeasured=_unmeasured(standing),
        unstable=_unstable(history),
        passing={target: _passing(standing, target) for target in scope.targets},
        facts=_facts(history),
    )


def format_duration(seconds: float) -> str:
    """Return a duration in the two units that matter."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _progress(standing: Standing, baseline: Standing) -> tuple[TargetProgress, ...]:
    scope = standing.scope
    pair = scope.pair or ("", "")
    roles = {pair[1]: "port", pair[0]: "reference"}
    return tuple(
        TargetProgress(
            target=target,
            role=roles.get(target, ""),
            baseline=baseline.rate(target) if _was_run(baseline, target) else None,
            now=standing.rate(target),
        )
        for target in scope.targets
    )


def _was_run(standing: Standing, target: str) -> bool:
    return any(row.outcome(target) for row in standing.tests)


def _baseline_runs(history: History, baseline: Standing) -> tuple[StoredCampaign, ...]:
    numbers = {
        attempt.campaign for row in baseline.tests for attempt in row.results.values() if attempt is not None
    }
    return tuple(campaign for campaign in reversed(history.campaigns) if campaign.number in numbers)


def _last_run(history: History) -> LastRun | None:
    if not history.campaigns:
        return None
    campaign = history.campaigns[0]
    run = [attempt for attempt in history.last if attempt.verdict.outcome is not Outcome.NOT_RUN]
    final = {(attempt.target, attempt.test): attempt.verdict.outcome for attempt in run}
    seen = {attempt.target for attempt in run} | {failure.target for failure in history.boot_failures}
    targets = tuple(target for target in history.scope.targets if target in seen)
    targets += tuple(sorted(seen - set(targets)))
    counted = Counter((target, outcome) for (target, _), outcome in final.items())
    return LastRun(
        campaign=campaign,
        counts=tuple(
            (outcome, tuple(counted[target, outcome] for target in targets))
            for outcome in Outcome
            if any(counted[target, outcome] for target in targets)
        ),
        targets=targets,
        attempts=len(run),
        retries=len(run) - len(final),
        left=0 if campaign.state is CampaignState.FINISHED else max(0, campaign.planned - len(final)),
        boot_failures=history.boot_failures,
    )


def _changes(now: Standing, then: Standing) -> tuple[TargetChanges, ...]:
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


def _group_failures(standing: Standing) -> tuple[FailureGroup, ...]:
    """Group what was measured and neither passed nor was skipped; the largest groups of an outcome first."""
    groups: dict[tuple[Outcome, int | None], dict[str, list[str]]] = {}
    for target in standing.scope.targets:
        for row in standing.tests:
            attempt = row.results.get(target)
            if (
                attempt is None
                or attempt.verdict.outcome.is_wanted
                or not attempt.verdict.outcome.is_measured
            ):
                continue
            key = attempt.verdict.outcome, attempt.verdict.error_number
            groups.setdefault(key, {}).setdefault(target, []).append(row.test)
    listed = [
        FailureGroup(
            outcome=outcome,
            error_number=error_number,
            tests={target: tuple(names) for target, names in tests.items()},
        )
        for (outcome, error_number), tests in groups.items()
    ]
    order = list(Outcome)
    return tuple(
        sorted(
            listed,
            key=lambda group: (
                order.index(group.outcome),
                group.error_number is None,
                -group.count,
                group.error_number or 0,
            ),
        )
    )


def _skipped(standing: Standing) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(test=row.test, target=target, reason=evidence_line(attempt))
        for row in standing.tests
        for target, attempt in row.results.items()
        if attempt is not None and attempt.verdict.outcome is Outcome.SKIP
    )


def _unmeasured(standing: Standing) -> dict[str, tuple[str, ...]]:
    found = {target: _without_result(standing.tests, target) for target in standing.scope.targets}
    return {target: tests for target, tests in found.items() if tests}


def _without_result(rows: Sequence[TestStanding], target: str) -> tuple[str, ...]:
    return tuple(
        row.test
        for row in rows
        if target in row.results and ((outcome := row.outcome(target)) is None or not outcome.is_measured)
    )


def _unstable(history: History) -> tuple[Unstable, ...]:
    cases: dict[tuple[str, str], list[Outcome]] = {}
    for attempt in history.unstable:
        cases.setdefault((attempt.target, attempt.test), []).append(attempt.verdict.outcome)
    return tuple(
        Unstable(target=target, test=test, attempts=len(outcomes), counts=_describe(outcomes))
        for (target, test), outcomes in cases.items()
        if target in history.scope.targets and test in history.scope.tests
    )


def _describe(outcomes: Iterable[Outcome]) -> str:
    counts = Counter(outcomes)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])


def _passing(standing: Standing, target: str) -> tuple[str, ...]:
    return tuple(sorted(row.test for row in standing.tests if row.outcome(target) is Outcome.PASS))


def _facts(history: History) -> tuple[TargetFacts, ...]:
    by_target = {facts.target: facts for facts in history.facts}
    return tuple(by_target[target] for target in history.scope.targets if target in by_target)


def evidence_line(attempt: StoredAttempt | None) -> str:
    """Return the sentence that decided an attempt's outcome; nothing where there is no attempt."""
    return attempt.verdict.evidence[0] if attempt is not None and attempt.verdict.evidence else ""
