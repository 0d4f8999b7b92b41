"""Words and numbers that parity pages are made of: days, sessions, counts, percentages, states, names.

Every pattern is bounded, so that no line takes longer than its length.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from parity.architecture import ARCHITECTURES
from parity.interchange.page.record import Figure, Mention, Total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parity.interchange.page.outline import Line

_DAY: Final = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)
_SESSION: Final = re.compile(r"\bsession\s{1,3}#?(\d{1,4})\b", re.IGNORECASE | re.ASCII)
_COUNT_OF: Final = r"(?<![\w/.])(?P<passed>\d{1,6})\s?/\s?(?P<total>\d{1,6})(?![\w/]|\.\d)"
_COUNT: Final = re.compile(_COUNT_OF, re.ASCII)
_PERCENT: Final = r"(?<![\w.~])(?P<percent>\d{1,3}(?:\.\d{1,6})?)\s?%"
_FIGURES: Final = (
    re.compile(rf"{_PERCENT}[^%()\d]{{0,20}}\(\s?{_COUNT_OF}", re.ASCII),
    re.compile(rf"{_COUNT_OF}[^%()\d]{{0,30}}\(\s?{_PERCENT}", re.ASCII),
)
_BEFORE: Final = re.compile(r"\b(?:up |down )?from\b|\bwas\b", re.IGNORECASE)
_GAIN: Final = re.compile(r"(?<![\w.])\+(\d{1,6})(?![\w.%])[^.,;]{0,20}\btests?\b", re.IGNORECASE | re.ASCII)
_TESTS: Final = re.compile(r"(~?)\s?(?<![\w.])(\d{1,6})\s(?:\w{1,20}\s)?tests?\b", re.IGNORECASE | re.ASCII)
_PRIORITY: Final = re.compile(r"(?<!\w)P(-?\d{1,4})(?!\w)", re.ASCII)
_CLAIM: Final = re.compile(
    r"(?<![\w.+-])([A-Za-z0-9][\w.+-]{0,63}):?\s{1,3}(?:now\s)?(?:pass|passes|passed)\b",
    re.IGNORECASE | re.ASCII,
)
_PARTLY: Final = re.compile(r"\bpart(?:ly|ial|ially)\b|\bin progress\b", re.IGNORECASE)
_OPEN: Final = re.compile(
    r"\btodo\b|\bopen\b|\bpending\b|\bnot (?:yet |been )?(?:started|fixed|done|complete)", re.IGNORECASE
)
_DONE: Final = re.compile(r"\b(?:fixed|complete|completed|done|resolved|closed)\b|[✅✔☑]", re.IGNORECASE)
_MARKED_OPEN: Final = re.compile(r"\bTODO\b|\bOPEN\b|\bNOT (?:YET )?(?:STARTED|FIXED|DONE|COMPLETE)|^\[ \]")
_MARKED_DONE: Final = re.compile(r"\b(?:FIXED|COMPLETED?|DONE|RESOLVED|CLOSED)\b|[✅✔☑]|^\[[xX]\]")
_WORD: Final = re.compile(r"[a-z0-9_]{3,64}", re.ASCII)
_EMPTY_WORDS: Final = frozenset(
    [
        "add",
        "added",
        "all",
        "and",
        "are",
        "bug",
        "bugs",
        "complete",
        "create",
        "critical",
        "done",
        "error",
        "errors",
        "fix",
        "fixed",
        "fixes",
        "for",
        "from",
        "gap",
        "implement",
        "implemented",
        "into",
        "issue",
        "issues",
        "new",
        "not",
        "now",
        "open",
        "other",
        "path",
        "priority",
        "returns",
        "return",
        "specific",
        "status",
        "test",
        "tests",
        "the",
        "this",
        "todo",
        "various",
        "with",
    ]
)
_ARCHITECTURES: Final = {
    name.casefold().replace("-", "_"): architecture.name
    for architecture in ARCHITECTURES.values()
    for name in (architecture.name, *architecture.host_names)
}
_ARCHITECTURE: Final = re.compile(
    "|".join(sorted((name.replace("_", "[_-]") for name in _ARCHITECTURES), key=len, reverse=True)),
    re.IGNORECASE,
)


def find_day(text: str) -> date | None:
    """Return the first day such as 2026-11-21."""
    for match in _DAY.finditer(text):
        try:
            return date.fromisoformat(match[1])
        except ValueError:
            continue
    return None


def find_session(text: str) -> int | None:
    """Return the number of the session that is named."""
    match = _SESSION.search(text)
    return int(match[1]) if match else None


def find_totals(line: Line) -> tuple[Total, ...]:
    """Return every `n/m` that may be a number of passing tests, in order."""
    return tuple(
        total
        for total in (_total(match, line) for match in _COUNT.finditer(line.text))
        if total.passed <= total.total and total.total
    )


def part_before_change(text: str) -> str:
    """Return what stands before "up from" and the like; all where nothing does."""
    match = _BEFORE.search(text)
    return text[: match.start()] if match else text


def find_figures(line: Line) -> Iterator[Figure]:
    """Yield every percentage that has its numbers beside it; one that is about right only is left out."""
    for pattern in _FIGURES:
        for match in pattern.finditer(line.text):
            total = _total(match, line)
            if total.total:
                yield Figure(percent=match["percent"], total=total)


def find_gain(text: str) -> int | None:
    """Return by how many tests a sentence says that things got better (`+8 new tests`)."""
    match = _GAIN.search(text)
    return int(match[1]) if match else None


def find_blocked(text: str) -> tuple[int, bool] | None:
    """Return how many tests a sentence is about, and whether that is rough (`~6 tests`)."""
    match = _TESTS.search(text)
    return (int(match[2]), bool(match[1])) if match else None


def find_priority(text: str) -> int | None:
    """Return the priority in a word such as P1."""
    match = _PRIORITY.search(text)
    return int(match[1]) if match else None


def find_claims(line: Line) -> Iterator[Mention]:
    """Yield each word that is said to pass: `fork_test: PASS`, `fork_test now passes`."""
    for match in _CLAIM.finditer(line.text):
        yield Mention(name=match[1], line=line.number)


def is_done(text: str, *, struck: bool = False) -> bool | None:
    """Return what a status says in words and ticks; None where it says nothing or "partly"."""
    if _PARTLY.search(text):
        return None
    if _OPEN.search(text):
        return False
    return True if struck or _DONE.search(text) else None


def is_marked_done(text: str, *, struck: bool = False) -> bool | None:
    """Return what marks in a sentence say: ticks, strokes, words in capitals. "Closed sockets" are no mark."""
    if _MARKED_OPEN.search(text):
        return False
    return True if struck or _MARKED_DONE.search(text) else None


def find_architectures(text: str) -> tuple[str, ...]:
    """Return the architectures that are named, by any of their names, in order."""
    return tuple(
        _ARCHITECTURES[match[0].casefold().replace("-", "_")] for match in _ARCHITECTURE.finditer(text)
    )


@lru_cache(maxsize=1024)
def telling_words(text: str) -> frozenset[str]:
    """Return the words that tell what a text is about, plurals as singulars."""
    words = _WORD.findall(text.casefold())
    names = {name.split("_")[0] for name in _ARCHITECTURES}
    return frozenset(
        word.removesuffix("s") for word in words if word not in _EMPTY_WORDS and word not in names
    )


def share_of(ones: frozenset[str], others: frozenset[str]) -> float:
    """Return which share of the shorter text's words the other has as well."""
    return len(ones & others) / min(len(ones), len(others)) if ones and others else 0.0


def _total(match: re.Match[str], line: Line) -> Total:
    return Total(line=line.number, passed=int(match["passed"]), total=int(match["total"]))
