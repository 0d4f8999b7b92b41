"""What is looked up of a capture while its guest runs again: the code around program counters, and names.

Where there are no names, it is said what would give them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gdb.captures.capture import Innermost
from gdb.debugger.spin_loop import find_spin_loop
from gdb.guest.cpu_state import Mode
from gdb.kernel_file.roles import Role
from parity.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gdb.captures.capture import Capture
    from gdb.captures.kernel import Kernel
    from gdb.debugger.debugger import Debugger
    from gdb.debugger.spin_loop import SpinLoop
    from gdb.guest.cpu_state import CpuState
    from gdb.kernel_file.roles import Roles

_DISASSEMBLE_S: Final = 5.0
_LARGEST_FUNCTION: Final = 32 * 1024
"""Bytes; what is longer is no lock's loop, and takes GDB long."""
_POINTER: Final = re.compile(r"0x[0-9a-f]{6,16}")
_TOLD: Final = ("ELR_EL1", "FAR_EL1", "x30", "cr2")
"""Registers that tell where a fault came from, when no stack does."""
_DEPTH: Final = 3
"""Frames whose arguments may be a lock: the primitive, its wrapper, and who called that."""


def look_up_innermost(
    capture: Capture, kernel: Kernel, roles: Roles, debugger: Debugger | None
) -> tuple[Innermost, ...]:
    """Return the loop and the pointers at which each CPU was stopped in the kernel. Raises `GdbError`."""
    return tuple(
        Innermost(
            cpu=state.cpu,
            loop=_loop_around(capture, state, kernel, debugger) if debugger is not None else None,
            pointers=_pointers(state, roles),
        )
        for state in capture.cpus
        if state.mode is not Mode.USER
    )


def without_data(cpus: Iterable[CpuState], kernel: Kernel) -> tuple[CpuState, ...]:
    """Return the CPUs without the names of frames that lie in data.

    Where nothing tells how large a frame is, GDB takes every word of the stack for a return address.
    """
    return tuple(
        replace(
            state,
            frames=tuple(
                frame
                if kernel.is_code(frame.address)
                else replace(frame, function=None, file=None, line=None)
                for frame in state.frames
            ),
        )
        for state in cpus
    )


def name_places(capture: Capture, kernel: Kernel) -> dict[int, str]:
    """Return the names of all addresses that a reader of the capture may want to see as such."""
    found = {address: kernel.place(address) for address in set(_addresses(capture))}
    return {address: name for address, name in sorted(found.items()) if name}


def why_unnamed(capture: Capture, kernel: Kernel | None) -> tuple[str, ...]:
    """Return why no function of the kernel has a name, where none has, and what to do."""
    if kernel is None or not len(kernel.symbols):
        why = "there is no ELF file" if kernel is None else "its ELF file has no symbols"
        return (f"the kernel's functions: {why}; `symbols` in parity.toml names one that has them",)
    places = {state.pc for state in capture.cpus if state.mode is Mode.KERNEL and _translates(state)}
    if not places or any(map(kernel.holds, places)):
        return ()
    where = f"the kernel runs at {min(places):#x}, where its ELF file has no code"
    if kernel.elf.is_position_independent and not kernel.base:
        why = "it is position-independent, and `hang.base` in parity.toml says where it was loaded"
    else:
        why = "it is another file, or was loaded elsewhere (`hang.base` in parity.toml)"
    return (f"the kernel's functions: {where}: {why}",)


def _translates(state: CpuState) -> bool:
    """Whether its MMU is on: one that was never started stands at some address of the machine's."""
    control = state.registers.get("SCTLR_EL1")
    return bool(control & 1) if control is not None else bool(state.registers.get("cr0", 0) >> 31)


def _loop_around(capture: Capture, state: CpuState, kernel: Kernel, debugger: Debugger) -> SpinLoop | None:
    function = kernel.function_range(state.pc)
    if function is None or function[1] - function[0] > _LARGEST_FUNCTION:
        return None
    code = debugger.disassemble(*function, Deadline.after(_DISASSEMBLE_S))
    pcs = [sample.pc for one in capture.samples for sample in one.cpus if sample.cpu == state.cpu]
    return find_spin_loop(code, pc=state.pc, samples=pcs, registers=state.registers)


def _pointers(state: CpuState, roles: Roles) -> dict[str, int]:
    """Return what the frames around a lock's primitive were given; of the innermost where there is none."""
    names = [frame.function or "" for frame in state.frames]
    start = roles.first(names, Role.LOCK) or 0
    return {
        f"{frame.function}.{name}": int(match[0], 16)
        for frame in state.frames[start : start + _DEPTH]
        for name, value in frame.arguments
        if (match := _POINTER.search(value)) is not None
    }


def _addresses(capture: Capture) -> Iterator[int]:
    for one in capture.samples:
        yield from (sample.pc for sample in one.cpus)
    for state in capture.cpus:
        yield state.pc
        yield from (value for name in _TOLD if (value := state.registers.get(name)))
    for innermost in capture.innermost:
        yield from innermost.pointers.values()
        if innermost.loop is not None:
            yield from (operand.address for operand in innermost.loop.operands if operand.address is not None)
    yield from (lock.address for lock in capture.locks)
