"""GDB's machine interface as text: which lines may be parsed, and what is in a parsed record.

pygdbmi 0.11 never returns from an array that is cut off, recurses as deep as a line nests, and raises on text that
is no MI. Its parser sees a line only after `find_fault` found nothing (GDB manual, "GDB/MI Output Syntax").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RECORD: Final = 2 * 1024 * 1024
"""Characters; a read of a megabyte of memory fits."""
LONGEST_TEXT: Final = 4096
"""Characters of one stream record: pygdbmi's time goes with the square of its length."""
DEEPEST: Final = 32

MiValue: TypeAlias = str | list["MiValue"] | dict[str, "MiValue"]

_STRING: Final = r'"(?:[^"\\\n]|\\(?:[0-3][0-7]{2}|[\'\\abefnrt"]))*+"'
_RECORD: Final = re.compile(r"\d*+[\^*=+]")
_HEAD: Final = re.compile(r"[0-9]{0,9}[\^*=+][A-Za-z][A-Za-z0-9-]*+(?=,|$)")
_STREAM: Final = re.compile(rf"[~&@]{_STRING}[ \t\r]*")
_VALUE: Final = re.compile(_STRING)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*+=")
_CLOSING: Final = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MiRecord:
    """One line that GDB wrote."""

    kind: str
    """pygdbmi's word: result, notify, console, log, target, output, done."""
    message: str = ""
    """A result's or notification's class: done, error, stopped, thread-created."""
    token: int | None = None
    payload: Mapping[str, MiValue] | None = None
    text: str = ""
    """A stream's text."""


def find_fault(line: str) -> str | None:
    """Return why pygdbmi must not see this line (without its newline), or None where it may.

    Text that is neither a record nor a stream passes: pygdbmi hands it on as it is.
    """
    if len(line) > LONGEST_RECORD:
        return f"a line of more than {LONGEST_RECORD} characters"
    if line[:1] in ("~", "&", "@"):
        return _find_stream_fault(line)
    if _RECORD.match(line) is None:
        return None
    head = _HEAD.match(line)
    return (
        "a record without a token or class of MI's" if head is None else _find_record_fault(line, head.end())
    )


def texts(value: MiValue | None) -> list[str]:
    """Return the strings of a list, or a single string as a list of one: GDB's repeated keys come as either."""
    if isinstance(value, str):
        return [value]
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def rows(value: MiValue | None) -> list[dict[str, MiValue]]:
    """Return the dictionaries of a list, or a single one as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text(row: Mapping[str, MiValue], key: str) -> str | None:
    """Return a row's string, or None where it has none of that name."""
    value = row.get(key)
    return value if isinstance(value, str) else None


def number(row: Mapping[str, MiValue], key: str) -> int | None:
    """Return a row's decimal or 0x number, or None."""
    return parse_number(text(row, key))


def parse_number(value: str | None) -> int | None:
    """Return a decimal or 0x number of at most 64 bits, as GDB writes it, or None."""
    if value is None or not re.fullmatch(r"0x[0-9a-fA-F]{1,16}|[0-9]{1,20}", value, re.ASCII):
        return None
    return int(value, 0) if value.startswith("0x") else int(value)


def _find_stream_fault(line: str) -> str | None:
    if len(line) > LONGEST_TEXT:
        return f"a text of more than {LONGEST_TEXT} characters"
    return None if _STREAM.fullmatch(line) else "a text that is not quoted as MI quotes"


def _find_record_fault(line: str, at: int) -> str | None:
    """Check `,name=value,...` from `at` on: every bracket closed by its own kind, every value a value."""
    open_brackets: list[str] = []
    while at < len(line):
        here = line[at]
        if open_brackets and here == _CLOSING[open_brackets[-1]]:
            open_brackets.pop()
            at += 1
            continue
        after_bracket = line[at - 1] in "{[" and bool(open_brackets)
        if not after_bracket:
            if here != ",":
                return f"no comma at character {at}"
            at += 1
        name = _NAME.match(line, at)
        if name is None and open_brackets[-1:] != ["["]:
            return f"no name at character {at}"
        at = at if name is None else name.end()
        if line[at : at + 1] in _CLOSING and at < len(line):
            open_brackets.append(line[at])
            at += 1
            if len(open_brackets) > DEEPEST:
                return f"brackets more than {DEEPEST} deep"
            continue
        value = _VALUE.match(line, at)
        if value is None:
            return f"no value at character {at}"
        at = value.end()
    return f"{len(open_brackets)} brackets are not closed" if open_brackets else None
