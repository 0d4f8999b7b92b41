"""Guest text made harmless for a terminal, a log line or a document.

Kernels print what they like: escape sequences that repaint the terminal, carriage returns that hide a line,
right-to-left marks that reorder it. Whatever parity shows goes through here first.
"""

from __future__ import annotations

import unicodedata

_KEPT = frozenset("\n\t")


def printable(text: str) -> str:
    r"""Return `text` with every character that is not plainly visible written as an escape (`\x1b`).

    Newlines and tabs stay. Control characters, format characters (bidirectional marks, zero-width joiners),
    surrogates, private-use and unassigned code points do not.
    """
    if text.isprintable():
        return text
    return "".join(character if _is_plain(character) else _escaped(character) for character in text)


def printable_line(text: str, *, limit: int = 200) -> str:
    """Return `text` as one harmless line of at most `limit` characters, cut in the middle with an ellipsis."""
    line = printable(" ".join(text.split()))
    if len(line) <= limit:
        return line
    head = (limit - 1) * 2 // 3
    return f"{line[:head]}…{line[len(line) - (limit - 1 - head) :]}"


def _is_plain(character: str) -> bool:
    return character in _KEPT or character == " " or unicodedata.category(character)[0] in "LMNPS"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
