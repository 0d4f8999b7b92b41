"""What is made of one CPU's samples, stack and registers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gdb.evidence.evidence import read_evidence
from gdb.guest.cpu_state import Mode
from parity.configuration import HangRules
from tests.support.captures import MMU_OFF, Cpu, capture, idle, lock, off, runs, user

if TYPE_CHECKING:
    from gdb.evidence.cpu_evidence import CpuEvidence


def _first(*cpus: Cpu, locked: str = "") -> CpuEvidence:
    found = capture(*cpus, locks=[lock(locked, holder=2)] if locked else [])
    return read_evidence(found, HangRules()).cpus[0]


def test_a_cpu_that_waits_for_an_interrupt_idles() -> None:
    assert _first(idle()).idle


def test_a_cpu_that_waits_with_interrupts_off_and_no_tick_does_not_idle() -> None:
    assert not _first(idle(masked=True, ticks=0)).idle


def test_a_cpu_that_waits_with_interrupts_off_and_ticks_idles() -> None:
    assert _first(idle(masked=True, ticks=90)).idle


TICKING = ("timer_interrupt", "arch_clock_ns", "timer_interrupt", *["arch_idle"] * 5)
"""Samples on a host that lets a tick last as long as the wait for it."""


@pytest.mark.parametrize(("calls", "switches", "idles"), [(0, 0, True), (3, 0, False), (0, 2, False)])
def test_a_cpu_that_is_often_found_in_its_ticks_idles_if_nothing_else_happens_on_it(
    calls: int, switches: int, *, idles: bool
) -> None:
    found = runs("arch_idle", "idle_loop", samples=TICKING, calls=calls, switches=switches)
    assert _first(found).idle is idles


def test_a_secondary_with_its_mmu_off_is_offline_and_not_busy() -> None:
    evidence = read_evidence(capture(idle(), off()), HangRules())
    assert [cpu.offline for cpu in evidence.cpus] == [False, True]
    assert evidence.all_idle


def test_a_kernel_that_runs_without_an_mmu_is_not_offline() -> None:
    assert not _first(runs("main", registers=MMU_OFF)).offline


def test_cpus_that_are_all_off_do_not_idle() -> None:
    assert not read_evidence(capture(), HangRules()).all_idle


def test_the_lock_is_the_one_that_the_primitive_was_given() -> None:
    found = _first(runs("spin_lock", "create_at", pointers={"lock": "tree"}), locked="tree").lock
    assert found is not None
    assert (found.name, found.holder) == ("tree", 2)


def test_a_lock_without_a_record_has_its_symbol_for_a_name() -> None:
    found = _first(runs("spin_lock", "create_at", pointers={"lock": "tree"})).lock
    assert found is not None
    assert (found.name, found.holder) == ("tree", None)


def test_a_tick_that_falls_on_a_spin_is_left_out_of_the_stack() -> None:
    cpu = _first(runs("count", "timer_interrupt", "spin_lock", "create_at", samples=("spin_lock",)))
    assert cpu.functions == ("spin_lock", "create_at")
    assert cpu.lock is not None
    assert cpu.interrupted_at is None


def test_an_interrupt_in_which_a_cpu_stays_is_kept() -> None:
    cpu = _first(runs("spin_lock", "wake", "timer_interrupt", "hold", masked=True, ticks=0))
    assert cpu.functions[cpu.interrupted_at or 0] == "timer_interrupt"


def test_ticks_that_fall_on_a_spin_do_not_hide_the_lock() -> None:
    passing = (
        "spin_lock",
        "panic_started",
        "spin_lock",
        "spin_lock",
        "panic_started",
        "spin_lock",
        "gic_end",
    )
    assert _first(runs("spin_lock", "create_at", samples=passing)).lock is not None


def test_a_loop_that_spends_its_time_in_what_it_calls_is_a_spin() -> None:
    passing = ("spin_lock", "spin_lock", *["panic_started"] * 5, "arch_timestamp")
    assert _first(runs("spin_lock", "create_at", samples=passing)).lock is not None


@pytest.mark.parametrize(
    "ticks", [("vectors",), ("count_tick",), ("vectors", "count_tick"), ("vectors", "count_tick", "gic_end")]
)
def test_ticks_that_fall_on_what_a_spin_calls_say_nothing_of_it(ticks: tuple[str, ...]) -> None:
    passing = (*ticks, "spin_lock", *["panic_started"] * (7 - len(ticks)))
    spinning = runs("spin_lock", "create_at", samples=passing, masked_samples=ticks)
    assert _first(spinning).lock is not None
    assert _first(replace(spinning, masked_samples=())).lock is None


def test_a_lock_that_is_tried_with_interrupts_off_is_one_where_most_samples_find_them_on() -> None:
    tried = ("try_lock", *["spin_lock"] * 7)
    spinning = runs("spin_lock", "create_at", samples=tried, masked_samples=("try_lock",))
    assert _first(spinning).lock is not None


def test_a_function_that_takes_a_lock_among_others_does_not_spin() -> None:
    passing = ("spin_lock", "find", "insert", "compare")
    assert _first(runs("spin_lock", "create_at", samples=passing)).lock is None


def test_the_way_back_to_user_code_is_no_place_in_it() -> None:
    cpu = _first(user(samples=(0x40_0000, 0xFFFF_FFFF_8020_0000)))
    assert cpu.user_places == {0x40_0000}


def test_without_samples_the_stop_alone_counts() -> None:
    found = replace(capture(runs("work", masked=True)), samples=())
    (cpu,) = read_evidence(found, HangRules()).cpus
    assert cpu.always_masked
    assert not cpu.mostly_kernel
    assert cpu.mode is Mode.KERNEL


@pytest.mark.parametrize(("place", "name"), [("big_lock+0x4", "big_lock"), ("locks+0x40", "locks+0x40")])
def test_a_word_within_a_lock_is_called_by_the_lock(place: str, name: str) -> None:
    found = capture(runs("spin_lock", "enter", reads=place, masked=True, ticks=0))
    waited = read_evidence(found, HangRules()).cpus[0].lock
    assert waited is not None
    assert waited.name == name
