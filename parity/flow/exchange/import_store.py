"""What a file came to, into the database and into the plan's folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parity.errors import PlanError, UsageError
from parity.planning import Decision, LogEntry, WorkItem, format_entry, parse_entry
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from db import Repository
    from parity.campaign import ImportedCampaign
    from parity.flow.exchange.import_file import ImportPlan
    from parity.interchange.page.record import PlannedEntry

_FOLDERS: Final = {Decision: "decisions", WorkItem: "work", LogEntry: "log"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """What became of one campaign."""

    number: int
    is_new: bool
    campaign: ImportedCampaign


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntries:
    """What became of a page's decisions, work items and entries of its log."""

    written: tuple[Path, ...] = ()
    unchanged: tuple[Path, ...] = ()
    """They were there, with these very words."""
    kept: tuple[Path, ...] = ()
    """They were there with other words, and stay as they are."""
    refused: tuple[str, ...] = ()
    """What no plan can hold, with why."""


def store_runs(repository: Repository, plan: ImportPlan) -> tuple[StoredRun, ...]:
    """Store what is not stored yet, each campaign whole or not at all."""
    stored = []
    for campaign in plan.campaigns:
        number, is_new = repository.add_imported(campaign)
        stored.append(StoredRun(number=number, is_new=is_new, campaign=campaign))
    return tuple(stored)


def store_entries(folder: Path, plan: ImportPlan, runs: Sequence[StoredRun]) -> StoredEntries:
    """Write each entry as a file of its own below the plan's folder; one that is there already is never touched.

    An entry of the log names the run that it tells of. Raises `UsageError` where nothing can be written.
    """
    written: list[Path] = []
    unchanged: list[Path] = []
    kept: list[Path] = []
    refused: list[str] = []
    of_entry = _runs_of_entries(plan, runs)
    for planned in plan.entries:
        file = folder / entry_path(planned)
        try:
            content = _format(planned, of_entry, str(file.relative_to(folder.parent)))
        except PlanError as error:
            refused.append(f"line {planned.line}: {printable_line(error.message)}")
            continue
        there = _write_new(file, content)
        (written if there is None else unchanged if there == content else kept).append(file)
    return StoredEntries(
        written=tuple(written), unchanged=tuple(unchanged), kept=tuple(kept), refused=tuple(refused)
    )


def entry_path(planned: PlannedEntry) -> Path:
    """Return where an entry's file goes, below the plan's folder."""
    return Path(_FOLDERS[type(planned.entry)], f"{planned.name}.md")


def _runs_of_entries(plan: ImportPlan, runs: Sequence[StoredRun]) -> dict[int, int]:
    """Return the run's number by the line of the log's entry that tells of it: the nearest one above."""
    lines = sorted(planned.line for planned in plan.entries)
    logs = {planned.line for planned in plan.entries if isinstance(planned.entry, LogEntry)}
    found: dict[int, int] = {}
    for told_at, run in zip(plan.lines, runs, strict=False):
        above = max((line for line in lines if line <= told_at), default=0)
        if above in logs:
            found[above] = run.number
    return found


def _format(planned: PlannedEntry, runs: Mapping[int, int], name: str) -> str:
    """Return the entry's text; raise `PlanError` where it could not be read again."""
    entry = planned.entry
    title = printable_line(entry.title)
    entry = (
        replace(entry, title=title, run=runs.get(planned.line))
        if isinstance(entry, LogEntry)
        else replace(entry, title=title)
    )
    content = format_entry(entry)
    parse_entry(content, name)
    return content


def _write_new(file: Path, content: str) -> str | None:
    """Write a file that is not there, and return None; return the content of one that is."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(content)
    except FileExistsError:
        return _read(file, len(content.encode()) + 1)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error
    return None


def _read(file: Path, limit: int) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(limit).decode("utf-8", "backslashreplace")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
