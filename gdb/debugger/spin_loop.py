"""The loop that a CPU goes round in: found in the disassembly of the function around its program counter.

A loop is what lies between a branch backwards and its target. What it reads is found by the registers at hand, where
those still hold what they held at the instruction. instruction_text.py knows the two architectures' spellings.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.debugger.instruction_text import Parsed, parse_instruction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gdb.debugger.instruction_text import MemoryOperand

_Span = tuple[int, int]
"""The addresses of a loop's first and last instruction."""
_MOST_OPERANDS: Final = 32
_WIDEST_LOCK: Final = 96
"""Bytes that a lock's two loops have together at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One disassembled instruction."""

    address: int
    text: str
    """Mnemonic and operands as GDB prints them, in AT&T's syntax on x86-64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A place in memory that a loop reads or writes."""

    text: str
    """As disassembled: `[x20]`, `0x10(%rbx)`."""
    address: int | None
    """None where no register at hand still holds it."""
    is_atomic: bool = False
    """Whether it is accessed exclusively, locked, or with acquire or release: the mark of a lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpinLoop:
    """The smallest loop around a program counter."""

    low: int
    """Address of its first instruction."""
    high: int
    """Address of its last instruction, the branch back."""
    operands: tuple[Operand, ...]
    """Atomic ones first, those on the stack last."""
    has_call: bool
    has_wait: bool
    """Whether it stops for an interrupt: WFI, HLT."""
    has_pause: bool
    """Whether it tells the CPU that it spins: YIELD, WFE, PAUSE."""


def find_spin_loop(
    code: Sequence[Instruction], *, pc: int, samples: Iterable[int] = (), registers: Mapping[str, int]
) -> SpinLoop | None:
    """Return the smallest loop that encloses `pc`, and with it those of `samples` that are in this code.

    Where no loop has all of these samples, the smallest around `pc` counts alone; None where there is none.
    `code` are one function's instructions; `registers` bear GDB's names and are those at `pc`.
    """
    ordered = sorted(code, key=lambda instruction: instruction.address)
    if not ordered:
        return None
    parsed = [parse_instruction(instruction.text) for instruction in ordered]
    addresses = [instruction.address for instruction in ordered]
    here = {pc, *(sample for sample in samples if addresses[0] <= sample <= addresses[-1])}
    loops = [*_loops(addresses, parsed)]
    around = [span for span in loops if span[0] <= pc <= span[1]]
    wanted = [span for span in around if all(span[0] <= place <= span[1] for place in here)] or around
    if not wanted:
        return None

    def body_of(span: _Span) -> Sequence[Parsed]:
        return parsed[bisect.bisect_left(addresses, span[0]) : bisect.bisect_right(addresses, span[1])]

    low, high = _with_attempt(min(wanted, key=_size), loops, body_of, registers)
    first, body = bisect.bisect_left(addresses, low), body_of((low, high))
    return SpinLoop(
        low=low,
        high=high,
        operands=_operands(body, bisect.bisect_left(addresses, pc) - first, registers),
        has_call=any(each.is_call for each in body),
        has_wait=any(each.is_wait for each in body),
        has_pause=any(each.is_pause for each in body),
    )


def _with_attempt(
    span: _Span,
    loops: Iterable[_Span],
    body_of: Callable[[_Span], Sequence[Parsed]],
    registers: Mapping[str, int],
) -> _Span:
    """Return a loop with the one beside it that tries to set what it only reads: test and test-and-set, as locks do."""
    if any(each.is_atomic for each in body_of(span)):
        return span

    def places(body: Iterable[Parsed]) -> set[MemoryOperand | int]:
        found = [each.memory for each in body if each.memory is not None]
        known = {address for memory in found if (address := memory.address(registers)) is not None}
        return {memory.place for memory in found} | known

    read = places(body_of(span))
    for loop in sorted(loops, key=_size):
        both = min(span[0], loop[0]), max(span[1], loop[1])
        if (
            (loop[0] <= span[1] and span[0] <= loop[1])
            and _size(both) <= _WIDEST_LOCK
            and not read.isdisjoint(places(each for each in body_of(loop) if each.is_atomic))
        ):
            return both
    return span


def _size(span: _Span) -> int:
    return span[1] - span[0]


def _loops(addresses: Sequence[int], parsed: Sequence[Parsed]) -> Iterator[_Span]:
    for address, each in zip(addresses, parsed, strict=True):
        if each.target is not None and addresses[0] <= each.target <= address:
            yield each.target, address


def _operands(body: Sequence[Parsed], at: int, registers: Mapping[str, int]) -> tuple[Operand, ...]:
    """Return what the loop's instructions access; `at` is the one that comes next."""
    writes: dict[str, list[int]] = {}
    for index, each in enumerate(body):
        for name in each.written:
            writes.setdefault(name, []).append(index)
    found: dict[str, tuple[tuple[bool, bool], Operand]] = {}
    for index, each in enumerate(body):
        if (memory := each.memory) is None or (memory.text in found and not each.is_atomic):
            continue
        held = all(
            _last_write(writes.get(name, ()), index) == _last_write(writes.get(name, ()), at)
            for name in memory.registers
        )
        operand = Operand(
            text=memory.text,
            address=memory.address(registers) if held and not _moves_itself(each, memory) else None,
            is_atomic=each.is_atomic,
        )
        if memory.text not in found or not found[memory.text][1].is_atomic:
            found[memory.text] = ((not each.is_atomic, memory.on_stack), operand)
    ranked = sorted(found.values(), key=lambda entry: entry[0])
    return tuple(operand for _rank, operand in ranked[:_MOST_OPERANDS])


def _moves_itself(each: Parsed, memory: MemoryOperand) -> bool:
    """Whether the instruction overwrites what its own address was made of, as `mov (%rax),%rax` does."""
    return any(name in each.written for name in memory.registers)


def _last_write(writes: Sequence[int], index: int) -> int | None:
    """Return which write an instruction sees, as if the loop ran straight through and round again."""
    if not writes:
        return None
    return writes[bisect.bisect_left(writes, index) - 1]
