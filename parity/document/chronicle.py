"""Run after run: which tests began to pass in each, which ceased to, and how many passed once it was over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parity.campaign import Case
from parity.outcome import Outcome
from parity.standing import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parity.campaign import PassChange, ReportedTotal, StoredCampaign
    from parity.document.history import History
    from parity.standing import Scope, Standing

    ByTarget = Mapping[str, tuple[str, ...]]
    """Tests by target, both in reading order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanges:
    """One run, and what it changed; what it measured for the first time is no change."""

    campaign: StoredCampaign
    gained: ByTarget
    lost: ByTarget
    rates: Mapping[str, Rate]
    """By target that had a result by then: the newest result of each test at that time, or what an imported page says
    it came to."""

    @property
    def is_quiet(self) -> bool:
        """Whether it changed nothing."""
        return not (self.gained or self.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseGroup:
    """Cases that one run changed for good."""

    campaign: StoredCampaign
    tests: ByTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronicle:
    """All runs, and the last change of each test."""

    runs: tuple[RunChanges, ...]
    """The first one first."""
    fixed: tuple[CaseGroup, ...]
    """Tests that pass and did not always, by the run since which they do; the newest run first."""
    regressions: tuple[CaseGroup, ...]
    """Tests that passed once and do not, by the run since which they do not; the newest run first."""
    changed_in: Mapping[Case, StoredCampaign]
    """The run that last changed whether a case passes; no entry where it was always so."""


def write_chronicle(history: History, standing: Standing) -> Chronicle:
    """Walk through the runs in the order in which they started, up to how the tests stand now.

    What was not measured (the harness failed) changes nothing on the way; at the end the newest attempt counts.
    """
    by_run: dict[int, list[PassChange]] = {}
    for change in history.changes:
        by_run.setdefault(change.campaign, []).append(change)
    walk = _Walk(history.scope)
    runs = [
        walk.take(run, by_run.get(run.number, ()), history.reported.get(run.number, ()))
        for run in reversed(history.campaigns)
    ]
    if runs and runs[-1].campaign.number not in history.reported:
        runs[-1] = replace(runs[-1], rates={target: standing.rate(target) for target in runs[-1].rates})
    now = {
        Case(target=target, test=row.test)
        for row in standing.tests
        for target in row.results
        if row.outcome(target) is Outcome.PASS
    }
    passing = {case: run for case, run in walk.changed_in.items() if case in now}
    failing = {case: run for case, run in walk.changed_in.items() if not walk.passes[case]}
    return Chronicle(
        runs=tuple(runs),
        fixed=_group(history.scope, passing),
        regressions=_group(history.scope, failing),
        changed_in=walk.changed_in,
    )


class _Walk:
    """What is known after each run, while walking through them."""

    def __init__(self, scope: Scope) -> None:
        self.passes: dict[Case, bool] = {}
        self.changed_in: dict[Case, StoredCampaign] = {}
        self._scope = scope
        self._cases = frozenset(
            case
            for target in scope.targets
            for test in scope.tests
            if (case := Case(target=target, test=test)) not in scope.excluded
        )
        self._totals = Counter(case.target for case in self._cases)
        self._passed: Counter[str] = Counter()
        self._measured: Counter[str] = Counter()

    def take(
        self, campaign: StoredCampaign, changes: Iterable[PassChange], reported: Iterable[ReportedTotal]
    ) -> RunChanges:
        """Take the next run."""
        before: dict[Case, bool | None] = {}
        for change in changes:
            case = Case.of(change)
            if case in self._cases:
                before.setdefault(case, self.passes.get(case))
                self.passes[case] = change.outcome is Outcome.PASS
        for case, was in before.items():
            self._passed[case.target] += self.passes[case] - bool(was)
            self._measured[case.target] += was is None
        gained = [case for case, was in before.items() if was is False and self.passes[case]]
        lost = [case for case, was in before.items() if was and not self.passes[case]]
        self.changed_in |= dict.fromkeys((*gained, *lost), campaign)
        return RunChanges(
            campaign=campaign,
            gained=_by_target(self._scope, gained),
            lost=_by_target(self._scope, lost),
            rates=self._rates() | {total.target: reported_rate(total) for total in reported},
        )

    def _rates(self) -> dict[str, Rate]:
        return {
            target: Rate(
                passed=self._passed[target], total=self._totals[target], measured=self._measured[target]
            )
            for target in self._scope.targets
            if self._measured[target]
        }


def reported_rate(total: ReportedTotal) -> Rate:
    """Return what an imported page says that a run came to on a target."""
    return Rate(passed=total.passed, total=total.total, measured=total.total)


def _by_target(scope: Scope, cases: Iterable[Case]) -> ByTarget:
    cases = frozenset(cases)
    if not cases:
        return {}
    found = {
        target: tuple(test for test in scope.tests if Case(target=target, test=test) in cases)
        for target in scope.targets
    }
    return {target: tests for target, tests in found.items() if tests}


def _group(scope: Scope, cases: Mapping[Case, StoredCampaign]) -> tuple[CaseGroup, ...]:
    runs = {run.number: run for run in cases.values()}
    newest_first = sorted(runs.values(), key=lambda run: (run.started_at, run.number), reverse=True)
    return tuple(
        CaseGroup(
            campaign=run,
            tests=_by_target(scope, (case for case, since in cases.items() if since.number == run.number)),
        )
        for run in newest_first
    )
