"""What is known of one execution of one test on one target, once it is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from parity.diagnosis import Hang
    from parity.outcome import Outcome


class Isolation(StrEnum):
    """What a test shares with those before it."""

    SNAPSHOT = "snapshot"
    """Nothing but the boot: the machine is put back to its first prompt before every test."""
    BOOT = "boot"
    """Nothing: a fresh QEMU for every test."""
    SHARED = "shared"
    """One boot for many tests, nothing restored between them."""
    PROCESS = "process"
    """A process of its own on the host, in namespaces of its own where the host allows them."""
    UNKNOWN = "unknown"
    """Not known: the result was imported."""


class LogKind(StrEnum):
    """What a stored file of an attempt holds."""

    RAW = "raw"
    """The bytes of one serial port as they arrived."""
    TRANSCRIPT = "transcript"
    """What was judged: decoded, free of escape sequences and of the echo of typed commands."""
    STDERR = "stderr"
    """QEMU's own words."""
    OBSERVATION = "observation"
    """How the wait ended, as JSON: with the transcripts, all that a judgement needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One file's worth of output, kept whole."""

    kind: LogKind
    port: str
    """The serial port's name; `qemu` for QEMU's own words."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome and what it rests on."""

    outcome: Outcome
    evidence: tuple[str, ...]
    """Sentences, the deciding one first; guest text in them is already printable."""
    exit_status: int | None = None
    """The test's own process's, as the kernel or its shell reported it."""
    signal: int | None = None
    """The signal that ended it, where it was one."""
    error_number: int | None = None
    """The last error number that the test named in its failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One execution of one test on one target."""

    target: str
    test: str
    verdict: Verdict
    nonce: str
    """The random word that proves begin and end to be this attempt's."""
    isolation: Isolation
    started_at: datetime
    """UTC, when the test was handed to the guest."""
    duration_s: float
    """From handing the test over to the last byte that was judged."""
    boot_s: float | None = None
    """How long the boot took, where this attempt paid for one."""
    logs: tuple[Log, ...] = ()
    hang: Hang | None = None
    """What was captured when it got no further, and why it did not; None where nothing was captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFailure:
    """One boot that did not come up; kept and counted even when the next try did."""

    target: str
    started_at: datetime
    duration_s: float
    reason: str
    logs: tuple[Log, ...] = ()
    hang: Hang | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLog:
    """A log as the database remembers it: where it is, not what it says."""

    kind: LogKind
    port: str
    sha256: str
    size_bytes: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAttempt:
    """An attempt as the database remembers it, without its logs."""

    id: int
    campaign: int
    target: str
    test: str
    verdict: Verdict
    nonce: str
    isolation: Isolation
    started_at: datetime
    duration_s: float
    boot_s: float | None
    fingerprint: str | None
    """Of what was booted (`TargetFacts.fingerprint`); None where the attempt ended before that was known."""
    hang: Hang | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBootFailure:
    """A failed boot as the database remembers it."""

    campaign: int
    target: str
    started_at: datetime
    duration_s: float
    reason: str
    logs: tuple[StoredLog, ...]
    hang: Hang | None = None
