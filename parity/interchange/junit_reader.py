"""Results in JUnit XML, whoever wrote them. The text is hostile: no document type, so no entities; bounds on the rest."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import InterimResult, TestCase

from parity.errors import UsageError
from parity.interchange.results import FoundResult, FoundResults
from parity.outcome import Outcome
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from junitparser.junitparser import Result

_DEEPEST: Final = 16
"""Elements within one another; suites within suites are rare, and results are three deep."""
_MOST_RESULTS: Final = 100_000
_EVIDENCE_LINES: Final = 20
_LONGEST_S: Final = 1e9
_SEVERITY: Final = (Error, Failure, Skipped)
"""The worst first: a case may hold several."""
_EARLIER: Final = "an earlier attempt, which was repeated"
_OWN_TYPES: Final = {outcome.value: outcome for outcome in Outcome if outcome is not Outcome.PASS}
"""What `parity export` writes as a result's type."""


class _Tree(ElementTree.TreeBuilder):
    """Builds no more than results can be."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, *_declared: str | None) -> None:
        """Refuse the declaration that entities come in."""
        raise UsageError(
            "the XML declares a document type, which results have no use for", hint="remove <!DOCTYPE>"
        )

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UsageError(f"the XML has more than {_DEEPEST} elements within one another")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def read_junit(content: bytes) -> FoundResults:
    """Read a document with any number of suites; raise `UsageError` where it is no such document."""
    root = _parse(content)
    if root.tag not in ("testsuites", "testsuite"):
        raise UsageError(
            f"the XML is no JUnit results: its root is <{printable_line(root.tag, limit=60)}>",
            hint="the root is <testsuites> or <testsuite>",
        )
    found: list[FoundResult] = []
    for suite, element in _cases(root, root.get("name", "") if root.tag == "testsuite" else ""):
        found += _read_case(element, suite)
        if len(found) > _MOST_RESULTS:
            raise UsageError(f"the XML has more than {_MOST_RESULTS} results")
    begun = next(
        (moment for suite in root.iter("testsuite") if (moment := _moment(suite.get("timestamp", "")))), None
    )
    return FoundResults(results=tuple(found), started_at=begun)


def _parse(content: bytes) -> Element:
    parser = ElementTree.XMLParser(target=_Tree())  # noqa: S314 - _Tree refuses what is dangerous
    try:
        parser.feed(content)
        root: Element = parser.close()
    except ElementTree.ParseError as error:
        line, column = error.position
        problem = str(error).partition(":")[0]
        raise UsageError(f"no XML: line {line}, column {column + 1}: {problem}") from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise UsageError(f"no XML: {error}") from error
    return root


def _cases(element: Element, suite: str) -> Iterator[tuple[str, Element]]:
    """Yield every case with the name of the suite that it is in."""
    for child in element:
        if child.tag == "testcase":
            yield suite, child
        elif child.tag == "testsuite":
            yield from _cases(child, child.get("name", ""))


def _read_case(element: Element, suite: str) -> Iterator[FoundResult]:
    """Yield the attempts of one case, the earlier ones first."""
    case = TestCase.fromelem(element)
    name, duration_s = element.get("name", ""), _seconds(element.get("time", ""))
    for earlier in (child for child in case if isinstance(child, InterimResult)):
        failed = type(earlier).__name__.endswith("Failure")
        yield FoundResult(
            suite=suite,
            name=name,
            outcome=_outcome(earlier.type, Outcome.FAIL),
            evidence=(*_evidence(earlier, "failure" if failed else "error"), _EARLIER),
        )
    results = case.result
    worst = min(results, key=lambda found: _SEVERITY.index(type(found)), default=None)
    if worst is None:
        yield FoundResult(
            suite=suite,
            name=name,
            outcome=Outcome.PASS,
            evidence=("the file has it as passed",),
            duration_s=duration_s,
        )
        return
    yield FoundResult(
        suite=suite,
        name=name,
        outcome=Outcome.SKIP if isinstance(worst, Skipped) else _outcome(worst.type, Outcome.FAIL),
        evidence=_evidence(worst, type(worst).__name__.casefold()),
        duration_s=duration_s,
    )


def _outcome(kind: str | None, otherwise: Outcome) -> Outcome:
    """Return the outcome that a result's type names, where parity wrote it; a result that is none is no pass."""
    return _OWN_TYPES.get(kind or "", otherwise)


def _evidence(result: Result, kind: str) -> tuple[str, ...]:
    """Return the message, or the type, and the first lines of the text."""
    text = (result.text or "").strip().splitlines()[:_EVIDENCE_LINES]
    lines = (result.message or "", *text)
    shown = tuple(dict.fromkeys(printable_line(line) for line in lines if line.strip()))
    return shown or (printable_line(f"the file has it as {kind} {result.type or ''}".rstrip()),)


def _seconds(text: str) -> float:
    try:
        seconds = float(text.replace(",", "")) if len(text) < 40 else 0.0
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and 0 <= seconds <= _LONGEST_S else 0.0


def _moment(text: str) -> datetime | None:
    """Return the moment of an ISO 8601 text; one without a zone is taken for UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
