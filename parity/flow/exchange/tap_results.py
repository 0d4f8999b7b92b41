"""Results in TAP 12 to 14 and in KTAP: lines that nest are runners.verdict.ktap's to read, flat ones tap.py's.

Both are handed lines in which an escaped `#` is hidden, so that it begins no directive.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tap.parser import Parser

from parity.errors import UsageError
from parity.interchange.results import FoundResult, FoundResults
from parity.outcome import Outcome
from parity.printable import printable_line
from runners.verdict.ktap import parse_ktap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap.line import Result

    from runners.verdict.ktap import KtapResult

_NESTING: Final = re.compile(r"^[^\n]{0,60}?(?:KTAP version \d{1,9}|TAP version 14)\s*$", re.MULTILINE)
_RESULT: Final = re.compile(r"(?:not )?ok(?:\s|$)")
"""A line that tap.py may take for a result: by itself it would take `okay` for one."""
_OTHER: Final = re.compile(r"1\.\.\d{1,9}\b|Bail out!")
_BAIL: Final = re.compile(r"^\s{0,60}Bail out!(?P<reason>[^\n]*)", re.MULTILINE)
_DIRECTIVE: Final = re.compile(r"#\s*(?P<word>TIMEOUT|ERROR)\b")
_KTAP_OUTCOMES: Final = {"TIMEOUT": Outcome.TIMEOUT, "ERROR": Outcome.ERROR}
"""Directives of KTAP that say more than `not ok`."""
_HIDDEN: Final = "\\\x1f"
"""Stands for an escaped `#` while a line is read."""
_MOST_RESULTS: Final = 100_000


def read_tap(text: str) -> FoundResults:
    """Read TAP 12, 13 or 14, or KTAP; raise `UsageError` where there is no result in it.

    Of results that have subtests, the subtests count and the line that sums them up does not.
    """
    hidden = text.replace("\\#", _HIDDEN)
    found, planned, count = _read_nested(hidden) if _NESTING.search(text) else _read_flat(hidden)
    if not found:
        raise UsageError(
            "the file has no TAP or KTAP result", hint="a result's line begins with ok or not ok"
        )
    if len(found) > _MOST_RESULTS:
        raise UsageError(f"the file has more than {_MOST_RESULTS} results")
    warnings = [f"it bailed out: {printable_line(match['reason'])}" for match in _BAIL.finditer(text)][:1]
    if planned is not None and count < planned:
        warnings.append(f"{planned} results were announced, {count} came")
    return FoundResults(results=found, warnings=tuple(warnings))


def _read_nested(text: str) -> tuple[tuple[FoundResult, ...], int | None, int]:
    """Read lines that may stand within subtests; return results, the plan, and how many it is about."""
    report = parse_ktap(text)
    suites = _suites(report.results)
    found = tuple(
        _nested_result(result, suite)
        for result, suite, before in zip(report.results, suites, (None, *report.results), strict=False)
        if before is None or before.depth <= result.depth
    )
    return found, report.planned, sum(result.depth == 0 for result in report.results)


def _suites(results: Sequence[KtapResult]) -> list[str]:
    """Return for each result the name of the outermost one that it is part of: the next one that stands outside."""
    suites: list[str] = []
    outermost = ""
    for result in reversed(results):
        outermost = _shown(result.name) if result.depth == 0 else outermost
        suites.append("" if result.depth == 0 else outermost)
    return suites[::-1]


def _nested_result(result: KtapResult, suite: str) -> FoundResult:
    directive = _DIRECTIVE.search(result.line)
    outcome = result.outcome
    if directive is not None and outcome is not Outcome.SKIP:
        outcome = _KTAP_OUTCOMES[directive["word"]]
    return FoundResult(
        suite=suite,
        name=_shown(result.name),
        outcome=outcome,
        evidence=(printable_line(result.line.replace(_HIDDEN, "\\#")),),
    )


def _read_flat(text: str) -> tuple[tuple[FoundResult, ...], int | None, int]:
    parser = Parser()
    results: list[FoundResult] = []
    planned: int | None = None
    for line in text.splitlines():
        if not (_RESULT.match(line) or _OTHER.match(line)):
            continue
        parsed = parser.parse_line(line.rstrip())
        if parsed.category == "plan":
            planned = parsed.expected_tests
        elif parsed.category == "test":
            results.append(_flat_result(parsed, line))
    return tuple(results), planned, len(results)


def _flat_result(parsed: Result, line: str) -> FoundResult:
    failed = not parsed.ok or parsed.todo
    outcome = Outcome.SKIP if parsed.skip else Outcome.FAIL if failed else Outcome.PASS
    return FoundResult(
        suite="",
        name=_shown(parsed.description.removeprefix("- ")),
        outcome=outcome,
        evidence=(printable_line(line.replace(_HIDDEN, "\\#")),),
    )


def _shown(name: str) -> str:
    """Return a name without its escapes."""
    return name.replace(_HIDDEN, "#").replace("\\\\", "\\").strip()
