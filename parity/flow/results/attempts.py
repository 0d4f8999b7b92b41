"""What happened to one test: its attempts, and the end of what each printed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from parity.attempt import LogKind
from parity.errors import DatabaseError, UnknownNameError, UsageError
from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from db import Repository
    from parity.attempt import StoredAttempt
    from parity.configuration import Configuration
    from parity.diagnosis import Hang

_BEST_FIRST: Final = (LogKind.TRANSCRIPT, LogKind.RAW, LogKind.STDERR)


def read_attempts(
    configuration: Configuration, repository: Repository, test: str, *, target: str | None = None
) -> tuple[StoredAttempt, ...]:
    """Return a test's attempts, newest first; also of a test or target that parity.toml no longer has.

    Raises `UnknownNameError` for a name that was never known, and `UsageError` where there is no attempt.
    """
    attempts = repository.attempts_of(test)
    if not attempts and test not in configuration.tests:
        known = dict.fromkeys((*configuration.tests, *repository.known_tests()))
        raise UnknownNameError(kind="test", name=test, known=known)
    targets = dict.fromkeys((*configuration.targets, *(attempt.target for attempt in attempts)))
    if target is not None and target not in targets:
        raise UnknownNameError(kind="target", name=target, known=targets)
    chosen = tuple(attempt for attempt in attempts if target in (None, attempt.target))
    if not chosen:
        where = f" on {target}" if target else ""
        option = f" --target {target}" if target else ""
        raise UsageError(f"{test} was never run{where}", hint=f"parity run {test}{option}")
    return chosen


def choose_attempts(
    attempts: Sequence[StoredAttempt], *, test: str, number: int | None = None
) -> tuple[StoredAttempt, ...]:
    """Return the attempt of this number, or the newest one of each target; raise `UsageError`."""
    if number is None:
        newest: dict[str, StoredAttempt] = {}
        for attempt in attempts:
            newest.setdefault(attempt.target, attempt)
        return tuple(newest.values())
    chosen = tuple(attempt for attempt in attempts if attempt.id == number)
    if not chosen:
        raise UsageError(
            f"{test} has no attempt {number}", hint=f"the newest is {attempts[0].id}; parity show lists them"
        )
    return chosen


def read_tail(repository: Repository, attempt: StoredAttempt, *, lines: int) -> tuple[str, ...] | None:
    """Return the last lines of what an attempt printed, harmless to show; None where the log is gone."""
    printed = (log for log in repository.logs_of(attempt.id) if log.kind in _BEST_FIRST)
    logs = sorted(printed, key=lambda log: _BEST_FIRST.index(log.kind))
    if not logs:
        return ()
    try:
        content = repository.logs.read_tail(logs[0].sha256, lines=lines)
    except DatabaseError:
        return None
    text = content.decode("utf-8", errors="backslashreplace").replace("\r\n", "\n").rstrip("\n")
    return tuple(printable(line) for line in text.split("\n")) if text else ()


def measure_capture(hang: Hang) -> int | None:
    """Return how many bytes a capture's files take on the disk; None where its folder is gone."""
    return folder_size(hang.folder) if hang.folder.is_dir() else None


def folder_size(path: Path) -> int:
    """Return how many bytes a folder's files take on the disk, or a file."""
    if not path.is_dir():
        return _size(str(path))
    files = (
        os.path.join(folder, name)  # noqa: PTH118 - os.walk gives strings
        for folder, _, names in os.walk(path)
        for name in names
    )
    return sum(map(_size, files))


def _size(file: str) -> int:
    try:
        found = os.lstat(file)
    except OSError:  # gone meanwhile
        return 0
    return max(found.st_size, 512 * found.st_blocks)  # many small files take more than they hold
