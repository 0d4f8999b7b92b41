"""What a run looks like while it goes on: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.text import Text

from parity.cli.slowness import SlowTests
from parity.cli.styles import OUTCOME_STYLES
from parity.flow.campaign.work import BootFailed, Finished, Started, TargetLost, WorkerEnded
from parity.hangs import deciding_sentence
from parity.outcome import Outcome
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, RenderableType

    from parity.attempt import Attempt, BootFailure
    from parity.cli.slowness import Slow
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.run import Observer
from parity.flow.campaign.work import Event


def describe_counts(counts: Mapping[Outcome, int]) -> Text:
    """Return `74 pass, 3 fail` with colours, in the order of the outcomes."""
    parts = [
        Text(f"{counts[outcome]} {outcome}", style=OUTCOME_STYLES[outcome])
        for outcome in Outcome
        if counts.get(outcome)
    ]
    return Text(", ").join(parts) if parts else Text("nothing was run")


def describe_order(order: Order) -> str:
    """Return what is to be run, such as `3 tests, 300 attempts, on x86_64; shuffled by --seed 7`."""
    cases = len(set(order.cases))
    counted = "1 test" if cases == 1 else f"{cases} tests"
    if order.endless:
        counted += " until one fails,"
    elif len(order.cases) > cases:
        counted += f", {len(order.cases)} attempts,"
    shuffled = "" if order.seed is None else f"; shuffled by --seed {order.seed}"
    return f"{counted} on {', '.join(order.targets)}{shuffled}"


@contextlib.contextmanager
def open_observer(
    console: Console, *, quiet: bool, machines: str | None = None, brief: bool = False
) -> Iterator[Observer]:
    """Yield the observer that fits the console; the terminal is whole again when the context ends.

    `machines` says how many run side by side and why. `brief` leaves out what is as wanted.
    """
    if quiet:
        yield SilentObserver()
    elif console.is_terminal:
        display = LiveObserver(console, machines)
        with Live(display, console=console, refresh_per_second=8, transient=True):
            yield display
    elif brief:
        yield BriefObserver(console, machines)
    else:
        yield PlainObserver(console, machines)


class SilentObserver:
    """For `--json`."""

    def building(self, target: str, command: Sequence[str]) -> None:
        """Say nothing."""

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """Say nothing."""

    def happened(self, event: Event | None) -> None:
        """Say nothing."""


class PlainObserver:
    """One line for every finished test."""

    def __init__(self, console: Console, machines: str | None = None) -> None:
        self._console = console
        self._machines = machines
        self._width = 0
        self._slow = SlowTests()

    def building(self, target: str, command: Sequence[str]) -> None:
        """Say which command runs."""
        self._console.print(Text(f"build {target}: {' '.join(command)}"), soft_wrap=True)

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """Say what is about to be run."""
        self._width = max(map(len, order.targets), default=0)
        machines = self._machines or ("1 machine" if jobs == 1 else f"up to {jobs} machines side by side")
        self._console.print(Text(f"run {number}: {describe_order(order)}; {machines}"), soft_wrap=True)

    def happened(self, event: Event | None) -> None:
        """Write a line for a verdict, two for one that needs a look, and one for a test that takes long."""
        self.tell_slow(event)
        match event:
            case BootFailed(failure=failure, tries_left=tries_left):
                again = "; it is tried again" if tries_left > 0 else ""
                line = f"{failure.target:<{self._width}}  boot failed: {_why_not_booted(failure)}{again}"
                self._console.print(Text(line), soft_wrap=True)
            case Finished(report=report):
                self._console.print(describe_attempt(report.attempt, width=self._width), soft_wrap=True)
            case TargetLost(target=target, error=error):
                self._console.print(
                    Text(f"{target}: {printable_line(error.message, limit=500)}"), soft_wrap=True
                )
            case _:
                pass

    def tell_slow(self, event: Event | None) -> None:
        """Write a line for each test and boot that takes long, and again when it is twice as long."""
        now = time.monotonic()
        self._slow.follow(event, now)
        for slow in self._slow.due(now):
            self._console.print(Text(describe_slow(slow, width=self._width), style="yellow"), soft_wrap=True)


class BriefObserver(PlainObserver):
    """The same for what needs a look, and the counts now and then."""

    def __init__(self, console: Console, machines: str | None = None) -> None:
        super().__init__(console, machines)
        self._counts: Counter[Outcome] = Counter()
        self._total: int | None = None

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """Say what is about to be run."""
        self._total = None if order.endless else len(order.cases)
        super().begun(number, order, jobs=jobs)

    def happened(self, event: Event | None) -> None:
        """Write a line for what needs a look, and one for every tenth of the whole."""
        if not isinstance(event, Finished):
            super().happened(event)
            return
        self._slow.follow(event, time.monotonic())
        self._counts[event.report.attempt.verdict.outcome] += 1
        if not event.report.attempt.verdict.outcome.is_wanted:
            super().happened(event)
        done = self._counts.total()
        if done % max(1, (self._total or 1000) // 10) == 0:
            self._console.print(describe_done(done, self._total) + describe_counts(self._counts))


class LiveObserver(PlainObserver):
    """The same for what needs a look, above one line a worker and a line of counts."""

    def __init__(self, console: Console, machines: str | None = None) -> None:
        super().__init__(console, machines)
        self._workers: dict[int, tuple[Started, float]] = {}
        self._counts: Counter[Outcome] = Counter()
        self._total: int | None = 0
        self._started = time.monotonic()
        self._building = ""

    def building(self, target: str, command: Sequence[str]) -> None:
        """Show the command until the next thing happens."""
        self._building = f"build {target}: {' '.join(command)}"

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """Start the clock."""
        self._building = ""
        self._total = None if order.endless else len(order.cases)
        self._started = time.monotonic()
        super().begun(number, order, jobs=jobs)

    def happened(self, event: Event | None) -> None:
        """Note what the workers do; write a line for a verdict that needs a look."""
        self.tell_slow(event)
        match event:
            case Started(worker=worker):
                self._workers[worker] = event, time.monotonic()
            case WorkerEnded(worker=worker):
                self._workers.pop(worker, None)
            case Finished(report=report):
                self._counts[report.attempt.verdict.outcome] += 1
                if not report.attempt.verdict.outcome.is_wanted:
                    super().happened(event)
            case _:
                super().happened(event)

    def __rich__(self) -> RenderableType:
        if self._building:
            return Text(self._building, style="dim", no_wrap=True, overflow="ellipsis")
        lines = [
            Text.assemble(
                (f"  {started.target:<{self._width}}  ", "dim"),
                started.tests[0] if len(started.tests) == 1 else f"a suite of {len(started.tests)} tests",
                (f"  {time.monotonic() - since:.1f} s", "dim"),
                (f"  boots  {self._last_line(worker)}" if self._slow.is_booting(worker) else "", "dim"),
                ("  SLOW" if self._slow.is_slow(worker, time.monotonic()) else "", "yellow"),
                no_wrap=True,
                overflow="ellipsis",
            )
            for worker, (started, since) in sorted(self._workers.items())
        ]
        done = self._counts.total()
        left = describe_done(done, self._total) + describe_counts(self._counts) if done else Text("starting")
        return Group(*lines, left + Text(self._time_left(done), style="dim"))

    def _last_line(self, worker: int) -> str:
        return printable_line(self._slow.last_line(worker), limit=80)

    def _time_left(self, done: int) -> str:
        if not done or self._total is None or done >= self._total:
            return ""
        seconds = (time.monotonic() - self._started) / done * (self._total - done)
        return f"  about {seconds:.0f} s left"


def describe_slow(slow: Slow, *, width: int) -> str:
    """Return one line for what takes long, its target padded to `width`; for a boot with what its console says."""
    word = "boots" if slow.is_booting else "SLOW"
    line = (
        f"{slow.started.target:<{width}}  {slow.started.tests[0]:<28} {word:<8} {slow.seconds:6.2f} s so far"
    )
    if not slow.is_booting:
        return line
    said = printable_line(slow.last_line, limit=80)
    return f"{line}; last console line: {said or '(nothing)'}"


def _why_not_booted(failure: BootFailure) -> str:
    sentence = failure.hang.diagnosis.sentence if failure.hang else ""
    return failure.reason if sentence in failure.reason else f"{failure.reason}; {sentence}"


def describe_done(done: int, total: int | None) -> Text:
    """Return how far a run is, such as `30/300  `."""
    return Text(f"{done}  " if total is None else f"{done}/{total}  ", style="bold")


def describe_attempt(attempt: Attempt, *, width: int) -> Text:
    """Return one line for an attempt, its target padded to `width`; with evidence where it is no plain pass."""
    outcome = attempt.verdict.outcome
    line = Text.assemble(
        f"{attempt.target:<{width}}  {attempt.test:<28} ",
        (f"{outcome:<8}", OUTCOME_STYLES[outcome]),
        (f" {attempt.duration_s:6.2f} s", "dim"),
    )
    sentence = deciding_sentence(attempt)
    if outcome is not Outcome.PASS and sentence:
        line.append(f"  {printable_line(sentence, limit=160)}")
    return line
