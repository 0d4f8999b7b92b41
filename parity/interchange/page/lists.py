"""The tests that a page names: as passing, as fixed, in passing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from parity.interchange.page.record import Lists, Mention, NameList
from parity.interchange.page.words import find_claims, find_day, find_session, is_done

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from parity.interchange.page.outline import Line, Section, Table

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""As tests are called in parity.toml."""
_PASSING: Final = re.compile(r"\bpassing tests?\b|\btests? (?:that pass|passing)\b", re.IGNORECASE)
_FIXED: Final = re.compile(
    r"\btests? fixed\b|\bfixed tests?\b|\bnew(?:ly)? (?:tests? )?passing\b", re.IGNORECASE
)
_GAINED: Final = re.compile(r"\bnew(?:ly)?\b.{0,30}\bpass|\bfixed tests?\b|\btests? fixed\b", re.IGNORECASE)
_LOST: Final = re.compile(
    r"\bnew(?:ly)?\b.{0,20}\bfail|\bno longer pass|\bpass(?:es)? no more|\bregress", re.IGNORECASE
)
_DASH: Final = re.compile(r"\s[-\u2013\u2014]\s")
_DECLARED: Final = re.compile(r"\(\s?\+?(\d{1,6})\b(?![-%.])|\+(\d{1,6})\b(?![.%])", re.ASCII)


def read_lists(sections: Sequence[Section]) -> Lists:
    """Return every list of tests, and every test that a sentence or a row says passes."""
    passing = tuple(
        found for section in sections if _is_passing(section) if (found := _below(section)).mentions
    )
    fixed = [found for section in sections if _is_fixed(section) if (found := _below(section)).mentions]
    fixed += (
        gained
        for section in sections
        if is_log_entry(section) and (gained := read_gained(section)) is not None
    )
    return Lists(
        passing=passing,
        fixed=tuple(sorted(fixed, key=lambda found: found.line)),
        claims=tuple(mention for section in sections for mention in _claims(section)),
    )


def is_log_entry(section: Section) -> bool:
    """Whether a section is one day's entry of the page's log."""
    return section.is_below("log") and find_day(section.title.text) is not None


def read_gained(section: Section) -> NameList | None:
    """Return the tests that an entry of the log says pass newly."""
    return _named_after(section, _GAINED)


def read_lost(section: Section) -> tuple[Mention, ...]:
    """Return the tests that an entry of the log says pass no more."""
    found = _named_after(section, _LOST)
    return found.mentions if found is not None else ()


def find_names(line: Line) -> Iterator[Mention]:
    """Yield the names at the head of a list's item: those in code spans before the first dash."""
    head = _DASH.split(line.text, maxsplit=1)[0]
    position = 0
    for code in line.codes:
        at = head.find(code, position)
        if at >= 0 and _NAME.fullmatch(code):
            position = at + len(code)
            yield Mention(name=code, line=line.number)


def find_column_names(table: Table) -> Iterator[tuple[int, Mention]]:
    """Yield each row's index with every test that it names, in the column of tests or the first one."""
    column = table.column("test", "name") or 0
    for index, row in enumerate(table.rows):
        for word in row[column].codes or tuple(row[column].text.split()[:1]):
            if _NAME.fullmatch(word):
                yield index, Mention(name=word, line=row[column].number)


def _is_passing(section: Section) -> bool:
    return bool(_PASSING.search(section.title.text)) and not _FIXED.search(section.title.text)


def _is_fixed(section: Section) -> bool:
    return bool(_FIXED.search(section.title.text)) and not is_log_entry(section)


def _below(section: Section) -> NameList:
    """Return the names below a heading: of its code blocks, else of its tables and lists."""
    title = section.title.text
    declared = _DECLARED.search(title)
    return NameList(
        title=title,
        line=section.title.number,
        mentions=tuple(_block_names(section) or _listed_names(section)),
        declared=int(declared[1] or declared[2]) if declared else None,
        day=find_day(title),
        session=find_session(title),
    )


def _block_names(section: Section) -> list[Mention]:
    return [
        Mention(name=word, line=block.number + offset)
        for block in section.blocks
        for offset, line in enumerate(block.lines)
        for word in line.split()
        if _NAME.fullmatch(word)
    ]


def _listed_names(section: Section) -> list[Mention]:
    tables = [mention for table in section.tables for _, mention in find_column_names(table)]
    items = [mention for line in section.lines if line.depth for mention in find_names(line)]
    return sorted((*tables, *items), key=lambda mention: mention.line)


def _named_after(section: Section, pattern: re.Pattern[str]) -> NameList | None:
    """Return the names in a line that matches and in the items that are nested below it."""
    for index, line in enumerate(section.lines):
        if pattern.search(line.text):
            below = _nested(section.lines[index + 1 :], line.depth)
            mentions = tuple(mention for found in (line, *below) for mention in find_names(found))
            if mentions:
                declared = _DECLARED.search(line.text)
                return NameList(
                    title=line.text,
                    line=line.number,
                    mentions=mentions,
                    declared=int(declared[1] or declared[2]) if declared else None,
                )
    return None


def _nested(lines: Iterable[Line], depth: int) -> Iterator[Line]:
    for line in lines:
        if line.depth <= depth:
            return
        yield line


def _claims(section: Section) -> Iterator[Mention]:
    """Yield what sentences say passes, and what rows that are done are about."""
    for line in section.lines:
        yield from find_claims(line)
    for table in section.tables:
        status, column = table.column("status", "state"), table.column("test")
        if status is None or column is None:
            continue
        for index, mention in find_column_names(table):
            if is_done(table.rows[index][status].text):
                yield mention
