"""Each rule meets its case, and leaves alone what looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from gdb.cpu_state import Mode
from gdb.event_types import Event
from gdb.evidence import read_evidence
from gdb.rules import RULES
from parity.configuration import HangRules
from parity.diagnosis import Cause, Confidence
from tests.support.captures import (
    MMU_ON,
    Cpu,
    address,
    capture,
    diagnosed,
    idle,
    lock,
    off,
    runs,
    thread,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdb.capture import Capture

_CALL: Final = ("sys_mkdir", "syscall_dispatch")
_LVT_MASKED: Final = {0: "LVTT\t 0x000100ec active-hi edge  masked      Fixed  (vec 236)"}
_LVT_ON: Final = {0: "LVTT\t 0x000200ec active-hi edge              Fixed  (vec 236)"}
_KERNEL_FAULT: Final = {**MMU_ON, "ESR_EL1": 0x9600_0004, "FAR_EL1": 0x18, "ELR_EL1": address("follow")}
_WAITPID: Final = [(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 61), (0, Event.FORK_EXIT, 9)]
_CHILD_ENDS: Final = (0, Event.PROCESS_EXIT, 9 << 16)
_SLEEPS: Final = (0, Event.WAITPID_BLOCK, 5 << 16 | 9)
_READS: Final = [(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 0)]
_LOCKS: Final = ("tree", "process")


def _spins(*below: str, on: str = "tree", masked: bool = True, ticks: int = 0) -> Cpu:
    return runs("spin_lock", *below, pointers={"lock": on}, masked=masked, ticks=ticks)


def _x86(
    *cpus: Cpu, before: Sequence[tuple[int, Event, int]] = (), events: Sequence[tuple[int, Event, int]] = ()
) -> Capture:
    return capture(*cpus, arch="x86_64", before=before, events=events)


def _calls(number: int, result: int) -> list[tuple[int, Event, int]]:
    pair = [(0, Event.SYSCALL_ENTRY, number), (0, Event.SYSCALL_EXIT, result)]
    return [(0, Event.CTX_SWITCH_EXIT, 5), *(event for _ in range(100) for event in pair)]


def _faults(*pages: int) -> Capture:
    events = [(0, Event.PAGE_FAULT, pages[n % len(pages)]) for n in range(200)]
    return capture(runs("copy", "page_fault", faults=20_000), events=events)


def _switches(*kinds: Event) -> list[tuple[int, Event, int]]:
    return [(0, kind, 5) for _ in range(1500 // len(kinds)) for kind in kinds]


_PARKED: Final = {"masked": True, "ticks": 0, "waits": True, "halted": True}

MATCHES: Final[dict[str, tuple[Cause, Confidence, Capture]]] = {
    "QEMU paused": (Cause.NOT_THE_GUEST, Confidence.VERY_HIGH, capture(idle(), qemu_states=("paused",))),
    "resets": (Cause.NOT_THE_GUEST, Confidence.VERY_HIGH, capture(idle(), qemu_events=["RESET"] * 3)),
    "a starved guest": (Cause.NOT_THE_GUEST, Confidence.HIGH, capture(user(ran_s=0.01, waited_s=0.9))),
    "a panic": (
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        capture(runs("arch_park", "panic", "file_put", *_CALL, **_PARKED)),
    ),
    "an exception's vector": (
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        capture(runs("vectors", masked=True, ticks=0, registers={**MMU_ON, "VBAR_EL1": address("vectors")})),
    ),
    "a parked fault": (
        Cause.PANIC_PARKED,
        Confidence.VERY_HIGH,
        capture(runs("stand_still", "kernel_sync", "follow", *_CALL, registers=_KERNEL_FAULT, **_PARKED)),
    ),
    "one fault without end": (Cause.FAULT_STORM, Confidence.HIGH, _faults(0x7FFFE)),
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
        capture(_spins("wake", "timer_interrupt", "hold", *_CALL), idle(), locks=[lock("tree", holder=0)]),
    ),
    "the same without an owner": (
        Cause.SELF_DEADLOCK,
        Confidence.MEDIUM,
        capture(_spins("wake", "timer_interrupt", "hold", *_CALL), idle()),
    ),
    "a lock taken twice": (
        Cause.SELF_DEADLOCK,
        Confidence.MEDIUM,
        capture(_spins("create", *_CALL), idle(), locks=[lock("tree", holder=0)]),
    ),
    "two locks in opposite order": (
        Cause.LOCK_CYCLE,
        Confidence.HIGH,
        capture(
            _spins("one", on="tree"),
            _spins("two", on="process"),
            locks=[lock("tree", holder=1), lock("process", holder=0)],
        ),
    ),
    "the same, by lock events": (
        Cause.LOCK_CYCLE,
        Confidence.HIGH,
        capture(
            _spins("one", on="tree"),
            _spins("two", on="process"),
            lock_names=_LOCKS,
            before=[(1, Event.LOCK_ACQUIRE, 0), (0, Event.LOCK_ACQUIRE, 1)],
        ),
    ),
    "a lock whose holder idles": (
        Cause.LOCK_LEAKED,
        Confidence.HIGH,
        capture(_spins("create", *_CALL, masked=False, ticks=9), idle(), locks=[lock("tree", holder=1)]),
    ),
    "a lock that nobody released": (
        Cause.LOCK_LEAKED,
        Confidence.HIGH,
        capture(
            _spins("create", *_CALL, masked=False, ticks=9),
            idle(),
            lock_names=_LOCKS,
            before=[(1, Event.LOCK_ACQUIRE, 0)],
        ),
    ),
    "a leaked lock under a passing tick": (
        Cause.LOCK_LEAKED,
        Confidence.MEDIUM,
        capture(
            runs(
                *("count_tick", "timer_interrupt", "spin_lock", "create", *_CALL),
                samples=("spin_lock",),
                pointers={"lock": "tree"},
            )
        ),
    ),
    "a loop with interrupts off": (
        Cause.INTERRUPTS_OFF_LOOP,
        Confidence.HIGH,
        capture(runs("drain", *_CALL, masked=True, ticks=0, span=40), idle()),
    ),
    "a wait with interrupts off": (
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        Confidence.HIGH,
        capture(runs("wait_for_key", *_CALL, **_PARKED), idle()),
    ),
    "a timer masked": (
        Cause.TIMER_LOST,
        Confidence.HIGH,
        capture(runs("wait_tick", *_CALL, ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 7})),
    ),
    "a local APIC's timer masked": (
        Cause.TIMER_LOST,
        Confidence.HIGH,
        capture(runs("wait_tick", ticks=0), arch="x86_64", interrupt_controllers=_LVT_MASKED),
    ),
    "a timer that is merely silent": (
        Cause.TIMER_LOST,
        Confidence.MEDIUM,
        capture(runs("wait_tick", ticks=0), idle(), arch="x86_64", interrupt_controllers=_LVT_ON),
    ),
    "a child that ended unheard": (
        Cause.LOST_WAKEUP,
        Confidence.HIGH,
        _x86(idle(), before=[*_WAITPID, _CHILD_ENDS, _SLEEPS]),
    ),
    "a child of which only its thread's end is left": (
        Cause.LOST_WAKEUP,
        Confidence.MEDIUM,
        _x86(idle(), before=[(0, Event.THREAD_EXIT, 9), *_WAITPID[:2], _SLEEPS]),
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
        _x86(idle(), before=_READS),
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
        _x86(user(calls=5000), events=_calls(0, 2**32 - 11)),
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
            runs("strcmp", "find_node", *_CALL, samples=("strcmp", "find_node")),
            idle(),
            before=[(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 34)],
            events=[(1, Event.TIMER_TICK, n) for n in range(3000)],
        ),
    ),
    "the same without events": (
        Cause.KERNEL_LOOP,
        Confidence.MEDIUM,
        capture(runs("strcmp", "find_node", *_CALL, samples=("strcmp", "find_node"))),
    ),
    "a scheduler that goes round": (
        Cause.KERNEL_LOOP,
        Confidence.HIGH,
        capture(
            runs("requeue", "schedule", masked=True, ticks=0),
            events=_switches(Event.SCHED_RESCHED, Event.SCHED_PICK),
        ),
    ),
    "user code at one place": (Cause.USER_SPIN, Confidence.HIGH, capture(user(), idle())),
    "calls that get on": (Cause.SLOW, Confidence.HIGH, _x86(user(calls=100), events=_calls(1, 512))),
    "nothing to go by": (Cause.UNKNOWN, Confidence.LOW, capture()),
}


@pytest.mark.parametrize("name", MATCHES)
def test_a_rule_meets_its_case(name: str) -> None:
    cause, confidence, found = MATCHES[name]
    diagnosis = diagnosed(found)
    assert (diagnosis.cause, diagnosis.confidence) == (cause, confidence), diagnosis


def test_every_cause_has_its_case() -> None:
    assert {cause for cause, _confidence, _found in MATCHES.values()} == set(Cause)


NEAR_MISSES: Final[dict[str, tuple[Cause, Capture]]] = {
    "two resets are a reboot": (Cause.NOT_THE_GUEST, capture(idle(), qemu_events=["RESET"] * 2)),
    "an idle guest needs no time": (Cause.NOT_THE_GUEST, capture(idle(ran_s=0.0, waited_s=0.0))),
    "a busy one beside a starved one": (
        Cause.NOT_THE_GUEST,
        capture(user(ran_s=0.01, waited_s=0.9), user(ran_s=0.9)),
    ),
    "a function about panics that runs with interrupts on": (
        Cause.PANIC_PARKED,
        capture(runs("panic_started", "file_put", *_CALL)),
    ),
    "a spinlock that looks whether another CPU panicked": (
        Cause.PANIC_PARKED,
        capture(runs("panic_started", "spin_lock", "file_put", masked=True, ticks=0, samples=("spin_lock",))),
    ),
    "an old fault in the registers of a busy CPU": (
        Cause.PANIC_PARKED,
        capture(runs("copy", *_CALL, registers=_KERNEL_FAULT, span=4000)),
    ),
    "many pages": (Cause.FAULT_STORM, _faults(1, 2, 3, 4)),
    "faults between system calls": (Cause.FAULT_STORM, capture(user(faults=5000, calls=900))),
    "faults of a program that moves on": (Cause.FAULT_STORM, capture(user(faults=5000, span=9000))),
    "an interrupt that waits for another CPU's section": (
        Cause.SELF_DEADLOCK,
        capture(
            _spins("wake", "timer_interrupt", "hold"),
            runs("insert", span=900),
            locks=[lock("tree", holder=1)],
        ),
    ),
    "the same without an owner": (
        Cause.SELF_DEADLOCK,
        capture(_spins("wake", "timer_interrupt", "hold"), runs("insert", span=900)),
    ),
    "a fault of user code that waits": (
        Cause.SELF_DEADLOCK,
        capture(_spins("map_page", "page_fault_handler"), idle()),
    ),
    "an interrupt that falls on a spin": (
        Cause.SELF_DEADLOCK,
        capture(runs("count_tick", "timer_interrupt", "spin_lock", "create", *_CALL, samples=("spin_lock",))),
    ),
    "two CPUs on one lock": (Cause.LOCK_CYCLE, capture(_spins("one"), _spins("two"))),
    "a chain that ends": (
        Cause.LOCK_CYCLE,
        capture(
            _spins("one", on="tree"),
            _spins("two", on="process"),
            runs("insert", span=900),
            locks=[lock("tree", holder=1), lock("process", holder=2)],
        ),
    ),
    "two locks with interrupts on": (
        Cause.LOCK_CYCLE,
        capture(
            _spins("one", on="tree", masked=False, ticks=9),
            _spins("two", on="process", masked=False, ticks=9),
        ),
    ),
    "a holder that works in its section": (
        Cause.LOCK_LEAKED,
        capture(
            _spins("one", masked=False, ticks=9), runs("insert", span=900), locks=[lock("tree", holder=1)]
        ),
    ),
    "a lock that was passed through": (
        Cause.LOCK_LEAKED,
        capture(runs("spin_lock", "create", *_CALL, samples=("spin_lock", "find", "insert", "create"))),
    ),
    "a loop that ticks": (Cause.INTERRUPTS_OFF_LOOP, capture(runs("drain", *_CALL, masked=True, ticks=80))),
    "a loop with interrupts on": (Cause.INTERRUPTS_OFF_LOOP, capture(runs("drain", *_CALL, ticks=0), idle())),
    "a secondary CPU that never came up": (Cause.INTERRUPTS_OFF_LOOP, capture(idle(), off())),
    "idle with interrupts on": (Cause.WAIT_WITH_INTERRUPTS_OFF, capture(idle(ticks=0))),
    "idle with interrupts off that an interrupt ends all the same": (
        Cause.WAIT_WITH_INTERRUPTS_OFF,
        capture(runs("cpu_do_idle", "idle_loop", masked=True, halted=True, waits=True, ticks=90)),
    ),
    "a parked secondary": (Cause.WAIT_WITH_INTERRUPTS_OFF, capture(idle(), off())),
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
        _x86(idle(), before=[*_WAITPID, _CHILD_ENDS, _SLEEPS, (0, Event.WAITPID_WAKE, 5 << 16 | 9)]),
    ),
    "another child's end": (
        Cause.LOST_WAKEUP,
        _x86(idle(), before=[*_WAITPID, (0, Event.PROCESS_EXIT, 8 << 16), _SLEEPS]),
    ),
    "a child that lives": (Cause.LOST_WAKEUP, _x86(idle(), before=[*_WAITPID, _SLEEPS])),
    "a parent that was woken": (
        Cause.LOST_WAKEUP,
        _x86(idle(), before=[*_WAITPID, _CHILD_ENDS, _SLEEPS, (0, Event.WAKE, 5)]),
    ),
    "a ready thread behind a busy CPU": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        capture(user(), threads=[thread(6, "READY")], queue_length=1),
    ),
    "a ready idle thread": (
        Cause.RUNNABLE_NOT_SCHEDULED,
        capture(idle(), threads=[thread(0, "READY", name="idle/0")]),
    ),
    "a wait beside a busy CPU": (Cause.BLOCKED_IN_SYSTEM_CALL, _x86(idle(), user(), before=_READS)),
    "a wait that ended": (
        Cause.BLOCKED_IN_SYSTEM_CALL,
        _x86(idle(), before=[*_READS, (0, Event.SYSCALL_EXIT, 1)]),
    ),
    "a wait while calls come and go": (Cause.BLOCKED_IN_SYSTEM_CALL, _x86(idle(calls=20), before=_READS)),
    "a busy disk": (Cause.INTERRUPT_STORM, capture(runs("read_block", *_CALL, interrupts=900))),
    "interrupts of a program that gets on": (
        Cause.INTERRUPT_STORM,
        capture(runs("read_block", *_CALL, interrupts=9000, calls=4000)),
    ),
    "a poll that succeeds": (Cause.POLLING_LIVELOCK, _x86(user(calls=5000), events=_calls(0, 512))),
    "a few failures": (Cause.POLLING_LIVELOCK, _x86(user(calls=20), events=_calls(0, 2**32 - 11))),
    "calls from many places": (Cause.POLLING_LIVELOCK, capture(user(calls=90_000, span=9000))),
    "kernel code between calls": (Cause.KERNEL_LOOP, capture(runs("find_node", *_CALL, calls=40))),
    "a loop that does not tick": (Cause.KERNEL_LOOP, capture(runs("find_node", *_CALL, ticks=0))),
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


def test_those_who_panic_are_named_not_the_panic() -> None:
    _cause, _confidence, found = MATCHES["a panic"]
    assert diagnosed(found).subject == "panic in file_put"


def test_the_function_that_faulted_is_found_by_its_address() -> None:
    _cause, _confidence, found = MATCHES["a parked fault"]
    assert diagnosed(found).subject == "fault in follow"


def test_the_cpu_that_panicked_is_named_not_those_that_it_parked() -> None:
    parked = runs("arch_park", "stop_cpu", "kernel_irq", "copy", *_CALL, **_PARKED)
    diagnosis = diagnosed(capture(parked, runs("arch_park", "panic", "file_put", **_PARKED)))
    assert "file_put on CPU 1" in diagnosis.sentence
    assert "parked as well: CPU 0" in diagnosis.evidence


def test_the_other_causes_that_match_are_told_as_well() -> None:
    found = capture(_spins("wake", "timer_interrupt", "hold", *_CALL), user(), locks=[lock("tree", holder=0)])
    diagnosis = diagnosed(found)
    assert diagnosis.cause is Cause.SELF_DEADLOCK
    assert Cause.USER_SPIN in [other.cause for other in diagnosis.runners_up]


def test_an_address_that_differs_with_every_boot_is_no_subject() -> None:
    diagnosis = diagnosed(capture(idle(), threads=[thread(5, "BLOCKED", waits_for="0xffff800012340028")]))
    assert diagnosis.subject == ""


def test_a_parent_whose_children_wait_in_turn_is_not_the_one_that_hangs() -> None:
    init = [(1, Event.CTX_SWITCH_EXIT, 1), (1, Event.WAITPID_BLOCK, 1 << 16)]
    diagnosis = diagnosed(
        _x86(idle(), idle(), before=[*init, *_WAITPID, _CHILD_ENDS, _SLEEPS, (0, Event.THREAD_EXIT, 9)])
    )
    assert diagnosis.sentence.startswith("thread 5 sleeps")
    assert diagnosis.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("entry", "word"), [("page_fault_handler", "a fault"), ("timer_interrupt", "an interrupt")]
)
def test_a_fault_and_an_interrupt_above_a_section_are_told_apart(entry: str, word: str) -> None:
    diagnosis = diagnosed(capture(_spins("wake", entry, "hold", *_CALL), locks=[lock("tree", holder=0)]))
    assert f"{word} asks for it above hold" in diagnosis.sentence
