"""Which worker runs what next: pure. `work.py` asks, under a lock of its own.

A machine takes as many virtual CPUs as its target has. So many guests side by side that each still gets on, and no
more: one that waits for the host is easily taken for one that hangs.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from parity.campaign import Case

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

VIRTUAL_CPUS_A_CORE: Final = 6
"""A guest's CPUs idle most of the time. Measured with four of them a guest, on two cores under TCG: three machines take
0.8 of the time of two, with the same outcomes, also beside two busy processes; a fourth gains little."""
_UNKNOWN_S: Final = 10.0
"""What a case that was never measured is taken for when work is shared out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the host can carry side by side."""

    host_cores: int
    costs: Mapping[str, int]
    """How many virtual CPUs a machine of each target takes."""
    jobs: int | None = None
    """At most so many machines, whatever the host could carry."""

    @property
    def budget_cpus(self) -> int:
        """How many virtual CPUs may exist at a time."""
        return self.host_cores * VIRTUAL_CPUS_A_CORE

    def fits(self, running: Collection[str], target: str) -> bool:
        """Return whether a machine of a target may start beside those of the running targets; one always may."""
        if not running:
            return True
        if self.jobs is not None and len(running) >= self.jobs:
            return False
        return sum(self.costs[name] for name in running) + self.costs[target] <= self.budget_cpus

    def machines(self, units: int | None) -> int:
        """Return how many machines may run side by side at most, for so many pieces of work (None: endless)."""
        most = max(1, self.budget_cpus // min(self.costs.values(), default=1))
        return max(1, min(most, self.jobs or most, most if units is None else units))

    def describe(self, units: int | None) -> str:
        """Return how many machines run and why, as a sentence part."""
        machines = self.machines(units)
        counted = "1 machine" if machines == 1 else f"up to {machines} machines side by side"
        if units is not None and machines == units:
            return f"{counted} (there is no more to run)"
        if self.jobs == machines:
            return f"{counted} (--jobs {self.jobs})"
        low, high = min(self.costs.values()), max(self.costs.values())
        each = f"{low}" if low == high else f"{low} to {high}"
        cores = "1 host core carries" if self.host_cores == 1 else f"{self.host_cores} host cores carry"
        return f"{counted} ({cores} {self.budget_cpus} virtual CPUs, a machine takes {each})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What a worker runs in one go: a test, or a suite."""

    target: str
    tests: tuple[str, ...]
    expected_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequencing:
    """In which order the cases come."""

    suites: frozenset[str] = frozenset()
    """Targets that report on all their tests in one go."""
    durations: Mapping[Case, float] = field(default_factory=dict)
    """How many seconds a case took, where it is known. Longest first, so that no long one is left for the end."""
    seed: int | None = None
    """Shuffles instead, and every target alike."""

    def units(self, target: str, tests: Sequence[str], *, first_round: int = 1) -> list[Unit]:
        """Return the units of a target's tests; the second time that a test comes is a round of its own."""
        times: Counter[str] = Counter()
        rounds: dict[int, list[str]] = {}
        for test in tests:
            times[test] += 1
            rounds.setdefault(times[test], []).append(test)
        found: list[Unit] = []
        for number, chosen in rounds.items():
            if target in self.suites:
                found.append(self._unit(target, tuple(chosen)))
            else:
                ordered = self._ordered(target, chosen, first_round + number - 1)
                found += (self._unit(target, (test,)) for test in ordered)
        return found

    def _ordered(self, target: str, tests: Sequence[str], number: int) -> list[str]:
        if self.seed is not None:
            # Not the random module's shuffle: the order is to be the same under every Python, and of what is left.
            return sorted(tests, key=lambda test: stable_hash(f"{self.seed} {number} {test}"))
        known = {test: self.durations.get(Case(target=target, test=test)) for test in tests}
        return sorted(tests, key=lambda test: (known[test] is not None, -(known[test] or 0.0)))

    def _unit(self, target: str, tests: tuple[str, ...]) -> Unit:
        seconds = (self.durations.get(Case(target=target, test=test), _UNKNOWN_S) for test in tests)
        return Unit(target=target, tests=tests, expected_s=sum(seconds))


class Schedule:
    """What is left to do, and which worker has a machine of which target.

    A worker stays with its target as long as there is work on it, since its machine can be used again. Who changes
    goes to where most is left for each machine; what does not fit waits, and nobody starts a machine before it.
    """

    def __init__(
        self,
        cases: Iterable[Case],
        *,
        capacity: Capacity,
        sequencing: Sequencing | None = None,
        endless: bool = False,
    ) -> None:
        self._capacity = capacity
        self._sequencing = sequencing or Sequencing()
        self._tests: dict[str, list[str]] = {}
        for case in cases:
            self._tests.setdefault(case.target, []).append(case.test)
        self._rounds = dict.fromkeys(self._tests, 1)
        self._pending = {
            target: deque(self._sequencing.units(target, tests)) for target, tests in self._tests.items()
        }
        self._left_s = {
            target: sum(unit.expected_s for unit in units) for target, units in self._pending.items()
        }
        self._endless = set(self._tests) if endless else set[str]()
        self._held: dict[int, str] = {}

    @property
    def units(self) -> int | None:
        """How many pieces of work are left; None for no end of them."""
        return None if self._endless else sum(map(len, self._pending.values()))

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to take."""
        return self.units == 0

    @property
    def running(self) -> tuple[str, ...]:
        """The targets of the machines that there are."""
        return tuple(self._held.values())

    def held(self, worker: int) -> str | None:
        """Return the target of a worker's machine; None where it has none."""
        return self._held.get(worker)

    def take(self, worker: int) -> Unit | None:
        """Return what a worker runs next, on its own machine or on one that takes its place.

        None where nothing is left or nothing fits now: the worker is to end its machine and call `let_go`.
        """
        target = self._held.get(worker)
        if target is None or not self._has_work(target) or self._is_to_leave(target):
            target = self._choose(worker)
        if target is None:
            return None
        self._held[worker] = target
        return self._pop(target)

    def let_go(self, worker: int) -> None:
        """Note that a worker has no machine."""
        self._held.pop(worker, None)

    def drop(self, target: str) -> tuple[str, ...]:
        """Leave all that is left of a target; return its tests, each once."""
        self._endless.discard(target)
        units = self._pending[target]
        rest = tuple(dict.fromkeys(test for unit in units for test in unit.tests))
        units.clear()
        self._left_s[target] = 0.0
        return rest

    def drop_all(self) -> None:
        """Leave all that is left."""
        for target in self._pending:
            self.drop(target)

    def _has_work(self, target: str) -> bool:
        return bool(self._pending[target]) or target in self._endless

    def _pop(self, target: str) -> Unit:
        if not self._pending[target]:
            self._rounds[target] += 1
            units = self._sequencing.units(target, self._tests[target], first_round=self._rounds[target])
            self._pending[target].extend(units)
            self._left_s[target] = sum(unit.expected_s for unit in units)
        unit = self._pending[target].popleft()
        self._left_s[target] -= unit.expected_s
        return unit

    def _is_to_leave(self, target: str) -> bool:
        """Return whether a round has ended and a target without a machine is behind: with no end it would starve."""
        if target not in self._endless or self._pending[target]:
            return False
        unmanned = self._endless - set(self._held.values())
        return any(self._finished_rounds(other) < self._finished_rounds(target) for other in unmanned)

    def _finished_rounds(self, target: str) -> int:
        return self._rounds[target] - bool(self._pending[target])

    def _choose(self, worker: int) -> str | None:
        running = [target for other, target in self._held.items() if other != worker]
        machines = Counter(running)

        def rank(target: str) -> tuple[int, float]:
            if target in self._endless:
                return machines[target], self._finished_rounds(target)
            return 0, -self._left_s[target] / (1 + machines[target])

        for target in sorted(filter(self._has_work, self._pending), key=rank):
            if self._capacity.fits(running, target):
                return target
            if target not in machines:
                return None
        return None


def stable_hash(text: str) -> int:
    """Return a number that every Python on every host makes of a text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()[:8], "big")
