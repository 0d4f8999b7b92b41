"""What to do next, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.campaign import CampaignState

if TYPE_CHECKING:
    from parity.document.cases import Unstable
    from parity.document.chronicle import CaseGroup
    from parity.document.last_run import LastRun
    from parity.document.queue import Blocker
    from parity.document.work import WorkProgress

_MOST_BLOCKERS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What there is to do, kind by kind, in the order in which it is best done."""

    resume: bool
    """The last run was not finished."""
    regressions: tuple[CaseGroup, ...]
    work: tuple[WorkProgress, ...]
    """Open items of the plan, by priority."""
    unplanned: tuple[Blocker, ...]
    """What blocks most tests, without those that an open item covers whole."""
    unstable: tuple[Unstable, ...]
    unmeasured: int
    """Cases without a result."""

    def __bool__(self) -> bool:
        return bool(
            self.resume or self.regressions or self.work or self.unplanned or self.unstable or self.unmeasured
        )


def choose_actions(
    *,
    last_run: LastRun | None,
    regressions: tuple[CaseGroup, ...],
    work: tuple[WorkProgress, ...],
    queue: tuple[Blocker, ...],
    unstable: tuple[Unstable, ...],
    unmeasured: int,
) -> Actions:
    """Put together what the other sections leave to do."""
    open_items = tuple(progress for progress in work if progress.status.is_open)
    planned = {test for progress in open_items for test in progress.left}
    unplanned = [
        blocker for blocker in queue if blocker.is_explained and not planned.issuperset(blocker.tests)
    ]
    stopped = last_run is not None and last_run.campaign.state in (
        CampaignState.INTERRUPTED,
        CampaignState.FAILED,
    )
    return Actions(
        resume=stopped,
        regressions=regressions,
        work=open_items,
        unplanned=tuple(unplanned[:_MOST_BLOCKERS]),
        unstable=unstable,
        unmeasured=unmeasured,
    )
