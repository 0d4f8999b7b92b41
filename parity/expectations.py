"""What is known to fail, and why that is accepted for now: an axis of its own beside outcomes.

Expectations hide nothing: a covered failure is still a failure wherever outcomes are counted. They only say that
somebody knows. Pure: a file's text in, records out (parity.flow.results.expectations reads the file).
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from parity.campaign import Case
from parity.hangs import deciding_sentence
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from parity.attempt import Attempt, StoredAttempt
    from parity.diagnosis import Cause


class Mark(StrEnum):
    """How a result meets what was expected of it."""

    XFAIL = "xfail"
    """It failed as announced."""
    XPASS = "xpass"
    """It was announced to fail, and passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which evidence an expectation is about; all that is said must be true."""

    error_number: int | None = None
    cause: Cause | None = None
    text: str | None = None
    """Part of one of the sentences; `*` in it stands for anything."""

    def covers(self, attempt: Attempt | StoredAttempt) -> bool:
        """Whether an attempt ended for this reason."""
        if self.error_number is not None and attempt.verdict.error_number != self.error_number:
            return False
        if self.cause is not None and (
            attempt.hang is None or attempt.hang.diagnosis.cause is not self.cause
        ):
            return False
        sentences = (*attempt.verdict.evidence, deciding_sentence(attempt))
        return self.text is None or any(_holds_text(sentence, self.text) for sentence in sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One entry: a test or several, expected to fail on a target in one way."""

    test: str
    """A name or glob."""
    target: str
    outcome: Outcome
    reason: str
    link: str = ""
    owner: str = ""
    expires: date | None = None
    """The last day on which it holds."""
    evidence: Coverage = field(default_factory=Coverage)
    line: int = 0
    """Where it begins in its file, counted from 1."""
    cases: tuple[Case, ...] = ()
    """What it is about."""

    def covers(self, attempt: Attempt | StoredAttempt) -> bool:
        """Whether it announces this attempt's failure."""
        return (
            Case.of(attempt) in self.cases
            and attempt.verdict.outcome is self.outcome
            and self.evidence.covers(attempt)
        )

    def has_expired(self, today: date) -> bool:
        """Whether it no longer holds on a day."""
        return self.expires is not None and today > self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """All entries, in the order of their file."""

    entries: tuple[Expectation, ...] = ()
    by_case: Mapping[Case, tuple[Expectation, ...]] = field(default_factory=dict)

    def covering(self, attempt: Attempt | StoredAttempt) -> Expectation | None:
        """Return the first entry that announces this attempt's failure; None where none does."""
        announced = self.by_case.get(Case.of(attempt), ())
        return next((entry for entry in announced if entry.covers(attempt)), None)

    def mark(self, attempt: Attempt | StoredAttempt) -> Mark | None:
        """Return how an attempt meets what was expected; None where nothing was, or something else."""
        if attempt.verdict.outcome is Outcome.PASS:
            expected = Case.of(attempt) in self.by_case
            return Mark.XPASS if expected else None
        return Mark.XFAIL if self.covering(attempt) else None


def collect_expectations(entries: Iterable[Expectation]) -> Expectations:
    """Return the entries, found by what they are about."""
    entries = tuple(entries)
    by_case: dict[Case, tuple[Expectation, ...]] = {}
    for entry in entries:
        for case in entry.cases:
            by_case[case] = (*by_case.get(case, ()), entry)
    return Expectations(entries=entries, by_case=by_case)


def select_cases(test: str, target: str, cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return the cases of a test (a name or glob) on a target."""
    return tuple(case for case in cases if case.target == target and fnmatch.fnmatchcase(case.test, test))


def _holds_text(sentence: str, wanted: str) -> bool:
    """Whether `wanted` is in the sentence; each `*` stands for anything, so the leftmost fit of each part will do."""
    start = 0
    for part in wanted.split("*"):
        found = sentence.find(part, start)
        if found < 0:
            return False
        start = found + len(part)
    return True
