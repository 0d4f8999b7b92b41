"""What the document lists case by case."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.campaign import group_by_case
from parity.hangs import deciding_sentence
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parity.document.history import History
    from parity.standing import Standing, TestStanding


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


def list_skipped(standing: Standing) -> tuple[Skipped, ...]:
    """Return what was skipped, test by test."""
    return tuple(
        Skipped(test=row.test, target=target, reason=deciding_sentence(attempt))
        for row in standing.tests
        for target, attempt in row.results.items()
        if attempt is not None and attempt.verdict.outcome is Outcome.SKIP
    )


def list_unmeasured(standing: Standing) -> dict[str, tuple[str, ...]]:
    """Return by target the tests without a result that says something about the kernel."""
    found = {target: _without_result(standing.tests, target) for target in standing.scope.targets}
    return {target: tests for target, tests in found.items() if tests}


def _without_result(rows: Sequence[TestStanding], target: str) -> tuple[str, ...]:
    return tuple(
        row.test
        for row in rows
        if target in row.results and ((outcome := row.outcome(target)) is None or not outcome.is_measured)
    )


def list_unstable(history: History) -> tuple[Unstable, ...]:
    """Return the tests whose results cannot be relied on."""
    return tuple(
        Unstable(
            target=case.target,
            test=case.test,
            attempts=len(attempts),
            counts=_describe(attempt.verdict.outcome for attempt in attempts),
        )
        for case, attempts in group_by_case(history.unstable).items()
        if case.target in history.scope.targets and case.test in history.scope.tests
    )


def list_passing(standing: Standing) -> dict[str, tuple[str, ...]]:
    """Return by target the tests that pass, in alphabetical order; of Linux, where nearly all do, see `list_others`."""
    return {
        target: tuple(sorted(row.test for row in standing.tests if row.outcome(target) is Outcome.PASS))
        for target in standing.scope.kernel_targets
    }


def list_others(standing: Standing) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return by target that runs on Linux the tests that do not pass there, each with how it ended."""
    return {
        target: tuple(
            (row.test, row.describe(target))
            for row in standing.tests
            if target in row.results and row.outcome(target) is not Outcome.PASS
        )
        for target in standing.scope.targets
        if target in standing.scope.hosts
    }


def _describe(outcomes: Iterable[Outcome]) -> str:
    counts = Counter(outcomes)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
