"""The rest of a stack by its chain of frame pointers, where GDB lost its way.

Without unwind tables GDB guesses from a function's first instructions where its frame ends, and goes on with whatever
word it finds there. Kernels that keep frame pointers have (the caller's frame pointer, the return address) at each:
AAPCS64, 6.4.6; System V ABI for x86-64, 3.2.2.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gdb.guest.cpu_state import REGISTER_SETS, CpuState, Frame, Mode
from gdb.kernel_file.symbols import demangle
from parity.architecture import X86_64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdb.captures.kernel import Kernel
    from gdb.guest.memory import Memory

_RECORD: Final = struct.Struct("<QQ")
_PAGE: Final = 4096
_LONGEST: Final = 64
_LARGEST_FRAME: Final = 64 * 1024
_CALL: Final = 0xE8
_INDIRECT: Final = 0xFF
_INDIRECT_LENGTHS: Final = (2, 3, 4, 6, 7)
"""Bytes of `call *...` on x86-64: no displacement, one or four bytes of it, with and without REX or SIB."""


def with_chain(state: CpuState, memory: Memory, kernel: Kernel, arch: str) -> CpuState:
    """Return a CPU with the rest of its stack, where a frame that GDB found is no code of the kernel's.

    Address 0 is where a stack ends. `arch` is the guest's: x86-64 kernels may come as 32-bit ELF files.
    """
    lost = next(
        (
            n
            for n, frame in enumerate(state.frames)
            if n and frame.address and not kernel.is_code(frame.address)
        ),
        None,
    )
    pointer = state.registers.get(REGISTER_SETS[arch].frame_pointer)
    if state.mode is not Mode.KERNEL or lost is None or pointer is None:
        return state
    kept = state.frames[:lost]
    rest = _beyond(kept, follow_chain(_Pages(memory), pointer, kernel, arch))
    named = {frame.address: frame for frame in state.frames if frame.function}
    found = [named.get(address) or _frame(kernel, address) for address in rest]
    frames = (*kept, *found)
    if not found:
        return state
    return replace(state, frames=tuple(replace(frame, level=n) for n, frame in enumerate(frames)))


def follow_chain(memory: Memory, pointer: int, kernel: Kernel, arch: str) -> tuple[int, ...]:
    """Return the return addresses along a chain, innermost first; it ends before what no call has left."""
    found: list[int] = []
    while len(found) < _LONGEST and not pointer % 8:
        record = memory.read(pointer, _RECORD.size)
        if record is None:
            break
        above, back = _RECORD.unpack(record)
        if not is_return_address(kernel, back, arch):
            break
        found.append(back)
        if not pointer < above <= pointer + _LARGEST_FRAME:
            break
        pointer = above
    return tuple(found)


def is_return_address(kernel: Kernel, address: int, arch: str) -> bool:
    """Return whether an address is in the kernel's code, right after a call."""
    if not kernel.is_code(address - 1):
        return False
    before = kernel.elf.read(address - kernel.base - 8, 8)
    if before is None:
        return False
    if arch == X86_64.name:
        direct = before[-5] == _CALL
        return direct or any(
            before[-n] == _INDIRECT and before[-n + 1] >> 3 & 7 == 2  # /2: Intel SDM volume 2, CALL
            for n in _INDIRECT_LENGTHS
        )
    word = int.from_bytes(before[4:], "little")
    return word >> 26 == 0b100101 or word & 0xFFFFFC1F == 0xD63F0000  # BL, BLR: DDI 0487, C6.2


def _beyond(kept: Sequence[Frame], chain: Sequence[int]) -> Sequence[int]:
    """Return what of the chain lies further out than the frames that are kept."""
    known = [frame.address for frame in kept]
    last = max((n for n, address in enumerate(chain) if address in known), default=-1)
    return chain[last + 1 :]


def _frame(kernel: Kernel, address: int) -> Frame:
    """Return the frame of a call that returns to an address; the function is that of the call."""
    found = kernel.symbols.at(address - 1)
    return Frame(level=0, address=address, function=demangle(found[0].name) if found is not None else None)


class _Pages:
    """Reads pages at once: a chain is followed while the guest stands still, and each read costs a turn with QEMU."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._pages: dict[int, bytes | None] = {}

    def read(self, address: int, size: int) -> bytes | None:
        start, offset = address & ~(_PAGE - 1), address & _PAGE - 1
        if offset + size > _PAGE:
            return self._memory.read(address, size)
        if start not in self._pages:
            self._pages[start] = self._memory.read(start, _PAGE)
        page = self._pages[start]
        return None if page is None else page[offset : offset + size]
