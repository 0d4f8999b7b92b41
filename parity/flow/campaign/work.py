"""Workers: threads that each own at most one machine and take tests from a common queue."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.campaign import BOOT_FAILURES_IN_A_ROW
from parity.errors import BuildError, ConfigurationError, HarnessError, MachineError
from parity.outcome import Outcome
from runners.delivery.runner import make_runner
from runners.machine.boot import BootListener, Report, not_made
from runners.machine.machine import Stopped
from runners.processes.process import shortages_named

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from parity.attempt import BootFailure
    from parity.flow.campaign.schedule import Schedule, Unit
    from runners.delivery.runner import Runner
    from runners.machine.rig import Rig

_log = logging.getLogger(__name__)

_SWITCH_S: Final = 0.0005
"""So long may one thread keep the others from the interpreter: storing results must not hold up a machine."""
_WAIT_S: Final = 0.5
"""A worker without work looks again so often, whatever it was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker handed a test (or a whole suite) over."""

    worker: int
    target: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Booting:
    """A worker's test has to wait for a machine."""

    worker: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStarted:
    """A machine runs, and is expected to come up."""

    worker: int
    last_line: Callable[[], str]
    """Tells what its console said last: the guest's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFailed:
    """A machine did not come up."""

    worker: int
    failure: BootFailure
    tries_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """It waits no longer: its own time begins, or it has no machine to run on."""

    worker: int


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


Event = Started | Booting | MachineStarted | BootFailed | Booted | Finished | TargetLost | WorkerEnded


class WorkQueue:
    """The schedule as threads share it, with what they learn of their targets."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        boot_failures_in_a_row: int = BOOT_FAILURES_IN_A_ROW,
        stop_when_unwanted: bool = False,
    ) -> None:
        self._schedule = schedule
        self.boot_failures_in_a_row = boot_failures_in_a_row
        """So many tests without a boot, each tried as often as configured, and the target is given up."""
        self._stop_when_unwanted = stop_when_unwanted
        self._changed = threading.Condition()
        self._unbooted: dict[str, int] = {}
        self._tried: set[tuple[str, str]] = set()

    def take(self, worker: int) -> Unit | None:
        """Return what a worker runs next; None where it is to end its machine first (`wait` then), or all is over."""
        with self._changed:
            before = self._schedule.held(worker)
            unit = self._schedule.take(worker)
            if before is not None and self._schedule.held(worker) != before:
                self._changed.notify_all()  # it may have made room
            return unit

    def wait(self, worker: int) -> bool:
        """Note that a worker has no machine, wait for a moment if need be; return whether there may be work."""
        with self._changed:
            self._let_go(worker)
            if not self._schedule.is_over and self._schedule.running:
                self._changed.wait(_WAIT_S)
            return not self._schedule.is_over

    def leave(self, worker: int) -> None:
        """Note that a worker has ended, and its machine with it."""
        with self._changed:
            self._let_go(worker)

    def learn(self, target: str, test: str, outcome: Outcome) -> tuple[str, ...]:
        """Note how an attempt ended; return the target's tests that were never tried, where it is given up."""
        with self._changed:
            self._tried.add((target, test))
            failed = outcome is Outcome.BOOT_FAILURE
            self._unbooted[target] = self._unbooted.get(target, 0) + 1 if failed else 0
            if self._stop_when_unwanted and not outcome.is_wanted:
                self._schedule.drop_all()
                self._changed.notify_all()
            if self._unbooted[target] >= self.boot_failures_in_a_row:
                rest = self._schedule.drop(target)
                return tuple(test for test in rest if (target, test) not in self._tried)
            return ()

    def drop(self, target: str) -> None:
        """Take nothing more of this target."""
        with self._changed:
            self._schedule.drop(target)

    def _let_go(self, worker: int) -> None:
        if self._schedule.held(worker) is not None:  # else two that wait would keep waking each other
            self._schedule.let_go(worker)
            self._changed.notify_all()


def work(
    waiting: WorkQueue, rigs: Mapping[str, Rig], *, machines: int, stop: threading.Event
) -> Generator[Event | None, None, None]:
    """Do the work on at most so many machines and yield what happens; None now and then, when nothing does.

    Ends when every worker has ended, which it does soon after `stop` is set. Closing the generator stops it too.
    """
    sys.setswitchinterval(_SWITCH_S)
    events: queue.Queue[Event] = queue.Queue()
    workers = [
        threading.Thread(target=_Worker(number, waiting, rigs, events, stop).run, name=f"worker {number}")
        for number in range(machines)
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


class _Boots(BootListener):
    """Hands on how a worker's boots go."""

    def __init__(self, worker: int, events: queue.Queue[Event]) -> None:
        self._worker = worker
        self._events = events

    def begun(self) -> None:
        self._events.put(Booting(worker=self._worker))

    def started(self, last_line: Callable[[], str]) -> None:
        self._events.put(MachineStarted(worker=self._worker, last_line=last_line))

    def failed(self, failure: BootFailure, *, tries_left: int) -> None:
        self._events.put(BootFailed(worker=self._worker, failure=failure, tries_left=tries_left))

    def over(self) -> None:
        self._events.put(Booted(worker=self._worker))


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
        self._boots = _Boots(number, events)
        self._stop = stop
        self._runner: Runner | None = None
        self._target: str | None = None

    def run(self) -> None:
        """Take work until there is none, or the campaign stops."""
        try:
            while not self._stop.is_set():
                unit = self._waiting.take(self._number)
                if unit is not None:
                    self._run_unit(unit.target, unit.tests)
                    continue
                self._close()
                if not self._waiting.wait(self._number):
                    break
        except Stopped:
            pass
        finally:
            try:
                self._close()
            finally:
                self._waiting.leave(self._number)
                self._events.put(WorkerEnded(worker=self._number))

    def _run_unit(self, target: str, tests: tuple[str, ...]) -> None:
        self._events.put(Started(worker=self._number, target=target, tests=tests))
        reported: set[str] = set()
        try:
            self._make_reports(target, tests, reported)
        except Stopped:
            raise
        except MachineError as error:
            self._lose(target, tests[0], error)
        except ConfigurationError as error:  # an image of this one test is not there
            self._fail(target, set(tests) - reported, Outcome.NOT_RUN, error.message)
        except BuildError as error:
            self._fail(target, set(tests) - reported, Outcome.ERROR, error.message)
        except Exception as error:  # noqa: BLE001 - the boundary of one attempt: recorded, and the rest goes on
            _log.exception("%s on %s", tests[0], target)
            self._fail(target, set(tests) - reported, Outcome.ERROR, f"internal error: {error!r}")

    def _make_reports(self, target: str, tests: tuple[str, ...], reported: set[str]) -> None:
        """Run the tests and hand on what they came to; a QEMU that does not start is started once more.

        It may have been killed from outside. Raises `HarnessError`s and `Stopped`.
        """
        for is_last in (False, True):
            left = tuple(test for test in tests if test not in reported)
            try:
                with shortages_named("run a test"):
                    for report in self._runner_for(target).run(left):
                        reported.add(report.attempt.test)
                        self._finish(report)
            except MachineError as error:
                if self._stop.is_set():  # what ends the campaign may have ended QEMU first
                    raise Stopped from error
                if is_last:
                    raise
                _log.info("%s: once more: %s", target, error.message)
                self._close()
            else:
                return

    def _finish(self, report: Report) -> None:
        self._events.put(Finished(worker=self._number, report=report))
        rig = self._rigs[report.attempt.target]
        rest = self._waiting.learn(rig.name, report.attempt.test, report.attempt.verdict.outcome)
        why = f"not tried: the target did not boot for {self._waiting.boot_failures_in_a_row} tests in a row"
        for test in rest:
            self._events.put(
                Finished(worker=self._number, report=not_made(rig, test, Outcome.BOOT_FAILURE, why))
            )

    def _fail(self, target: str, tests: Iterable[str], outcome: Outcome, why: str) -> None:
        self._close()
        for test in sorted(tests):
            self._finish(not_made(self._rigs[target], test, outcome, why))

    def _lose(self, target: str, test: str, error: MachineError) -> None:
        self._waiting.drop(target)
        self._fail(target, [test], Outcome.ERROR, error.message)
        self._events.put(TargetLost(target=target, error=error))

    def _runner_for(self, target: str) -> Runner:
        if self._runner is None or self._target != target:
            self._close()
            self._runner, self._target = make_runner(self._rigs[target], self._boots), target
        return self._runner

    def _close(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None
