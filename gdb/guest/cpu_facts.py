"""What a stopped CPU's registers say about faults and timers, in words; the decoding is cpu_state.py's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.guest.cpu_state import decode_exception_syndrome, decode_timer_control

if TYPE_CHECKING:
    from gdb.guest.cpu_state import CpuState, ExceptionSyndrome

GENERAL_REGISTERS: Final = frozenset(
    {f"x{number}" for number in range(31)}
    | {"sp", "cpsr", "eflags"}
    | {f"r{name}" for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")}
    | {f"r{number}" for number in range(8, 16)}
)
"""What a program computes with, its flags included, of both architectures."""
_TIMERS: Final = ("CNTV_CTL_EL0", "CNTP_CTL_EL0")
_SAME_LEVEL: Final = (0x0E, 0x21, 0x22, 0x25, 0x26, 0x2F)
"""Exception classes that a kernel takes of itself and does not survive (Arm ARM DDI 0487, D17.2.37)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One of an aarch64 CPU's timers."""

    name: str
    control: int
    enabled: bool
    masked: bool
    expired: bool


def timers(state: CpuState | None) -> tuple[Timer, ...]:
    """Return the timers whose control registers were read; none on x86-64, whose timer is in the local APIC."""
    found = []
    for name in _TIMERS if state is not None else ():
        value = state.registers.get(name) if state is not None else None
        if value is not None:
            control = decode_timer_control(value)
            found.append(
                Timer(
                    name=name,
                    control=value,
                    enabled=control.enabled,
                    masked=control.masked,
                    expired=control.condition_met,
                )
            )
    return tuple(found)


def last_exception(state: CpuState | None) -> ExceptionSyndrome | None:
    """Return an aarch64 CPU's last synchronous exception; None where there was none, or on x86-64."""
    value = state.registers.get("ESR_EL1") if state is not None else None
    return decode_exception_syndrome(value) if value else None


def is_kernel_fault(state: CpuState | None) -> bool:
    """Whether the last exception was the kernel's own fault."""
    found = last_exception(state)
    return found is not None and found.exception_class in _SAME_LEVEL


def describe_kernel_fault(state: CpuState | None) -> str:
    """Return the kernel's own fault in words, with its address; empty where there was none."""
    found = last_exception(state)
    if state is None or found is None or not is_kernel_fault(state):
        return ""
    address = state.registers.get("FAR_EL1")
    return f"a {found.class_name}" + (
        f" at address {address:#x}" if found.is_abort and address is not None else ""
    )


def describe_registers(state: CpuState | None) -> str:
    """Return an aarch64 CPU's last exception as its registers tell it, as a fact; empty where there was none."""
    found = last_exception(state)
    if state is None or found is None:
        return ""
    return f"CPU {state.cpu}: ESR_EL1 is {state.registers['ESR_EL1']:#x}, {found.sentence}{_at(state, found)}"


def describe_user_fault(state: CpuState | None) -> str:
    """Return the fault that user code took last, in words; empty where the last exception was none."""
    found = last_exception(state)
    if state is None or found is None or not found.is_abort or is_kernel_fault(state):
        return ""
    return f"CPU {state.cpu}: ESR_EL1 tells of a {found.sentence}{_at(state, found)}"


def _at(state: CpuState, found: ExceptionSyndrome) -> str:
    address, pc = state.registers.get("FAR_EL1"), state.registers.get("ELR_EL1")
    where = f" at address {address:#x}" if found.is_abort and address is not None else ""
    return where + (f", pc {pc:#x}" if pc is not None else "")
