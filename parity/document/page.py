"""The page as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.document.actions import Actions, choose_actions
from parity.document.cases import (
    Skipped,
    Unstable,
    list_others,
    list_passing,
    list_skipped,
    list_unmeasured,
    list_unstable,
)
from parity.document.chronicle import CaseGroup, Chronicle, write_chronicle
from parity.document.failures import FailureGroup, compare_failures, group_failures
from parity.document.hangs import Hangs, find_hangs
from parity.document.last_run import LastRun, build_last_run
from parity.document.progress import (
    OutcomeCounts,
    TargetChanges,
    TargetProgress,
    count_outcomes,
    find_baseline_runs,
    find_changes,
    find_reported_totals,
    measure_progress,
)
from parity.document.queue import Blocker, queue_blockers
from parity.document.session_log import SessionLog, write_log
from parity.document.times import TimeComparison, compare_times
from parity.document.trend import Trend, find_trend
from parity.document.work import WorkProgress, measure_work
from parity.outcome import Outcome
from parity.standing import Scope, Standing, build_standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parity.campaign import Baseline, StoredCampaign, TargetFacts
    from parity.document.history import History
    from parity.document.matrix import Counted
    from parity.document.tracing import TraceFacts
    from parity.outcome import PairState
    from parity.planning import Plan
    from parity.standing import Rate, TestStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that the page says."""

    scope: Scope
    standing: Standing
    progress: tuple[TargetProgress, ...]
    baseline_runs: tuple[StoredCampaign, ...]
    """The campaigns in which the baseline's results were measured, the first one first."""
    pinned: Baseline | None
    """What is pinned as the baseline; None where that is the first results."""
    pinned_run: StoredCampaign | None
    unlisted: tuple[tuple[str, Rate, int], ...]
    """By target, what the imported baseline says it came to, and how many passes it names, where those differ."""
    chronicle: Chronicle
    trend: Trend | None
    last_run: LastRun | None
    outcomes: tuple[OutcomeCounts, ...]
    since_baseline: tuple[TargetChanges, ...]
    since_before: tuple[TargetChanges, ...] | None
    """Against the results before the last run; None where there were none."""
    pair_counts: Mapping[PairState, int]
    failures: tuple[FailureGroup, ...]
    """Today's, then those of the baseline that are gone."""
    subject: str
    """The target that the queue is about: the port, or the only one."""
    queue: tuple[Blocker, ...]
    hangs: Hangs
    skipped: tuple[Skipped, ...]
    unmeasured: Mapping[str, tuple[str, ...]]
    """By target, tests that have no result that says something about the kernel."""
    unstable: tuple[Unstable, ...]
    passing: Mapping[str, tuple[str, ...]]
    """By target, without those on Linux."""
    others_on_linux: Mapping[str, tuple[tuple[str, str], ...]]
    """By target on Linux, the tests that do not pass there, and how they ended."""
    facts: tuple[TargetFacts, ...]
    plan: Plan
    work: tuple[WorkProgress, ...]
    matrix: tuple[Counted, ...]
    times: TimeComparison | None
    traces: tuple[TraceFacts, ...]
    actions: Actions
    log: SessionLog

    @property
    def title(self) -> str:
        """The page's heading."""
        pair = self.scope.pair
        if pair is None:
            return f"{self.scope.kernel}: test results"
        return f"{self.scope.kernel}: {pair[1]} parity with {pair[0]}"

    @property
    def leading_errors(self) -> tuple[Blocker, ...]:
        """The named errors behind more than one failure of the subject."""
        return tuple(
            blocker for blocker in self.queue if blocker.error_number is not None and len(blocker.tests) > 1
        )[:3]

    @property
    def key_fixes(self) -> tuple[CaseGroup, ...]:
        """The runs since which most tests of the subject pass that did not always, the greatest first."""
        groups = [group for group in self.chronicle.fixed if self.subject in group.tests]
        return tuple(sorted(groups, key=lambda group: -len(group.tests[self.subject]))[:3])

    @property
    def regressed(self) -> int:
        """How many results once were passes and no longer are."""
        return sum(len(tests) for group in self.chronicle.regressions for tests in group.tests.values())

    def row(self, test: str) -> TestStanding:
        """Return how a test stands."""
        return next(row for row in self.standing.tests if row.test == test)

    def planned_as(self, blocker: Blocker) -> tuple[str, ...]:
        """Return the open work items that unblock tests of a blocker."""
        tests = frozenset(blocker.tests)
        return tuple(
            work.item.id for work in self.work if work.status.is_open and not tests.isdisjoint(work.left)
        )


def build_document(history: History) -> Document:
    """Compute the page from the history."""
    scope = history.scope
    standing = build_standing(scope, history.newest)
    baseline = build_standing(scope, history.baseline)
    before = build_standing(scope, history.before_last)
    runs = find_baseline_runs(history, baseline)
    reported = find_reported_totals(history, runs)
    chronicle = write_chronicle(history, standing)
    subject = scope.pair[1] if scope.pair else next(iter(scope.kernel_targets), "")
    queue = queue_blockers(standing, group_failures(standing), subject) if subject else ()
    work = measure_work(history.plan, standing, history.kinds, chronicle)
    last_run = build_last_run(history)
    unstable, unmeasured = list_unstable(history), list_unmeasured(standing)
    return Document(
        scope=scope,
        standing=standing,
        progress=measure_progress(standing, baseline, reported),
        baseline_runs=runs,
        pinned=history.pinned,
        pinned_run=_pinned_run(history),
        unlisted=tuple(
            (target, rate, listed)
            for target, rate in reported.items()
            if target in scope.targets
            and (listed := _count_passes(baseline, target, _baseline_run(history, runs))) != rate.passed
        ),
        chronicle=chronicle,
        trend=find_trend(scope, chronicle),
        last_run=last_run,
        outcomes=count_outcomes(history, standing, before, baseline, reported),
        since_baseline=find_changes(standing, baseline),
        since_before=find_changes(standing, before) if before.is_measured else None,
        pair_counts=Counter(row.pair for row in standing.tests if row.pair is not None),
        failures=compare_failures(standing, baseline),
        subject=subject,
        queue=queue,
        hangs=find_hangs(standing),
        skipped=list_skipped(standing),
        unmeasured=unmeasured,
        unstable=unstable,
        passing=list_passing(standing),
        others_on_linux=list_others(standing),
        facts=_facts(history),
        plan=history.plan,
        work=work,
        matrix=history.matrix,
        times=compare_times(standing),
        traces=history.traces,
        actions=choose_actions(
            last_run=last_run,
            regressions=chronicle.regressions,
            work=work,
            queue=queue,
            unstable=unstable,
            unmeasured=sum(len(tests) for target, tests in unmeasured.items() if target not in scope.hosts),
        ),
        log=write_log(history.plan, chronicle),
    )


def _baseline_run(history: History, runs: Sequence[StoredCampaign]) -> int:
    return history.pinned.campaign if history.pinned else runs[0].number


def _count_passes(standing: Standing, target: str, campaign: int) -> int:
    attempts = (row.results.get(target) for row in standing.tests)
    return sum(
        attempt is not None and attempt.campaign == campaign and attempt.verdict.outcome is Outcome.PASS
        for attempt in attempts
    )


def _pinned_run(history: History) -> StoredCampaign | None:
    if history.pinned is None:
        return None
    return next(run for run in history.campaigns if run.number == history.pinned.campaign)


def _facts(history: History) -> tuple[TargetFacts, ...]:
    by_target = {facts.target: facts for facts in history.facts}
    return tuple(by_target[target] for target in history.scope.targets if target in by_target)
