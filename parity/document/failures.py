"""Failures, grouped by what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.diagnosis import Cause
from parity.error_numbers import error_name
from parity.hangs import cause_key
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parity.attempt import StoredAttempt
    from parity.diagnosis import Diagnosis
    from parity.standing import Standing


_Key = tuple[Outcome, int | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Tests that failed in one way."""

    outcome: Outcome
    error_number: int | None
    tests: Mapping[str, tuple[str, ...]]
    """By target."""
    diagnosis: Diagnosis | None = None
    """What the kernel was stuck on, of the first of them, where that was found out."""

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
    groups: dict[_Key, dict[str, list[str]]] = {}
    diagnoses: dict[_Key, Diagnosis | None] = {}
    for target in standing.scope.kernel_targets:
        for row in standing.tests:
            attempt = row.results.get(target)
            if attempt is None or row.faults or not _is_failure(attempt.verdict.outcome):
                continue
            diagnosis = _diagnosis(attempt)
            key = (
                attempt.verdict.outcome,
                attempt.verdict.error_number,
                cause_key(diagnosis) if diagnosis else "",
            )
            diagnoses.setdefault(key, diagnosis)
            groups.setdefault(key, {}).setdefault(target, []).append(row.test)
    listed = [
        FailureGroup(
            outcome=key[0],
            error_number=key[1],
            tests={target: tuple(names) for target, names in tests.items()},
            diagnosis=diagnoses[key],
        )
        for key, tests in groups.items()
    ]
    return tuple(sorted(listed, key=_rank))


def _rank(group: FailureGroup) -> tuple[int, bool, bool, int, int]:
    return (
        list(Outcome).index(group.outcome),
        group.error_number is None,
        group.diagnosis is None,
        -group.count,
        group.error_number or 0,
    )


def _diagnosis(attempt: StoredAttempt) -> Diagnosis | None:
    if attempt.hang is None or attempt.hang.diagnosis.cause is Cause.UNKNOWN:
        return None
    return attempt.hang.diagnosis


def _is_failure(outcome: Outcome) -> bool:
    return outcome.is_measured and not outcome.is_wanted
