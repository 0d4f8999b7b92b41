"""The database's own health, what can be done without, and room that is given back."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, exc, func, select

from db.chunks import chunks
from db.engine import display_name, explained_errors, sqlite_file
from db.models import (
    AttemptRow,
    BaselineRow,
    BootFailureRow,
    CampaignRow,
    HangRow,
    LogRow,
    ReportedTotalRow,
    TargetFactsRow,
)
from parity.errors import DatabaseError, UsageError
from parity.outcome import Outcome
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import ColumnElement, Connection, Select
    from sqlalchemy.orm import Session

    from db.repository import Repository

_FINDINGS_SHOWN: Final = 100
"""SQLite stops to look after as many faults by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Which files rows refer to."""

    logs: dict[str, int]
    """SHA-256 of each log, with its size in bytes."""
    captures: frozenset[Path]
    images: frozenset[str]
    """SHA-256 of each kernel image that a run names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispensable:
    """What can go."""

    campaigns: tuple[int, ...]
    """Whole campaigns, by number."""
    logs: tuple[int, ...]
    """Further logs, by row."""


def check_database(repository: Repository) -> tuple[str, ...]:
    """Return what is wrong inside the database, as sentences; of another than SQLite only that it answers."""
    with explained_errors(repository.engine.url), repository.engine.connect() as connection:
        if repository.engine.dialect.name != "sqlite":
            connection.execute(select(CampaignRow.number).limit(1))
            return ()
        try:
            return (*_check_pages(connection), *_check_references(connection))
        except exc.DatabaseError as error:
            if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            return (f"the file is damaged: {error.orig}",)  # too much for the check itself


def _check_pages(connection: Connection) -> tuple[str, ...]:
    rows = connection.exec_driver_sql(f"PRAGMA integrity_check({_FINDINGS_SHOWN})").scalars()
    return tuple(f"the file is damaged: {printable_line(line)}" for line in rows if line != "ok")


def _check_references(connection: Connection) -> tuple[str, ...]:
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_FINDINGS_SHOWN)
    return tuple(
        f"row {row} of {table} refers to a row of {other} that is gone" for table, row, other, _ in rows
    )


def read_references(repository: Repository) -> References:
    """Return which files rows refer to."""
    with repository.reading() as session:
        return _references(session, repository.state_folder)


def _references(session: Session, state_folder: Path) -> References:
    logs = session.execute(select(LogRow.sha256, func.max(LogRow.size_bytes)).group_by(LogRow.sha256))
    folders = session.scalars(select(HangRow.folder).distinct())
    return References(
        logs=dict(logs.all()),
        captures=frozenset(Path(state_folder.absolute(), folder) for folder in folders),
        images=frozenset(session.scalars(select(TargetFactsRow.image_sha256).distinct())),
    )


def owner_of_log(repository: Repository, sha256: str) -> str:
    """Return whose a log is, in words."""
    statement = (
        select(LogRow.attempt, AttemptRow.test, BootFailureRow.campaign)
        .outerjoin(AttemptRow, LogRow.attempt == AttemptRow.id)
        .outerjoin(BootFailureRow, LogRow.boot_failure == BootFailureRow.id)
        .where(LogRow.sha256 == sha256)
        .order_by(LogRow.id)
        .limit(1)
    )
    with repository.reading() as session:
        found = session.execute(statement).one_or_none()
    if found is None:
        return "no attempt"
    attempt, test, campaign = found
    return f"a failed boot of run {campaign}" if attempt is None else f"attempt {attempt} of {test}"


def prune(
    repository: Repository,
    candidates: Collection[int],
    *,
    kept_attempts: Collection[int],
    failures: bool,
    dry_run: bool,
) -> tuple[Dispensable, References]:
    """Delete what can go of campaigns; return that, and which files rows still refer to.

    A campaign goes whole or stays whole: it stays where it is pinned, under way, has an attempt of `kept_attempts`, or
    an imported page's totals, or a failure without `failures`. Of one that stays, logs of other attempts go: those of
    passes and skips, with `failures` all. A dry run deletes and takes it back.
    """
    with repository.writing() as session:
        found = _find_dispensable(session, repository, candidates, kept_attempts, failures=failures)
        for numbers in chunks(found.campaigns):
            session.execute(delete(CampaignRow).where(CampaignRow.number.in_(numbers)))
        for ids in chunks(found.logs):
            session.execute(delete(LogRow).where(LogRow.id.in_(ids)))
        left = _references(session, repository.state_folder)
        if dry_run:
            session.rollback()
    return found, left


def _find_dispensable(
    session: Session,
    repository: Repository,
    candidates: Collection[int],
    kept_attempts: Collection[int],
    *,
    failures: bool,
) -> Dispensable:
    kept = set(session.scalars(select(BaselineRow.campaign)))
    kept.update(session.scalars(select(ReportedTotalRow.campaign)))
    rows = session.execute(select(CampaignRow.number, CampaignRow.identity))
    kept.update(number for number, identity in rows if repository.locks.is_held(identity))
    old = sorted(set(candidates) - kept)
    for ids in chunks(tuple(kept_attempts)):
        kept.update(session.scalars(select(AttemptRow.campaign).distinct().where(AttemptRow.id.in_(ids))))
    if not failures:
        kept.update(session.scalars(select(AttemptRow.campaign).distinct().where(_failed())))
        kept.update(session.scalars(select(BootFailureRow.campaign).distinct()))
    staying = [number for number in old if number in kept]
    spared = set(kept_attempts)
    logs: list[int] = []
    for numbers in chunks(staying):
        found = session.execute(_logs_of(numbers, failures=failures))
        logs += (log for log, attempt in found if attempt not in spared)
    return Dispensable(campaigns=tuple(number for number in old if number not in kept), logs=tuple(logs))


def _logs_of(campaigns: Collection[int], *, failures: bool) -> Select[int, int]:
    statement = (
        select(LogRow.id, AttemptRow.id)
        .join(AttemptRow, LogRow.attempt == AttemptRow.id)
        .where(AttemptRow.campaign.in_(campaigns))
    )
    return statement if failures else statement.where(~_failed())


def _failed() -> ColumnElement[bool]:
    """What says something about the kernel, and nothing good."""
    outcomes = [outcome.value for outcome in Outcome if outcome.is_measured and not outcome.is_wanted]
    return AttemptRow.outcome.in_(outcomes)


def free_bytes(folder: Path) -> int:
    """Return how much more the disk of a folder holds."""
    return shutil.disk_usage(folder).free


def vacuum(repository: Repository, *, measure_free: Callable[[Path], int] = free_bytes) -> tuple[int, int]:
    """Write the SQLite file anew without the room of deleted rows; return its size in bytes before and after.

    Raises `UsageError` for another database, and `DatabaseError` where it is in use or the disk has no room.
    """
    file = sqlite_file(repository.engine.url)
    if file is None:
        raise UsageError(
            f"{display_name(repository.engine.url)} is no SQLite file",
            hint="its own server knows how to give room back",
        )
    before = _size(file)
    free = measure_free(file.parent)
    if free < before:  # SQLite copies the whole file
        raise DatabaseError(f"the disk of {file} has {free} bytes left, and a copy takes {before}")
    with (
        explained_errors(repository.engine.url),
        repository.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("ANALYZE")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, _size(file)


def _size(file: Path) -> int:
    """Return what a database takes, with what is not yet moved out of its write-ahead log."""
    log = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (log.stat().st_size if log.exists() else 0)
