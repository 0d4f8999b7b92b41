"""What the document is computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parity.planning import Plan

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt, StoredBootFailure
    from parity.campaign import StoredCampaign, TargetFacts
    from parity.standing import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the database holds, as far as the document needs it."""

    scope: Scope
    campaigns: tuple[StoredCampaign, ...]
    """All, the one that started last first."""
    newest: tuple[StoredAttempt, ...]
    first: tuple[StoredAttempt, ...]
    """What each case came to in the first campaign that measured it."""
    before_last: tuple[StoredAttempt, ...]
    """The newest attempts of those before the last campaign."""
    last: tuple[StoredAttempt, ...]
    """All attempts of the last campaign."""
    boot_failures: tuple[StoredBootFailure, ...]
    """Of the last campaign."""
    unstable: tuple[StoredAttempt, ...]
    facts: tuple[TargetFacts, ...]
    plan: Plan = field(default_factory=Plan)
