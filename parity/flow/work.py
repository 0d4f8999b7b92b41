"""Workers: threads that each own at most one machine and take tests from a common queue."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.configuration import SuiteDelivery
from parity.errors import BuildError, ConfigurationError, HarnessError, MachineError
from parity.outcome import Outcome
from runners.boot import Report, not_made
from runners.machine import Stopped
from runners.runner import make_runner

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from parity.campaign import Case
    from runners.rig import Rig
    from runners.runner import Runner

_log = logging.getLogger(__name__)

_BOOT_FAILURES_IN_A_ROW: Final = 2
"""So many tests without a boot, each tried as often as configured, and the target is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker handed a test (or a whole suite) over."""

    worker: int
    target: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A test has a verdict."""

    worker: int
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLost:
    """Nothing more can be run on a target; its remaining tests are left for a resumed run."""

    target: str
    error: HarnessError


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded:
    """A worker has no more to do; its machine is gone."""

    worker: int


Event = Started | Finished | TargetLost | WorkerEnded


class WorkQueue:
    """What is left to do. A worker stays with its target as long as there is work on it."""

    def __init__(self, cases: Iterable[Case], rigs: Mapping[str, Rig]) -> None:
        self._lock = threading.Lock()
        self._unbooted: dict[str, int] = {}
        self._units: dict[str, deque[tuple[str, ...]]] = {name: deque() for name in rigs}
        for name, rig in rigs.items():
            tests = tuple(case.test for case in cases if case.target == name)
            whole = isinstance(rig.target.delivery, SuiteDelivery)
            self._units[name].extend([tests] if whole and tests else [(test,) for test in tests])

    @property
    def units(self) -> int:
        """How many pieces of work are left."""
        with self._lock:
            return sum(len(units) for units in self._units.values())

    def take(self, preferred: str | None) -> tuple[str, tuple[str, ...]] | None:
        """Return a target and its next tests; the one with most work left, unless `preferred` has some."""
        with self._lock:
            if preferred is None or not self._units[preferred]:
                preferred = max(self._units, key=lambda name: len(self._units[name]))
            units = self._units[preferred]
            return (preferred, units.popleft()) if units else None

    def count_boot(self, target: str, *, failed: bool) -> int:
        """Note whether a test of this target could be booted; return how many in a row now could not."""
        with self._lock:
            self._unbooted[target] = self._unbooted.get(target, 0) + 1 if failed else 0
            return self._unbooted[target]

    def drop(self, target: str) -> None:
        """Take nothing more of this target."""
        with self._lock:
            self._units[target].clear()

    def take_rest(self, target: str) -> tuple[str, ...]:
        """Return all that is left of a target, and leave nothing."""
        with self._lock:
            rest = tuple(test for unit in self._units[target] for test in unit)
            self._units[target].clear()
            return rest


def work(
    cases: Sequence[Case], rigs: Mapping[str, Rig], *, jobs: int, stop: threading.Event
) -> Generator[Event | None, None, None]:
    """Run the cases on `jobs` threads and yield what happens; None now and then, when nothing does.

    Ends when every worker has ended, which it does soon after `stop` is set. Closing the generator stops it too.
    """
    waiting = WorkQueue(cases, rigs)
    events: queue.Queue[Event] = queue.Queue()
    preferred = list(rigs)
    workers = [
        threading.Thread(
            target=_Worker(number, waiting, rigs, events, stop).run,
            args=(preferred[number % len(preferred)],),
            name=f"worker {number}",
        )
        for number in range(min(jobs, waiting.units))
    ]
    for worker in workers:
        worker.start()
    running = len(workers)
    try:
        while running:
            try:
                event = events.get(timeout=0.1)
            except queue.Empty:
                yield None
                continue
            running -= isinstance(event, WorkerEnded)
            yield event
    finally:
        if running:
            stop.set()
        for worker in workers:
            worker.join()


class _Worker:
    def __init__(
        self,
        number: int,
        waiting: WorkQueue,
        rigs: Mapping[str, Rig],
        events: queue.Queue[Event],
        stop: threading.Event,
    ) -> None:
        self._number = number
        self._waiting = waiting
        self._rigs = rigs
        self._events = events
        self._stop = stop
        self._runner: Runner | None = None
        self._target: str | None = None

    def run(self, preferred: str) -> None:
        """Take work until there is none, or the campaign stops."""
        try:
            target: str | None = preferred
            while not self._stop.is_set() and (unit := self._waiting.take(target)) is not None:
                target, tests = unit
                self._run_unit(target, tests)
        except Stopped:
            pass
        finally:
            try:
                self._close()
            finally:
                self._events.put(WorkerEnded(worker=self._number))

    def _run_unit(self, target: str, tests: tuple[str, ...]) -> None:
        self._events.put(Started(worker=self._number, target=target, tests=tests))
        reported: set[str] = set()
        try:
            for report in self._runner_for(target).run(tests):
                reported.add(report.attempt.test)
                self._finish(report)
        except Stopped:
            raise
        except MachineError as error:
            if self._stop.is_set():  # what ends the campaign may have ended QEMU first
                raise Stopped from error
            self._lose(target, tests[0], error)
        except ConfigurationError as error:  # an image of this one test is not there
            self._fail(target, set(tests) - reported, Outcome.NOT_RUN, error.message)
        except BuildError as error:
            self._fail(target, set(tests) - reported, Outcome.ERROR, error.message)
        except Exception as error:  # noqa: BLE001 - the boundary of one attempt: recorded, and the rest goes on
            _log.exception("%s on %s", tests[0], target)
            self._fail(target, set(tests) - reported, Outcome.ERROR, f"internal error: {error!r}")

    def _finish(self, report: Report) -> None:
        self._events.put(Finished(worker=self._number, report=report))
        rig = self._rigs[report.attempt.target]
        failed = report.attempt.verdict.outcome is Outcome.BOOT_FAILURE
        in_a_row = self._waiting.count_boot(rig.name, failed=failed)
        if in_a_row >= _BOOT_FAILURES_IN_A_ROW:
            why = f"not tried: the target did not boot for {in_a_row} tests in a row"
            for test in self._waiting.take_rest(rig.name):
                self._events.put(
                    Finished(worker=self._number, report=not_made(rig, test, Outcome.BOOT_FAILURE, why))
                )

    def _fail(self, target: str, tests: Iterable[str], outcome: Outcome, why: str) -> None:
        self._close()
        for test in sorted(tests):
            report = not_made(self._rigs[target], test, outcome, why)
            self._events.put(Finished(worker=self._number, report=report))

    def _lose(self, target: str, test: str, error: MachineError) -> None:
        self._waiting.drop(target)
        self._fail(target, [test], Outcome.ERROR, error.message)
        self._events.put(TargetLost(target=target, error=error))

    def _runner_for(self, target: str) -> Runner:
        if self._runner is None or self._target != target:
            self._close()
            self._runner, self._target = make_runner(self._rigs[target]), target
        return self._runner

    def _close(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None
