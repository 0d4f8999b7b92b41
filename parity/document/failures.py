"""Failures, grouped by what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.error_numbers import error_name
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parity.standing import Standing


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


def group_failures(standing: Standing) -> tuple[FailureGroup, ...]:
    """Group what was measured and neither passed nor was skipped; the largest groups of an outcome first.

    Neither Linux nor a test that fails there tells anything about the kernel: both are left out.
    """
    groups: dict[tuple[Outcome, int | None], dict[str, list[str]]] = {}
    for target in standing.scope.kernel_targets:
        for row in standing.tests:
            attempt = row.results.get(target)
            if attempt is None or row.faults or not _is_failure(attempt.verdict.outcome):
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


def _is_failure(outcome: Outcome) -> bool:
    return outcome.is_measured and not outcome.is_wanted
