"""Each rule meets its case, and says about it what matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from gdb.guest.cpu_state import Mode
from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence
from tests.support.captures import (
    MMU_ON,
    Cpu,
    address,
    capture,
    diagnosed,
    idle,
    lock,
    runs,
    thread,
    user,
)
from tests.support.rule_cases import (
    CALL,
    CHILD_ENDS,
    KERNEL_FAULT,
    LOCKS,
    LVT_MASKED,
    LVT_ON,
    PARKED,
    READS,
    SLEEPS,
    WAITPID,
    calls,
    faults,
    spins,
    switches,
    x86,
)

if TYPE_CHECKING:
    from gdb.captures.capture import Capture

RUNS_5: Final = (0, Event.CTX_SWITCH_EXIT, 5)
FORKS_9: Final = [(0, Event.SYSCALL_ENTRY, 57), (0, Event.FORK_EXIT, 9)]
RETURNS_9: Final = (0, Event.SYSCALL_EXIT, 9)

MATCHES: Final[dict[str, tuple[Cause, Confidence, Capture]]] = {
    "QEMU paused": (Cause.NOT_THE_GUEST, Confidence.VERY_HIGH, capture(idle(), qemu_states=("paused",))),
    "resets": (Cause.NOT_THE_GUEST, Confidence.VERY_HIGH, capture(idle(), qemu_events=["RESET"] * 3)),
    "a starved guest": (Cause.NOT_THE_GUEST, Confidence.HIGH, capture(user(ran_s=0.01, waited_s=0.9))),
    "a panic": (
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        capture(runs("arch_park", "panic", "file_put", *CALL, **PARKED)),
    ),
    "an exception's vector": (
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        capture(runs("vectors", masked=True, ticks=0, registers={**MMU_ON, "VBAR_EL1": address("vectors")})),
    ),
    "a parked fault": (
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        capture(runs("stand_still", "kernel_sync", "follow", *CALL, registers=KERNEL_FAULT, **PARKED)),
    ),
    "one fault without end": (Cause.FAULT_STORM, Confidence.HIGH, faults(0x7FFFE)),
    "faults that race, without events": (
        Cause.FAULT_STORM,
        Confidence.HIGH,
        capture(
            Cpu(
                mode=Mode.USER,
                faults=500_000,
                samples=(0x40_0000, "page_fault"),
                sample_modes=tuple(Mode)[:2],
            )
        ),
    ),
    "fewer faults, without events": (
        Cause.FAULT_STORM,
        Confidence.MEDIUM,
        capture(
            Cpu(mode=Mode.USER, faults=5000, samples=(0x40_0000, "page_fault"), sample_modes=tuple(Mode)[:2])
        ),
    ),
    "an interrupt that takes what it interrupted": (
        Cause.SELF_DEADLOCK,
        Confidence.HIGH,
        capture(spins("wake", "timer_interrupt", "hold", *CALL), idle(), locks=[lock("tree", holder=0)]),
    ),
    "the same without an owner": (
        Cause.SELF_DEADLOCK,
        Confidence.MEDIUM,
        capture(spins("wake", "timer_interrupt", "hold", *CALL), idle()),
    ),
    "a lock taken twice": (
        Cause.SELF_DEADLOCK,
        Confidence.MEDIUM,
        capture(spins("create", *CALL), idle(), locks=[lock("tree", holder=0)]),
    ),
    "two locks in opposite order": (
        Cause.LOCK_CYCLE,
        Confidence.HIGH,
        capture(
            spins("one", on="tree"),
            spins("two", on="process"),
            locks=[lock("tree", holder=1), lock("process", holder=0)],
        ),
    ),
    "the same, by lock events": (
        Cause.LOCK_CYCLE,
        Confidence.HIGH,
        capture(
            spins("one", on="tree"),
            spins("two", on="process"),
            lock_names=LOCKS,
            before=[(1, Event.LOCK_ACQUIRE, 0), (0, Event.LOCK_ACQUIRE, 1)],
        ),
    ),
    "a lock whose holder idles": (
        Cause.LOCK_LEAKED,
        Confidence.HIGH,
        capture(spins("create", *CALL, masked=False, ticks=9), idle(), locks=[lock("tree", holder=1)]),
    ),
    "a lock that nobody released": (
        Cause.LOCK_LEAKED,
        Confidence.HIGH,
        capture(
            spins("create", *CALL, masked=False, ticks=9),
            idle(),
            lock_names=LOCKS,
            before=[(1, Event.LOCK_ACQUIRE, 0)],
        ),
    ),
    "a leaked lock under a passing tick": (
        Cause.LOCK_LEAKED,
        Confidence.MEDIUM,
        capture(
            runs(
                *("count_tick", "timer_interrupt", "spin_lock", "create", *CALL),
                samples=("spin_lock",),
                pointers={"lock": "tree"},
            )
        ),
    ),
    "a loop with interrupts off": (
        Cause.INTERRUPTS_OFF_LOOP,
        Confidence.HIGH,
        capture(runs("drain", *CALL, masked=True, ticks=0, span=40), idle()),
    ),
    "a wait with interrupts off": (
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        Confidence.HIGH,
        capture(runs("wait_for_key", *CALL, **PARKED), idle()),
    ),
    "a timer masked": (
        Cause.TIMER_LOST,
        Confidence.HIGH,
        capture(runs("wait_tick", *CALL, ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 7})),
    ),
    "a local APIC's timer masked": (
        Cause.TIMER_LOST,
        Confidence.HIGH,
        capture(runs("wait_tick", ticks=0), arch="x86_64", interrupt_controllers=LVT_MASKED),
    ),
    "a timer that is merely silent": (
        Cause.TIMER_LOST,
        Confidence.MEDIUM,
        capture(runs("wait_tick", ticks=0), idle(), arch="x86_64", interrupt_controllers=LVT_ON),
    ),
    "a child that ended unheard": (
        Cause.LOST_WAKEUP,
        Confidence.HIGH,
        x86(idle(), before=[*WAITPID, CHILD_ENDS, SLEEPS]),
    ),
    "a child that ended before its parent's fork returned": (
        Cause.LOST_WAKEUP,
        Confidence.HIGH,
        x86(
            idle(),
            idle(),
            before=[RUNS_5, *FORKS_9, (1, Event.PROCESS_EXIT, 9 << 16), RETURNS_9, *WAITPID[1:2], SLEEPS],
        ),
    ),
    "a child that ended, and a call that returns its number by chance": (
        Cause.LOST_WAKEUP,
        Confidence.HIGH,
        x86(idle(), idle(), before=[*WAITPID, CHILD_ENDS, SLEEPS, (0, Event.SYSCALL_ENTRY, 0), RETURNS_9]),
    ),
    "a child of which only its thread's end is left": (
        Cause.LOST_WAKEUP,
        Confidence.MEDIUM,
        x86(idle(), before=[(0, Event.THREAD_EXIT, 9), *WAITPID[:2], SLEEPS]),
    ),
    "a ready thread": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        Confidence.HIGH,
        capture(idle(), threads=[thread(5, "READY")], queue_length=0),
    ),
    "a queue that nobody looks at": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        Confidence.HIGH,
        capture(idle(), queue_length=2),
    ),
    "a thread that gave way for ever": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        Confidence.MEDIUM,
        capture(
            idle(),
            before=[
                (0, Event.CTX_SWITCH_EXIT, 5),
                (0, Event.SCHED_RESCHED, 5),
                (0, Event.CTX_SWITCH_ENTRY, 5 << 16),
            ],
        ),
    ),
    "a read that nobody completes": (
        Cause.BLOCKED_IN_SYSTEM_CALL,
        Confidence.HIGH,
        x86(idle(), before=READS),
    ),
    "a sleeper, by the scheduler alone": (
        Cause.BLOCKED_IN_SYSTEM_CALL,
        Confidence.MEDIUM,
        capture(idle(), threads=[thread(5, "BLOCKED", waits_for="pipe_wait")]),
    ),
    "an interrupt without end": (
        Cause.INTERRUPT_STORM,
        Confidence.HIGH,
        capture(
            runs("uart_irq", "kernel_irq", "idle_loop", interrupts=90_000),
            events=[(0, Event.IRQ_ENTRY, 33)] * 100,
        ),
    ),
    "a poll that always fails": (
        Cause.POLLING_LIVELOCK,
        Confidence.HIGH,
        x86(user(calls=5000), events=calls(0, 2**32 - 11)),
    ),
    "calls that race out of one place": (
        Cause.POLLING_LIVELOCK,
        Confidence.MEDIUM,
        capture(user(calls=90_000)),
    ),
    "a list that became a ring": (
        Cause.KERNEL_LOOP,
        Confidence.HIGH,
        capture(
            runs("strcmp", "find_node", *CALL, samples=("strcmp", "find_node")),
            idle(),
            before=[(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 34)],
            events=[(1, Event.TIMER_TICK, n) for n in range(3000)],
        ),
    ),
    "the same without events": (
        Cause.KERNEL_LOOP,
        Confidence.MEDIUM,
        capture(runs("strcmp", "find_node", *CALL, samples=("strcmp", "find_node"))),
    ),
    "a scheduler that goes round": (
        Cause.KERNEL_LOOP,
        Confidence.HIGH,
        capture(
            runs("requeue", "schedule", masked=True, ticks=0),
            events=switches(Event.SCHED_RESCHED, Event.SCHED_PICK),
        ),
    ),
    "user code at one place": (Cause.USER_SPIN, Confidence.HIGH, capture(user(), idle())),
    "calls that get on": (Cause.SLOW, Confidence.HIGH, x86(user(calls=100), events=calls(1, 512))),
    "nothing to go by": (Cause.UNKNOWN, Confidence.LOW, capture()),
}


@pytest.mark.parametrize("name", MATCHES)
def test_a_rule_meets_its_case(name: str) -> None:
    cause, confidence, found = MATCHES[name]
    diagnosis = diagnosed(found)
    assert (diagnosis.cause, diagnosis.confidence) == (cause, confidence), diagnosis


def test_every_cause_has_its_case() -> None:
    assert {cause for cause, _confidence, _found in MATCHES.values()} == set(Cause)


def test_those_who_panic_are_named_not_the_panic() -> None:
    _cause, _confidence, found = MATCHES["a panic"]
    assert diagnosed(found).subject == "panic in file_put"


def test_the_function_that_faulted_is_found_by_its_address() -> None:
    _cause, _confidence, found = MATCHES["a parked fault"]
    assert diagnosed(found).subject == "fault in follow"


def test_the_cpu_that_panicked_is_named_not_those_that_it_parked() -> None:
    parked = runs("arch_park", "stop_cpu", "kernel_irq", "copy", *CALL, **PARKED)
    diagnosis = diagnosed(capture(parked, runs("arch_park", "panic", "file_put", **PARKED)))
    assert "file_put on CPU 1" in diagnosis.sentence
    assert "parked as well: CPU 0" in diagnosis.evidence


def test_the_other_causes_that_match_are_told_as_well() -> None:
    found = capture(spins("wake", "timer_interrupt", "hold", *CALL), user(), locks=[lock("tree", holder=0)])
    diagnosis = diagnosed(found)
    assert diagnosis.cause is Cause.SELF_DEADLOCK
    assert Cause.USER_SPIN in [other.cause for other in diagnosis.runners_up]


def test_an_address_that_differs_with_every_boot_is_no_subject() -> None:
    diagnosis = diagnosed(capture(idle(), threads=[thread(5, "BLOCKED", waits_for="0xffff800012340028")]))
    assert diagnosis.subject == ""


def test_a_parent_whose_children_wait_in_turn_is_not_the_one_that_hangs() -> None:
    init = [(1, Event.CTX_SWITCH_EXIT, 1), (1, Event.WAITPID_BLOCK, 1 << 16)]
    diagnosis = diagnosed(
        x86(idle(), idle(), before=[*init, *WAITPID, CHILD_ENDS, SLEEPS, (0, Event.THREAD_EXIT, 9)])
    )
    assert diagnosis.sentence.startswith("thread 5 sleeps")
    assert diagnosis.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("entry", "word"), [("page_fault_handler", "a fault"), ("timer_interrupt", "an interrupt")]
)
def test_a_fault_and_an_interrupt_above_a_section_are_told_apart(entry: str, word: str) -> None:
    diagnosis = diagnosed(capture(spins("wake", entry, "hold", *CALL), locks=[lock("tree", holder=0)]))
    assert f"{word} asks for it above hold" in diagnosis.sentence
