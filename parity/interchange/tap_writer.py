"""A run as TAP version 14 and as KTAP: a subtest a target, a line a test.

A line has one verdict: of several attempts of a case the worst one counts, so that none is hidden by a better one.
Tests that were planned and never attempted are counted in the plan's line and have no other.
Sources: the TAP 14 specification; Linux 6.1, Documentation/dev-tools/ktap.rst.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from parity.hangs import deciding_sentence
from parity.outcome import Outcome
from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parity.interchange.results import CaseResult, RunResults

_INDENT: Final = "    "
_SPECIAL: Final = re.compile(r"[\\#]")
_KTAP_DIRECTIVES: Final = {
    Outcome.SKIP: "SKIP",
    Outcome.HANG: "TIMEOUT",
    Outcome.TIMEOUT: "TIMEOUT",
    Outcome.ERROR: "ERROR",
    Outcome.NOT_RUN: "ERROR",
    Outcome.BUILD_FAILURE: "ERROR",
}


def render_tap(results: RunResults) -> str:
    """Return the run as TAP version 14, with what is known of each failure as YAML."""
    lines = ["TAP version 14", f"1..{len(results.by_target)}"]
    for number, (target, cases) in enumerate(results.by_target.items(), 1):
        lines.append(f"# Subtest: {_escaped(target)}")
        lines += (f"{_INDENT}{line}" for line in _tap_cases(cases, results, target))
        lines.append(f"{_ok_all(results, target)} {number} - {_escaped(target)}")
    return "\n".join(lines) + "\n"


def render_ktap(results: RunResults) -> str:
    """Return the run as KTAP version 1, with what decided each failure as a diagnostic line before its result."""
    lines = ["KTAP version 1", f"1..{len(results.by_target)}"]
    for number, (target, cases) in enumerate(results.by_target.items(), 1):
        lines += (f"{_INDENT}KTAP version 1", f"{_INDENT}# Subtest: {_plain(target)}")
        lines += (f"{_INDENT}{line}" for line in _ktap_cases(cases, results, target))
        lines.append(f"{_ok_all(results, target)} {number} {_plain(target)}")
    return "\n".join(lines) + "\n"


def _tap_cases(cases: Sequence[CaseResult], results: RunResults, target: str) -> Iterator[str]:
    yield _plan(results, target)
    for number, case in enumerate(cases, 1):
        yield f"{_ok(case)} {number} - {_escaped(case.test)}{_tap_directive(case)}"
        if not case.worst.verdict.outcome.is_wanted:
            document = yaml.safe_dump(_described(case, results), sort_keys=False, allow_unicode=True)
            yield "  ---"
            yield from (f"  {line}" for line in document.splitlines())
            yield "  ..."


def _ktap_cases(cases: Sequence[CaseResult], results: RunResults, target: str) -> Iterator[str]:
    yield _plan(results, target)
    for number, case in enumerate(cases, 1):
        outcome = case.worst.verdict.outcome
        if not outcome.is_wanted:
            yield f"# {_plain(case.test)}: {outcome}: {_reason(case)}"
            if case.is_mixed:
                yield f"# {_plain(case.test)}: {_mixture(case)}"
        yield f"{_ok(case)} {number} {_plain(case.test)}{_ktap_directive(case)}"


def _plan(results: RunResults, target: str) -> str:
    return f"1..{len(results.by_target[target]) + len(results.unreached_on(target))}"


def _ok(case: CaseResult) -> str:
    return "ok" if case.worst.verdict.outcome.is_wanted else "not ok"


def _ok_all(results: RunResults, target: str) -> str:
    """Return the target's verdict: failures that are expected are none, as both formats have it."""
    fine = all(case.worst.verdict.outcome.is_wanted or case.expected for case in results.by_target[target])
    return "ok" if fine and not results.unreached_on(target) else "not ok"


def _tap_directive(case: CaseResult) -> str:
    if case.worst.verdict.outcome is Outcome.SKIP:
        return f" # SKIP {_escaped(_reason(case))}".rstrip()
    if case.expected and not case.worst.verdict.outcome.is_wanted:
        return f" # TODO {_escaped(printable_line(case.expected))}"
    return ""


def _ktap_directive(case: CaseResult) -> str:
    outcome = case.worst.verdict.outcome
    if case.expected and not outcome.is_wanted:
        return f" # XFAIL {printable_line(case.expected)}"
    directive = _KTAP_DIRECTIVES.get(outcome)
    return f" # {directive} {_reason(case)}".rstrip() if directive else ""


def _described(case: CaseResult, results: RunResults) -> dict[str, object]:
    attempt = case.worst
    told: dict[str, object] = {
        "message": _reason(case),
        "severity": "fail",
        "outcome": str(attempt.verdict.outcome),
        "duration_s": round(attempt.duration_s, 4),
        "evidence": [printable(sentence) for sentence in attempt.verdict.evidence],
        "attempt": attempt.id,
    }
    if case.is_mixed:
        told["attempts"] = [str(other.verdict.outcome) for other in case.attempts]
    tail = results.transcripts.get(attempt.id, ())
    return told | ({"transcript": list(tail)} if tail else {})


def _mixture(case: CaseResult) -> str:
    bad = sum(not attempt.verdict.outcome.is_wanted for attempt in case.attempts)
    return f"{bad} of {len(case.attempts)} attempts failed"


def _reason(case: CaseResult) -> str:
    return printable_line(deciding_sentence(case.worst))


def _escaped(text: str) -> str:
    r"""Return text in which `#` and `\` are nothing but themselves, as TAP 14 wants it."""
    return _SPECIAL.sub(r"\\\g<0>", printable_line(text))


def _plain(text: str) -> str:
    """Return a name as KTAP can have it: it knows no escapes, and `#` begins a directive."""
    return printable_line(text).replace("#", "_")
