from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.guest.cpu_state import (
    REGISTER_SETS,
    Mode,
    aarch64_interrupts_masked,
    aarch64_mode,
    decode_exception_syndrome,
    decode_timer_control,
    kept_registers,
    x86_64_interrupts_masked,
    x86_64_mode,
)
from parity.architecture import ARCHITECTURES


@pytest.mark.parametrize(
    ("state", "mode", "masked"),
    [
        (0x800003C5, Mode.KERNEL, True),  # EL1h
        (0x60000000, Mode.USER, False),  # EL0t
        (0x600003C9, Mode.KERNEL, True),  # EL2h: a kernel with the virtualization host extensions
        (0x3CD, Mode.OTHER, True),  # EL3h
        (0x10, Mode.USER, False),  # AArch32 user
        (0x93, Mode.KERNEL, True),  # AArch32 supervisor
    ],
)
def test_aarch64_tells_mode_and_mask_by_pstate(state: int, mode: Mode, *, masked: bool) -> None:
    assert aarch64_mode({"cpsr": state}) is mode
    assert aarch64_interrupts_masked({"cpsr": state}) is masked


@pytest.mark.parametrize(
    ("selector", "flags", "mode", "masked"),
    [(0x10, 0x246, Mode.KERNEL, False), (0x23, 0x202, Mode.USER, False), (0x11, 0x46, Mode.OTHER, True)],
)
def test_x86_64_tells_mode_and_mask_by_cs_and_flags(
    selector: int, flags: int, mode: Mode, *, masked: bool
) -> None:
    assert x86_64_mode({"cs": selector}) is mode
    assert x86_64_interrupts_masked({"eflags": flags}) is masked


def test_registers_that_are_not_there_tell_nothing() -> None:
    assert (aarch64_mode({}), x86_64_mode({})) == (Mode.OTHER, Mode.OTHER)
    assert (aarch64_interrupts_masked({}), x86_64_interrupts_masked({})) == (None, None)


def test_every_architecture_has_its_registers() -> None:
    assert REGISTER_SETS.keys() == ARCHITECTURES.keys()
    for known in REGISTER_SETS.values():
        kept = [names[0] for names in known.names]
        assert len(kept) == len(set(kept))
        assert {known.program_counter, known.stack_pointer} <= set(kept)


def test_a_register_is_kept_under_one_name_whatever_qemu_calls_it() -> None:
    known = REGISTER_SETS["aarch64"]
    assert kept_registers(known, {"VBAR": 1, "pc": 2, "v0": 3}) == {"VBAR_EL1": 1, "pc": 2}
    assert kept_registers(known, {"VBAR_EL1": 1}) == {"VBAR_EL1": 1}


@pytest.mark.parametrize(
    ("value", "pending"), [(0, False), (1, False), (5, True), (7, False), (4, False), (3, False)]
)
def test_a_timer_is_pending_when_enabled_unmasked_and_due(value: int, *, pending: bool) -> None:
    assert decode_timer_control(value).pending is pending


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0x96000007, "data abort from the same level, read, translation fault, level 3"),
        (0x9200004F, "data abort from a lower level, write, permission fault, level 3"),
        (0x86000006, "instruction abort from the same level, translation fault, level 2"),
        (0x96000061, "data abort from the same level, write, alignment fault"),
        (0x56000000, "SVC"),
        (0x02000000, "unknown reason, such as an undefined instruction"),
        (0xF2000800, "BRK"),
        (0xFC000000, "unknown exception class 0x3f"),
    ],
)
def test_a_syndrome_is_put_into_words(value: int, sentence: str) -> None:
    assert decode_exception_syndrome(value).sentence == sentence


def test_only_aborts_have_a_fault_address() -> None:
    assert decode_exception_syndrome(0x96000007).is_abort
    assert not decode_exception_syndrome(0x56000000).is_abort


@given(st.integers(0, (1 << 64) - 1))
def test_any_value_of_a_syndrome_has_words(value: int) -> None:
    assert decode_exception_syndrome(value).sentence
