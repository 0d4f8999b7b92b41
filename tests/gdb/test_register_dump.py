from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gdb.guest.cpu_state import Mode
from gdb.guest.register_dump import PcSample, parse_register_dump

DUMPS: Final = Path(__file__).with_name("dumps")
NAMES: Final = sorted(file.name for file in DUMPS.glob("*.txt"))


def dumped(name: str) -> tuple[PcSample, ...]:
    return parse_register_dump((DUMPS / name).read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_cpu_of_a_real_machine_is_found_once(name: str) -> None:
    cpus = int(name.split("-")[1])
    assert [sample.cpu for sample in dumped(name)] == list(range(cpus))


def test_a_halted_cpu_of_x86_64_is_read_whole() -> None:
    (sample,) = dumped("x86_64-1-idle.txt")
    assert sample.pc == 0xFFFFFFFF80200E06
    assert (sample.mode, sample.interrupts_masked, sample.halted) == (Mode.KERNEL, False, True)
    assert sample.stack_pointer == 0xFFFFFFFF8022FF40
    some = {
        "cr2": 0x20047C,
        "cr3": 0x233000,
        "gs_base": 0xFFFFFFFF80230020,
        "cs": 0x10,
        "r8": 0,
        "efer": 0xD01,
    }
    assert some.items() <= sample.registers.items()


def test_an_idle_cpu_of_aarch64_is_read_whole() -> None:
    sample = dumped("aarch64-4-idle.txt")[0]
    assert sample.pc == 0xFFFFFF80402002B0
    assert (sample.mode, sample.interrupts_masked, sample.halted) == (Mode.KERNEL, True, None)
    assert sample.registers["cpsr"] == 0x800003C5
    assert {f"x{number}" for number in range(31)} <= sample.registers.keys()
    assert sample.stack_pointer == sample.registers["x29"]


@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_user_mode_is_told_from_the_kernels(arch: str) -> None:
    samples = dumped(f"{arch}-4-user.txt")
    (user,) = (sample for sample in samples if sample.mode is Mode.USER)
    assert user.pc < 1 << 32
    assert user.interrupts_masked is False
    assert sum(sample.mode is Mode.KERNEL for sample in samples) == 3


@pytest.mark.parametrize(("arch", "cpu"), [("aarch64", 0), ("x86_64", 1)])
def test_a_loop_with_interrupts_off_is_seen(arch: str, cpu: int) -> None:
    sample = dumped(f"{arch}-4-interrupts-off.txt")[cpu]
    assert sample.interrupts_masked is True
    assert sample.mode is Mode.KERNEL
    assert not sample.halted


def test_vectors_are_no_registers() -> None:
    assert not [name for name in dumped("x86_64-1-idle.txt")[0].registers if name.startswith(("xmm", "fpr"))]
    assert "q00" not in dumped("aarch64-1-idle.txt")[0].registers


def test_what_later_versions_add_is_passed_over() -> None:
    text = (
        "\nCPU#0\n PC=ffff800000080000 X00=0000000000000001 X01=0000000000000002\n"
        "X29=ffff8000000bfff0 X30=ffff800000080010  SP=ffff8000000bff00\n"
        "PSTATE=600003c9 -ZC- NS EL2h  SVCR=00000000 --  BTYPE=0    FPU disabled\n"
        "\nCPU#1\nRIP=0000000000008000 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=1 HLT=0\n"
        "R16=0000000000000007 R31=0000000000000000\nCCS=0000000000000000 CCD=0000000000000000 CCO=EFLAGS\n"
    )
    arm, intel = parse_register_dump(text)
    assert (arm.mode, arm.interrupts_masked, arm.registers["x30"]) == (Mode.KERNEL, True, 0xFFFF800000080010)
    assert (intel.mode, intel.interrupts_masked, intel.halted) == (Mode.OTHER, True, False)


def test_a_cpu_in_32_bits_has_a_program_counter() -> None:
    text = (
        "CPU#0\nEAX=00000001 ESP=00006f00\nEIP=000e05c0 EFL=00000202 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
    )
    (sample,) = parse_register_dump(text)
    assert (sample.pc, sample.stack_pointer, sample.interrupts_masked) == (0xE05C0, 0x6F00, False)


def test_a_cpu_without_a_program_counter_is_left_out() -> None:
    assert [sample.cpu for sample in parse_register_dump("CPU#0\nRAX=12\nCPU#1\n PC=0000000000000010\n")] == [
        1
    ]


@pytest.mark.parametrize("name", ["aarch64-1-idle.txt", "x86_64-1-idle.txt"])
def test_a_dump_cut_anywhere_gives_at_most_what_is_there(name: str) -> None:
    text = (DUMPS / name).read_text()
    (whole,) = parse_register_dump(text)
    for length in range(len(text)):
        for sample in parse_register_dump(text[:length]):
            assert sample.registers.keys() <= whole.registers.keys()


@given(st.text() | st.text("CPU#0123 =RIPSXLTE\nabcdef:", max_size=400))
@example("CPU#0\nRIP=")
@example("CPU#9999999999999999\nPC=1")
def test_any_text_is_taken(text: str) -> None:
    for sample in parse_register_dump(text):
        assert 0 <= sample.pc < 1 << 64


@given(st.sampled_from(NAMES), st.data())
def test_a_damaged_dump_is_taken(name: str, data: st.DataObject) -> None:
    text = (DUMPS / name).read_text()[:4000]
    at = data.draw(st.integers(0, len(text)))
    width = data.draw(st.integers(0, 200))
    for sample in parse_register_dump(text[:at] + data.draw(st.text(max_size=20)) + text[at + width :]):
        assert all(0 <= value < 1 << 64 for value in sample.registers.values())
