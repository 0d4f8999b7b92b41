"""What the document is computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parity.planning import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parity.attempt import StoredAttempt, StoredBootFailure
    from parity.campaign import Baseline, FailureKind, PassChange, ReportedTotal, StoredCampaign, TargetFacts
    from parity.document.matrix import Counted
    from parity.document.tracing import TraceFacts
    from parity.standing import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the database holds, as far as the document needs it."""

    scope: Scope
    campaigns: tuple[StoredCampaign, ...]
    """All, the one that started last first."""
    newest: tuple[StoredAttempt, ...]
    baseline: tuple[StoredAttempt, ...]
    """What each case is compared with: how it stood after the run that is pinned, else its first result."""
    pinned: Baseline | None
    """What says so, where a run is pinned."""
    before_last: tuple[StoredAttempt, ...]
    """The newest attempts of those before the last campaign."""
    last: tuple[StoredAttempt, ...]
    """All attempts of the last campaign."""
    boot_failures: tuple[StoredBootFailure, ...]
    """Of the last campaign."""
    unstable: tuple[StoredAttempt, ...]
    facts: tuple[TargetFacts, ...]
    changes: tuple[PassChange, ...] = ()
    """By time."""
    reported: Mapping[int, tuple[ReportedTotal, ...]] = field(default_factory=dict)
    """By campaign, what imported pages say that it came to."""
    plan: Plan = field(default_factory=Plan)
    kinds: tuple[FailureKind, ...] = ()
    """How cases ever failed, as far as the plan asks for it."""
    matrix: tuple[Counted, ...] = ()
    traces: tuple[TraceFacts, ...] = ()
