"""`parity stress`: how often a test fails when it is run again and again, and in which ways."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.attempt import LogKind
from parity.errors import UsageError
from parity.hangs import cause_key, deciding_sentence
from parity.outcome import Outcome
from parity.statistics import failure_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from db.repository import Repository
    from parity.attempt import Attempt, StoredAttempt
    from parity.configuration import Configuration
    from parity.statistics import Rate

STRESS_BOOT_FAILURES_IN_A_ROW: Final = 10
"""A target that boots rarely is what is to be measured; one that never does is given up all the same."""

_NUMBER: Final = re.compile(r"0x[0-9a-f]+|\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b|[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """One attempt that failed, and where what was kept of it is."""

    number: int
    target: str
    test: str
    sentence: str
    logs: tuple[Path, ...]
    """The transcript first."""
    capture: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Attempts that failed in the same way."""

    signature: str
    outcome: Outcome
    attempts: tuple[FailedAttempt, ...]
    targets: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRate:
    """How often one test failed on one target."""

    target: str
    test: str
    rate: Rate
    outcomes: Counter[Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """What a stress run came to."""

    number: int
    cases: tuple[CaseRate, ...]
    total: Rate
    groups: tuple[FailureGroup, ...]
    """The largest first."""
    unmeasured: int
    """Attempts that say nothing about the kernel, and count nowhere else."""
    boots_retried: int
    """Boots that failed and were followed by another one."""


def select_booted(
    configuration: Configuration, targets: Sequence[str], *, named: Sequence[str]
) -> tuple[str, ...]:
    """Return the targets that boot; raise `UsageError` where one was `named` that does not, or none is left."""
    for name in named:
        if configuration.target(name).is_host:
            raise UsageError(f"{name} is the host's own Linux and boots nothing", hint="use --repeat instead")
    booted = tuple(name for name in targets if not configuration.target(name).is_host)
    if not booted:
        raise UsageError("none of the targets boots anything", hint="use --repeat instead of --boots")
    return booted


def read_stress(repository: Repository, number: int) -> Stress:
    """Return what a run's attempts say about how often its tests fail."""
    attempts = repository.campaign_attempts(number)
    measured = [attempt for attempt in attempts if attempt.verdict.outcome.is_measured]
    failed = [attempt for attempt in measured if not attempt.verdict.outcome.is_wanted]
    gave_up = sum(attempt.verdict.outcome is Outcome.BOOT_FAILURE for attempt in failed)
    return Stress(
        number=number,
        cases=_rates(measured),
        total=failure_rate(len(failed), len(measured)),
        groups=tuple(_groups(repository, failed)),
        unmeasured=len(attempts) - len(measured),
        boots_retried=max(0, len(repository.boot_failures(number)) - gave_up),
    )


def failure_signature(attempt: Attempt | StoredAttempt) -> str:
    """Return what attempts that failed in one and the same way share.

    A guest that got no further goes by its cause, a crash by its panic line, anything else by its evidence; numbers
    in these are masked.
    """
    outcome = attempt.verdict.outcome
    if attempt.hang is not None and outcome is not Outcome.CRASH:
        return f"{outcome} | {cause_key(attempt.hang.diagnosis)}"
    evidence = attempt.verdict.evidence[0] if attempt.verdict.evidence else ""
    return f"{outcome} | {mask_numbers(evidence)}"


def mask_numbers(text: str) -> str:
    """Return the text with `#` for every number, addresses and long hexadecimal words included."""
    return _NUMBER.sub("#", text)


def _rates(measured: Iterable[StoredAttempt]) -> tuple[CaseRate, ...]:
    counts: dict[tuple[str, str], Counter[Outcome]] = {}
    for attempt in measured:
        counts.setdefault((attempt.target, attempt.test), Counter())[attempt.verdict.outcome] += 1
    return tuple(
        CaseRate(
            target=target,
            test=test,
            rate=failure_rate(
                sum(count for outcome, count in outcomes.items() if not outcome.is_wanted), outcomes.total()
            ),
            outcomes=outcomes,
        )
        for (target, test), outcomes in sorted(counts.items())
    )


def _groups(repository: Repository, failed: Iterable[StoredAttempt]) -> list[FailureGroup]:
    found: dict[str, list[StoredAttempt]] = {}
    for attempt in failed:
        found.setdefault(failure_signature(attempt), []).append(attempt)
    return [
        FailureGroup(
            signature=signature,
            outcome=attempts[0].verdict.outcome,
            attempts=tuple(_describe(repository, attempt) for attempt in attempts),
            targets=Counter(attempt.target for attempt in attempts),
        )
        for signature, attempts in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _describe(repository: Repository, attempt: StoredAttempt) -> FailedAttempt:
    logs = sorted(repository.logs_of(attempt.id), key=lambda log: log.kind is not LogKind.TRANSCRIPT)
    return FailedAttempt(
        number=attempt.id,
        target=attempt.target,
        test=attempt.test,
        sentence=deciding_sentence(attempt),
        logs=tuple(log.path for log in logs),
        capture=attempt.hang.folder if attempt.hang else None,
    )
