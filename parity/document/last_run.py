"""The campaign that started last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.attempt import Isolation
from parity.campaign import CampaignState, Origin
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parity.attempt import StoredAttempt, StoredBootFailure
    from parity.campaign import StoredCampaign
    from parity.document.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The campaign that started last."""

    campaign: StoredCampaign
    counts: tuple[tuple[Outcome, tuple[int, ...]], ...]
    """By outcome, how many tests of each target ended so; in the order of `targets`."""
    targets: tuple[str, ...]
    attempts: int
    retries: int
    """Attempts beyond the first of each test on each target."""
    left: int
    """Planned cases that were not run."""
    boot_failures: tuple[StoredBootFailure, ...]
    isolations: tuple[Isolation, ...]
    """What tests shared with those before them; more than one where targets differ."""

    @property
    def duration(self) -> str | None:
        """How long it took, in words; None where it has not ended, or was imported and nobody knows."""
        if self.campaign.finished_at is None or self.campaign.origin is not Origin.MEASURED:
            return None
        return format_duration((self.campaign.finished_at - self.campaign.started_at).total_seconds())


def build_last_run(history: History) -> LastRun | None:
    """Return what the campaign that started last came to; None where there is none."""
    if not history.campaigns:
        return None
    campaign = history.campaigns[0]
    run = [attempt for attempt in history.last if attempt.verdict.outcome is not Outcome.NOT_RUN]
    final = {(attempt.target, attempt.test): attempt.verdict.outcome for attempt in run}
    seen = {attempt.target for attempt in run} | {failure.target for failure in history.boot_failures}
    targets = tuple(target for target in history.scope.targets if target in seen)
    targets += tuple(sorted(seen - set(targets)))
    counted = Counter((target, outcome) for (target, _), outcome in final.items())
    return LastRun(
        campaign=campaign,
        counts=tuple(
            (outcome, tuple(counted[target, outcome] for target in targets))
            for outcome in Outcome
            if any(counted[target, outcome] for target in targets)
        ),
        targets=targets,
        attempts=len(run),
        retries=len(run) - len(final),
        left=0 if campaign.state is CampaignState.FINISHED else max(0, campaign.planned - len(final)),
        boot_failures=history.boot_failures,
        isolations=_isolations(campaign, run),
    )


def _isolations(campaign: StoredCampaign, run: Iterable[StoredAttempt]) -> tuple[Isolation, ...]:
    found = {attempt.isolation for attempt in run} or {campaign.isolation}
    return tuple(isolation for isolation in Isolation if isolation in found)


def format_duration(seconds: float) -> str:
    """Return a duration in the two units that matter."""
    if seconds < 0.95:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
