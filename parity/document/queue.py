"""What stands in the way of most tests: blockers, and what mending them one after another could come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.document.failures import describe_error
from parity.hangs import cause_key
from parity.outcome import PairState
from parity.standing import Rate

if TYPE_CHECKING:
    from parity.diagnosis import Diagnosis
    from parity.document.failures import FailureGroup
    from parity.outcome import Outcome
    from parity.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """One thing that keeps tests from passing."""

    outcome: Outcome
    """Of the first of them."""
    error_number: int | None
    diagnosis: Diagnosis | None
    tests: tuple[str, ...]
    gaps: int
    """How many of them pass on the reference."""
    cumulative: int
    """Tests of this blocker and all before it."""
    rate: Rate
    """What the target could come to at most, once this one and all before it are mended."""

    @property
    def error(self) -> str:
        """The error's name and number."""
        return describe_error(self.error_number)

    @property
    def is_explained(self) -> bool:
        """Whether anything says that its tests fail for one reason."""
        return self.error_number is not None or self.diagnosis is not None


def queue_blockers(
    standing: Standing, failures: tuple[FailureGroup, ...], target: str
) -> tuple[Blocker, ...]:
    """Return what blocks tests on a target, what unblocks most of them first, what nobody can explain last.

    Failures that have a diagnosis or an error number in common are one blocker, however the attempts ended.
    """
    found: dict[tuple[object, ...], list[FailureGroup]] = {}
    for group in failures:
        if target in group.tests:
            found.setdefault(_key(group), []).append(group)
    gaps = {row.test for row in standing.in_state(PairState.GAP)}
    order = {row.test: place for place, row in enumerate(standing.tests)}
    merged = [
        (groups[0], sorted((test for group in groups for test in group.tests[target]), key=order.__getitem__))
        for groups in found.values()
    ]
    merged.sort(key=lambda pair: (not _is_explained(pair[0]), -len(pair[1]), order[pair[1][0]]))
    now, cumulative, blockers = standing.rate(target), 0, []
    for group, tests in merged:
        cumulative += len(tests)
        blockers.append(
            Blocker(
                outcome=group.outcome,
                error_number=group.error_number if group.diagnosis is None else None,
                diagnosis=group.diagnosis,
                tests=tuple(tests),
                gaps=sum(test in gaps for test in tests),
                cumulative=cumulative,
                rate=Rate(passed=now.passed + cumulative, total=now.total, measured=now.measured),
            )
        )
    return tuple(blockers)


def _key(group: FailureGroup) -> tuple[object, ...]:
    if group.diagnosis is not None:
        return "hang", cause_key(group.diagnosis)
    if group.error_number is not None:
        return "error", group.error_number
    return "outcome", group.outcome


def _is_explained(group: FailureGroup) -> bool:
    return group.diagnosis is not None or group.error_number is not None
