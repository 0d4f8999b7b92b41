"""Whether a machine still does something: output, counters of its kernel's that move, or the wish for host CPU time.

A hang is silence with an idle guest. Silence with busy CPUs may be a long computation: it is a stall, worth a look.
Busy means wanting to run: a guest that the host starves gets little CPU time and is no more idle for that.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SAMPLE_EVERY_S: Final = 0.25
_COUNTED_FROM: Final = 0.5
"""Counters are read, which costs a moment, only of a guest that was silent for so much of what it may be."""
_BUSY_SHARE: Final = 0.5
"""Of one host CPU. Four idle guest CPUs that tick at 100 Hz want about a tenth under TCG."""


class ProgressMeter:
    """Remembers when some processes, together, were last seen working; `read` tells the CPU seconds that one wanted."""

    def __init__(
        self,
        pids: Callable[[], Iterable[int]],
        *,
        clock: Callable[[], float] = time.monotonic,
        read: Callable[[int], float] | None = None,
    ) -> None:
        self._pids = pids
        self._clock = clock
        self._read_one = read or read_wanted_cpu_s
        self._sampled_at = clock()
        self._wanted_s = self._read()
        self.worked_at = self._sampled_at
        self.share = 0.0
        """Host CPU seconds wanted per second over the last sample."""
        self.count: Callable[[], int | None] | None = None
        """Counts what the guest's kernel does, where that is known."""
        self._counted: int | None = None
        self._counted_at = self._began_at = self._sampled_at

    def reset(self) -> None:
        """Start over: a new test begins."""
        self.worked_at = self._counted_at = self._began_at = self._clock()

    def is_quiet(self, last_output_at: float, limit_s: float) -> bool:
        """Whether there was neither output nor work nor a count that moved for longer than `limit_s`."""
        now = self._sample(last_output_at, limit_s)
        return now - max(self.worked_at, self._counted_at, last_output_at) > limit_s

    def is_stalled(self, last_output_at: float, limit_s: float) -> bool:
        """Whether there was neither output nor a count that moved for longer than `limit_s`, work or no work."""
        return self._sample(last_output_at, limit_s) - max(self._counted_at, last_output_at) > limit_s

    def _sample(self, last_output_at: float, limit_s: float) -> float:
        now = self._clock()
        if now - self._sampled_at >= _SAMPLE_EVERY_S:
            wanted_s = self._read()
            # below 0 where another process goes on with the guest
            self.share = max(0.0, (wanted_s - self._wanted_s) / (now - self._sampled_at))
            if self.share >= _BUSY_SHARE:
                self.worked_at = now
            self._sampled_at, self._wanted_s = now, wanted_s
            if now - max(last_output_at, self._began_at) > _COUNTED_FROM * limit_s:
                self._count(now)
        return now

    def _count(self, now: float) -> None:
        counted = self.count() if self.count is not None else None
        if counted is not None:
            if self._counted is not None and counted != self._counted:
                self._counted_at = now
            self._counted = counted

    def _read(self) -> float:
        return sum(self._read_one(pid) for pid in self._pids())


def read_wanted_cpu_s(pid: int) -> float:
    """Return how many CPU seconds a process has used or has waited for, all threads together.

    On Linux from /proc/PID/task/*/schedstat (nanoseconds run and nanoseconds runnable but waiting; Linux 6.1,
    Documentation/scheduler/sched-stats.rst); elsewhere only what it used is known. A process that is gone has none.
    """
    tasks = Path(f"/proc/{pid}/task")
    wanted_ns = 0
    found = False
    with contextlib.suppress(OSError):
        for task in tasks.iterdir():
            with contextlib.suppress(OSError, ValueError):
                ran_ns, waited_ns, _slices = (task / "schedstat").read_text().split()
                wanted_ns += int(ran_ns) + int(waited_ns)
                found = True
    return wanted_ns / 1e9 if found else _read_used_cpu_s(pid)


def wants_to_run(pid: int) -> bool:
    """Return whether a thread of a process runs, or waits for a CPU, at this moment (state R, proc(5)).

    What a thread has waited is counted only once it gets its CPU (sched_info_arrive, Linux 6.1): until then a guest that
    the host starves seems to want nothing. False where the system does not tell.
    """
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, IndexError):
                if (task / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "R":
                    return True
    return False


def _read_used_cpu_s(pid: int) -> float:
    import psutil  # noqa: PLC0415 - slow to import, and not needed on Linux

    try:
        times = psutil.Process(pid).cpu_times()
    except (psutil.Error, OSError):
        return 0.0  # gone; or the host is short of descriptors, which whoever needs one says
    return float(times.user + times.system)
