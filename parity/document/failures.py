"""Failures, grouped by what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    at_baseline: int = 0
    """How many failures it held at the baseline, over all targets."""

    @property
    def error(self) -> str:
        """The error's name and number."""
        return describe_error(self.error_number)

    @property
    def count(self) -> int:
        """How many failures it holds, over all targets."""
        return sum(map(len, self.tests.values()))

    @property
    def status(self) -> str:
        """How it compares with the baseline, in words."""
        change = self.count - self.at_baseline
        if not self.at_baseline:
            return "new"
        if not self.count:
            return "gone"
        return f"{abs(change)} {'more' if change > 0 else 'fewer'}" if change else "as before"


def describe_error(number: int | None) -> str:
    """Return an error's name and number, such as `ENOSYS (38)`."""
    if number is None:
        return "-"
    name = error_name(number)
    return name if name.startswith("errno") else f"{name} ({number})"


def group_failures(standing: Standing) -> tuple[FailureGroup, ...]:
    """Group what was measured and neither passed nor was skipped; the largest groups of an outcome first.

    Neither Linux nor a test that fails there tells anything about the kernel: both are left out.
    """
    return tuple(sorted(_collect(standing).values(), key=_rank))


def compare_failures(standing: Standing, baseline: Standing) -> tuple[FailureGroup, ...]:
    """Group the failures of today, each with its count at the baseline; those that are gone come last, empty."""
    now, then = _collect(standing), _collect(baseline)
    current = [
        replace(group, at_baseline=then[key].count if key in then else 0) for key, group in now.items()
    ]
    gone = [
        replace(group, tests={}, at_baseline=group.count) for key, group in then.items() if key not in now
    ]
    return (*sorted(current, key=_rank), *sorted(gone, key=lambda group: (-group.at_baseline, _rank(group))))


def _collect(standing: Standing) -> dict[_Key, FailureGroup]:
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
    return {
        key: FailureGroup(
            outcome=key[0],
            error_number=key[1],
            tests={target: tuple(names) for target, names in tests.items()},
            diagnosis=diagnoses[key],
        )
        for key, tests in groups.items()
    }


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
