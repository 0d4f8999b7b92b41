"""How long tests take on the reference and on the port."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation
from parity.outcome import Outcome

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt
    from parity.standing import Standing, TestStanding

_MOST_LISTED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TestTime:
    """One test that passes on both."""

    __test__ = False  # no test class, whatever pytest thinks of the name

    test: str
    reference_s: float
    port_s: float

    @property
    def ratio(self) -> float:
        """How many times as long the port takes."""
        return self.port_s / self.reference_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeComparison:
    """The newest passes of tests that pass on both."""

    tests: int
    reference_s: float
    """All of them together."""
    port_s: float
    median_ratio: float
    slowest: tuple[TestTime, ...]
    """Those on which the port loses most time, the most first."""

    @property
    def ratio(self) -> float:
        """How many times as long the port takes for all of them."""
        return self.port_s / self.reference_s


def compare_times(standing: Standing) -> TimeComparison | None:
    """Compare the times of the port with the reference's; None where no test passes on both."""
    pair = standing.scope.pair
    if pair is None:
        return None
    times = [time for row in standing.tests if (time := _time(row, *pair)) is not None]
    if not times:
        return None
    slowest = sorted(times, key=lambda time: (time.reference_s - time.port_s, time.test))
    return TimeComparison(
        tests=len(times),
        reference_s=sum(time.reference_s for time in times),
        port_s=sum(time.port_s for time in times),
        median_ratio=statistics.median(time.ratio for time in times),
        slowest=tuple(time for time in slowest[:_MOST_LISTED] if time.port_s > time.reference_s),
    )


def _time(row: TestStanding, reference: str, port: str) -> TestTime | None:
    times = [_passed_in(row.results.get(target)) for target in (reference, port)]
    if times[0] is None or times[1] is None:
        return None
    return TestTime(test=row.test, reference_s=times[0], port_s=times[1])


def _passed_in(attempt: StoredAttempt | None) -> float | None:
    """Return how long a pass took; None for anything else, and where it was imported and nobody knows."""
    if (
        attempt is None
        or attempt.verdict.outcome is not Outcome.PASS
        or attempt.isolation is Isolation.UNKNOWN
    ):
        return None
    return attempt.duration_s if attempt.duration_s > 0 else None
