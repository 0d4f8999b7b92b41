"""How one test fared over all runs: since when, until when, and whether it can be relied on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Final

from parity.flow.results.attempts import read_attempts
from parity.outcome import Outcome
from parity.statistics import Rate, failure_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db import Repository
    from parity.attempt import StoredAttempt
    from parity.campaign import StoredCampaign
    from parity.configuration import Configuration

SYMBOLS: Final = {
    Outcome.PASS: ".",
    Outcome.FAIL: "F",
    Outcome.CRASH: "C",
    Outcome.HANG: "H",
    Outcome.TIMEOUT: "T",
    Outcome.SKIP: "s",
    Outcome.BOOT_FAILURE: "B",
    Outcome.BUILD_FAILURE: "b",
    Outcome.ERROR: "e",
    Outcome.NOT_RUN: "-",
}
"""One character an outcome, for lines of many."""

_LONGEST_LINE: Final = 80
_MOST_STRETCHES: Final = 100


class State(StrEnum):
    """What a measured attempt says of a test."""

    PASSES = "passes"
    FAILS = "fails"
    IS_SKIPPED = "is skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Successive measured attempts that all say the same."""

    state: State
    first: StoredAttempt
    last: StoredAttempt
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHistory:
    """How a test fared on one target."""

    target: str
    attempts: int
    """All that were recorded, measured or not."""
    stretches: tuple[Stretch, ...]
    """Of the measured attempts, oldest first; the newest hundred."""
    line: str
    """The newest outcomes of all attempts as `SYMBOLS`, the newest last."""
    image_rate: Rate
    """How often it failed on the image that was booted last."""
    flaky_images: int
    """On how many images it both passed and did not."""
    is_flaky: bool
    """Whether the image that was booted last is one of them."""

    @property
    def now(self) -> Stretch | None:
        """What it does now, and since when; None where it was never measured."""
        return self.stretches[-1] if self.stretches else None

    def newest(self, state: State) -> Stretch | None:
        """Return the newest stretch of a state, among those that are known."""
        return next((found for found in reversed(self.stretches) if found.state is state), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestHistory:
    """How a test fared everywhere."""

    __test__ = False  # no test class, whatever pytest thinks of the name

    test: str
    targets: tuple[TargetHistory, ...]
    """In the order of parity.toml, those that it no longer has last."""
    campaigns: dict[int, StoredCampaign]
    """By number."""


def read_test_history(
    configuration: Configuration, repository: Repository, test: str, *, target: str | None = None
) -> TestHistory:
    """Return a test's history on a target, or on all; raise `UnknownNameError` and `UsageError` as `read_attempts`."""
    attempts = read_attempts(configuration, repository, test, target=target)
    by_target: dict[str, list[StoredAttempt]] = {}
    for attempt in reversed(attempts):
        by_target.setdefault(attempt.target, []).append(attempt)
    listed = [name for name in configuration.targets if name in by_target]
    others = sorted(set(by_target) - set(listed))
    return TestHistory(
        test=test,
        targets=tuple(build_target_history(by_target[name]) for name in (*listed, *others)),
        campaigns={campaign.number: campaign for campaign in repository.campaigns()},
    )


def build_target_history(attempts: Sequence[StoredAttempt]) -> TargetHistory:
    """Return the history of one test on one target from at least one attempt, oldest first."""
    measured = [attempt for attempt in attempts if attempt.verdict.outcome.is_measured]
    images: dict[str, list[bool]] = {}
    for attempt in measured:
        if attempt.fingerprint is not None:
            images.setdefault(attempt.fingerprint, []).append(attempt.verdict.outcome is Outcome.PASS)
    newest = next((found.fingerprint for found in reversed(measured) if found.fingerprint), None)
    passes = images.get(newest, []) if newest else []
    return TargetHistory(
        target=attempts[0].target,
        attempts=len(attempts),
        stretches=_stretches(measured)[-_MOST_STRETCHES:],
        line="".join(SYMBOLS[attempt.verdict.outcome] for attempt in attempts[-_LONGEST_LINE:]),
        image_rate=failure_rate(passes.count(False), len(passes)),
        flaky_images=sum(len(set(found)) > 1 for found in images.values()),
        is_flaky=len(set(passes)) > 1,
    )


def _stretches(measured: Sequence[StoredAttempt]) -> tuple[Stretch, ...]:
    found = []
    for state, group in groupby(measured, key=_state):
        attempts = list(group)
        found.append(Stretch(state=state, first=attempts[0], last=attempts[-1], attempts=len(attempts)))
    return tuple(found)


def _state(attempt: StoredAttempt) -> State:
    outcome = attempt.verdict.outcome
    if outcome is Outcome.PASS:
        return State.PASSES
    return State.IS_SKIPPED if outcome is Outcome.SKIP else State.FAILS
