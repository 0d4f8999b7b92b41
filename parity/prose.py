"""People's Markdown, taken into a document below one of its headings.

Their words, lists, links and code stay as they are. Headings become smaller, so that the document keeps its outline;
raw HTML is shown as text; a fence that is left open is closed, so that it swallows nothing that follows.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from parity.markdown import Markdown, fence
from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

_SMALLEST: Final = 6
_PASSES: Final = 3
_KEPT: Final = re.compile(
    r"""\\.                                       # an escaped character
      | (?P<ticks>`+) (?: .*? [^`] )?? (?P=ticks) (?!`)  # a code span
      | <[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*>   # a link to an address
    """,
    re.VERBOSE | re.DOTALL,
)
_UNDERLINE: Final = re.compile(r"[=-]+[ \t]*$")


def prose(body: str, *, below: int) -> Markdown:
    """Return a body as Markdown whose largest heading is one smaller than that of level `below`."""
    text = printable(body).strip("\n").rstrip()
    if not text:
        return Markdown()
    lines = text.split("\n")
    for _ in range(_PASSES):  # what was hidden in a comment may hold more
        lines = _escape_html(lines)
    lines = _close_fence(_demote(lines, below))
    if _is_harmless(lines, below):
        return Markdown("\n".join(lines))
    return fence(text.split("\n"))  # nobody writes so on purpose: shown as it is


def _parse(lines: Sequence[str]) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse("\n".join(lines))


def _demote(lines: Sequence[str], below: int) -> list[str]:
    """Make every heading smaller; one that is underlined gets hashes, or where it is within a list becomes text."""
    found = list(lines)
    tokens = _parse(lines)
    for token, content in pairwise(tokens):
        if token.type != "heading_open" or token.map is None:
            continue
        first, end = token.map
        hashes = "#" * min(_SMALLEST, below + int(token.tag[1:]))
        if token.markup.startswith("#"):
            found[first] = found[first].replace(token.markup, hashes, 1)
            continue
        found[end - 1] = _UNDERLINE.sub("", found[end - 1])
        if token.level == 0:
            found[first:end] = [f"{hashes} {' '.join(content.content.split())}", *[""] * (end - first - 1)]
    return found


def _escape_html(lines: Sequence[str]) -> list[str]:
    """Write `<` as `&lt;` wherever HTML begins, outside code."""
    found = list(lines)
    for first, end, is_block in _html(_parse(lines)):
        text = "\n".join(found[first:end])
        found[first:end] = (text.replace("<", "&lt;") if is_block else _escape_inline(text)).split("\n")
    return found


def _html(tokens: Sequence[Token]) -> Iterator[tuple[int, int, bool]]:
    """Yield the lines that hold HTML, and whether that is all they hold."""
    for token in tokens:
        if token.map is None:
            continue
        if token.type == "html_block":
            yield token.map[0], token.map[1], True
        elif any(child.type == "html_inline" for child in token.children or ()):
            yield token.map[0], token.map[1], False


def _escape_inline(text: str) -> str:
    kept, found = 0, []
    for match in _KEPT.finditer(text):
        found += [text[kept : match.start()].replace("<", "&lt;"), match[0]]
        kept = match.end()
    return "".join((*found, text[kept:].replace("<", "&lt;")))


def _close_fence(lines: Sequence[str]) -> list[str]:
    """Close the fence that the last lines are in, where it is left open."""
    if not _swallows(lines):
        return list(lines)
    fences = [token for token in _parse(lines) if token.type == "fence"]
    return [*lines, fences[-1].markup] if fences else list(lines)


def _swallows(lines: Sequence[str]) -> bool:
    """Whether a heading that follows would be part of what is open at the end."""
    tokens = _parse([*lines, "", "# Next"])
    return len(tokens) < 3 or tokens[-3].type != "heading_open"


def _is_harmless(lines: Sequence[str], below: int) -> bool:
    """Whether no HTML and no heading that is too large is left, and nothing open."""
    tokens = _parse(lines)
    headings = [int(token.tag[1:]) for token in tokens if token.type == "heading_open"]
    return (
        not any(_html(tokens))
        and not _swallows(lines)
        and all(level > min(below, _SMALLEST - 1) for level in headings)
    )
