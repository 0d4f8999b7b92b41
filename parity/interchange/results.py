"""What goes out and what comes in: a run with all its attempts, and results as a file tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parity.attempt import StoredAttempt
    from parity.campaign import Case, ReportedTotal, StoredCampaign, TargetFacts
    from parity.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One test on one target in a run."""

    target: str
    test: str
    attempts: tuple[StoredAttempt, ...]
    """At least one, the oldest first."""
    before: StoredAttempt | None = None
    """The newest attempt of earlier runs."""
    expected: str = ""
    """Why it is expected to fail, where it is."""

    @property
    def newest(self) -> StoredAttempt:
        """The attempt that `parity status` goes by."""
        return self.attempts[-1]

    @property
    def worst(self) -> StoredAttempt:
        """The newest attempt that was not wanted; the newest one where all were."""
        unwanted = [attempt for attempt in self.attempts if not attempt.verdict.outcome.is_wanted]
        return (unwanted or self.attempts)[-1]

    @property
    def is_mixed(self) -> bool:
        """Whether some attempts were wanted and some not."""
        return len({attempt.verdict.outcome.is_wanted for attempt in self.attempts}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults:
    """One run as it is exported."""

    run: StoredCampaign
    before: StoredCampaign | None
    """The run that started before it, where there is one."""
    facts: Mapping[str, TargetFacts]
    """By target, the newest of the run."""
    cases: tuple[CaseResult, ...]
    """By target, then in the order in which parity.toml lists the tests."""
    unreached: tuple[Case, ...]
    """What was planned and never attempted, in the order of the plan."""
    reported: Mapping[str, ReportedTotal]
    """By target, what an imported page says that the run came to."""
    transcripts: Mapping[int, tuple[str, ...]]
    """By attempt that was not wanted, the last lines of what was judged; already printable."""

    def unreached_on(self, target: str) -> tuple[str, ...]:
        """Return the tests that were planned on a target and never attempted."""
        return tuple(case.test for case in self.unreached if case.target == target)

    @property
    def by_target(self) -> Mapping[str, tuple[CaseResult, ...]]:
        """The cases of each target; none for one on which tests were only planned."""
        targets = (*(case.target for case in self.cases), *(case.target for case in self.unreached))
        found: dict[str, list[CaseResult]] = {target: [] for target in targets}
        for case in self.cases:
            found[case.target].append(case)
        return {target: tuple(cases) for target, cases in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundResult:
    """One attempt as a file tells it."""

    suite: str
    """What it stands below: the suite, or the outermost subtest; empty where nothing."""
    name: str
    outcome: Outcome
    evidence: tuple[str, ...]
    """Sentences, printable."""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundResults:
    """Everything that a file of results tells, in its order."""

    results: tuple[FoundResult, ...]
    started_at: datetime | None = None
    """When the first suite began, where the file says so."""
    warnings: tuple[str, ...] = ()
    """What is missing or odd in it, printable."""
