"""Standings without a database: rows and attempts in which only what a test is about has to be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation, StoredAttempt, Verdict
from parity.diagnosis import Cause, Confidence, Diagnosis, Hang
from parity.outcome import Outcome
from parity.standing import Scope, Standing, build_standing

if TYPE_CHECKING:
    from parity.campaign import Case

NOON: Final = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def attempt(
    test: str = "fork_test",
    outcome: Outcome = Outcome.PASS,
    *,
    target: str = "aarch64",
    number: int = 1,
    run: int = 1,
    evidence: str = "the test said so",
    error_number: int | None = None,
    signal: int | None = None,
    exit_status: int | None = None,
    minutes: float = 0,
    duration_s: float = 1.25,
    image: str | None = "ab" * 32,
    cause: Cause | None = None,
) -> StoredAttempt:
    """Return a stored attempt; with a cause it has a hang of it."""
    return StoredAttempt(
        id=number,
        campaign=run,
        target=target,
        test=test,
        verdict=Verdict(
            outcome=outcome,
            evidence=(evidence,),
            error_number=error_number,
            signal=signal,
            exit_status=exit_status,
        ),
        nonce="n0nce",
        isolation=Isolation.BOOT,
        started_at=NOON + timedelta(minutes=minutes),
        duration_s=duration_s,
        boot_s=None,
        fingerprint=image,
        hang=None if cause is None else _hang(cause),
    )


def standing(
    *attempts: StoredAttempt, excluded: tuple[Case, ...] = (), tests: tuple[str, ...] = ()
) -> Standing:
    """Return how the attempts' tests (or those named) stand on x86_64, the reference, and aarch64, the port."""
    named = tests or tuple(dict.fromkeys(found.test for found in attempts))
    scope = Scope(
        kernel="duet",
        tests=named,
        targets=("x86_64", "aarch64"),
        excluded=frozenset(excluded),
        reference="x86_64",
        port="aarch64",
    )
    return build_standing(scope, attempts)


def _hang(cause: Cause) -> Hang:
    diagnosis = Diagnosis(
        cause=cause,
        confidence=Confidence.HIGH,
        sentence=f"CPU 1 is stuck: {cause}",
        subject="root_lock",
        frames=("root_fs", "sys_open"),
    )
    return Hang(folder=Path("captures/1"), diagnosis=diagnosis, pause_s=0.1, took_s=1.0)
