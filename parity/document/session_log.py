"""What happened, day by day: runs as the results have them, beside what people wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.campaign import CampaignState, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from parity.document.chronicle import Chronicle, RunChanges
    from parity.planning import LogEntry, Plan

_MOST_RUNS: Final = 40
"""Runs that are told one by one: the newest of those that changed something, beside all that people wrote about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogItem:
    """One heading of the log: an entry of people's, runs, or both."""

    day: date
    entry: LogEntry | None
    runs: tuple[RunChanges, ...]
    """The newest first; more than one only where none of them has anything to tell."""

    @property
    def first_day(self) -> date:
        """The day of its first run, or its own."""
        return _day(self.runs[-1]) if self.runs else self.day

    @property
    def run(self) -> RunChanges | None:
        """The run that it is about, where it is one."""
        return self.runs[0] if len(self.runs) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLog:
    """The newest first."""

    items: tuple[LogItem, ...]
    earlier_runs: int
    """Runs before those, of which nothing is told."""


def write_log(plan: Plan, chronicle: Chronicle) -> SessionLog:
    """Merge entries and runs: an entry about a run stands with it, quiet runs in a row are put together."""
    entries = {number: entry for entry in reversed(plan.log) if (number := entry.run) is not None}
    told, earlier = _choose(chronicle.runs, set(entries))
    items = [_item(runs, entries) for runs in _put_together(told, entries)]
    alone = [entry for entry in plan.log if entry.run is None or entries.get(entry.run) is not entry]
    items.sort(key=lambda item: item.day, reverse=True)
    for entry in alone:
        items.insert(_place(items, entry, plan.log), LogItem(day=entry.date, entry=entry, runs=()))
    return SessionLog(items=tuple(items), earlier_runs=earlier)


def _place(items: Sequence[LogItem], entry: LogEntry, order: Sequence[LogEntry]) -> int:
    """Return where an entry goes: before what is of an earlier day, or of its own day and older by the plan's order."""
    own = order.index(entry)
    return next(
        (
            place
            for place, item in enumerate(items)
            if item.day < entry.date
            or (item.day == entry.date and item.entry is not None and order.index(item.entry) > own)
        ),
        len(items),
    )


def _choose(runs: Sequence[RunChanges], named: set[int]) -> tuple[list[RunChanges], int]:
    """Return the runs to tell of, the newest first, and how many are left out."""
    newest_first = list(reversed(runs))
    loud = [run.campaign.number for run in newest_first if not run.is_quiet or run is runs[0]]
    if len(loud) <= _MOST_RUNS:
        return newest_first, 0
    oldest = loud[_MOST_RUNS - 1]
    cut = next(place for place, run in enumerate(newest_first) if run.campaign.number == oldest) + 1
    kept = newest_first[:cut] + [run for run in newest_first[cut:] if run.campaign.number in named]
    return kept, len(runs) - len(kept)


def _put_together(runs: Sequence[RunChanges], entries: Mapping[int, LogEntry]) -> list[list[RunChanges]]:
    """Put runs in a row together that have nothing to tell; never the first or the last one."""
    groups: list[list[RunChanges]] = []
    joins = False
    for run in runs:
        is_plain = (
            run.is_quiet
            and run not in (runs[0], runs[-1])
            and run.campaign.number not in entries
            and run.campaign.origin is Origin.MEASURED
            and run.campaign.state is CampaignState.FINISHED
        )
        if is_plain and joins:
            groups[-1].append(run)
        else:
            groups.append([run])
        joins = is_plain
    return groups


def _item(runs: Sequence[RunChanges], entries: Mapping[int, LogEntry]) -> LogItem:
    entry = entries.get(runs[0].campaign.number) if len(runs) == 1 else None
    return LogItem(day=_day(runs[0]), entry=entry, runs=tuple(runs))


def _day(run: RunChanges) -> date:
    return run.campaign.started_at.date()
