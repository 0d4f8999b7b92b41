"""The page as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.document.cases import (
    Skipped,
    Unstable,
    list_others,
    list_passing,
    list_skipped,
    list_unmeasured,
    list_unstable,
)
from parity.document.failures import FailureGroup, group_failures
from parity.document.hangs import Hangs, find_hangs
from parity.document.last_run import LastRun, build_last_run
from parity.document.progress import (
    TargetChanges,
    TargetProgress,
    find_baseline_runs,
    find_changes,
    measure_progress,
)
from parity.standing import Scope, Standing, build_standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parity.campaign import StoredCampaign, TargetFacts
    from parity.document.history import History
    from parity.outcome import PairState


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
        progress=measure_progress(standing, baseline),
        baseline_runs=find_baseline_runs(history, baseline),
        last_run=build_last_run(history),
        since_baseline=find_changes(standing, baseline),
        since_before=find_changes(standing, before) if before.is_measured else None,
        pair_counts=Counter(row.pair for row in standing.tests if row.pair is not None),
        failures=group_failures(standing),
        hangs=find_hangs(standing),
        skipped=list_skipped(standing),
        unmeasured=list_unmeasured(standing),
        unstable=list_unstable(history),
        passing=list_passing(standing),
        others_on_linux=list_others(standing),
        facts=_facts(history),
    )


def _facts(history: History) -> tuple[TargetFacts, ...]:
    by_target = {facts.target: facts for facts in history.facts}
    return tuple(by_target[target] for target in history.scope.targets if target in by_target)
