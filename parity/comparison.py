"""What differs between two sets of results. Pure: standings in, differences out.

A test has changed where its outcome has, or, where it still fails, the reason. How long it takes has changed only
where that is beyond what it has taken before: see `compare_times`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from parity.diagnosis import Cause
from parity.hangs import cause_key, deciding_sentence
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parity.attempt import StoredAttempt
    from parity.outcome import PairState
    from parity.standing import Standing

FEWEST_PASSES: Final = 5
"""Fewer recorded passes do not say what is usual."""
MOST_PASSES: Final = 20
_FACTOR: Final = 1.25
_LEAST_S: Final = 0.1

_VARYING: Final = re.compile(
    r"0x[0-9A-Fa-f]+ | \d+(?:\.\d+)? (?= \s? (?:ms|s|%) \b ) | (?<= \bpid\W) \d+", re.VERBOSE
)
"""What differs from attempt to attempt of one and the same failure: addresses, times, process numbers."""


class ChangeKind(StrEnum):
    """What became of a test, the worst first."""

    NEW_FAILURE = "new-failure"
    """It passed, and does not."""
    NEW_PASS = "new-pass"  # noqa: S105 - a verdict, not a password
    """It did not pass, and does."""
    OTHER_OUTCOME = "other-outcome"
    """It passes on neither side, and ends differently."""
    OTHER_EVIDENCE = "other-evidence"
    """It ends the same way for another reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One test's two results that are held against each other."""

    test: str
    target: str
    """Of the later one."""
    then: StoredAttempt | None
    now: StoredAttempt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A test that ends differently."""

    kind: ChangeKind
    test: str
    target: str
    then: StoredAttempt
    now: StoredAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeChange:
    """A test that passes on both sides and takes longer, or less long, than it ever did."""

    test: str
    target: str
    now_s: float
    fastest_s: float
    """Of the passes recorded before."""
    slowest_s: float
    passes: int
    """How many those are."""

    @property
    def is_slower(self) -> bool:
        """Whether it takes longer."""
        return self.now_s > self.slowest_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PairChange:
    """A test whose state on the port against the reference is another."""

    test: str
    then: PairState
    now: PairState


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All that differs between two sides; each list in the order of the tests."""

    compared: int
    """How many pairs of measured results were held against each other."""
    changes: tuple[Change, ...]
    times: tuple[TimeChange, ...]
    pairs: tuple[PairChange, ...]
    only_then: tuple[Pairing, ...]
    """What has a result on the earlier side alone that says something."""
    only_now: tuple[Pairing, ...]

    def of_kind(self, kind: ChangeKind) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)


def pair_by_time(then: Standing, now: Standing) -> tuple[Pairing, ...]:
    """Pair the results of two standings of one scope: each test on each target with itself."""
    return tuple(
        Pairing(test=row.test, target=target, then=earlier.results.get(target), now=row.results[target])
        for target in now.scope.targets
        for row, earlier in zip(now.tests, then.tests, strict=True)
        if target in row.results
    )


def pair_by_target(standing: Standing, then: str, now: str) -> tuple[Pairing, ...]:
    """Pair the results of two targets of one standing; tests that are not meant for both are left out."""
    return tuple(
        Pairing(test=row.test, target=now, then=row.results[then], now=row.results[now])
        for row in standing.tests
        if then in row.results and now in row.results
    )


def find_differences(
    pairings: Iterable[Pairing], *, times: Iterable[TimeChange] = (), pairs: Iterable[PairChange] = ()
) -> Differences:
    """Hold the two results of each pairing against each other."""
    pairings = tuple(pairings)
    measured = [(is_measured(pairing.then), is_measured(pairing.now)) for pairing in pairings]
    changes = [found for pairing in pairings if (found := find_change(pairing)) is not None]
    return Differences(
        compared=sum(both == (True, True) for both in measured),
        changes=tuple(changes),
        times=tuple(times),
        pairs=tuple(pairs),
        only_then=tuple(p for p, has in zip(pairings, measured, strict=True) if has == (True, False)),
        only_now=tuple(p for p, has in zip(pairings, measured, strict=True) if has == (False, True)),
    )


def find_change(pairing: Pairing) -> Change | None:
    """Return what became of a test; None where it ends as it did, or where one side says nothing about it."""
    then, now = pairing.then, pairing.now
    if then is None or now is None or not (is_measured(then) and is_measured(now)):
        return None
    kind = _kind(then, now)
    if kind is None:
        return None
    return Change(kind=kind, test=pairing.test, target=pairing.target, then=then, now=now)


def find_pair_changes(then: Standing, now: Standing) -> tuple[PairChange, ...]:
    """Return the tests of one scope whose pair state is another."""
    return tuple(
        PairChange(test=row.test, then=earlier.pair, now=row.pair)
        for row, earlier in zip(now.tests, then.tests, strict=True)
        if row.pair is not None and earlier.pair is not None and row.pair is not earlier.pair
    )


def compare_times(now: StoredAttempt, passes_s: Sequence[float]) -> TimeChange | None:
    """Return how a pass's time differs from those of up to 20 passes recorded before; None where it does not.

    It differs where it is beyond every one of them by a quarter and a tenth of a second, and where there are at least
    five: the spread of what was recorded is the noise.
    """
    if len(passes_s) < FEWEST_PASSES:
        return None
    fastest, slowest, took = min(passes_s), max(passes_s), now.duration_s
    is_slower = took > slowest * _FACTOR and took - slowest >= _LEAST_S
    is_faster = took < fastest / _FACTOR and fastest - took >= _LEAST_S
    if not (is_slower or is_faster):
        return None
    return TimeChange(
        test=now.test,
        target=now.target,
        now_s=took,
        fastest_s=fastest,
        slowest_s=slowest,
        passes=len(passes_s),
    )


def may_differ(now: StoredAttempt, then: StoredAttempt) -> bool:
    """Whether the times can have changed, before all passes are looked at of which `then` is one."""
    return abs(now.duration_s - then.duration_s) >= _LEAST_S


def is_measured(attempt: StoredAttempt | None) -> bool:
    """Whether there is an attempt that says something about the kernel."""
    return attempt is not None and attempt.verdict.outcome.is_measured


def _kind(then: StoredAttempt, now: StoredAttempt) -> ChangeKind | None:
    before, after = then.verdict.outcome, now.verdict.outcome
    if (before is Outcome.PASS) is not (after is Outcome.PASS):
        return ChangeKind.NEW_PASS if after is Outcome.PASS else ChangeKind.NEW_FAILURE
    if before is not after:
        return ChangeKind.OTHER_OUTCOME
    if after is not Outcome.PASS and _reason(then) != _reason(now):
        return ChangeKind.OTHER_EVIDENCE
    return None


def _reason(attempt: StoredAttempt) -> tuple[object, ...]:
    """Return what two attempts that ended for the same reason have in common."""
    verdict, hang = attempt.verdict, attempt.hang
    if hang is not None and hang.diagnosis.cause is not Cause.UNKNOWN:
        said = cause_key(hang.diagnosis)
    else:
        said = _VARYING.sub("…", deciding_sentence(attempt).replace(attempt.nonce or "\0", "…"))
    return verdict.error_number, verdict.signal, verdict.exit_status, said
