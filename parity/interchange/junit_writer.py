"""A run as JUnit XML, as Jenkins' xunit plugin and Maven Surefire have it: a suite a target, a case a test.

What failed is a `failure`; what crashed, hung or could not be measured is an `error`; its `type` is the outcome.
Earlier attempts of a case that passed in the end are `flakyFailure` or `flakyError`; of one that did not,
`rerunFailure` or `rerunError`: no failure is lost. What was planned and never attempted is an error as well. What a guest printed goes through `printable`, which leaves no
character that XML 1.0 does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import (
    FlakyError,
    FlakyFailure,
    JUnitXml,
    RerunError,
    RerunFailure,
    TestCase,
    TestSuite,
)

from parity.hangs import deciding_sentence
from parity.outcome import Outcome
from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from junitparser.xunit2 import InterimResult

    from parity.attempt import StoredAttempt
    from parity.interchange.results import CaseResult, RunResults

_INTERIM: Final[Mapping[tuple[bool, bool], type[InterimResult]]] = {
    (True, True): FlakyFailure,
    (True, False): FlakyError,
    (False, True): RerunFailure,
    (False, False): RerunError,
}
"""By whether the case ended well, and whether the earlier attempt was a plain failure."""


def render_junit(results: RunResults) -> str:
    """Return the run as an XML document, which says that it is in UTF-8."""
    document = JUnitXml(printable_line(results.run.kernel))
    for target, cases in results.by_target.items():
        document.add_testsuite(_suite(results, target, cases))
    document.update_statistics()
    content: bytes = document.tostring()
    # ElementTree writes a declaration of its own where the encoding is not US-ASCII or UTF-8.
    return f'<?xml version="1.0" encoding="utf-8"?>\n{content.decode()}\n'


def _suite(results: RunResults, target: str, cases: Sequence[CaseResult]) -> TestSuite:
    suite = TestSuite(printable_line(target))
    started_at = min(
        (attempt.started_at for case in cases for attempt in case.attempts), default=results.run.started_at
    )
    suite.timestamp = started_at.replace(tzinfo=None).isoformat(timespec="seconds")
    for name, value in _properties(results, target):
        suite.add_property(name, printable_line(value))
    for case in cases:
        suite.add_testcase(_case(case, results))
    for test in results.unreached_on(target):
        case_ = TestCase(printable_line(test), printable_line(target), 0.0)
        case_.result = [Error("planned, and never attempted", Outcome.NOT_RUN)]
        suite.add_testcase(case_)
    return suite


def _properties(results: RunResults, target: str) -> Iterator[tuple[str, str]]:
    """Yield what tells whether two suites are comparable."""
    run, facts = results.run, results.facts.get(target)
    yield "parity.run", str(run.number)
    yield "parity.identity", run.identity
    yield "parity.isolation", run.isolation
    if target in results.reported:
        total = results.reported[target]
        yield "parity.reported", f"{total.passed}/{total.total}"
    if run.revision is not None:
        yield "kernel.revision", run.revision.commit
        yield "kernel.dirty", str(run.revision.dirty).lower()
    if facts is not None:
        yield "kernel.fingerprint", facts.fingerprint
        yield "arch", facts.arch
        yield "emulator", facts.qemu_version


def _case(case: CaseResult, results: RunResults) -> TestCase:
    newest = case.newest
    made = TestCase(printable_line(case.test), printable_line(case.target), round(newest.duration_s, 4))
    outcome = newest.verdict.outcome
    message = _message(newest)
    if outcome is Outcome.SKIP:
        made.result = [Skipped(message, outcome)]
    elif outcome is Outcome.FAIL:
        made.result = [Failure(message, outcome)]
    elif not outcome.is_wanted:
        made.result = [Error(message, outcome)]
    if case.is_mixed:
        made.add_property("parity.outcomes", " ".join(attempt.verdict.outcome for attempt in case.attempts))
    for attempt in case.attempts[:-1]:
        if not attempt.verdict.outcome.is_wanted:
            made.add_interim_result(_interim(attempt, results, ended_well=outcome.is_wanted))
    if not outcome.is_wanted:
        made.system_out = _told(newest, results)
    return made


def _interim(attempt: StoredAttempt, results: RunResults, *, ended_well: bool) -> InterimResult:
    kind = _INTERIM[ended_well, attempt.verdict.outcome is Outcome.FAIL]
    made = kind(_message(attempt), attempt.verdict.outcome)
    made.system_out = _told(attempt, results)
    return made


def _message(attempt: StoredAttempt) -> str:
    return printable_line(deciding_sentence(attempt) or attempt.verdict.outcome)


def _told(attempt: StoredAttempt, results: RunResults) -> str:
    """Return the evidence and the end of the transcript."""
    lines = list(attempt.verdict.evidence)
    if attempt.hang is not None:
        lines += (attempt.hang.diagnosis.sentence, *attempt.hang.diagnosis.evidence)
    tail = results.transcripts.get(attempt.id, ())
    if tail:
        lines += ("the transcript ends:", *(f"| {line}" for line in tail))
    return printable("\n".join(lines))
