"""One CPU of a stopped kernel: which of GDB's registers are read, and what mode, masks, timers and faults they tell.

Register names are those of GDB 13 with QEMU's target descriptions. A CPU's registers are under the first of a
register's names here, whichever of them this QEMU uses; x86-64 as Intel's manual has it, aarch64 as the Arm ARM
(DDI 0487) has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from parity.architecture import AARCH64, X86_64


class Mode(StrEnum):
    """How privileged the code is that a CPU runs."""

    USER = "user"
    KERNEL = "kernel"
    OTHER = "other"
    """Firmware, or a ring that no kernel of today uses; also where the registers do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a backtrace, as GDB's unwinder finds it."""

    level: int
    """0 is the innermost."""
    address: int
    function: str | None = None
    file: str | None = None
    line: int | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    """(name, value) of the function's parameters, as GDB prints them; empty where they were not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuState:
    """One CPU while the guest is stopped."""

    cpu: int
    """QEMU's index, from 0."""
    halted: bool | None
    """Whether it waits for an interrupt (HLT, WFI); None where QEMU did not say."""
    mode: Mode
    interrupts_masked: bool | None
    pc: int
    registers: Mapping[str, int]
    frames: tuple[Frame, ...] = ()
    """Innermost first; in user mode the first alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSet:
    """What is read of one architecture's CPUs, and what it means."""

    names: tuple[tuple[str, ...], ...]
    """One entry a register: the name that is kept, then others by which GDB may know it."""
    gdb_name: str
    """What `set architecture` takes."""
    program_counter: str
    stack_pointer: str
    frame_pointer: str
    mode: Callable[[Mapping[str, int]], Mode]
    interrupts_masked: Callable[[Mapping[str, int]], bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerControl:
    """A CNTV_CTL_EL0 or CNTP_CTL_EL0 (DDI 0487, D17.11.5)."""

    enabled: bool
    masked: bool
    condition_met: bool

    @property
    def pending(self) -> bool:
        """Whether the timer asks for an interrupt."""
        return self.enabled and self.condition_met and not self.masked


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionSyndrome:
    """An ESR_EL1 in words (DDI 0487, D17.2.37)."""

    exception_class: int
    class_name: str
    is_abort: bool
    """Whether it is a data or instruction abort, so that FAR_EL1 is its address."""
    status: str | None = None
    """An abort's fault status: translation fault, permission fault, and at which level."""
    is_write: bool | None = None
    """Of data aborts alone."""

    @property
    def sentence(self) -> str:
        """As one would say it: `data abort from the same level, write, translation fault, level 3`."""
        access = None if self.is_write is None else ("write" if self.is_write else "read")
        return ", ".join(part for part in (self.class_name, access, self.status) if part)


def kept_registers(registers: RegisterSet, values: Mapping[str, int]) -> dict[str, int]:
    """Return the registers of the set that are among `values`, under the names that are kept."""
    return {
        names[0]: values[known]
        for names in registers.names
        if (known := next((name for name in names if name in values), None)) is not None
    }


def decode_timer_control(value: int) -> TimerControl:
    """Decode CNTx_CTL_EL0: bit 0 ENABLE, bit 1 IMASK, bit 2 ISTATUS."""
    return TimerControl(enabled=bool(value & 1), masked=bool(value & 2), condition_met=bool(value & 4))


def decode_exception_syndrome(value: int) -> ExceptionSyndrome:
    """Decode an ESR_EL1; classes that the architecture does not define are said to be unknown."""
    exception_class = value >> 26 & 0x3F
    is_data = exception_class in (0x24, 0x25)
    is_abort = is_data or exception_class in (0x20, 0x21)
    return ExceptionSyndrome(
        exception_class=exception_class,
        class_name=_CLASSES.get(exception_class, f"unknown exception class {exception_class:#x}"),
        is_abort=is_abort,
        status=_fault_status(value & 0x3F) if is_abort else None,
        is_write=bool(value & 0x40) if is_data else None,
    )


def aarch64_mode(registers: Mapping[str, int]) -> Mode:
    """Return the mode by PSTATE as GDB's `cpsr` has it: M[3:2] is the exception level (DDI 0487, C5.2.19)."""
    state = registers.get("cpsr")
    if state is None:
        return Mode.OTHER
    if state & 0x10:  # AArch32: M is the mode's number, 0 user
        return Mode.KERNEL if state & 0xF else Mode.USER
    return (Mode.USER, Mode.KERNEL, Mode.KERNEL, Mode.OTHER)[state >> 2 & 3]


def aarch64_interrupts_masked(registers: Mapping[str, int]) -> bool | None:
    """Return PSTATE's I bit."""
    return None if (state := registers.get("cpsr")) is None else bool(state & 1 << 7)


def x86_64_mode(registers: Mapping[str, int]) -> Mode:
    """Return the mode by the privilege level, the low two bits of CS."""
    selector = registers.get("cs")
    if selector is None:
        return Mode.OTHER
    return {0: Mode.KERNEL, 3: Mode.USER}.get(selector & 3, Mode.OTHER)


def x86_64_interrupts_masked(registers: Mapping[str, int]) -> bool | None:
    """Return whether RFLAGS has the IF bit clear."""
    return None if (flags := registers.get("eflags")) is None else not flags & 1 << 9


def _plain(names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names.split())


REGISTER_SETS: Final[Mapping[str, RegisterSet]] = {
    AARCH64.name: RegisterSet(
        names=(
            *((f"x{number}",) for number in range(31)),
            *_plain("sp pc cpsr"),
            # QEMU 7.2 calls the banked ones by their AArch32 names; later versions follow the manual.
            *(("SCTLR_EL1", "SCTLR"), ("VBAR_EL1", "VBAR")),
            *_plain("ESR_EL1 FAR_EL1 ELR_EL1 SPSR_EL1 SP_EL0 TTBR0_EL1 TTBR1_EL1 TPIDR_EL0 TPIDR_EL1"),
            *(("CNTV_CTL_EL0", "CNTV_CTL"), ("CNTV_CVAL_EL0", "CNTV_CVAL")),
            *(("CNTP_CTL_EL0", "CNTP_CTL"), ("CNTP_CVAL_EL0", "CNTP_CVAL")),
            ("CNTFRQ_EL0", "CNTFRQ"),
        ),
        gdb_name="aarch64",
        program_counter="pc",
        stack_pointer="sp",
        frame_pointer="x29",
        mode=aarch64_mode,
        interrupts_masked=aarch64_interrupts_masked,
    ),
    X86_64.name: RegisterSet(
        names=(
            *_plain("rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss"),
            *_plain("fs_base gs_base k_gs_base cr0 cr2 cr3 cr4 efer"),
        ),
        gdb_name="i386:x86-64",
        program_counter="rip",
        stack_pointer="rsp",
        frame_pointer="rbp",
        mode=x86_64_mode,
        interrupts_masked=x86_64_interrupts_masked,
    ),
}
"""By the architecture's name."""


def _fault_status(code: int) -> str:
    """Return what an instruction or data fault status code says (DDI 0487, D17.2.37, table of DFSC)."""
    kind = _LEVELLED.get(code >> 2)
    return f"{kind}, level {code & 3}" if kind else _STATUSES.get(code, f"unknown fault status {code:#x}")


_LEVELLED: Final = {
    0b0000: "address size fault",
    0b0001: "translation fault",
    0b0010: "access flag fault",
    0b0011: "permission fault",
    0b0101: "external abort on a table walk",
    0b0111: "parity or ECC error on a table walk",
}
_STATUSES: Final = {
    0b010000: "external abort",
    0b010001: "tag check fault",
    0b011000: "parity or ECC error",
    0b100001: "alignment fault",
    0b110000: "TLB conflict",
    0b110001: "unsupported atomic update",
    0b110100: "lockdown",
    0b110101: "unsupported exclusive or atomic access",
}
_CLASSES: Final = {
    0x00: "unknown reason, such as an undefined instruction",
    0x01: "trapped WFI or WFE",
    0x07: "trapped floating-point or SIMD access",
    0x0A: "trapped LD64B or ST64B",
    0x0D: "branch target exception",
    0x0E: "illegal execution state",
    0x11: "SVC from AArch32",
    0x15: "SVC",
    0x18: "trapped system register access",
    0x19: "trapped SVE access",
    0x1C: "pointer authentication failure",
    0x1D: "trapped SME access",
    0x20: "instruction abort from a lower level",
    0x21: "instruction abort from the same level",
    0x22: "misaligned pc",
    0x24: "data abort from a lower level",
    0x25: "data abort from the same level",
    0x26: "misaligned sp",
    0x28: "trapped floating-point exception from AArch32",
    0x2C: "trapped floating-point exception",
    0x2F: "SError",
    0x30: "breakpoint from a lower level",
    0x31: "breakpoint from the same level",
    0x32: "software step from a lower level",
    0x33: "software step from the same level",
    0x34: "watchpoint from a lower level",
    0x35: "watchpoint from the same level",
    0x38: "BKPT from AArch32",
    0x3C: "BRK",
}
