"""The loop that a CPU goes round in: found in the disassembly of the function around its program counter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One disassembled instruction."""

    address: int
    text: str
    """Mnemonic and operands as GDB prints them, in AT&T's syntax on x86-64."""
