"""QEMU's `info registers -a`: every CPU's registers as text, taken while the guest runs.

Formats are those of QEMU 7.2 (target/arm/cpu.c, target/i386/cpu-dump.c); what later versions add is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gdb.guest.cpu_state import REGISTER_SETS, Mode
from parity.architecture import AARCH64, X86_64


@dataclass(frozen=True, slots=True, kw_only=True)
class PcSample:
    """Where one CPU was at a moment. Registers bear GDB's names: `x0`, `cpsr`, `rax`, `eflags`, `fs_base`."""

    cpu: int
    pc: int
    mode: Mode
    interrupts_masked: bool | None
    halted: bool | None
    """None on aarch64, where QEMU does not print it."""
    stack_pointer: int | None
    registers: Mapping[str, int]


_CPU: Final = re.compile(r"^CPU#([0-9]{1,4})[ \t\r]*$", re.MULTILINE)
_REGISTER: Final = re.compile(
    r"(?<![\w])([A-Za-z][A-Za-z0-9_]{1,7}) {0,3}= {0,8}([0-9a-fA-F]{1,16})(?![0-9a-zA-Z:])"
)
_SEGMENT: Final = re.compile(
    r"^([C-GS]S) {0,2}=([0-9a-fA-F]{4}) ([0-9a-fA-F]{8,16}) [0-9a-fA-F]{8} [0-9a-fA-F]{8}", re.MULTILINE
)
_VECTOR: Final = re.compile(r"(?:Q|Z|P|XMM|YMM|ZMM|FPR|OPMASK)[0-9]{1,2}|ST|DPL")
_NAMES: Final = {"pstate": "cpsr", "rfl": "eflags", "efl": "eflags"} | {
    f"x{number:02}": f"x{number}" for number in range(31)
}
_32_BIT: Final = {f"e{name}": f"r{name}" for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip")}


def parse_register_dump(text: str) -> tuple[PcSample, ...]:
    """Return one sample a CPU, in the order printed; a CPU whose program counter is not there is left out."""
    headers = list(_CPU.finditer(text))
    ends = [*(header.start() for header in headers[1:]), len(text)][: len(headers)]
    samples = (
        _parse_cpu(int(header[1]), text[header.end() : end])
        for header, end in zip(headers, ends, strict=True)
    )
    return tuple(sample for sample in samples if sample is not None)


def _parse_cpu(cpu: int, text: str) -> PcSample | None:
    registers = _parse_registers(text)
    architecture = X86_64 if "rip" in registers else AARCH64
    known = REGISTER_SETS[architecture.name]
    if known.program_counter not in registers:
        return None
    halted = registers.pop("hlt", None)
    mode = Mode.OTHER if registers.get("smm") else known.mode(registers)
    return PcSample(
        cpu=cpu,
        pc=registers[known.program_counter],
        mode=mode,
        interrupts_masked=known.interrupts_masked(registers),
        halted=None if halted is None else bool(halted),
        stack_pointer=registers.get(known.stack_pointer),
        registers=registers,
    )


def _parse_registers(text: str) -> dict[str, int]:
    """Return all but vectors and parts of others; the first of a name is kept."""
    registers: dict[str, int] = {}
    for name, value in _REGISTER.findall(text):
        if _VECTOR.fullmatch(name) is None:
            registers.setdefault(_known_name(name), int(value, 16))
    for name, selector, base in _SEGMENT.findall(text):
        registers[name.lower()] = int(selector, 16)
        registers[f"{name.lower()}_base"] = int(base, 16)
    if "cpl" in registers and "cs" in registers:  # in real mode the selector's low bits mean nothing
        registers["cs"] = registers["cs"] & ~3 | registers["cpl"] & 3
    return registers


def _known_name(printed: str) -> str:
    name = printed.lower()
    return _32_BIT.get(name) or _NAMES.get(name, name)
