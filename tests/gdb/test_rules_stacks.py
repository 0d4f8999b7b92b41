"""What a stack alone tells: helpers, inlined locks, entries with nothing below, handlers in which a kernel parks."""

from __future__ import annotations

from typing import Final

import pytest

from gdb.evidence.evidence import read_evidence
from gdb.rules import diagnose
from parity.configuration import HangRules
from parity.diagnosis import Cause, Confidence
from parity.outcome import Outcome
from tests.support.captures import Cpu, capture, diagnosed, idle, off, runs, user
from tests.support.rule_cases import CALL, PARKED, spins, x86


def test_a_helper_that_a_locks_function_calls_is_a_part_of_its_spin() -> None:
    spinning = runs(
        "breathe", "spin_lock", "enter", *CALL, pointers={"lock": "tree"}, masked=True, ticks=0, straight=True
    )
    found = diagnosed(capture(spinning, idle()))
    assert (found.cause, found.subject, found.frames[0]) == (Cause.LOCK_LEAKED, "tree", "enter")
    assert "waits for the lock `tree` in enter," in found.sentence


def test_a_helper_that_loops_by_itself_is_no_spin_on_the_lock_below_it() -> None:
    found = diagnosed(capture(runs("drain", "spin_lock", "enter", *CALL, masked=True, ticks=0), idle()))
    assert found.cause is Cause.INTERRUPTS_OFF_LOOP


def test_a_helper_that_moves_about_is_at_work() -> None:
    working = runs("drain", "rwlock::with", "enter", *CALL, masked=True, ticks=0, straight=True, span=900)
    assert diagnosed(capture(working, idle())).cause is Cause.INTERRUPTS_OFF_LOOP


def test_a_loop_that_reads_a_variable_as_locks_are_read_is_a_lock() -> None:
    found = diagnosed(capture(runs("ext2_write", *CALL, masked=True, ticks=0, reads="EXT2_LOCK"), idle()))
    assert (found.cause, found.confidence) == (Cause.LOCK_LEAKED, Confidence.MEDIUM)
    assert found.subject == "EXT2_LOCK"
    assert any("atomically" in fact for fact in found.evidence)


@pytest.mark.parametrize("function", ["idle_loop", "panic", "schedule"])
def test_what_idles_parks_or_waits_reads_no_lock(function: str) -> None:
    found = capture(runs(function, masked=False, reads="work"), idle())
    assert read_evidence(found, HangRules()).cpus[0].lock is None


INLINED: Final = (
    "core::sync::atomic::AtomicBool::load",
    "kernel::sync::Mutex::lock",
    "kernel::fs::read_inode",
)


def test_a_lock_that_is_inlined_into_what_wants_it_is_a_lock() -> None:
    spinning = runs(*INLINED, *CALL, inlined=2, samples=INLINED[2:], masked=True, ticks=0)
    found = diagnosed(capture(spinning, idle()))
    assert (found.cause, found.frames[0]) == (Cause.LOCK_LEAKED, "kernel::fs::read_inode")
    assert "waits for a lock in kernel::fs::read_inode," in found.sentence


def test_an_inlined_lock_whose_loop_few_samples_find_is_passed() -> None:
    places = ("kernel::fs::read_inode", "kernel::fs::find")
    at_work = runs(*INLINED, *CALL, inlined=2, samples=places, masked=True, ticks=0)
    assert diagnosed(capture(at_work, idle())).cause is Cause.INTERRUPTS_OFF_LOOP


def test_a_loop_in_the_languages_library_is_its_callers() -> None:
    found = diagnosed(
        capture(runs("core::slice::sort", "kernel::fs::list", *CALL, masked=True, ticks=0), idle())
    )
    assert (found.cause, found.subject) == (Cause.INTERRUPTS_OFF_LOOP, "kernel::fs::list")
    alone = diagnosed(capture(runs("core::hint::spin_loop", masked=True, ticks=0), idle()))
    assert alone.subject == "core::hint::spin_loop"


@pytest.mark.parametrize(("masked", "ticks"), [(True, 0), (False, 90)])
def test_a_function_that_wants_its_lock_again_may_hold_it_itself(*, masked: bool, ticks: int) -> None:
    stack = ("spin_lock", "with_scheduler", "spawn", "with_scheduler", *CALL)
    found = diagnosed(capture(runs(*stack, pointers={"lock": "ready"}, masked=masked, ticks=ticks), idle()))
    assert (found.cause, found.confidence) == (Cause.SELF_DEADLOCK, Confidence.MEDIUM)
    assert found.sentence.endswith("may hold it itself: with_scheduler is further out on its stack as well")


def test_a_function_that_wants_its_lock_again_waits_for_another_cpu_that_is_at_work() -> None:
    stack = ("spin_lock", "with_scheduler", "spawn", "with_scheduler", *CALL)
    found = diagnosed(capture(runs(*stack, masked=True, ticks=0), runs("insert", span=900)))
    assert found.cause is not Cause.SELF_DEADLOCK


DEAF: Final = runs("spin_lock", "read_inode", *CALL, masked=True, ticks=None)


@pytest.mark.parametrize(
    "others", [(), (off(),), (DEAF, off())], ids=["alone", "not started", "spinning as well"]
)
def test_a_spin_that_nobody_is_left_to_end_is_a_hang_whoever_took_the_lock(others: tuple[Cpu, ...]) -> None:
    found = diagnosed(capture(DEAF, *others))
    assert (found.confidence, found.outcome) == (Confidence.MEDIUM, Outcome.HANG)
    assert any("this never ends" in fact for fact in found.evidence)


def test_cpus_that_wait_for_each_others_locks_with_interrupts_off_never_end() -> None:
    found = diagnosed(capture(spins("one", on="tree"), spins("two", on="process")))
    assert (found.cause, found.outcome) == (Cause.LOCK_CYCLE, Outcome.HANG)


@pytest.mark.parametrize(
    "cpus",
    [
        (DEAF, idle(ticks=None)),
        (DEAF, user(ticks=None)),
        (runs("spin_lock", "read_inode", *CALL, masked=False, ticks=None),),
        (runs("ext2_write", *CALL, masked=True, ticks=None, reads="EXT2_LOCK"),),
    ],
    ids=["another idles", "another works", "interrupts come", "a loop that only looks like a lock's"],
)
def test_a_spin_that_somebody_may_end_is_none(cpus: tuple[Cpu, ...]) -> None:
    assert diagnosed(capture(*cpus)).outcome is None


def test_a_stack_that_ends_at_an_interrupts_entry_may_hide_the_holder() -> None:
    found = diagnosed(x86(spins("queue_push", "irq_entry"), idle()))
    assert (found.cause, found.confidence) == (Cause.SELF_DEADLOCK, Confidence.LOW)
    assert "its stack ends at irq_entry" in found.sentence
    leaked = next(other for other in found.runners_up if other.cause is Cause.LOCK_LEAKED)
    assert leaked.confidence is Confidence.LOW
    assert "what irq_entry interrupted holds it" in leaked.sentence


def test_an_interrupt_of_user_code_hides_nothing() -> None:
    waiting = runs(
        "spin_lock",
        "wake",
        "irq_entry",
        pointers={"lock": "tree"},
        masked=True,
        ticks=0,
        registers={"SPSR_EL1": 0},
    )
    found = diagnosed(capture(waiting, idle()))
    assert (found.cause, found.confidence) == (Cause.LOCK_LEAKED, Confidence.MEDIUM)


@pytest.mark.parametrize("handler", ["vector14", "isr13", "trap_6"])
def test_a_park_above_code_that_an_exception_broke_off_is_the_kernels_end(handler: str) -> None:
    parked = runs("stop_here", handler.replace("_", ""), "mount", "kernel_main", **PARKED)
    found = diagnosed(x86(parked))
    assert found.cause is Cause.PANIC_PARKED
    assert "in mount on CPU 0" in found.sentence


def test_a_page_faults_address_makes_a_park_certain() -> None:
    parked = runs(
        "stop_here", "vector14", "mount", "kernel_main", registers={"cr2": 0x5EAD_0000_0038}, **PARKED
    )
    found = diagnosed(x86(parked))
    assert found.confidence is Confidence.VERY_HIGH
    assert "a page fault at address 0x5ead00000038" in found.sentence
    assert "CPU 0: CR2 is 0x5ead00000038, where the kernel has nothing" in found.evidence


@pytest.mark.parametrize("handler", ["vector32", "isr2", "timer_interrupt"])
def test_a_park_above_code_that_an_interrupt_broke_off_is_a_wait(handler: str) -> None:
    parked = runs("stop_here", handler, "mount", "kernel_main", **PARKED)
    assert diagnosed(x86(parked)).cause is Cause.WAIT_WITH_INTERRUPTS_OFF


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ((), "there is no other CPU"),
        ((off(),), "no other CPU was started"),
        ((idle(), off()), "every other CPU that was started idles"),
        ((idle(), user(ticks=100)), "every other CPU idles or runs user code"),
    ],
)
def test_nothing_is_said_of_cpus_that_were_never_started(others: tuple[Cpu, ...], words: str) -> None:
    waiting = runs(
        "spin_lock",
        "enter",
        pointers={"lock": "tree"},
        masked=True,
        ticks=0,
        registers={"SCTLR_EL1": 0x30D0_198D},
    )
    found = diagnose(read_evidence(capture(waiting, *others), HangRules()))
    assert words in found.evidence


def test_a_handler_that_no_name_tells_of_is_called_either() -> None:
    found = diagnosed(x86(spins("wake", "trap_from_kernel", "hold", *CALL), idle()))
    assert "an interrupt or a fault asks for it above hold" in found.sentence
