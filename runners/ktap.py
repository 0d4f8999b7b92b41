"""KTAP and TAP results in a console log: pure, lazy about everything but result lines.

Accepted, per line, after an optional printk prefix (`[    1.234567] ` or `[ 1.2][  T1] `) and any indentation:

    KTAP version 1 | TAP version 14
    1..N
    ok N [- ]NAME [# DIRECTIVE [REASON]]
    not ok N [- ]NAME [# DIRECTIVE [REASON]]
    # anything

A SKIP directive is a skip, a TODO one is a failure that was expected: still no pass. Sources: Linux 6.1,
Documentation/dev-tools/ktap.rst; the TAP 14 specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = re.compile(r"^(?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?)?")
_VERSION: Final = re.compile(r"(?:KTAP|TAP) version \d+\s*$")
_PLAN: Final = re.compile(r"1\.\.(?P<count>\d{1,9})(?:\s*#\s*SKIP\b(?P<reason>.*))?\s*$", re.IGNORECASE)
_RESULT: Final = re.compile(
    r"(?P<not>not )?ok (?P<number>\d{1,9})(?: - | )(?P<name>[^#]*?)"
    r"(?:\s*#\s*(?P<directive>SKIP|TODO)\b:?\s*(?P<reason>.*?))?(?:\s*#.*)?\s*$",
    re.IGNORECASE,
)

RESULT_LINE: Final = re.compile(r"(?:not )?ok \d{1,9}(?: - | )(?P<name>[^#\n]*[^#\s])[^\n]*\n")
"""A result line as it goes by, for following a suite live; `parse_ktap` judges the whole text afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KtapResult:
    """One result line."""

    name: str
    outcome: Outcome
    reason: str
    """What follows the directive."""
    line: str
    start: int
    """Where the line begins in the text."""
    end: int
    depth: int
    """Its indentation in spaces: 0 for a top-level result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KtapReport:
    """All result lines, in order, and whether the top level's plan was kept."""

    results: tuple[KtapResult, ...]
    planned: int | None
    """How many top-level results were announced; None without a plan."""

    @property
    def is_complete(self) -> bool:
        """Whether as many top-level results came as were announced."""
        return self.planned is not None and sum(result.depth == 0 for result in self.results) >= self.planned


def parse_ktap(text: str) -> KtapReport:
    """Read every result line after the first version line; text without one has no results."""
    results: list[KtapResult] = []
    planned: int | None = None
    base: int | None = None
    for start, line in _lines(text):
        body = line[_prefix_length(line) :]
        indent = len(body) - len(body.lstrip(" "))
        body = body.lstrip(" ")
        if base is None:
            base = indent if _VERSION.match(body) else None
        elif (plan := _PLAN.match(body)) and indent <= base and planned is None:
            planned = int(plan["count"])
        elif match := _RESULT.match(body):
            results.append(_result(match, line, start, max(0, indent - base)))
    return KtapReport(results=tuple(results), planned=planned)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for line in text.split("\n"):
        yield position, line
        position += len(line) + 1


def _prefix_length(line: str) -> int:
    match = _PREFIX.match(line)
    return match.end() if match else 0


def _result(match: re.Match[str], line: str, start: int, depth: int) -> KtapResult:
    skipped = (match["directive"] or "").upper() == "SKIP"
    failed = match["not"] is not None or (match["directive"] or "").upper() == "TODO"
    outcome = Outcome.SKIP if skipped else Outcome.FAIL if failed else Outcome.PASS
    return KtapResult(
        name=match["name"].strip(),
        outcome=outcome,
        reason=(match["reason"] or "").strip(),
        line=line.strip(),
        start=start,
        end=start + len(line),
        depth=depth,
    )
