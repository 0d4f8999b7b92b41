"""Which tests, and which boots, take long while they run: told once at a limit, and again each time that doubles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from parity.flow.campaign.work import Booted, Booting, Finished, MachineStarted, Started, WorkerEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parity.flow.campaign.work import Event

FIRST_S: Final = 5.0
"""Seconds until a test that still runs, or a boot, is worth a word."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What takes long by now."""

    started: Started
    is_booting: bool
    """Whether it waits for its machine."""
    seconds: float
    """So far."""
    last_line: str
    """What a booting machine's console said last: the guest's own words."""


@dataclass(slots=True)
class _Running:
    started: Started
    since: float
    is_booting: bool = False
    next_s: float = FIRST_S
    last_line: Callable[[], str] = str


@dataclass(slots=True)
class SlowTests:
    """Follows what the workers are at; suites, which are long by nature, are left alone."""

    _running: dict[int, _Running] = field(default_factory=dict)

    def follow(self, event: Event | None, now: float) -> None:
        """Take notice of what happened, at `now` seconds on any clock that goes on."""
        match event:
            case Started(worker=worker, tests=tests) if len(tests) == 1:
                self._running[worker] = _Running(event, now)
            case Booting(worker=worker) | Booted(worker=worker) if worker in self._running:
                started = self._running[worker].started
                self._running[worker] = _Running(started, now, is_booting=isinstance(event, Booting))
            case MachineStarted(worker=worker, last_line=last_line) if worker in self._running:
                started = self._running[worker].started
                self._running[worker] = _Running(started, now, is_booting=True, last_line=last_line)
            case Finished(worker=worker) | WorkerEnded(worker=worker):
                self._running.pop(worker, None)
            case _:
                pass

    def due(self, now: float) -> Iterator[Slow]:
        """Yield each test and boot that has become slow, or twice as slow as when it was told."""
        for running in self._running.values():
            taken = now - running.since
            if taken >= running.next_s:
                while running.next_s <= taken:
                    running.next_s *= 2
                yield Slow(running.started, running.is_booting, taken, running.last_line())

    def is_slow(self, worker: int, now: float) -> bool:
        """Whether a worker's test is slow by now."""
        running = self._running.get(worker)
        return running is not None and not running.is_booting and now - running.since >= FIRST_S

    def is_booting(self, worker: int) -> bool:
        """Whether a worker's test waits for its machine."""
        running = self._running.get(worker)
        return running is not None and running.is_booting

    def last_line(self, worker: int) -> str:
        """Return what the console of a worker's booting machine said last."""
        running = self._running.get(worker)
        return running.last_line() if running is not None else ""
