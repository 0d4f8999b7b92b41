"""A rule leaves alone what looks like its case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from gdb.evidence.evidence import read_evidence
from gdb.rules import RULES
from gdb.trace.event_types import Event
from parity.configuration import HangRules
from parity.diagnosis import Cause, Confidence
from tests.support.captures import (
    MMU_ON,
    Cpu,
    capture,
    diagnosed,
    idle,
    lock,
    off,
    runs,
    thread,
    user,
)
from tests.support.rule_cases import (
    CALL,
    CHILD_ENDS,
    KERNEL_FAULT,
    READS,
    SLEEPS,
    WAITPID,
    calls,
    faults,
    spins,
    x86,
)

if TYPE_CHECKING:
    from gdb.captures.capture import Capture

NEAR_MISSES: Final[dict[str, tuple[Cause, Capture]]] = {
    "two resets are a reboot": (Cause.NOT_THE_GUEST, capture(idle(), qemu_events=["RESET"] * 2)),
    "an idle guest needs no time": (Cause.NOT_THE_GUEST, capture(idle(ran_s=0.0, waited_s=0.0))),
    "a busy one beside a starved one": (
        Cause.NOT_THE_GUEST,
        capture(user(ran_s=0.01, waited_s=0.9), user(ran_s=0.9)),
    ),
    "a function about panics that runs with interrupts on": (
        Cause.PANIC_PARKED,
        capture(runs("panic_started", "file_put", *CALL)),
    ),
    "a spinlock that looks whether another CPU panicked": (
        Cause.PANIC_PARKED,
        capture(runs("panic_started", "spin_lock", "file_put", masked=True, ticks=0, samples=("spin_lock",))),
    ),
    "an old fault in the registers of a busy CPU": (
        Cause.PANIC_PARKED,
        capture(runs("copy", *CALL, registers=KERNEL_FAULT, span=4000)),
    ),
    "many pages": (Cause.FAULT_STORM, faults(1, 2, 3, 4)),
    "faults between system calls": (Cause.FAULT_STORM, capture(user(faults=5000, calls=900))),
    "faults of a program that moves on": (Cause.FAULT_STORM, capture(user(faults=5000, span=9000))),
    "an interrupt that waits for another CPU's section": (
        Cause.SELF_DEADLOCK,
        capture(
            spins("wake", "timer_interrupt", "hold"),
            runs("insert", span=900),
            locks=[lock("tree", holder=1)],
        ),
    ),
    "the same without an owner": (
        Cause.SELF_DEADLOCK,
        capture(spins("wake", "timer_interrupt", "hold"), runs("insert", span=900)),
    ),
    "a fault of user code that waits": (
        Cause.SELF_DEADLOCK,
        capture(spins("map_page", "page_fault_handler"), idle()),
    ),
    "an interrupt that falls on a spin": (
        Cause.SELF_DEADLOCK,
        capture(runs("count_tick", "timer_interrupt", "spin_lock", "create", *CALL, samples=("spin_lock",))),
    ),
    "two CPUs on one lock": (Cause.LOCK_CYCLE, capture(spins("one"), spins("two"))),
    "a chain that ends": (
        Cause.LOCK_CYCLE,
        capture(
            spins("one", on="tree"),
            spins("two", on="process"),
            runs("insert", span=900),
            locks=[lock("tree", holder=1), lock("process", holder=2)],
        ),
    ),
    "two locks with interrupts on": (
        Cause.LOCK_CYCLE,
        capture(
            spins("one", on="tree", masked=False, ticks=9),
            spins("two", on="process", masked=False, ticks=9),
        ),
    ),
    "a holder that works in its section": (
        Cause.LOCK_LEAKED,
        capture(
            spins("one", masked=False, ticks=9), runs("insert", span=900), locks=[lock("tree", holder=1)]
        ),
    ),
    "a lock that was passed through": (
        Cause.LOCK_LEAKED,
        capture(runs("spin_lock", "create", *CALL, samples=("spin_lock", "find", "insert", "create"))),
    ),
    "a loop that ticks": (Cause.INTERRUPTS_OFF_LOOP, capture(runs("drain", *CALL, masked=True, ticks=80))),
    "a loop with interrupts on": (Cause.INTERRUPTS_OFF_LOOP, capture(runs("drain", *CALL, ticks=0), idle())),
    "a secondary CPU that never came up": (Cause.INTERRUPTS_OFF_LOOP, capture(idle(), off())),
    "idle with interrupts on": (Cause.WAIT_WITH_INTERRUPTS_OFF, capture(idle(ticks=0))),
    "idle with interrupts off that an interrupt ends all the same": (
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        capture(runs("cpu_do_idle", "idle_loop", masked=True, halted=True, waits=True, ticks=90)),
    ),
    "a parked secondary": (Cause.WAIT_WITH_INTERRUPTS_OFF, capture(idle(), off())),
    "a secondary that firmware halts for good": (
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        capture(
            runs("start_kernel", ticks=None),
            Cpu(stack=(), masked=True, halted=True, ticks=None),
            arch="x86_64",
        ),
    ),
    "a CPU that ticks": (Cause.TIMER_LOST, capture(runs("work", registers={**MMU_ON, "CNTV_CTL_EL0": 7}))),
    "interrupts off": (
        Cause.TIMER_LOST,
        capture(runs("work", masked=True, ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 5})),
    ),
    "a tickless idle CPU": (
        Cause.TIMER_LOST,
        capture(idle(ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 0})),
    ),
    "a child that was collected": (
        Cause.LOST_WAKEUP,
        x86(idle(), before=[*WAITPID, CHILD_ENDS, SLEEPS, (0, Event.WAITPID_WAKE, 5 << 16 | 9)]),
    ),
    "another child's end": (
        Cause.LOST_WAKEUP,
        x86(idle(), before=[*WAITPID, (0, Event.PROCESS_EXIT, 8 << 16), SLEEPS]),
    ),
    "a child that lives": (Cause.LOST_WAKEUP, x86(idle(), before=[*WAITPID, SLEEPS])),
    "a parent that was woken": (
        Cause.LOST_WAKEUP,
        x86(idle(), before=[*WAITPID, CHILD_ENDS, SLEEPS, (0, Event.WAKE, 5)]),
    ),
    "a ready thread behind a busy CPU": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        capture(user(), threads=[thread(6, "READY")], queue_length=1),
    ),
    "a ready idle thread": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        capture(idle(), threads=[thread(0, "READY", name="idle/0")]),
    ),
    "a wait beside a busy CPU": (Cause.BLOCKED_IN_SYSTEM_CALL, x86(idle(), user(), before=READS)),
    "a wait that ended": (
        Cause.BLOCKED_IN_SYSTEM_CALL,
        x86(idle(), before=[*READS, (0, Event.SYSCALL_EXIT, 1)]),
    ),
    "a wait while calls come and go": (Cause.BLOCKED_IN_SYSTEM_CALL, x86(idle(calls=20), before=READS)),
    "a busy disk": (Cause.INTERRUPT_STORM, capture(runs("read_block", *CALL, interrupts=900))),
    "interrupts of a program that gets on": (
        Cause.INTERRUPT_STORM,
        capture(runs("read_block", *CALL, interrupts=9000, calls=4000)),
    ),
    "a poll that succeeds": (Cause.POLLING_LIVELOCK, x86(user(calls=5000), events=calls(0, 512))),
    "a few failures": (Cause.POLLING_LIVELOCK, x86(user(calls=20), events=calls(0, 2**32 - 11))),
    "calls from many places": (Cause.POLLING_LIVELOCK, capture(user(calls=90_000, span=9000))),
    "kernel code between calls": (Cause.KERNEL_LOOP, capture(runs("find_node", *CALL, calls=40))),
    "a loop that does not tick": (Cause.KERNEL_LOOP, capture(runs("find_node", *CALL, ticks=0))),
    "kernel threads that take turns": (
        Cause.NOT_THE_GUEST,
        capture(runs("list_insert", "kthread", switches=9000, span=900)),
    ),
    "user code that calls": (Cause.USER_SPIN, capture(user(calls=40))),
    "user code without a tick": (Cause.USER_SPIN, capture(user(ticks=0), idle())),
    "a guest without calls": (Cause.SLOW, capture(idle())),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_rule_leaves_alone_what_looks_like_its_case(name: str) -> None:
    cause, found = NEAR_MISSES[name]
    evidence = read_evidence(found, HangRules())
    matching = [diagnosis for rule in RULES if (diagnosis := rule(evidence)) is not None]
    assert cause not in [diagnosis.cause for diagnosis in matching], matching


def test_user_code_in_which_nothing_moves_is_proved_to_spin() -> None:
    assert diagnosed(capture(user(), idle())).confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "found",
    [
        capture(user(moves=True), idle()),
        capture(user(), user(span=9000, calls=None)),
        capture(user(span=9000, samples=tuple(range(0x400000, 0x400008))), idle()),
    ],
    ids=["its registers change", "another thread may set what it reads", "no place is seen twice"],
)
def test_a_narrow_loop_that_may_come_to_an_end_is_no_proof(found: Capture) -> None:
    diagnosis = diagnosed(found)
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.USER_SPIN, Confidence.MEDIUM)


def test_a_secondary_that_the_kernel_itself_parks_is_no_proof() -> None:
    parked = runs("ap_park", "ap_main", masked=True, halted=True, waits=True, ticks=None)
    diagnosis = diagnosed(capture(idle(ticks=None), parked, arch="x86_64"))
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.WAIT_WITH_INTERRUPTS_OFF, Confidence.LOW)
    assert diagnosis.sentence.endswith("as an idle or unused one may")


def test_the_first_cpu_halted_with_interrupts_off_is_proof_enough() -> None:
    parked = runs("ap_park", "ap_main", masked=True, halted=True, waits=True, ticks=None)
    assert diagnosed(capture(parked, idle(ticks=None), arch="x86_64")).confidence is Confidence.HIGH
