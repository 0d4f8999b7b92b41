"""What a campaign is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.campaign import BOOT_FAILURES_IN_A_ROW, StopRule

if TYPE_CHECKING:
    from parity.attempt import Isolation
    from parity.campaign import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asked for."""

    cases: tuple[Case, ...]
    """One that is to be attempted several times is in it as often."""
    isolation: Isolation
    jobs: int | None = None
    timeout_s: float | None = None
    build: bool = True
    arguments: tuple[str, ...] = ()
    always_inspect: bool = False
    """Look into every guest that does not end well, whatever the configuration says."""
    resumed: int | None = None
    """The number of the campaign that is gone on with."""
    seed: int | None = None
    """Shuffles the order; without one it is that of the expected durations."""
    stop: StopRule = StopRule.NEVER
    endless: bool = False
    """Repeat the cases until the stop rule ends it."""
    boot_retries: int | None = None
    """How often a boot that failed is tried again, instead of as configured."""
    boot_failures_in_a_row: int = BOOT_FAILURES_IN_A_ROW
    """So many tests without a boot, and a target is given up."""

    @property
    def measures_rates(self) -> bool:
        """Whether it is a stress run: it wants to know how often boots fail, and is more patient with them."""
        return self.boot_failures_in_a_row != BOOT_FAILURES_IN_A_ROW

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets, in the cases' order."""
        return tuple(dict.fromkeys(case.target for case in self.cases))

    def tests_of(self, target: str) -> tuple[str, ...]:
        """The tests that are to run on a target, in order, each once."""
        return tuple(dict.fromkeys(case.test for case in self.cases if case.target == target))
