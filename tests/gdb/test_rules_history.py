"""Hangs of a kernel in Rust, without lock owners and with few events: each is told from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence
from tests.support.captures import MMU_ON, Cpu, capture, diagnosed, idle, off, runs, thread, user

if TYPE_CHECKING:
    from gdb.captures.capture import Capture

_PM: Final = "kernel::process::MANAGER"
_MUTEX: Final = "spin::mutex::Mutex<T>::lock"
_ENTRY: Final = "kernel::syscall::handler::rust_syscall_handler"
_IRQ: Final = "kernel::interrupts::timer::timer_interrupt_handler"


def _x86(*cpus: Cpu, **about: object) -> Capture:
    return capture(*cpus, arch="x86_64", **about)  # type: ignore[arg-type]


CASES: Final[dict[str, tuple[Capture, Cause, str]]] = {
    "a lock guard that leaked across a call that never returns": (
        _x86(
            runs(
                _MUTEX,
                "kernel::fs::ext2::root_fs",
                "kernel::syscall::fs::sys_open",
                _ENTRY,
                pointers={"self": "ROOT_EXT2"},
            )
        ),
        Cause.LOCK_LEAKED,
        "ROOT_EXT2",
    ),
    "the same with one CPU up and three off": (
        capture(
            runs(
                _MUTEX,
                "kernel::fs::ext2::root_fs",
                _ENTRY,
                pointers={"self": "ROOT_EXT2"},
                registers=MMU_ON,
            ),
            off(),
            off(),
            off(),
        ),
        Cause.LOCK_LEAKED,
        "ROOT_EXT2",
    ),
    "a lock taken again from an interrupt above its own section": (
        _x86(
            runs(
                _MUTEX,
                "kernel::task::scheduler::wake",
                _IRQ,
                "kernel::task::scheduler::spawn",
                _ENTRY,
                masked=True,
                ticks=0,
                pointers={"self": "SCHEDULER"},
            )
        ),
        Cause.SELF_DEADLOCK,
        "SCHEDULER",
    ),
    "two locks, interrupts off, no ticks": (
        capture(
            runs(_MUTEX, "kernel::net::poll", masked=True, ticks=0, pointers={"self": _PM}),
            runs(
                _MUTEX, "kernel::process::exit", masked=True, ticks=0, pointers={"self": "kernel::net::STATE"}
            ),
            off(),
        ),
        Cause.LOCK_CYCLE,
        f"{'kernel::net::STATE'} and {_PM}",
    ),
    "a copy-on-write fault under the process manager's lock": (
        _x86(
            runs(
                _MUTEX,
                "kernel::interrupts::handle_cow_fault",
                "kernel::interrupts::page_fault_handler",
                "kernel::process::copy_to_user",
                "kernel::process::with_manager",
                _ENTRY,
                pointers={"self": _PM},
                masked=True,
                ticks=0,
            )
        ),
        Cause.SELF_DEADLOCK,
        _PM,
    ),
    "the same with interrupts on": (
        _x86(
            runs(
                _MUTEX,
                "kernel::interrupts::handle_cow_fault",
                "kernel::interrupts::page_fault_handler",
                "kernel::process::copy_to_user",
                _ENTRY,
                pointers={"self": _PM},
            )
        ),
        Cause.SELF_DEADLOCK,
        _PM,
    ),
    "a race between waitpid's check and its sleep": (
        _x86(
            idle(),
            before=[
                (0, Event.CTX_SWITCH_EXIT, 5),
                (0, Event.SYSCALL_ENTRY, 61),
                (0, Event.PROCESS_EXIT, 9 << 16),
                (0, Event.WAITPID_BLOCK, 5 << 16 | 9),
            ],
        ),
        Cause.LOST_WAKEUP,
        "waitpid",
    ),
    "a receive path that one architecture was built without": (
        capture(
            idle(),
            off(),
            before=[(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 207)],
        ),
        Cause.BLOCKED_IN_SYSTEM_CALL,
        "recvfrom",
    ),
    "a ready thread in no queue": (
        capture(
            idle(), off(), threads=[thread(5, "Ready", name="init"), thread(0, "Running", name="idle/0")]
        ),
        Cause.RUNNABLE_NOT_SCHEDULED,
        "run queue",
    ),
    "a timer enabled, masked, its condition met": (
        capture(runs("kernel::time::wait_ticks", _ENTRY, ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 7})),
        Cause.TIMER_LOST,
        "timer",
    ),
    "the same under an idle loop, with another CPU that ticks": (
        capture(
            idle("wfi", "kernel::task::idle_thread", ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 7}),
            idle("wfi", "kernel::task::idle_thread"),
        ),
        Cause.TIMER_LOST,
        "timer",
    ),
    "hlt with IF=0": (
        _x86(runs("kernel::task::wait_for_disk", _ENTRY, masked=True, halted=True, waits=True, ticks=0)),
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        "kernel::task::wait_for_disk",
    ),
    "the console read that waits with interrupts off": (
        capture(
            runs(
                "kernel::arch::wait_for_interrupt",
                "kernel::console::read_byte",
                _ENTRY,
                masked=True,
                halted=True,
                waits=True,
                ticks=0,
                registers={**MMU_ON, "CNTV_CTL_EL0": 5},
            ),
            off(),
        ),
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        "kernel::console::read_byte",
    ),
    "a thread that is requeued again and again": (
        capture(
            runs(
                "kernel::task::scheduler::requeue",
                "kernel::task::scheduler::schedule",
                masked=True,
                ticks=0,
                switches=90_000,
                samples=("kernel::task::scheduler::requeue", "kernel::task::scheduler::pick"),
            ),
            events=[(0, kind, 5) for _ in range(300) for kind in (Event.SCHED_RESCHED, Event.SCHED_PICK)],
        ),
        Cause.KERNEL_LOOP,
        "kernel::task::scheduler::requeue",
    ),
    "a fault parked in WFI inside its handler": (
        capture(
            runs(
                "kernel::arch::wfi",
                "kernel::exception::handle_sync_exception",
                "kernel::fs::read_block",
                masked=True,
                halted=True,
                waits=True,
                ticks=0,
                registers={
                    **MMU_ON,
                    "ESR_EL1": 0x9600_0004,
                    "FAR_EL1": 0x18,
                    "ELR_EL1": 0xFFFF_0000_0000_1000,
                },
            ),
            off(),
        ),
        Cause.PANIC_PARKED,
        "fault in kernel::fs::read_block",
    ),
    "a host that starves QEMU": (
        capture(user(ran_s=0.01, waited_s=0.9, ticks=1), off(ran_s=0.0)),
        Cause.NOT_THE_GUEST,
        "host",
    ),
    "a loop of resets": (
        _x86(runs("start"), qemu_events=["RESET"] * 5),
        Cause.NOT_THE_GUEST,
        "reset",
    ),
    "QEMU paused": (
        _x86(runs("start"), qemu_states=("paused", "paused")),
        Cause.NOT_THE_GUEST,
        "paused",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_hang_of_the_past_is_told_from_the_others(name: str) -> None:
    found, cause, subject = CASES[name]
    diagnosis = diagnosed(found)
    assert (diagnosis.cause, diagnosis.subject) == (cause, subject), diagnosis


def test_a_leaked_guard_names_its_caller_and_is_no_proof_without_an_owner() -> None:
    found, _cause, _subject = CASES["a lock guard that leaked across a call that never returns"]
    diagnosis = diagnosed(found)
    assert "kernel::fs::ext2::root_fs" in diagnosis.sentence
    assert diagnosis.confidence is Confidence.MEDIUM
