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
    from parity.campaign import FailureKind, StoredCampaign
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
    plan: Plan, standing: Standing, kinds: Iterable[FailureKind], chronicle: Chronicle
) -> tuple[WorkProgress, ...]:
    """Return every work item in the plan's order, each by the port's results, by all kernel targets' without a port.

    Tests that an item names are open until they pass or are skipped for a reason. Those that ever failed with an error
    number or a cause that it names (`kinds`) are open for as long as they fail so.
    """
    results, failing = _results(standing), _failures(standing)
    past = [kind for kind in kinds if Case.of(kind) in results]
    return tuple(
        _measure(item, standing, results, failing=failing, past=past, chronicle=chronicle)
        for item in plan.work
    )


def named_failures(plan: Plan) -> tuple[frozenset[int], frozenset[str]]:
    """Return the error numbers and the causes of hangs that work items name."""
    named = [item.unblocks for item in plan.work]
    numbers = {error_number(name) for unblocks in named for name in unblocks.errors}
    return (
        frozenset(number for number in numbers if number is not None),
        frozenset(name.split()[0] for unblocks in named for name in unblocks.causes),
    )


def _measure(
    item: WorkItem,
    standing: Standing,
    results: _Results,
    *,
    failing: Iterable[StoredAttempt],
    past: Iterable[FailureKind],
    chronicle: Chronicle,
) -> WorkProgress:
    if item.state is not None:
        return WorkProgress(item=item, status=_stated(item.state), tests=(), left=(), done_in=None)
    named = {
        case for case in results if any(fnmatch.fnmatchcase(case.test, name) for name in item.unblocks.tests)
    }
    still = {Case.of(attempt) for attempt in failing if _is_named(item.unblocks, *_kind(attempt))}
    once = {
        Case.of(kind)
        for kind in past
        if _is_named(item.unblocks, kind.error_number, kind.cause, kind.subject)
    }
    covered = named | still | once
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


def _failures(standing: Standing) -> list[StoredAttempt]:
    """Return the newest attempts that failed, without those of tests that are wrong themselves."""
    faulty = {row.test for row in standing.test_faults}
    return [
        attempt
        for attempt in _results(standing).values()
        if attempt is not None
        and attempt.test not in faulty
        and attempt.verdict.outcome.is_measured
        and not attempt.verdict.outcome.is_wanted
    ]


def _is_wanted(attempt: StoredAttempt | None) -> bool:
    return attempt is not None and attempt.verdict.outcome.is_wanted


def _kind(attempt: StoredAttempt) -> tuple[int | None, str, str]:
    """Return an attempt's error number, and its hang's cause and subject."""
    diagnosis = attempt.hang.diagnosis if attempt.hang is not None else None
    return (
        attempt.verdict.error_number,
        diagnosis.cause.value if diagnosis else "",
        diagnosis.subject if diagnosis else "",
    )


def _is_named(unblocks: Unblocks, number: int | None, cause: str, subject: str) -> bool:
    """Whether a failure is one of those that an item is about."""
    if number is not None and number in {error_number(name) for name in unblocks.errors}:
        return True
    return bool(cause) and any(
        name.split() in ([cause], [cause, *subject.split()]) for name in unblocks.causes
    )


def _names(standing: Standing, cases: set[Case]) -> tuple[str, ...]:
    tests = {case.test for case in cases}
    return tuple(row.test for row in standing.tests if row.test in tests)


def _last_change(cases: Iterable[Case], chronicle: Chronicle) -> StoredCampaign | None:
    found = [chronicle.changed_in[case] for case in cases if case in chronicle.changed_in]
    return max(found, key=lambda run: (run.started_at, run.number), default=None)
