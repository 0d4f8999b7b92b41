"""How every test stands on every target, by its newest results. Pure: records in, records out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.campaign import Case
from parity.outcome import Outcome, PairState, pair_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parity.attempt import StoredAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which tests and targets are looked at, and which two targets are a pair."""

    kernel: str
    tests: tuple[str, ...]
    targets: tuple[str, ...]
    excluded: frozenset[Case]
    """What is not meant to be run at all."""
    reference: str | None = None
    port: str | None = None
    goal_percent: float = 100.0
    hosts: tuple[str, ...] = ()
    """The targets on which tests run on a host's own Linux: references for the tests themselves. All of them, looked
    at or not."""

    @property
    def kernel_targets(self) -> tuple[str, ...]:
        """The targets on which the kernel runs, not Linux."""
        return tuple(target for target in self.targets if target not in self.hosts)

    @property
    def pair(self) -> tuple[str, str] | None:
        """The reference and the port, where both are looked at."""
        if self.reference in self.targets and self.port in self.targets and self.reference != self.port:
            return str(self.reference), str(self.port)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of the tests that are meant for a target pass there; a skip is never a pass."""

    passed: int
    total: int
    """All tests that are meant for the target, measured or not."""
    measured: int
    """How many of them have a result that says something about the kernel."""

    @property
    def percent(self) -> float | None:
        """The share that passes, or None of no tests at all."""
        return 100 * self.passed / self.total if self.total else None

    def __str__(self) -> str:
        if self.total == 0:
            return "no tests"
        return f"{format_percent(self.passed, self.total)} ({self.passed}/{self.total})"


def format_percent(part: int, whole: int) -> str:
    """Return a share with one decimal; 0% and 100% mean exactly none and all."""
    if part in (0, whole):
        return "0%" if part == 0 else "100%"
    tenths = min(
        999, max(1, (2000 * part + whole) // (2 * whole))
    )  # halves go up, whatever binary fractions do
    return f"{tenths // 10}.{tenths % 10}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestStanding:
    """One test's newest results."""

    __test__ = False  # no test class, whatever pytest thinks of the name

    test: str
    results: Mapping[str, StoredAttempt | None]
    """By target; None where never attempted, and no entry where the test is not meant for the target."""
    pair: PairState | None
    """How it stands on the port against the reference, where there is such a pair."""
    faults: tuple[StoredAttempt, ...] = ()
    """The newest attempts on Linux, where they show that the test itself is wrong."""

    def outcome(self, target: str) -> Outcome | None:
        """Return the newest outcome on a target."""
        attempt = self.results.get(target)
        return attempt.verdict.outcome if attempt else None

    def describe(self, target: str) -> str:
        """Return the outcome in words, also where there is none."""
        if target not in self.results:
            return "not meant for it"
        return self.outcome(target) or "never run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All tests in scope, in listed order."""

    scope: Scope
    tests: tuple[TestStanding, ...]

    def rate(self, target: str) -> Rate:
        """Return a target's pass rate."""
        outcomes = [row.outcome(target) for row in self.tests if target in row.results]
        return Rate(
            passed=outcomes.count(Outcome.PASS),
            total=len(outcomes),
            measured=sum(outcome is not None and outcome.is_measured for outcome in outcomes),
        )

    def in_state(self, state: PairState) -> tuple[TestStanding, ...]:
        """Return the tests in a pair state."""
        return tuple(row for row in self.tests if row.pair is state)

    @property
    def test_faults(self) -> tuple[TestStanding, ...]:
        """Return the tests that fail on Linux too."""
        return tuple(row for row in self.tests if row.faults)

    @property
    def is_measured(self) -> bool:
        """Whether any test was ever attempted."""
        return any(attempt for row in self.tests for attempt in row.results.values())


def build_standing(scope: Scope, attempts: Iterable[StoredAttempt]) -> Standing:
    """Arrange one attempt a case by test and target; attempts out of scope are left out."""
    by_case = {Case.of(attempt): attempt for attempt in attempts}

    def newest(test: str, targets: Iterable[str]) -> dict[str, StoredAttempt | None]:
        cases = (Case(target=target, test=test) for target in targets)
        return {case.target: by_case.get(case) for case in cases if case not in scope.excluded}

    return Standing(
        scope=scope,
        tests=tuple(
            _stand(scope, test, newest(test, scope.targets), newest(test, scope.hosts))
            for test in scope.tests
        ),
    )


def _stand(
    scope: Scope,
    test: str,
    results: Mapping[str, StoredAttempt | None],
    on_linux: Mapping[str, StoredAttempt | None],
) -> TestStanding:
    run = [attempt for attempt in on_linux.values() if attempt is not None]
    outcomes = {target: attempt.verdict.outcome for target, attempt in results.items() if attempt is not None}
    pair = None
    if scope.pair is not None:
        reference, port = scope.pair
        pair = pair_state(
            outcomes.get(reference),
            outcomes.get(port),
            on_linux=[attempt.verdict.outcome for attempt in run],
            applicable=reference in results and port in results,
        )
    return TestStanding(
        test=test,
        results=results,
        pair=pair,
        faults=tuple(attempt for attempt in run if attempt.verdict.outcome.is_test_fault),
    )
