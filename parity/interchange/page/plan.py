"""What a page says is to be done, was done and was decided: topics to compare, entries for the plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from parity.interchange.page.lists import find_column_names, find_names, is_log_entry
from parity.interchange.page.record import PlannedEntry, Topic, TopicKind
from parity.interchange.page.words import (
    find_blocked,
    find_day,
    find_priority,
    find_session,
    is_done,
    is_marked_done,
)
from parity.planning import Decision, LogEntry, Unblocks, WorkItem, WorkState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

    from parity.interchange.page.outline import Line, Section, Table

_DECISION: Final = re.compile(r"([A-Za-z]{1,8}-\d{1,6})\b[:.]?\s*(.*)", re.ASCII)
_PLAN: Final = re.compile(r"\b(?:plan|roadmap)\b", re.IGNORECASE)
_PRIORITY: Final = re.compile(
    r"(?:priority\s{1,3}|P)(-?\d{1,4})\b\s{0,3}[:.\u2013-]?\s{0,3}(.*)", re.IGNORECASE | re.ASCII
)
_MARKS: Final = re.compile(r"\s*(?:\[[A-Z ]{1,40}\]|[✅✔☑❌⏳🚧]|\b(?:COMPLETE|FIXED|DONE)\b)\s*")
_FIELD: Final = re.compile(r"(status|effort|date)\s{0,3}:\s{0,3}(.+)", re.IGNORECASE)
_HOLDS_UP: Final = re.compile(r"\bblock|\bhung\b|\bhang|\bfail|\baffect", re.IGNORECASE)
_LISTS_TESTS: Final = re.compile(r"\btests?\s(?:blocked|affected|unblocked)\b|\bunblocks\b", re.IGNORECASE)
_TOPIC_LISTS: Final = re.compile(
    r"\b(?:fixes|gaps|remaining|next (?:actions|steps)|to ?do|actions)\b", re.IGNORECASE
)
_OPEN_LISTS: Final = re.compile(r"\b(?:gaps|remaining|next|to ?do)\b", re.IGNORECASE)
"""Lists of which an item is open unless it says otherwise."""
_SESSION: Final = re.compile(r"\(session\s{1,3}\d{1,4}\)", re.IGNORECASE)
_DASHES: Final = " -\u2013\u2014:"


def read_topics(sections: Sequence[Section]) -> tuple[Topic, ...]:
    """Return everything that the page says of work, in its order."""
    found = (
        topic
        for section in sections
        if not is_log_entry(section)
        for topic in (*_heading_topic(section), *_table_topics(section), *_list_topics(section))
    )
    return tuple(sorted(found, key=lambda topic: topic.line))


def read_entries(
    sections: Sequence[Section], *, tests: Collection[str], updated: date | None
) -> tuple[tuple[PlannedEntry, ...], tuple[Section, ...]]:
    """Return what can go into a plan, and the decisions that cannot because nothing says when they were made."""
    names = _Names()
    entries: list[PlannedEntry] = []
    undated: list[Section] = []
    for section in sections:
        line = section.title.number
        if (match := _DECISION.match(section.title.text)) and section.is_below("decision"):
            day = find_day(_field(section, "date")) or updated
            if day is None:
                undated.append(section)
                continue
            id_ = names.take(match[1])
            title = _title(match[2]) or match[1]
            decision = Decision(id=id_, title=title, date=day, body=section.body)
            entries.append(PlannedEntry(line=line, entry=decision, name=id_))
        elif is_plan_item(section) and (priority := _heading_priority(section)) is not None:
            id_ = names.take(f"P{priority}")
            entries.append(PlannedEntry(line=line, entry=_work(section, id_, priority, tests), name=id_))
        elif is_log_entry(section) and (day := find_day(section.title.text)) is not None:
            log = LogEntry(date=day, title=_log_title(section), body=section.body)
            session = find_session(section.title.text)
            name = names.take(f"{day}-session-{session}" if session is not None else str(day))
            entries.append(PlannedEntry(line=line, entry=log, name=name))
    return tuple(entries), tuple(undated)


class _Names:
    """Gives each name once; whoever wants it again gets it with a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, name: str) -> str:
        found = name
        while found in self._taken:
            number = self._next.get(name, 2)
            self._next[name] = number + 1
            found = f"{name}-{number}"
        self._taken.add(found)
        return found


def is_plan_item(section: Section) -> bool:
    """Whether a section is an item of the page's plan: right below its heading."""
    return bool(section.parents) and bool(_PLAN.search(section.parents[-1]))


def _work(section: Section, id_: str, priority: int, tests: Collection[str]) -> WorkItem:
    done = _heading_state(section)
    unblocked = tuple(dict.fromkeys(name for name in _unblocked(section) if name in tests))
    if done or not unblocked:
        state = WorkState.DONE if done else WorkState.DOING if _is_begun(section) else WorkState.TODO
        unblocked = ()
    else:
        state = None
    return WorkItem(
        id=id_,
        title=_plan_title(section),
        priority=priority,
        effort=_field(section, "effort"),
        unblocks=Unblocks(tests=unblocked),
        state=state,
        body=section.body,
    )


def _unblocked(section: Section) -> Iterator[str]:
    """Yield the tests that an item says it holds up: after such words, or in a table's column of tests."""
    listed_at = None
    for line in section.lines:
        if _LISTS_TESTS.search(line.text):
            listed_at = line.depth
            yield from line.codes
        elif listed_at is not None and line.depth > listed_at:
            yield from (mention.name for mention in find_names(line))
        else:
            listed_at = None
    for table in section.tables:
        if table.column("test") is not None:
            yield from (mention.name for _, mention in find_column_names(table))


def _heading_topic(section: Section) -> Iterator[Topic]:
    if not is_plan_item(section):
        return
    blocked = next(
        (
            found
            for line in section.lines
            if _HOLDS_UP.search(line.text) and (found := find_blocked(line.text)) is not None
        ),
        None,
    )
    yield Topic(
        line=section.title.number,
        text=_plan_title(section),
        is_done=_heading_state(section),
        kind=TopicKind.PLAN,
        priority=_heading_priority(section),
        tests=blocked[0] if blocked else None,
        is_rough=bool(blocked and blocked[1]),
    )


def _table_topics(section: Section) -> Iterator[Topic]:
    for table in section.tables:
        status, count = table.column("status", "state"), table.column("count")
        if status is None:
            continue
        is_failures = count is not None and table.column("cause", "pattern", "failure") is not None
        for row in table.rows:
            yield _row_topic(table, row, status, count if is_failures else None, is_failures=is_failures)


def _row_topic(
    table: Table, row: Sequence[Line], status: int, count: int | None, *, is_failures: bool
) -> Topic:
    column = table.column("priority")
    counted = re.fullmatch(r"(~?)\s?(\d{1,6})", row[count].text) if count is not None else None
    return Topic(
        line=row[0].number,
        text=row[0].text,
        is_done=is_done(row[status].text, struck=row[0].is_struck),
        kind=TopicKind.FAILURE if is_failures else TopicKind.POINT,
        priority=find_priority(row[column].text) if is_failures and column is not None else None,
        tests=int(counted[2]) if counted else None,
        is_rough=bool(counted and counted[1]),
    )


def _list_topics(section: Section) -> Iterator[Topic]:
    """Yield the items of lists of fixes, of gaps and of next actions."""
    title = section.title.text if _TOPIC_LISTS.search(section.title.text) else ""
    for line in section.lines:
        if not line.depth:
            title = line.text if _TOPIC_LISTS.search(line.text) else title if line.text == "" else ""
        elif title and line.depth == 1:
            done = is_marked_done(line.text, struck=line.is_struck)
            blocked = find_blocked(line.text)
            yield Topic(
                line=line.number,
                text=line.struck or line.text,
                is_done=False if done is None and _OPEN_LISTS.search(title) else done,
                kind=TopicKind.POINT,
                priority=find_priority(line.text),
                tests=blocked[0] if blocked else None,
                is_rough=bool(blocked and blocked[1]),
            )


def _heading_priority(section: Section) -> int | None:
    match = _PRIORITY.match(section.title.text)
    return int(match[1]) if match else None


def _heading_state(section: Section) -> bool | None:
    """Return what the status line says, else the heading, else whether every box is ticked."""
    status = _field(section, "status")
    if status:
        return is_done(status)
    title = is_marked_done(section.title.text, struck=section.title.is_struck)
    boxes = [line.text[:3].casefold() for line in section.lines if line.text[:3].casefold() in ("[x]", "[ ]")]
    if title is None and boxes:
        return "[ ]" not in boxes
    return title


def _is_begun(section: Section) -> bool:
    status = _field(section, "status")
    return bool(status) and is_done(status) is None


def _plan_title(section: Section) -> str:
    match = _PRIORITY.match(section.title.text)
    return _title(match[2] if match else section.title.text) or section.title.text


def _title(text: str) -> str:
    return " ".join(_MARKS.sub(" ", text).split()).strip(_DASHES)


def _log_title(section: Section) -> str:
    day = find_day(section.title.text)
    text = section.title.text.replace(str(day), "")
    return _SESSION.sub("", text).strip(_DASHES) or text.strip(_DASHES).strip("()") or str(day)


def _field(section: Section, name: str) -> str:
    """Return what follows `Status:` and the like; nothing where no line begins so."""
    for line in section.lines:
        match = _FIELD.match(line.text)
        if match and match[1].casefold() == name:
            return match[2].strip()
    return ""
