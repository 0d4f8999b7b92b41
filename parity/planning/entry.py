"""One entry of the plan as text: YAML front matter between lines of three hyphens, then Markdown.

Values are taken as they are written, not as YAML understands them, so that a title may be `8 of 80` or `on`.
"""

from __future__ import annotations

import re
from typing import Final

import yaml
from frontmatter.default_handlers import YAMLHandler

from parity.errors import PlanError, PlanFault
from parity.planning.fields import Fields
from parity.planning.model import (
    Decision,
    DecisionStatus,
    Entry,
    LogEntry,
    Place,
    Unblocks,
    WorkItem,
    WorkState,
)

LONGEST_ENTRY: Final = 256 * 1024
"""Characters in one entry."""
_DEEPEST: Final = 4
_KINDS: Final = ("decision", "work", "log")
_FIELDS: Final = {
    "decision": ("id", "title", "date", "status", "superseded_by"),
    "work": ("id", "title", "priority", "effort", "unblocks", "state"),
    "log": ("date", "title", "run"),
}
_EMPTY_LINES: Final = re.compile(r"\A(?:[^\S\n]*\n)+")


def parse_entry(text: str, file: str) -> Entry:
    """Return the entry that `text` is; `file` is how messages call it.

    Raises `PlanError` with all that is wrong in it, each with its line.
    """
    if len(text) > LONGEST_ENTRY:
        raise PlanError([PlanFault(file, 1, f"is longer than {LONGEST_ENTRY // 1024} KiB")])
    mapping, body, offset = _split(text, file)
    fields = Fields(mapping, file=file, offset=offset)
    entry = _read(fields, body)
    if entry is None or fields.faults:
        raise PlanError(fields.faults)
    return entry


def format_entry(entry: Entry) -> str:
    """Return the text of an entry, from which `parse_entry` makes an equal one.

    White space in titles and efforts becomes single spaces; empty fields are left out.
    """
    written = {name: value for name, value in _written(entry).items() if value not in (None, "", {})}
    front = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=1000, default_flow_style=False)
    body = _trim(entry.body)
    return f"---\n{front}---\n" + (f"\n{body}\n" if body else "")


def _split(text: str, file: str) -> tuple[yaml.MappingNode, str, int]:
    """Return the front matter, the body, and the number of lines before the front matter."""
    handler = YAMLHandler()
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    opening = handler.FM_BOUNDARY.match(text)
    if opening is None:
        raise PlanError(
            [
                PlanFault(
                    file,
                    1,
                    "has no front matter",
                    hint="begin with a line ---, then fields, then another ---",
                )
            ]
        )
    try:
        front, body = handler.split(text)
    except ValueError:
        raise PlanError(
            [PlanFault(file, 1, "the front matter does not end", hint="end it with a line ---")]
        ) from None
    offset = text.count("\n", 0, opening.end())
    return _compose(front, file, offset), _trim(body), offset


def _compose(front: str, file: str, offset: int) -> yaml.MappingNode:
    def error(line: int, problem: str, hint: str | None = None) -> PlanError:
        return PlanError([PlanFault(file, offset + line + 1, problem, hint=hint)])

    try:
        trick = _find_trick(front)
        if trick is not None:
            raise error(*trick)
        node = yaml.compose(front, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        hint = "put text with : or # in quotes"
        raise error(mark.line if mark else 0, f"is no YAML: {fault.problem}", hint) from fault
    except yaml.reader.ReaderError as fault:
        line = front.count("\n", 0, fault.position)
        raise error(line, "has a character that YAML does not allow") from fault
    if not isinstance(node, yaml.MappingNode):
        raise error(0, "the front matter has no fields", "begin with kind: decision, work or log")
    return node


def _find_trick(front: str) -> tuple[int, str] | None:
    """Return line and name of what can grow without bound: aliases and deep nesting."""
    depth = 0
    for event in yaml.parse(front, Loader=yaml.SafeLoader):
        line = event.start_mark.line if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            return line, "aliases (*name) are not understood"
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return line, "is nested too deeply"
    return None


def _read(fields: Fields, body: str) -> Entry | None:
    kind = fields.choice("kind", _KINDS)
    if kind is None:
        return None
    fields.refuse_others(("kind", *_FIELDS[kind]))
    place = Place(file=fields.file, lines=fields.lines)
    match kind:
        case "decision":
            return _read_decision(fields, body, place)
        case "work":
            return _read_work(fields, body, place)
        case _:
            return _read_log(fields, body, place)


def _read_decision(fields: Fields, body: str, place: Place) -> Decision | None:
    identifier, title, day = fields.identifier("id"), fields.line("title"), fields.date("date")
    status = fields.choice("status", tuple(DecisionStatus))
    superseded_by = fields.identifier("superseded_by", optional=True)
    if status is not None and (status == DecisionStatus.SUPERSEDED) != (superseded_by is not None):
        fields.fault(
            "superseded_by" if superseded_by else "status",
            "status: superseded and superseded_by: ID go together",
            hint="write both or neither",
        )
    if identifier is None or title is None or day is None or status is None:
        return None
    return Decision(
        id=identifier,
        title=title,
        date=day,
        status=DecisionStatus(status),
        superseded_by=superseded_by,
        body=body,
        place=place,
    )


def _read_work(fields: Fields, body: str, place: Place) -> WorkItem | None:
    identifier, title = fields.identifier("id"), fields.line("title")
    priority = fields.integer("priority", low=-1_000, high=1_000_000)
    effort = fields.line("effort", optional=True)
    named = fields.words("unblocks", ("tests", "errors", "causes"))
    unblocks = Unblocks(**named)
    state = fields.choice("state", tuple(WorkState), optional=True)
    if unblocks and state is not None:
        fields.fault(
            "state",
            "the results say how far this is: it names what it unblocks",
            hint="leave out state, or unblocks",
        )
    elif not unblocks and state is None and "state" not in fields.lines and "unblocks" not in fields.lines:
        fields.fault(
            "kind",
            "nothing tells how far this is",
            hint="say what it unblocks (tests, errors, causes), or state: todo, doing or done",
        )
    if identifier is None or title is None or priority is None:
        return None
    return WorkItem(
        id=identifier,
        title=title,
        priority=priority,
        effort=effort or "",
        unblocks=unblocks,
        state=WorkState(state) if state else None,
        body=body,
        place=place,
    )


def _read_log(fields: Fields, body: str, place: Place) -> LogEntry | None:
    day, title = fields.date("date"), fields.line("title")
    run = fields.integer("run", low=1, high=2**31, optional=True)
    if day is None or title is None:
        return None
    return LogEntry(date=day, title=title, run=run, body=body, place=place)


def _written(entry: Entry) -> dict[str, object]:
    """Return the fields of an entry as YAML's types, in the order in which people read them."""
    match entry:
        case Decision():
            return {
                "kind": "decision",
                "id": entry.id,
                "title": _one_line(entry.title),
                "date": entry.date,
                "status": entry.status.value,
                "superseded_by": entry.superseded_by,
            }
        case WorkItem():
            named = {
                "tests": list(entry.unblocks.tests),
                "errors": list(entry.unblocks.errors),
                "causes": list(entry.unblocks.causes),
            }
            return {
                "kind": "work",
                "id": entry.id,
                "title": _one_line(entry.title),
                "priority": entry.priority,
                "effort": _one_line(entry.effort),
                "unblocks": {name: words for name, words in named.items() if words},
                "state": entry.state.value if entry.state else None,
            }
        case LogEntry():
            return {"kind": "log", "date": entry.date, "title": _one_line(entry.title), "run": entry.run}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _trim(body: str) -> str:
    """Drop the empty lines around a body; the first line's own indentation means something in Markdown."""
    return _EMPTY_LINES.sub("", f"{body.rstrip()}\n").rstrip()
