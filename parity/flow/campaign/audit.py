"""`parity run --audit`: does it matter to a test whether its machine was put back to the prompt or booted anew?"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation
from parity.flow.campaign.run import run_campaign

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from db.repository import Repository
    from parity.attempt import Attempt
    from parity.campaign import Case
    from parity.configuration import Configuration
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.run import Observer, Summary
    from parity.outcome import Outcome

SAMPLE: Final = 20
"""Tests of each target, where more are chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A test that came out one way under snapshots and another way on fresh boots."""

    target: str
    test: str
    snapshot: tuple[Outcome, ...]
    """Of each try, in their order."""
    boot: tuple[Outcome, ...]

    @property
    def is_isolation(self) -> bool:
        """Whether both ways repeat themselves: then it is the isolation, and no test that comes out now so, now so."""
        return len(set(self.snapshot)) == 1 and len(set(self.boot)) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the comparison came to."""

    compared: int
    differences: tuple[Difference, ...]
    runs: tuple[Summary, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no test was found that depends on isolation."""
        return not any(difference.is_isolation for difference in self.differences)


def draw_sample(cases: Sequence[Case], *, seed: int, most: int = SAMPLE) -> tuple[Case, ...]:
    """Return at most so many cases of each target, in their order; the same ones for the same seed."""
    kept: set[Case] = set()
    for target in dict.fromkeys(case.target for case in cases):
        own = sorted({case for case in cases if case.target == target})
        kept.update(random.Random(seed).sample(own, min(most, len(own))))  # noqa: S311 - not for secrets
    return tuple(dict.fromkeys(case for case in cases if case in kept))


def audit_isolation(
    configuration: Configuration, repository: Repository, order: Order, observer: Observer
) -> Audit:
    """Run the order's cases under snapshots and on fresh boots, and again where the two differ.

    Raises as `run_campaign`. An interrupt ends it early: `runs` tells.
    """
    runs: list[Summary] = []
    tries: dict[tuple[Case, Isolation], list[Outcome]] = {}

    def run(cases: Iterable[Case], isolation: Isolation, *, build: bool) -> bool:
        wanted = replace(order, cases=tuple(cases), isolation=isolation, build=build)
        runs.append(run_campaign(configuration, repository, wanted, observer))
        for attempt in runs[-1].attempts:
            tries.setdefault((_case(order, attempt), isolation), []).append(attempt.verdict.outcome)
        return runs[-1].interrupt is None

    goes_on = run(order.cases, Isolation.SNAPSHOT, build=order.build)
    goes_on = goes_on and run(order.cases, Isolation.BOOT, build=False)
    unlike = [case for case in order.cases if _outcomes(tries, case)[0] != _outcomes(tries, case)[1]]
    if goes_on and unlike and run(unlike, Isolation.SNAPSHOT, build=False):
        run(unlike, Isolation.BOOT, build=False)
    differences = [
        Difference(target=case.target, test=case.test, snapshot=snapshot, boot=boot)
        for case in unlike
        for snapshot, boot in [_outcomes(tries, case)]
        if snapshot and boot
    ]
    return Audit(compared=len(order.cases), differences=tuple(differences), runs=tuple(runs))


def _case(order: Order, attempt: Attempt) -> Case:
    return next(case for case in order.cases if (case.target, case.test) == (attempt.target, attempt.test))


def _outcomes(
    tries: dict[tuple[Case, Isolation], list[Outcome]], case: Case
) -> tuple[tuple[Outcome, ...], tuple[Outcome, ...]]:
    return (
        tuple(tries.get((case, Isolation.SNAPSHOT), ())),
        tuple(tries.get((case, Isolation.BOOT), ())),
    )
