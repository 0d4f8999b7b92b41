"""How many tests passed, and when, by what a page says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from parity.interchange.page.lists import is_log_entry, read_gained, read_lost
from parity.interchange.page.outline import Line
from parity.interchange.page.record import Gain, PastRun, Row, Total, Totals
from parity.interchange.page.words import (
    find_architectures,
    find_day,
    find_figures,
    find_gain,
    find_session,
    find_totals,
    part_before_change,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from parity.interchange.page.outline import Section, Table

_PASSES: Final = re.compile(r"\bpass", re.IGNORECASE)
_RESULTS: Final = re.compile(r"\bresults?\b|\bbaseline\b|\btests\b", re.IGNORECASE)
_FAILS: Final = re.compile(r"\bfail|\bremain", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\d{1,6}", re.ASCII)


def read_totals(sections: Sequence[Section], *, architecture: str | None, updated: date | None) -> Totals:
    """Return every total of the page's own architecture; lines that are about others alone are left out."""
    log = tuple(_log_runs(sections, architecture))
    tables = [(section, table) for section in sections for table in section.tables if _compares(table)]
    rows = tuple(row for _, table in tables for row in _rows(table, architecture))
    baseline = (*_cell_totals(rows, "baseline"), *_counted(rows, "baseline"))
    current = (*_cell_totals(rows, "current"), *_counted(rows, "current"))
    days = _table_days(tables, updated)
    return Totals(
        runs=_all_runs(log, baseline=baseline, current=current, days=days),
        baseline=baseline,
        current=current,
        figures=tuple(figure for line in _every_line(sections) for figure in find_figures(line)),
        rows=rows,
        gains=tuple(
            Gain(line=line.number, count=count)
            for section in sections
            if not is_log_entry(section)
            for line in section.lines
            if "baseline" in line.text.casefold() and (count := find_gain(line.text)) is not None
        ),
    )


def is_about(line: str, architecture: str | None) -> bool:
    """Whether a line may be about the page's architecture: it names that one, or none."""
    named = find_architectures(line)
    return not named or architecture is None or architecture in named


def _log_runs(sections: Sequence[Section], architecture: str | None) -> Iterator[PastRun]:
    """Yield the runs of the log, the oldest first."""
    found = [
        run
        for section in sections
        if is_log_entry(section) and (run := _log_run(section, architecture)) is not None
    ]
    newest_first = len(found) > 1 and found[0].day >= found[-1].day
    ordered = reversed(found) if newest_first else iter(found)
    yield from sorted(ordered, key=lambda run: (run.day, run.session or 0))


def _log_run(section: Section, architecture: str | None) -> PastRun | None:
    """Return the run that an entry tells of: of its totals the largest, as the others are of parts of the tests."""
    day = find_day(section.title.text)
    told = [
        (line, totals)
        for line in section.lines
        if _is_about_passes(line.text) and is_about(line.text, architecture) and (totals := find_totals(line))
    ]
    if day is None or not told:
        return None
    line, totals = max(told, key=lambda found: found[1][0].total)
    now = find_totals(replace(line, text=part_before_change(line.text)))
    before = totals[len(now) :]
    return PastRun(
        line=line.number,
        day=day,
        total=(now or totals)[0],
        session=find_session(section.title.text),
        before=before[0] if now and before else None,
        gained=read_gained(section),
        lost=read_lost(section),
    )


def _is_about_passes(text: str) -> bool:
    return bool(_PASSES.search(text)) or bool(_RESULTS.search(text) and not _FAILS.search(text))


def _compares(table: Table) -> bool:
    return table.column("baseline") is not None and table.column("current", "now", "today") is not None


def _rows(table: Table, architecture: str | None) -> Iterator[Row]:
    columns = (table.column("baseline"), table.column("current", "now", "today"), table.column("change"))
    for cells in table.rows:
        if is_about(cells[0].text, architecture):
            baseline, current, change = (
                cells[column].text if column is not None else "" for column in columns
            )
            yield Row(
                line=cells[0].number,
                label=cells[0].text,
                baseline=baseline,
                current=current,
                change=change,
            )


def _cell_totals(rows: Sequence[Row], column: str) -> Iterator[Total]:
    for row in rows:
        yield from find_totals(Line(number=row.line, text=getattr(row, column)))


def _counted(rows: Sequence[Row], column: str) -> Iterator[Total]:
    """Yield the total that a row of passes and a row of failures make."""
    passed = find_row(rows, "pass")
    failed = find_row(rows, "fail")
    if passed is not None and failed is not None:
        numbers = (whole(getattr(passed, column)), whole(getattr(failed, column)))
        if numbers[0] is not None and numbers[1] is not None:
            yield Total(line=passed.line, passed=numbers[0], total=sum(filter(None, numbers)))


def find_row(rows: Sequence[Row], word: str) -> Row | None:
    """Return the row whose label is the word, in one of its forms."""
    labels = {word, f"{word}ed", f"{word}es", f"{word}ing", f"{word}s"}
    return next((row for row in rows if row.label.casefold() in labels), None)


def whole(cell: str) -> int | None:
    """Return a cell that is a whole number and nothing else."""
    return int(cell) if _WHOLE.fullmatch(cell) else None


def _table_days(
    tables: Sequence[tuple[Section, Table]], updated: date | None
) -> tuple[date | None, date | None]:
    """Return the days of the baseline and of today's numbers, as the tables' headers and headings say."""
    baseline = current = None
    for section, table in tables:
        for cell in table.header:
            if "baseline" in cell.text.casefold():
                baseline = baseline or find_day(cell.text)
        titles = (section.title.text, *reversed(section.parents))
        current = current or next(filter(None, map(find_day, titles)), None)
    return baseline, current or updated


def _all_runs(
    log: Sequence[PastRun],
    *,
    baseline: Sequence[Total],
    current: Sequence[Total],
    days: tuple[date | None, date | None],
) -> tuple[PastRun, ...]:
    """Return the log's runs, and the baseline and today's where the log has neither."""
    runs = list(log)
    told = {(run.total.passed, run.total.total) for run in log}
    for totals, day, place in ((baseline, days[0], 0), (current, days[1], len(runs) + 1)):
        if totals and day is not None and (totals[0].passed, totals[0].total) not in told:
            runs.insert(place, PastRun(line=totals[0].line, day=day, total=totals[0]))
            told.add((totals[0].passed, totals[0].total))
    return tuple(sorted(runs, key=lambda run: run.day))


def _every_line(sections: Sequence[Section]) -> Iterator[Line]:
    for section in sections:
        yield section.title
        yield from section.lines
        for table in section.tables:
            for row in (table.header, *table.rows):
                yield from row
