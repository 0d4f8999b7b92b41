"""Whether a machine still does something: output, or host CPU time.

A hang is silence with an idle guest. Silence with busy CPUs may be a long computation, so it is left to the budget.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

_SAMPLE_EVERY_S: Final = 0.25
_BUSY_SHARE: Final = 0.5
"""Of one host CPU. Four idle guest CPUs that tick at 100 Hz use about a tenth under TCG."""


class ProgressMeter:
    """Remembers when the machine was last seen working."""

    def __init__(self, pid: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        try:
            self._process: psutil.Process | None = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._process = None
        self._sampled_at = clock()
        self._cpu_s = self._read_cpu_s()
        self.worked_at = self._sampled_at
        self.share = 0.0
        """Host CPU seconds per second over the last sample."""

    def reset(self) -> None:
        """Start over: a new test begins."""
        self.worked_at = self._clock()

    def quiet_s(self, last_output_at: float) -> float:
        """Return for how many seconds there was neither output nor work."""
        now = self._clock()
        if now - self._sampled_at >= _SAMPLE_EVERY_S:
            cpu_s = self._read_cpu_s()
            self.share = (cpu_s - self._cpu_s) / (now - self._sampled_at)
            if self.share >= _BUSY_SHARE:
                self.worked_at = now
            self._sampled_at, self._cpu_s = now, cpu_s
        return now - max(self.worked_at, last_output_at)

    def _read_cpu_s(self) -> float:
        if self._process is None:
            return 0.0
        try:
            times = self._process.cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)
