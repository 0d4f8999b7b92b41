"""How far the plan's work items are, as the results tell it."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from parity.campaign import Case
from parity.error_numbers import error_number
from parity.planning import WorkState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parity.attempt import StoredAttempt
    from parity.campaign import StoredCampaign
    from parity.document.chronicle import Chronicle
    from parity.planning import Plan, Unblocks, WorkItem
    from parity.standing import Standing

    _Results = Mapping[Case, StoredAttempt | None]


class WorkStatus(StrEnum):
    """How far a work item is."""

    TODO = "to do"
    DOING = "in progress"
    DONE = "done"
    UNSEEN = "not seen"
    """No test that has a result shows what it is about."""

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self in (WorkStatus.TODO, WorkStatus.DOING)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkProgress:
    """A work item and what the results say of it."""

    item: WorkItem
    status: WorkStatus
    tests: tuple[str, ...]
    """All that it unblocks or has unblocked."""
    left: tuple[str, ...]
    """Those that it still has to."""
    done_in: StoredCampaign | None
    """The run in which the last of them came to pass; None where it is not done or was so from the first run on."""

    @property
    def freed(self) -> int:
        """How many tests it no longer has to unblock."""
        return len(self.tests) - len(self.left)


def measure_work(
    plan: Plan, standing: Standing, baseline: Standing, chronicle: Chronicle
) -> tuple[WorkProgress, ...]:
    """Return every work item in the plan's order, each by the port's results, by all kernel targets' without a port.

    Tests that an item names are open until they pass or are skipped for a reason. Those that fail with an error number
    or a cause that it names, now or at the baseline, are open for as long as they fail so.
    """
    now, then = _results(standing), _failures(standing, baseline)
    failing = _failures(standing, standing)
    return tuple(
        _measure(item, standing, now, failing=failing, then=then, chronicle=chronicle) for item in plan.work
    )


def _measure(
    item: WorkItem,
    standing: Standing,
    results: _Results,
    *,
    failing: _Results,
    then: _Results,
    chronicle: Chronicle,
) -> WorkProgress:
    if item.state is not None:
        return WorkProgress(item=item, status=_stated(item.state), tests=(), left=(), done_in=None)
    named = {
        case for case in results if any(fnmatch.fnmatchcase(case.test, name) for name in item.unblocks.tests)
    }
    still = _so_failing(item.unblocks, failing)
    covered = named | still | _so_failing(item.unblocks, then)
    left = still | {case for case in named if not _is_wanted(results[case])}
    status = _status(covered, left)
    return WorkProgress(
        item=item,
        status=status,
        tests=_names(standing, covered),
        left=_names(standing, left),
        done_in=_last_change(covered, chronicle) if status is WorkStatus.DONE else None,
    )


def _stated(state: WorkState) -> WorkStatus:
    match state:
        case WorkState.TODO:
            return WorkStatus.TODO
        case WorkState.DOING:
            return WorkStatus.DOING
        case WorkState.DONE:
            return WorkStatus.DONE
        case _:
            assert_never(state)


def _status(covered: set[Case], left: set[Case]) -> WorkStatus:
    if not covered:
        return WorkStatus.UNSEEN
    if not left:
        return WorkStatus.DONE
    return WorkStatus.DOING if len(left) < len(covered) else WorkStatus.TODO


def _results(standing: Standing) -> _Results:
    """Return the results that work is measured by."""
    scope = standing.scope
    targets = scope.pair[1:] if scope.pair else scope.kernel_targets
    return {
        Case(target=target, test=row.test): row.results[target]
        for row in standing.tests
        for target in targets
        if target in row.results
    }


def _failures(now: Standing, standing: Standing) -> _Results:
    """Return the failures in a standing, without those of tests that are wrong themselves, as is known now."""
    faulty = {row.test for row in now.test_faults}
    return {
        case: attempt
        for case, attempt in _results(standing).items()
        if attempt is not None
        and case.test not in faulty
        and attempt.verdict.outcome.is_measured
        and not attempt.verdict.outcome.is_wanted
    }


def _is_wanted(attempt: StoredAttempt | None) -> bool:
    return attempt is not None and attempt.verdict.outcome.is_wanted


def _so_failing(unblocks: Unblocks, failures: _Results) -> set[Case]:
    """Return the failures with an error number or a cause that is named."""
    numbers = {error_number(name) for name in unblocks.errors} - {None}
    causes = [tuple(name.split(maxsplit=1)) for name in unblocks.causes]
    return {
        case
        for case, attempt in failures.items()
        if attempt is not None
        and (attempt.verdict.error_number in numbers or any(_has_cause(attempt, *cause) for cause in causes))
    }


def _has_cause(attempt: StoredAttempt, cause: str, subject: str = "") -> bool:
    if attempt.hang is None or attempt.hang.diagnosis.cause != cause:
        return False
    return not subject or attempt.hang.diagnosis.subject == subject


def _names(standing: Standing, cases: set[Case]) -> tuple[str, ...]:
    tests = {case.test for case in cases}
    return tuple(row.test for row in standing.tests if row.test in tests)


def _last_change(cases: Iterable[Case], chronicle: Chronicle) -> StoredCampaign | None:
    found = [chronicle.changed_in[case] for case in cases if case in chronicle.changed_in]
    return max(found, key=lambda run: (run.started_at, run.number), default=None)
