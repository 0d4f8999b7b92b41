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
from typing import Final

from parity.outcome import Outcome

_PREFIX: Final = re.compile(r"^(?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?)?")
_VERSION: Final = re.compile(r"(?:KTAP|TAP) version \d+\s*$")
_PLAN: Final = re.compile(r"1\.\.(?P<count>\d{1,9})(?:\s*#\s*SKIP\b(?P<reason>.*))?\s*$", re.IGNORECASE)
_RESULT: Final = re.compile(
    r"(?P<not>not )?ok (?P<number>\d{1,9})(?: - | )(?P<name>[^#]*)(?:#\s*(?P<comment>.*))?$", re.IGNORECASE
)
_DIRECTIVE: Final = re.compile(r"(?P<directive>SKIP|TODO)\b:?(?P<reason>.*)", re.IGNORECASE)

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


class KtapReader:
    """Reads a log as it grows: every result line after the first version line."""

    def __init__(self) -> None:
        self._results: list[KtapResult] = []
        self._planned: int | None = None
        self._base: int | None = None
        self._position = 0
        self._rest = ""

    @property
    def report(self) -> KtapReport:
        """What the whole lines so far say."""
        return KtapReport(results=tuple(self._results), planned=self._planned)

    def feed(self, text: str) -> None:
        """Read the lines that `text` completes."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._read(line)

    def finish(self) -> KtapReport:
        """Read the last line, which nothing ends, and return the report."""
        self._read(self._rest)
        self._rest = ""
        return self.report

    def _read(self, line: str) -> None:
        start, self._position = self._position, self._position + len(line) + 1
        body = line[_prefix_length(line) :]
        indent = len(body) - len(body.lstrip(" "))
        body = body.lstrip(" ")
        if self._base is None:
            self._base = indent if _VERSION.match(body) else None
        elif (plan := _PLAN.match(body)) and indent <= self._base and self._planned is None:
            self._planned = int(plan["count"])
        elif match := _RESULT.match(body):
            self._results.append(_result(match, line, start, max(0, indent - self._base)))


def parse_ktap(text: str) -> KtapReport:
    """Read a whole log; text without a version line has no results."""
    reader = KtapReader()
    reader.feed(text)
    return reader.finish()


def _prefix_length(line: str) -> int:
    match = _PREFIX.match(line)
    return match.end() if match else 0


def _result(match: re.Match[str], line: str, start: int, depth: int) -> KtapResult:
    comment = _DIRECTIVE.match(match["comment"] or "")
    directive = comment["directive"].upper() if comment else ""
    skipped = directive == "SKIP"
    failed = match["not"] is not None or directive == "TODO"
    outcome = Outcome.SKIP if skipped else Outcome.FAIL if failed else Outcome.PASS
    return KtapResult(
        name=match["name"].strip(),
        outcome=outcome,
        reason=comment["reason"].strip() if comment else "",
        line=line.strip(),
        start=start,
        end=start + len(line),
        depth=depth,
    )
