"""A guest that is well is never proved to hang, whatever it waits for or computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from gdb.guest.cpu_state import Mode
from gdb.trace.event_types import Event
from parity.diagnosis import Cause
from tests.support.captures import MMU_ON, Cpu, capture, diagnosed, idle, runs, thread, user

if TYPE_CHECKING:
    from gdb.captures.capture import Capture

_RUNS: Final = (0, Event.CTX_SWITCH_EXIT, 5)
_NOTHING_ELSE: Final = (Cause.SLOW, Cause.UNKNOWN, Cause.NOT_THE_GUEST)


def _in_call(number: int, *earlier: tuple[int, Event, int]) -> Capture:
    """Return thread 5's wait in one system call, numbered as on x86-64, all CPUs idle."""
    return capture(idle(), idle(), arch="x86_64", before=[_RUNS, *earlier, (0, Event.SYSCALL_ENTRY, number)])


def _called(number: int, result: int) -> tuple[tuple[int, Event, int], tuple[int, Event, int]]:
    return (0, Event.SYSCALL_ENTRY, number), (0, Event.SYSCALL_EXIT, result)


_WAITS: Final = {"poll": 7, "select": 23, "futex": 202, "recvfrom": 45, "ppoll": 271, "epoll_wait": 232}

HEALTHY: Final[dict[str, Capture]] = {
    **{f"a wait in {name}, which may have a timeout": _in_call(n) for name, n in _WAITS.items()},
    "a sleep": _in_call(35),
    "a sleep while another reads": capture(
        *(idle(), idle()),
        arch="x86_64",
        before=[
            _RUNS,
            (0, Event.SYSCALL_ENTRY, 35),
            (1, Event.CTX_SWITCH_EXIT, 6),
            (1, Event.SYSCALL_ENTRY, 0),
        ],
    ),
    "pause with an alarm set": _in_call(34, *_called(37, 0)),
    "a read with an interval timer set": _in_call(0, *_called(38, 0)),
    "sigsuspend with an alarm set": _in_call(130, *_called(37, 0)),
    "user code that waits for an alarm": capture(user(), arch="x86_64", before=[_RUNS, *_called(37, 0)]),
    "a long computation": capture(user(span=50_000), idle()),
    "a computation in a narrower place": capture(user(span=900)),
    "a computation while others sleep": capture(
        user(),
        idle(),
        before=[(1, Event.CTX_SWITCH_EXIT, 6), (1, Event.SYSCALL_ENTRY, 101)],
    ),
    "a kernel busy with many calls": capture(
        runs("copy_page", "sys_write", "syscall_dispatch", calls=4000, span=200),
        arch="x86_64",
        events=[_RUNS, *(event for n in range(200) for event in _called(n % 9, n))],
    ),
    "the same without events": capture(
        runs("copy_page", "sys_write", "syscall_dispatch", calls=4000, span=200)
    ),
    "a long way through one call that was just entered": capture(
        runs("copy_page", "sys_fork", "syscall_dispatch"), before=[_RUNS, (0, Event.SYSCALL_ENTRY, 220)]
    ),
    "first accesses to fresh memory": capture(
        Cpu(
            mode=Mode.USER,
            span=8,
            faults=20_000,
            samples=(0x40_0000, "zero_page", "page_fault_handler"),
            sample_modes=(Mode.USER, Mode.KERNEL, Mode.KERNEL),
        )
    ),
    "idle CPUs without a tick": capture(idle(ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 0}), idle()),
    "idle CPUs with their timers masked, another ticks": capture(
        idle(ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 3}), idle()
    ),
    "polling while another CPU works": capture(
        user(calls=5000),
        user(span=9000),
        arch="x86_64",
        events=[_RUNS, *(event for _ in range(200) for event in _called(0, 2**32 - 11))],
    ),
    "waiting for time to pass by asking for it": capture(
        user(calls=5000),
        arch="x86_64",
        events=[_RUNS, *(event for _ in range(200) for event in _called(228, 0))],
    ),
    "a thread that has just been made ready": capture(
        idle(switches=40), idle(), threads=[thread(5, "THREAD_READY", name="test")], queue_length=1
    ),
    "a thread that waits for a timer, by the scheduler": capture(
        idle(), threads=[thread(5, "BlockedOnTimer", name="test", waits_for="timer_queue")]
    ),
    "a lock that is much asked for and handed on": capture(
        runs("spin_lock", "create_at", samples=("spin_lock", "create_at", "find", "insert"), calls=900),
        runs("insert", "create_at", calls=900, span=300),
    ),
    "a short interrupt over user code": capture(
        Cpu(
            stack=("timer_interrupt", "kernel_irq"),
            masked=True,
            samples=(0x40_0000, 0x40_8000, 0x40_0800),
            sample_modes=(Mode.USER,),
        )
    ),
    "nothing at all": capture(),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_well_is_not_proved_to_hang(name: str) -> None:
    diagnosis = diagnosed(HEALTHY[name])
    assert not diagnosis.confidence.is_proof or diagnosis.cause in _NOTHING_ELSE, diagnosis


def test_a_shell_at_its_prompt_is_blocked_in_read() -> None:
    diagnosis = diagnosed(_in_call(0))
    assert (diagnosis.cause, diagnosis.subject) == (Cause.BLOCKED_IN_SYSTEM_CALL, "read")


@pytest.mark.parametrize("name", ["a sleep", "a sleep while another reads"])
def test_a_sleep_is_slow(name: str) -> None:
    assert diagnosed(HEALTHY[name]).cause is Cause.SLOW


def test_work_that_succeeds_is_proved_to_be_slow() -> None:
    diagnosis = diagnosed(HEALTHY["a kernel busy with many calls"])
    assert diagnosis.cause is Cause.SLOW
    assert diagnosis.confidence.is_proof


def test_calls_whose_results_are_not_known_are_no_proof_of_progress() -> None:
    diagnosis = diagnosed(HEALTHY["the same without events"])
    assert diagnosis.cause is Cause.SLOW
    assert not diagnosis.confidence.is_proof
