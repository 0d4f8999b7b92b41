"""What the kernel got stuck on, cause by cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.diagnosis import Cause
from parity.hangs import count_blocked, group_hangs

if TYPE_CHECKING:
    from parity.hangs import HangGroup
    from parity.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangs:
    """The newest attempts that have a capture, grouped by what they prove."""

    groups: tuple[HangGroup, ...]
    """All of them, real hangs first, the largest group of them first."""

    @property
    def blocking(self) -> tuple[HangGroup, ...]:
        """What would never have got on."""
        return tuple(group for group in self.groups if group.cause.is_hang)

    @property
    def spared(self) -> tuple[HangGroup, ...]:
        """What was no hang: too slow, or no fault of the guest's."""
        return tuple(
            group for group in self.groups if not group.cause.is_hang and group.cause is not Cause.UNKNOWN
        )

    @property
    def unknown(self) -> tuple[HangGroup, ...]:
        """What nobody could explain."""
        return tuple(group for group in self.groups if group.cause is Cause.UNKNOWN)

    @property
    def headlines(self) -> tuple[str, ...]:
        """By target, how many causes block how many tests."""
        return count_blocked(self.groups)


def find_hangs(standing: Standing) -> Hangs:
    """Group what has a capture and failed; a test that fails on Linux too is left out, as among the failures."""
    attempts = (
        row.results.get(target)
        for target in standing.scope.kernel_targets
        for row in standing.tests
        if not row.faults
    )
    return Hangs(
        groups=group_hangs(
            attempt for attempt in attempts if attempt is not None and not attempt.verdict.outcome.is_wanted
        )
    )
