"""Runs as one file: written here, read into the database of another machine (docs/database.md has the format).

    run.json                   what the file is, and the identities of its runs
    runs/IDENTITY.json         a run: its plan, facts, attempts, verdicts, baselines
    logs/SHA256                a log, once whatever names it
    captures/NAME/...          a capture's files

A file that comes in is anybody's (run_archive.py): all its runs are read and checked before the first is added, logs
must have the content that they are named by, and nothing is written outside the state folder.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db.maintenance import free_bytes
from db.transfer import add_run, read_run
from parity.campaign import Baseline
from parity.errors import HarnessError, UsageError
from parity.flow.exchange.run_archive import (
    NAMES,
    find_entry,
    hash_entry,
    new_archive,
    open_archive,
    put,
    put_file,
    read_entry,
    refused,
    unpack,
)
from parity.interchange.run_json import RunIndex, format_part, parse_index, parse_run
from parity.printable import printable_line
from parity.whole_files import new_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zipfile import ZipFile

    from db import Repository
    from parity.interchange.run_json import Run, RunBaseline

INDEX: Final = "run.json"
"""The entry that says what the file is."""
_JSON_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of one run's JSON: some hundred thousand attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What a file got."""

    runs: int
    logs: int
    captures: int
    size_bytes: int
    missing: tuple[str, ...]
    """Logs and captures that rows name and that are gone or altered, as paths below the state folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRun:
    """What became of one run of a file."""

    number: int
    """Here."""
    number_there: int
    """Where it was measured."""
    is_new: bool
    attempts: int
    """How many it has here."""
    attempts_there: int
    """How many it has in the file; more than here where it was resumed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file."""

    runs: tuple[ImportedRun, ...]
    baselines: tuple[str, ...]
    """Names that came with it."""
    baselines_kept: tuple[str, ...]
    """Names that are pinned to another run here, and stay so."""
    missing_logs: int
    """Logs that the file names and does not hold."""


def export_runs(repository: Repository, numbers: Sequence[int], file: Path) -> Exported:
    """Write runs with their logs, captures and baselines into one file, whole or not at all.

    Raises `UsageError` for a run that is not there or is under way, and where the file cannot be written.
    """
    names = _CaptureNames()
    missing: list[str] = []
    logs: set[str] = set()
    try:
        with new_archive(file) as archive:
            identities = {number: repository.campaign(number).identity for number in sorted(set(numbers))}
            put(archive, INDEX, format_part(RunIndex(runs=tuple(identities.values()))))
            for number, identity in identities.items():
                run = read_run(repository, number, names.choose)
                put(archive, f"runs/{identity}.json", format_part(run))
                new = {log.sha256: None for log in run.logs if log.sha256 not in logs}
                missing += (f"logs/{log}" for log in new if not _put_log(archive, repository, log))
                logs.update(new)
            for folder, name in names.by_folder.items():
                if not _put_capture(archive, folder, name):
                    missing.append(f"captures/{name}")
        size_bytes = file.stat().st_size
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", hint="name another file") from error
    return Exported(
        runs=len(identities),
        logs=len(logs) - sum(name.startswith("logs/") for name in missing),
        captures=len(names.by_folder) - sum(name.startswith("captures/") for name in missing),
        size_bytes=size_bytes,
        missing=tuple(missing),
    )


def import_runs(
    repository: Repository, file: Path, *, measure_free: Callable[[Path], int] = free_bytes
) -> Imported:
    """Add the runs of a file that are not known yet, each whole or not at all.

    Raises `UsageError` where the file cannot be read, is none of parity's, is damaged or too large.
    """
    runs: list[ImportedRun] = []
    pinned: list[str] = []
    kept: list[str] = []
    missing = 0
    with open_archive(file) as archive:
        identities = _read_all(archive, file)
        if not {campaign.identity for campaign in repository.campaigns()}.issuperset(identities):
            _check_space(archive, file, measure_free(repository.state_folder))
        for identity in identities:
            run = _read_run(archive, identity, file)
            imported, lost = _import_run(repository, archive, run, file)
            runs.append(imported)
            missing += lost
            for baseline in run.baselines:
                (pinned if _carry(repository, baseline, imported.number) else kept).append(baseline.name)
    return Imported(
        runs=tuple(runs), baselines=tuple(pinned), baselines_kept=tuple(kept), missing_logs=missing
    )


@dataclass(slots=True)
class _CaptureNames:
    """What captures' folders are called in the file: as they are, with a number where two are called alike."""

    by_folder: dict[Path, str] = field(default_factory=dict)

    def choose(self, folder: Path) -> str:
        """Return the name of a capture's folder."""
        if folder not in self.by_folder:
            plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", folder.name)[:240].lstrip("._+-") or "capture"
            taken, name, number = set(self.by_folder.values()), plain, 1
            while name in taken:
                number += 1
                name = f"{plain}-{number}"
            self.by_folder[folder] = name
        return self.by_folder[folder]


def _put_log(archive: ZipFile, repository: Repository, sha256: str) -> bool:
    """Write a log; False where it is gone or is not what it is named by."""
    if not repository.logs.is_whole(sha256):
        return False
    put_file(archive, f"logs/{sha256}", repository.logs.path(sha256))
    return True


def _put_capture(archive: ZipFile, folder: Path, name: str) -> bool:
    """Write a capture's plain files; False where there is none."""
    files = [
        Path(parent, found)
        for parent, _, names in os.walk(folder)
        for found in names
        if stat.S_ISREG(os.lstat(Path(parent, found)).st_mode)
    ]
    named = {f"captures/{name}/{found.relative_to(folder).as_posix()}": found for found in files}
    wanted = {entry: found for entry, found in sorted(named.items()) if NAMES.fullmatch(entry)}
    for entry, found in wanted.items():
        put_file(archive, entry, found)
    return bool(wanted)


def _read_all(archive: ZipFile, file: Path) -> tuple[str, ...]:
    """Return the identities of a file's runs, having read and checked everything once."""
    index = parse_index(read_entry(archive, INDEX, limit=_JSON_LIMIT), str(file))
    if len(set(index.runs)) < len(index.runs):
        raise refused(file, "it has a run twice")
    for identity in index.runs:
        _read_run(archive, identity, file)
    for name in archive.namelist():
        digest = hash_entry(archive, name)
        if name.startswith("logs/") and name != f"logs/{digest}":
            raise refused(file, f"{name} has another content")
    return index.runs


def _check_space(archive: ZipFile, file: Path, free: int) -> None:
    """Raise `UsageError` where the disk may not hold what is packed."""
    needed = sum(entry.file_size for entry in archive.infolist())
    if needed > free:
        raise UsageError(
            f"{file} holds {needed} bytes unpacked, and the disk has {free} left",
            hint="nothing was changed; make room first: parity db prune",
        )


def _read_run(archive: ZipFile, identity: str, file: Path) -> Run:
    run = parse_run(read_entry(archive, f"runs/{identity}.json", limit=_JSON_LIMIT), str(file))
    if run.identity != identity:
        raise refused(file, f"runs/{identity}.json is another run")
    return run


def _import_run(repository: Repository, archive: ZipFile, run: Run, file: Path) -> tuple[ImportedRun, int]:
    """Add one run; return what became of it, and how many of its logs the file does not hold."""
    missing = 0
    known = {campaign.identity for campaign in repository.campaigns()}
    with repository.files.storing(), ExitStack() as undo:
        folders: dict[str, Path] = {}
        if run.identity not in known:
            for sha256 in dict.fromkeys(log.sha256 for log in run.logs):
                missing += not _take_log(repository, archive, sha256)
            for name in run.captures:
                folders[name] = _take_capture(repository, archive, name)
                undo.callback(shutil.rmtree, folders[name], ignore_errors=True)
        added = add_run(repository, run, folders, source=printable_line(file.name))
        if added.is_new:
            undo.pop_all()  # a row refers to it now
    imported = ImportedRun(
        number=added.number,
        number_there=run.number,
        is_new=added.is_new,
        attempts=added.attempts,
        attempts_there=len(run.attempts),
    )
    return imported, missing


def _take_log(repository: Repository, archive: ZipFile, sha256: str) -> bool:
    """Store a log; False where the file does not hold it."""
    entry = find_entry(archive, f"logs/{sha256}")
    if entry is None:
        return repository.logs.path(sha256).exists()
    if not repository.logs.is_whole(sha256):
        with archive.open(entry) as stream:
            return repository.logs.put_stream(stream, sha256)
    return True


def _take_capture(repository: Repository, archive: ZipFile, name: str) -> Path:
    """Unpack a capture, under its own name where that is free; return its folder, which is not there where it has none."""
    parent = repository.state_folder / "captures"
    prefix = f"captures/{name}/"
    entries = [entry for entry in archive.infolist() if entry.filename.startswith(prefix)]
    if not entries:
        return parent / name
    try:
        with new_folder(parent, name) as folder:
            for entry in entries:
                unpack(archive, entry, folder.path / entry.filename.removeprefix(prefix))
    except OSError as error:
        raise HarnessError(f"cannot unpack the capture {parent / name}: {error.strerror}") from error
    return folder.path


def _carry(repository: Repository, baseline: RunBaseline, number: int) -> bool:
    """Pin a run by the name that it has in the file; False where another run has the name here."""
    for known in repository.baselines():
        if known.name == baseline.name:
            return known.campaign == number
    repository.pin_baseline(
        Baseline(name=baseline.name, campaign=number, pinned_at=baseline.pinned_at, note=baseline.note)
    )
    return True
