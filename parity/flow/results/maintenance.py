"""`parity db`: is everything whole, what can go, and room that is given back.

What rows refer to and what is on the disk are compared while nobody stores anything (`db.file_guard`).
"""

from __future__ import annotations

import itertools
import re
import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from db.maintenance import Dispensable, References, check_database, owner_of_log, prune, read_references
from gdb.captures.capture_folder import read_capture
from parity.errors import UsageError
from parity.flow.results.attempts import folder_size
from parity.printable import printable
from parity.whole_files import sweep_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from db import Repository

_YOUNG: Final = timedelta(days=1)
"""A capture is on the disk before its attempt is over, and an image before its run begins."""
_TOLD: Final = 100
"""So many findings of a kind are told: a folder that is gone spoils them all."""
_AGE: Final = re.compile(r"(\d{1,4})\s*(h|d|w)")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    subject: str
    """The database, or a file below the state folder."""
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneOrder:
    """What is to go. Without an age or a number, only what nobody refers to."""

    older_than: timedelta | None = None
    """Only runs that started longer ago."""
    keep: int | None = None
    """Only runs that are not among so many newest."""
    failures: bool = False
    """Failures, their logs and captures as well."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went, or would go."""

    runs: tuple[int, ...]
    logs: int
    """Rows of logs, beside those of the runs."""
    files: tuple[Path, ...]
    """Files and captures' folders that nobody refers to any more."""
    freed_bytes: int
    """What they took."""


def check_results(repository: Repository, *, now: datetime, thorough: bool = True) -> tuple[Finding, ...]:
    """Return what is wrong with the database and the files beside it.

    With `thorough`, every log's content is compared with its name and every capture read.
    """
    findings = [Finding(subject="database", problem=problem) for problem in check_database(repository)]
    if findings:
        return tuple(findings)  # what rows say is not worth following then
    with repository.files.sweeping():
        references = read_references(repository)
        left_over = tuple(_unreferenced(repository, references, now=now))
    findings += _some(_check_logs(repository, references, thorough=thorough), "logs")
    findings += _some(_check_captures(repository, references, thorough=thorough), "captures")
    problem = "nobody refers to it; `parity db prune` removes it"
    unneeded = (Finding(subject=_shown(repository, path), problem=problem) for path in left_over)
    findings += _some(unneeded, "files that nobody refers to")
    return tuple(findings)


def prune_results(repository: Repository, order: PruneOrder, *, now: datetime) -> Pruned:
    """Delete what the order says, then the files that nobody refers to.

    Kept in any case: pinned runs, those under way or to be resumed, every test's first and newest result on each
    target, each attempt with which it began or ceased to pass, and the attempts that show it to be unstable.
    """
    candidates = _candidates(repository, order, now=now)
    kept = _indispensable(repository)  # after: a run that comes meanwhile is no candidate
    with repository.files.sweeping():
        found, references = prune(
            repository, candidates, kept_attempts=kept, failures=order.failures, dry_run=order.dry_run
        )
        files = tuple(
            path
            for paths in (
                _unreferenced(repository, references, now=now),
                _unused_images(repository, references, found, now=now),
            )
            for path in paths
        )
        freed = sum(map(folder_size, files))
        if not order.dry_run:
            sweep_unfinished(repository.state_folder / "captures")
            for path in files:
                _remove(path)
    return Pruned(runs=found.campaigns, logs=len(found.logs), files=files, freed_bytes=freed)


def parse_age(text: str) -> timedelta:
    """Return the time that a word such as `90d`, `12w` or `36h` says; raise `UsageError`."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no age", hint="hours, days or weeks: 36h, 90d, 12w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _indispensable(repository: Repository) -> frozenset[int]:
    attempts = (
        *repository.newest_attempts(),
        *repository.first_attempts(),
        *repository.unstable_attempts(),
    )
    changes = (change.attempt for change in repository.pass_changes())
    return frozenset({attempt.id for attempt in attempts}.union(changes))


def _candidates(repository: Repository, order: PruneOrder, *, now: datetime) -> tuple[int, ...]:
    if order.older_than is None and order.keep is None:
        return ()
    resumable = repository.resumable_campaign()
    return tuple(
        campaign.number
        for place, campaign in enumerate(repository.campaigns())
        if place >= max(1, order.keep or 0)
        and (order.older_than is None or campaign.started_at < now - order.older_than)
        and (resumable is None or campaign.number != resumable.number)
    )


def _check_logs(repository: Repository, references: References, *, thorough: bool) -> Iterator[Finding]:
    for sha256, size_bytes in sorted(references.logs.items()):
        path = repository.logs.path(sha256)
        if not path.is_file():
            problem = "missing"
        elif path.stat().st_size != size_bytes or (thorough and not repository.logs.is_whole(sha256)):
            problem = "altered: its content is not what it was stored as"
        else:
            continue
        whose = owner_of_log(repository, sha256)
        yield Finding(subject=_shown(repository, path), problem=f"{problem} ({whose})")


def _check_captures(repository: Repository, references: References, *, thorough: bool) -> Iterator[Finding]:
    for folder in sorted(references.captures):
        if not folder.is_dir():
            yield Finding(subject=_shown(repository, folder), problem="missing; its diagnosis is kept")
        elif thorough:
            try:
                read_capture(folder)
            except UsageError as error:
                yield Finding(subject=_shown(repository, folder), problem=printable(error.message))


def _some(findings: Iterable[Finding], what: str) -> Iterator[Finding]:
    """Yield as many findings of a kind as anyone reads, and say where there are more."""
    rest = iter(findings)
    yield from itertools.islice(rest, _TOLD)
    if next(rest, None) is not None:
        yield Finding(subject=what, problem=f"more than {_TOLD} of them are not as they should be")


def _unreferenced(repository: Repository, references: References, *, now: datetime) -> Iterator[Path]:
    """Yield logs and captures that no row names."""
    yield from (path for path in repository.logs.files() if path.name not in references.logs)
    for folder in sorted((repository.state_folder / "captures").glob("[!.]*")):
        if folder.absolute() not in references.captures and _changed(folder) < (now - _YOUNG).timestamp():
            yield folder


def _unused_images(
    repository: Repository, references: References, gone: Dispensable, *, now: datetime
) -> Iterator[Path]:
    """Yield frozen images that no run names and that were frozen before the oldest run that is left.

    Rows name a run's kernel alone, but it froze its disks too: those are not older than the run.
    """
    left = [
        campaign.started_at for campaign in repository.campaigns() if campaign.number not in gone.campaigns
    ]
    before = (min((*left, now)) - _YOUNG).timestamp()
    for image in sorted((repository.state_folder / "images").glob("*")):
        if image.name not in references.images and _changed(image) < before:
            yield image


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:  # gone meanwhile
        return float("inf")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _shown(repository: Repository, path: Path) -> str:
    state_folder = repository.state_folder.absolute()
    absolute = path.absolute()
    inside = absolute.relative_to(state_folder) if absolute.is_relative_to(state_folder) else absolute
    return printable(str(inside))
