"""The records of the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


class DecisionStatus(StrEnum):
    """Whether a decision holds."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """Another one, which it names, holds in its place."""


class WorkState(StrEnum):
    """How far work got of which no test tells."""

    TODO = "todo"
    DOING = "doing"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an entry was read, for messages."""

    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    """By field, the line that it stands in, counted from 1."""

    def line(self, name: str) -> int:
        """Return the line of a field; the first one for a field that is not there."""
        return self.lines.get(name, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, and why."""

    id: str
    title: str
    date: date
    status: DecisionStatus = DecisionStatus.ACCEPTED
    superseded_by: str | None = None
    """The decision that holds in its place; there exactly where the status says so."""
    body: str = ""
    """Markdown, without empty lines around it."""
    place: Place = field(default_factory=Place, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblocks:
    """What gets better when a work item is done."""

    tests: tuple[str, ...] = ()
    """Names or globs."""
    errors: tuple[str, ...] = ()
    """Names of error numbers, such as `ENOSYS`: every test that fails with one."""
    causes: tuple[str, ...] = ()
    """Causes of hangs, such as `lock-leaked` or, of one lock alone, `lock-leaked root_lock`."""

    def __bool__(self) -> bool:
        return bool(self.tests or self.errors or self.causes)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """Something to be done."""

    id: str
    title: str
    priority: int
    """Lower comes first; may be negative."""
    effort: str = ""
    """In its owner's words; empty where nobody said."""
    unblocks: Unblocks = field(default_factory=Unblocks)
    state: WorkState | None = None
    """There exactly where `unblocks` is empty: else the results tell it."""
    body: str = ""
    place: Place = field(default_factory=Place, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """What happened on a day."""

    date: date
    title: str
    run: int | None = None
    """The run that it is about."""
    body: str = ""
    place: Place = field(default_factory=Place, compare=False, repr=False)


Entry = Decision | WorkItem | LogEntry
"""One file of the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All entries, in reading order."""

    decisions: tuple[Decision, ...] = ()
    """By id, numbers in it counted as numbers."""
    work: tuple[WorkItem, ...] = ()
    """The most urgent first."""
    log: tuple[LogEntry, ...] = ()
    """The newest first."""

    def __bool__(self) -> bool:
        return bool(self.decisions or self.work or self.log)
