"""Text made safe for a Markdown document as GitHub renders it (CommonMark with tables).

Guest text goes through `code`: inside a code span GitHub makes no link, mention, reference, emoji or formula of
anything. Names from parity.toml may go through `text`. Neither can end a table cell, a line or a fence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPECIAL: Final = re.compile(r"[\\`*\[\]<>&|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BACKTICKS: Final = re.compile("`+")


class Markdown(str):
    """Text that is Markdown already: a document takes it as it is."""

    __slots__ = ()


def text(content: str, *, limit: int = 200) -> Markdown:
    """Return one line of Markdown that reads as `content` and is nothing but text."""
    return Markdown(_SPECIAL.sub(r"\\\g<0>", printable_line(content, limit=limit)))


def code(content: str, *, limit: int = 200) -> Markdown:
    """Return a code span that reads as `content`, in one line; nothing for nothing."""
    line = printable_line(content, limit=limit)
    if not line:
        return Markdown()
    # A table's cell ends at a pipe, in a code span too, unless a backslash is before it. What two backslashes
    # mean there is where renderers differ (cmark-gfm: an escaped backslash), so that pipe is spelled out.
    line = line.replace("\\|", r"\\x7c").replace("|", r"\|")
    marks = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markdown(f"{marks}{pad}{line}{pad}{marks}")


def codes(contents: Iterable[str]) -> Markdown:
    """Return the code spans of several words, with commas between them."""
    return Markdown(", ".join(code(content) for content in contents))


def link(path: str) -> Markdown:
    """Return a link to a path, relative to the document, that reads as the path; nothing for nothing."""
    shown = code(path)
    address = quote(path.encode("utf-8", "surrogateescape"))
    return Markdown(f"[{shown}](<{address}>)") if shown else shown


def fence(lines: Iterable[str], *, language: str = "") -> Markdown:
    """Return a fenced block of the lines, each made harmless; the fence is longer than any in them."""
    shown = [" ".join(printable(line).splitlines()) for line in lines]
    longest = max((len(run) for line in shown for run in _BACKTICKS.findall(line)), default=0)
    marks = "`" * max(3, longest + 1)
    return Markdown("\n".join((f"{marks}{language}", *shown, marks)))


def columns(names: Iterable[str], *, width: int = 100) -> tuple[str, ...]:
    """Lay names out in columns, in reading order, as many as fit `width` characters."""
    names = tuple(names)
    cell = max((len(name) for name in names), default=0) + 2
    count = max(1, width // cell)
    rows = (names[start : start + count] for start in range(0, len(names), count))
    return tuple("".join(name.ljust(cell) for name in row).rstrip() for row in rows)
