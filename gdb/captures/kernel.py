"""What is known of a kernel before anything is stopped: its symbols, where its trace lies, how its threads are linked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.kernel_file.elf_image import read_elf
from gdb.kernel_file.structures import Structures
from gdb.kernel_file.symbols import SymbolKind, demangle
from gdb.scheduler.scheduler_state import plan_scheduler
from gdb.trace.find_layout import find_trace_layout

if TYPE_CHECKING:
    from pathlib import Path

    from gdb.kernel_file.elf_image import ElfImage
    from gdb.kernel_file.symbols import SymbolTable
    from gdb.scheduler.scheduler_state import SchedulerPlan
    from gdb.trace.layout import TraceLayout
    from parity.configuration import HangRules

_DATA_LIMIT: Final = 4 * 1024 * 1024
"""Bytes that are read in a few milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One kernel image, worked out for one load address."""

    path: Path
    elf: ElfImage
    base: int
    symbols: SymbolTable
    """At the addresses where the kernel runs."""
    layout: TraceLayout
    scheduler: SchedulerPlan

    def place(self, address: int) -> str:
        """Return an address as `symbol+0x10`; empty where no symbol holds it."""
        found = self.symbols.at(address)
        if found is None:
            return ""
        symbol, offset = found
        name = demangle(symbol.name)
        return f"{name}+{offset:#x}" if offset else name

    @property
    def data(self) -> tuple[tuple[int, int], ...]:
        """(address, size) of the kernel's writable variables, where they are few enough to be read whole."""
        pieces = [(s.address + self.base, s.memory_size) for s in self.elf.segments if s.is_writable]
        rings = self.layout.rings
        if sum(size for _address, size in pieces) <= _DATA_LIMIT:
            return tuple(pieces)
        return ((rings.address, rings.size),) if rings is not None else ()

    def holds(self, address: int) -> bool:
        """Whether an address is in the kernel's code, named or not."""
        linked = address - self.base
        return any(s.is_executable and 0 <= linked - s.address < s.memory_size for s in self.elf.segments)

    def is_code(self, address: int) -> bool:
        """Whether an address is in the kernel's code, and no variable's where all of it may be executed."""
        found = self.symbols.at(address)
        return self.holds(address) and (found is None or found[0].kind is not SymbolKind.OBJECT)

    def function_range(self, address: int) -> tuple[int, int] | None:
        """Return the first address of the function around `address` and the first after it."""
        found = self.symbols.at(address)
        if found is None or not found[0].size:
            return None
        return found[0].address, found[0].address + found[0].size


def read_kernel(path: Path, rules: HangRules, *, base: int = 0) -> Kernel:
    """Read the ELF file; takes half a second or more. Raises `UsageError` where it is none."""
    elf = read_elf(path)
    structures = Structures(elf)
    return Kernel(
        path=path,
        elf=elf,
        base=base,
        symbols=elf.symbols.relocated(base),
        layout=find_trace_layout(elf, rules.symbols, base=base, structures=structures),
        scheduler=plan_scheduler(elf, structures, rules, base=base),
    )
