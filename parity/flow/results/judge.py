"""`parity judge`: the replay twin of a run. Judges saved output by the rules of today's parity.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.attempt import LogKind
from parity.errors import UsageError
from runners.console.console_text import decode_console
from runners.verdict.observation import QemuExit, read_observation
from runners.verdict.replay import judge_log, judge_observation

if TYPE_CHECKING:
    from pathlib import Path

    from db import Repository
    from parity.attempt import StoredAttempt, Verdict
    from parity.configuration import Configuration


def judge_file(
    configuration: Configuration, file: Path, *, test: str, target: str, qemu_status: int | None
) -> Verdict:
    """Judge a console log from anywhere; raises `UsageError` where it cannot be read."""
    configuration.select_tests([test])
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    ended = (
        None
        if qemu_status is None
        else QemuExit(status=qemu_status, reason="guest-shutdown" if not qemu_status else None)
    )
    return judge_log(configuration, target=target, test=test, text=decode_console(content), ended=ended)


def judge_stored(
    configuration: Configuration, repository: Repository, number: int
) -> tuple[StoredAttempt, Verdict]:
    """Judge a stored attempt again; raises `UsageError` where too little of it was kept."""
    attempt = repository.attempt(number)
    logs = repository.logs_of(number)
    facts = [log for log in logs if log.kind is LogKind.OBSERVATION]
    if not facts:
        raise UsageError(
            f"attempt {number} ended before there was anything to judge: {attempt.verdict.evidence[0]}"
        )
    transcripts = {
        log.port: repository.logs.read(log.sha256).decode("utf-8", "backslashreplace")
        for log in logs
        if log.kind is LogKind.TRANSCRIPT
    }
    observation = read_observation(repository.logs.read(facts[0].sha256), transcripts)
    return attempt, judge_observation(configuration, target=attempt.target, observation=observation)
