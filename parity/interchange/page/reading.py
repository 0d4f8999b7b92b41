"""A parity page that people keep by hand, read as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.interchange.page.lists import is_log_entry, read_lists
from parity.interchange.page.outline import read_outline
from parity.interchange.page.plan import read_entries, read_topics
from parity.interchange.page.record import Mention, Page
from parity.interchange.page.totals import read_totals
from parity.interchange.page.words import find_architectures, find_day, find_session

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from parity.interchange.page.outline import Section


def parse_page(text: str, *, tests: Collection[str] = ()) -> Page:
    """Return what a page says; any text is a page, if one that says nothing.

    `tests` are the known ones: a work item names what it unblocks by these alone.
    """
    sections = read_outline(text)
    architecture = _architecture(sections)
    updated = _updated(sections)
    entries, undated = read_entries(sections, tests=tests, updated=updated)
    return Page(
        architecture=architecture,
        totals=read_totals(sections, architecture=architecture, updated=updated),
        lists=read_lists(sections),
        topics=read_topics(sections),
        sessions=tuple(
            (day, find_session(section.title.text))
            for section in sections
            if is_log_entry(section) and (day := find_day(section.title.text)) is not None
        ),
        entries=entries,
        undated=tuple(Mention(name=section.title.text, line=section.title.number) for section in undated),
    )


def _architecture(sections: Sequence[Section]) -> str | None:
    for section in sections:
        for line in (section.title, *section.lines):
            for name in find_architectures(line.text):
                return name
    return None


def _updated(sections: Sequence[Section]) -> date | None:
    """Return the day of "Last Updated" and the like, wherever it stands."""
    for section in sections:
        for line in (section.title, *section.lines):
            if "updated" in line.text.casefold() and (day := find_day(line.text)) is not None:
                return day
    return None
