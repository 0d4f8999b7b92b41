"""Whether a change may go in: regressions against the baseline and stale expectations stop it, and nothing else.

Pure: standings, expectations and a day in, a report out. A test that both passed and failed on one image is flaky;
it is told, and a pass never makes its failures undone, but chance decides nothing here: see `judge_gate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.campaign import Case
from parity.comparison import is_measured
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from parity.attempt import StoredAttempt
    from parity.comparison import Pairing
    from parity.expectations import Expectation, Expectations


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A test that passed at the baseline and now ends otherwise, and nobody announced it."""

    then: StoredAttempt
    now: StoredAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """An entry of the expectations that no longer says what is true."""

    entry: Expectation
    passing: tuple[Case, ...]
    """What it says fails and passes; empty where it has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaky:
    """A test that both passed and did not, on one image."""

    case: Case
    attempts: tuple[StoredAttempt, ...]
    """Its measured attempts on the image, oldest first."""
    passed_then: bool
    """Whether it passed at the baseline."""

    @property
    def failures(self) -> int:
        """How many of the attempts did not pass."""
        return sum(attempt.verdict.outcome is not Outcome.PASS for attempt in self.attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A failure that an entry announces."""

    now: StoredAttempt
    entry: Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """All that the gate found."""

    regressions: tuple[Regression, ...]
    stale: tuple[Stale, ...]
    flaky: tuple[Flaky, ...]
    covered: tuple[Covered, ...]
    lost: tuple[Case, ...]
    """What passed at the baseline and has no result now that says anything."""
    is_strict: bool
    """Whether a flaky test that passed at the baseline stops the change."""

    @property
    def unreliable(self) -> tuple[Flaky, ...]:
        """The flaky tests that passed at the baseline."""
        return tuple(flaky for flaky in self.flaky if flaky.passed_then)

    @property
    def is_open(self) -> bool:
        """Whether the change may go in."""
        return not (self.regressions or self.stale or (self.is_strict and self.unreliable))


def judge_gate(
    pairings: Sequence[Pairing],
    expectations: Expectations,
    on_image: Mapping[Case, Sequence[StoredAttempt]],
    *,
    today: date,
    strict_flaky: bool = False,
) -> GateReport:
    """Judge the newest results against those of the baseline.

    `on_image` has the measured attempts of a case on the image of its newest one, oldest first; a case of which
    nothing is told there has none but the newest.

    A test that passed at the baseline and does not now is a regression, unless an entry that has not expired covers it,
    or unless it also passed on the same image within the run: then it is flaky, in whichever order that came.
    """
    flaky = _find_flaky(pairings, on_image)
    wavering = {found.case for found in flaky if _within_one_run(found.attempts)}
    held = [entry for entry in expectations.entries if not entry.has_expired(today)]
    regressions, covered, lost = [], [], []
    for pairing in pairings:
        now, then = pairing.now, pairing.then
        case = Case.of(pairing)
        passed = then is not None and then.verdict.outcome is Outcome.PASS
        if now is None or not is_measured(now):
            lost += [case] if passed else []
            continue
        entry = next((entry for entry in held if entry.covers(now)), None)
        if entry is not None:
            covered.append(Covered(now=now, entry=entry))
        elif passed and then is not None and now.verdict.outcome is not Outcome.PASS and case not in wavering:
            regressions.append(Regression(then=then, now=now))
    return GateReport(
        regressions=tuple(regressions),
        stale=tuple(_find_stale(expectations.entries, pairings, on_image, today)),
        flaky=flaky,
        covered=tuple(covered),
        lost=tuple(lost),
        is_strict=strict_flaky,
    )


def _find_flaky(
    pairings: Iterable[Pairing], on_image: Mapping[Case, Sequence[StoredAttempt]]
) -> tuple[Flaky, ...]:
    found = []
    for pairing in pairings:
        case = Case.of(pairing)
        attempts = tuple(on_image.get(case, ()))
        if len({attempt.verdict.outcome is Outcome.PASS for attempt in attempts}) > 1:
            passed = pairing.then is not None and pairing.then.verdict.outcome is Outcome.PASS
            found.append(Flaky(case=case, attempts=attempts, passed_then=passed))
    return tuple(found)


def _within_one_run(attempts: Sequence[StoredAttempt]) -> bool:
    """Whether the newest run among them saw both."""
    newest = [attempt for attempt in attempts if attempt.campaign == attempts[-1].campaign]
    return len({attempt.verdict.outcome is Outcome.PASS for attempt in newest}) > 1


def _find_stale(
    entries: Iterable[Expectation],
    pairings: Sequence[Pairing],
    on_image: Mapping[Case, Sequence[StoredAttempt]],
    today: date,
) -> Iterable[Stale]:
    """Yield what has expired, and what covers a test that passes and never failed so on the same image."""
    passing = {
        Case.of(pairing)
        for pairing in pairings
        if pairing.now is not None and pairing.now.verdict.outcome is Outcome.PASS
    }
    for entry in entries:
        if entry.has_expired(today):
            yield Stale(entry=entry, passing=())
            continue
        cases = tuple(
            case
            for case in entry.cases
            if case in passing and not any(entry.covers(attempt) for attempt in on_image.get(case, ()))
        )
        if cases:
            yield Stale(entry=entry, passing=cases)
