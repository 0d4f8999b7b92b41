"""When a machine is taken to do nothing, on a clock of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

import psutil
import pytest

from runners.machine.progress import ProgressMeter, read_wanted_cpu_s, wants_to_run

LIMIT_S = 3.0
STEP_S = 0.25


@dataclass
class Guest:
    """A machine that wants so many host CPUs, and a kernel that counts."""

    cpus: float = 0.0
    counts_a_second: float = 0.0
    now: float = 100.0
    wanted_s: float = 0.0
    count: float = 7.0
    is_readable: bool = True
    counted_at: list[float] = field(default_factory=list)

    def read_count(self) -> int | None:
        self.counted_at.append(self.now)
        return int(self.count) if self.is_readable else None


@pytest.fixture
def guest() -> Guest:
    return Guest()


def meter_of(guest: Guest) -> ProgressMeter:
    meter = ProgressMeter(lambda: (1,), clock=lambda: guest.now, read=lambda _pid: guest.wanted_s)
    meter.count = guest.read_count
    return meter


def quiet_after(
    guest: Guest, *, limit_s: float = LIMIT_S, up_to_s: float = 20.0, stalled: bool = False
) -> float:
    """Return for how many seconds a guest that has just printed something may be silent; infinity for good."""
    meter = meter_of(guest)
    printed_at = guest.now
    while guest.now - printed_at < up_to_s:
        guest.now += STEP_S
        guest.wanted_s += guest.cpus * STEP_S
        guest.count += guest.counts_a_second * STEP_S
        is_over = meter.is_stalled if stalled else meter.is_quiet
        if is_over(printed_at, limit_s):
            return guest.now - printed_at
    return float("inf")


def test_a_silent_and_idle_guest_is_quiet_once_the_limit_is_over(guest: Guest) -> None:
    assert quiet_after(guest) == LIMIT_S + STEP_S


def test_a_busy_guest_is_never_quiet(guest: Guest) -> None:
    guest.cpus = 1.0
    assert quiet_after(guest) == float("inf")


def test_an_idle_guest_that_ticks_is_quiet(guest: Guest) -> None:
    guest.cpus = 0.2
    assert quiet_after(guest) == LIMIT_S + STEP_S


@pytest.mark.parametrize("limit_s", [1.0, 3.0, 12.0])
def test_an_idle_guest_whose_kernel_counts_is_never_quiet(guest: Guest, limit_s: float) -> None:
    guest.counts_a_second = 20.0
    assert quiet_after(guest, limit_s=limit_s, up_to_s=5 * limit_s) == float("inf")


def test_a_busy_guest_whose_kernel_counts_nothing_is_stalled(guest: Guest) -> None:
    guest.cpus = 1.0
    assert quiet_after(guest, stalled=True) == LIMIT_S + STEP_S


def test_counters_are_read_from_half_of_the_limit_on(guest: Guest) -> None:
    began = guest.now
    quiet_after(guest)
    assert guest.counted_at[0] - began == LIMIT_S / 2 + STEP_S


def test_a_new_test_begins_with_no_silence_behind_it(guest: Guest) -> None:
    meter = meter_of(guest)
    printed_at = guest.now
    guest.now += 2 * LIMIT_S
    meter.reset()
    assert not meter.is_quiet(printed_at, LIMIT_S)
    assert guest.counted_at == []


def test_counters_that_cannot_be_read_are_no_progress(guest: Guest) -> None:
    guest.counts_a_second, guest.is_readable = 20.0, False
    assert quiet_after(guest) == LIMIT_S + STEP_S


def test_a_process_wants_to_run_while_it_computes_even_if_it_gets_no_cpu() -> None:
    spin = [sys.executable, "-c", "while True: pass"]
    hungry = [subprocess.Popen(["nice", "-n", "19", *spin]) for _ in range(2 * (os.cpu_count() or 1))]
    sleeping = subprocess.Popen(["sleep", "60"])
    try:
        end = time.monotonic() + 30  # each has to be started first, which takes a CPU as well
        while not all(wants_to_run(process.pid) for process in hungry) or wants_to_run(sleeping.pid):
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        for process in (*hungry, sleeping):
            process.kill()
            process.wait()
    assert not wants_to_run(2**22 + 1)


def test_a_process_that_computes_wants_a_cpu_and_one_that_is_gone_wants_none() -> None:
    before, end = read_wanted_cpu_s(psutil.Process().pid), time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
    assert read_wanted_cpu_s(psutil.Process().pid) - before > 0.05
    assert read_wanted_cpu_s(2**22 + 1) == 0.0
