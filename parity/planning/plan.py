"""Entries put together, and held against one another and against what there is."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from parity.diagnosis import Cause
from parity.error_numbers import ERROR_NAMES, error_number
from parity.errors import PlanError, PlanFault, did_you_mean, nearest_names
from parity.planning.model import Decision, LogEntry, Plan, WorkItem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from parity.planning.model import Entry

_DIGITS = re.compile(r"(\d+)")


def build_plan(
    entries: Iterable[Entry],
    *,
    tests: Collection[str] | None = None,
    runs: Collection[int] | None = None,
    faults: Sequence[PlanFault] = (),
) -> Plan:
    """Return the entries in reading order.

    `tests` are the names that a work item may mean, `runs` those that a log entry may; None leaves that unchecked.
    Raises `PlanError` with all that contradicts itself or is missing, beside the `faults` that are known already.
    """
    entries = tuple(entries)
    decisions = [entry for entry in entries if isinstance(entry, Decision)]
    work = [entry for entry in entries if isinstance(entry, WorkItem)]
    log = [entry for entry in entries if isinstance(entry, LogEntry)]
    found = [
        *faults,
        *_same_ids([*decisions, *work]),
        *_lost_successors(decisions),
        *(fault for item in work for fault in _unknown_names(item, tests)),
        *(fault for entry in log for fault in _unknown_run(entry, runs)),
    ]
    if found:
        raise PlanError(sorted(found, key=lambda fault: (fault.file, fault.line)))
    return Plan(
        decisions=tuple(sorted(decisions, key=lambda entry: _natural(entry.id))),
        work=tuple(sorted(work, key=lambda entry: (entry.priority, _natural(entry.id)))),
        log=tuple(sorted(log, key=lambda entry: (entry.date, _natural(entry.place.file)), reverse=True)),
    )


def _same_ids(entries: Iterable[Decision | WorkItem]) -> Iterator[PlanFault]:
    seen: dict[str, Decision | WorkItem] = {}
    for entry in entries:
        first = seen.setdefault(entry.id, entry)
        if first is not entry:
            where = f"{first.place.file}:{first.place.line('id')}"
            yield _fault(entry, "id", f"id {entry.id} is taken: {where}", hint="give it another")


def _lost_successors(decisions: Sequence[Decision]) -> Iterator[PlanFault]:
    known = {decision.id: decision.superseded_by for decision in decisions}
    for decision in decisions:
        successor = decision.superseded_by
        if successor is None:
            continue
        if successor not in known:
            hint = did_you_mean(nearest_names(successor, known))
            yield _fault(decision, "superseded_by", f"no decision is called {successor}", hint=hint)
        elif _comes_back(decision.id, known):
            yield _fault(decision, "superseded_by", f"{decision.id} is superseded by itself in the end")


def _comes_back(start: str, successors: dict[str, str | None]) -> bool:
    seen: set[str] = set()
    current = successors.get(start)
    while current is not None and current not in seen:
        if current == start:
            return True
        seen.add(current)
        current = successors.get(current)
    return False


def _unknown_names(item: WorkItem, tests: Collection[str] | None) -> Iterator[PlanFault]:
    for name in item.unblocks.tests:
        if tests is not None and not fnmatch.filter(tests, name):
            near = did_you_mean(nearest_names(name, tests)) or "`parity list` shows them all"
            yield _fault(item, "unblocks.tests", f"no test is called {name!r}", hint=near)
    for name in item.unblocks.errors:
        if error_number(name) is None:
            hint = did_you_mean(nearest_names(name, ERROR_NAMES.values()))
            yield _fault(item, "unblocks.errors", f"no error number is called {name!r}", hint=hint)
    for name in item.unblocks.causes:
        cause = name.split()[0]
        if cause not in set(Cause):
            near = did_you_mean(nearest_names(cause, list(Cause))) or f"known: {', '.join(Cause)}"
            yield _fault(item, "unblocks.causes", f"no cause of a hang is called {cause!r}", hint=near)


def _unknown_run(entry: LogEntry, runs: Collection[int] | None) -> Iterator[PlanFault]:
    if runs is not None and entry.run is not None and entry.run not in runs:
        yield _fault(
            entry,
            "run",
            f"there is no run {entry.run} in the results",
            hint="import it (parity import), or leave the field out",
        )


def _fault(entry: Entry, name: str, problem: str, *, hint: str | None = None) -> PlanFault:
    return PlanFault(entry.place.file, entry.place.line(name), problem, hint=hint)


def _natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Return a sort key in which KD-9 comes before KD-10."""
    return tuple(
        (part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in _DIGITS.split(text)
    )
