"""`parity diagnose` and `parity trace`: find a saved capture and read it by today's rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from db import open_repository
from gdb.captures.capture_folder import CAPTURE_FILE, read_capture
from gdb.evidence.evidence import read_evidence
from gdb.guest.memory import RecordedMemory
from gdb.rules import diagnose
from gdb.trace.byte_trace import read_byte_trace
from parity.configuration import HangRules
from parity.errors import UsageError
from parity.flow.results.attempts import read_attempts

if TYPE_CHECKING:
    from db import Repository
    from gdb.captures.capture import Capture
    from gdb.evidence.evidence import Evidence
    from gdb.trace.byte_trace import ByteTrace
    from parity.attempt import StoredAttempt
    from parity.configuration import Configuration
    from parity.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A capture, read."""

    folder: Path
    capture: Capture
    evidence: Evidence
    diagnosis: Diagnosis
    attempt: StoredAttempt | None
    """Whose capture it is, where the database knows it."""

    @property
    def byte_trace(self) -> ByteTrace | None:
        """The older trace of single bytes, where the kernel has one."""
        layout = self.capture.layout.byte_trace if self.capture.layout is not None else None
        return read_byte_trace(RecordedMemory(self.capture.memory), layout) if layout is not None else None


def examine(configuration: Configuration, folder: Path, attempt: StoredAttempt | None = None) -> Examined:
    """Read a capture and diagnose it by the rules of its target; raises `UsageError` where it is none."""
    capture = read_capture(folder)
    evidence = read_evidence(capture, hang_rules(configuration, capture))
    return Examined(
        folder=folder, capture=capture, evidence=evidence, diagnosis=diagnose(evidence), attempt=attempt
    )


def hang_rules(configuration: Configuration, capture: Capture) -> HangRules:
    """Return the rules of a capture's target, or the defaults where parity.toml has no such target."""
    target = configuration.targets.get(capture.subject.target)
    return target.hang if target is not None else HangRules()


def examine_saved(configuration: Configuration, what: str | None, *, target: str | None = None) -> Examined:
    """Read the capture that a word on the command line means; raises `UsageError` where there is none."""
    if what is not None and is_folder(what):
        return examine(configuration, Path(what))
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        attempt = find_capture(configuration, repository, what, target=target)
    assert attempt.hang is not None  # noqa: S101 - find_capture sees to it
    return examine(configuration, attempt.hang.folder, attempt)


def is_folder(what: str) -> bool:
    """Whether a word on the command line means a capture's folder: it has a slash, or is one."""
    return "/" in what or (Path(what) / CAPTURE_FILE).exists()


def find_capture(
    configuration: Configuration, repository: Repository, what: str | None, *, target: str | None = None
) -> StoredAttempt:
    """Return the attempt whose capture is meant: by its number, a test's newest, or the newest of all.

    Raises `UsageError` where there is none, with what to do.
    """
    if what is not None and what.isdecimal():
        attempt = repository.attempt(int(what))
    else:
        if what is not None:
            read_attempts(configuration, repository, what, target=target)  # refuses names that are not known
        found = repository.newest_hang(what, target=target)
        if found is None:
            whose = f"no attempt of {what}" if what else "no attempt"
            where = f" on {target}" if target else ""
            raise UsageError(
                f"{whose}{where} has a capture",
                hint=f"parity diagnose --live {what} takes one now"
                if what
                else "a hang in `parity run` takes one",
            )
        attempt = found
    if attempt.hang is None:
        raise UsageError(
            f"attempt {attempt.id} ({attempt.test} on {attempt.target}: {attempt.verdict.outcome}) has no capture",
            hint=f"parity diagnose --live {attempt.test} --target {attempt.target} takes one now",
        )
    return attempt
