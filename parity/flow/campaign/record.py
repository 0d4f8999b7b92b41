"""What a campaign has come to so far, stored as it happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parity.campaign import CampaignState, Case, StopRule
from parity.flow.campaign.work import Finished, TargetLost

if TYPE_CHECKING:
    from db.repository import Repository
    from parity.attempt import Attempt
    from parity.flow.campaign.interrupt import Interrupt
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.work import Event


class Record:
    """Puts what happened into the database, and remembers it for the summary."""

    def __init__(self, repository: Repository, number: int, order: Order) -> None:
        self._repository = repository
        self._number = number
        self._order = order
        self.attempts: list[Attempt] = []
        self.lost: list[TargetLost] = []

    def keep(self, event: Event) -> None:
        """Store what a worker reports."""
        match event:
            case Finished(report=report):
                for failure in report.boot_failures:
                    self._repository.add_boot_failure(self._number, failure)
                self._repository.add_attempt(self._number, report.attempt)
                self.attempts.append(replace(report.attempt, logs=()))
            case TargetLost():
                self.lost.append(event)
            case _:
                pass

    @property
    def left(self) -> int:
        """How many planned attempts were not made; of an endless campaign, how many cases were not attempted."""
        if self._order.endless:
            return len(set(self._order.cases) - {Case.of(attempt) for attempt in self.attempts})
        return max(0, len(self._order.cases) - len(self.attempts))

    @property
    def stopped(self) -> bool:
        """Whether the stop rule ended it early."""
        unwanted = any(not attempt.verdict.outcome.is_wanted for attempt in self.attempts)
        return unwanted and self._order.stop is not StopRule.NEVER and (self._order.endless or self.left > 0)

    def state(self, interrupt: Interrupt) -> CampaignState:
        """Return how the campaign ended."""
        if interrupt.signal is not None:
            return CampaignState.INTERRUPTED
        if self.lost:
            return CampaignState.FAILED
        found = self.stopped and self._order.stop is StopRule.UNTIL_FAIL
        return CampaignState.INTERRUPTED if self.left and not found else CampaignState.FINISHED
