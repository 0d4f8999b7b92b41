"""One disassembled instruction as GDB prints it: what it branches to, writes, and accesses in memory.

aarch64 (Arm ARM DDI 0487, C6) and x86-64 in AT&T's syntax. It knows what loops are made of, not every instruction:
of an unknown one it believes the common case, that its last operand (x86-64) or first one (aarch64) is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH: Final = 1 << 64
_ARM_MEMORY: Final = re.compile(r"\[(?P<base>x[0-9]{1,2}|sp)(?:, (?P<rest>[^\]]*))?\](?P<indexed>!?)")
_ARM_INDEX: Final = re.compile(
    r"(?P<index>[wx](?:[0-9]{1,2}|zr))(?:, (?P<extend>lsl|[su]xt[wx])(?: #(?P<shift>[0-9]))?)?"
)
_NUMBER: Final = re.compile(r"#?(-?)(0x[0-9a-f]{1,16}|[0-9]{1,20})")
_INTEL_MEMORY: Final = re.compile(
    r"(?:%(?P<segment>[c-gs]s):)?(?P<offset>-?0x[0-9a-f]{1,16})?"
    r"(?:\((?P<base>%\w{2,4})?(?:,(?P<index>%\w{2,4})(?:,(?P<scale>[1248]))?)?\))?"
)
_INTEL_COMMENT: Final = re.compile(r" # (0x[0-9a-f]{1,16})")
_TARGET: Final = re.compile(r"(?:^|[ ,])(0x[0-9a-f]{1,16})$")
_PREFIXES: Final = frozenset(
    [
        "lock",
        "rep",
        "repz",
        "repnz",
        "repe",
        "repne",
        "notrack",
        "bnd",
        "data16",
        "addr32",
        "cs",
        "ds",
        "es",
        "ss",
        "rex.W",
        "xacquire",
        "xrelease",
    ]
)
_BRANCH: Final = re.compile(r"b|bc?\.[a-z]{2}|cbn?z|tbn?z|j[a-z]{1,5}|loopn?e?")
_CALL: Final = re.compile(r"bl|blra?[ab]?z?|callq?|lcallq?")
_WAITS: Final = frozenset(("wfi", "wfit", "hlt", "mwait"))
_PAUSES: Final = frozenset(("yield", "wfe", "wfet", "pause"))
_ARM_ATOMIC: Final = re.compile(
    r"(?:ld(?:l?a|x|clr|set|eor|[su]m(?:ax|in))|st(?:l|x|add|clr|set|eor)|swp|cas)\w*"
)
_INTEL_ATOMIC: Final = re.compile(r"xchg[bwlq]?")
_NOT_WRITING: Final = re.compile(
    r"b|bc?\.[a-z]{2}|cbn?z|tbn?z|cmp(?!xchg)\w*|cmn|tst|ccm[pn]|st\w*|prfm|dmb|dsb|isb|nop\w*|ret|msr"
    r"|test\w*|push\w*|j[a-z]{1,5}|bt[bwlq]?|fcmp\w*|clrex|hint"
)
_ACCESSES_NOTHING: Final = re.compile(r"lea[lqw]?|nop\w*|prefetch\w*|prfm|callq?|jmpq?|invlpg|clflush\w*")
_ARM_CLOBBERED: Final = frozenset((*(f"x{number}" for number in range(19)), "x30"))
_INTEL_CLOBBERED: Final = frozenset(["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"])
_INTEL_NAMES: Final = {
    alias: f"r{name}"
    for name, aliases in {
        **{f"{letter}x": f"e{letter}x {letter}x {letter}l {letter}h" for letter in "abcd"},
        **{name: f"e{name} {name} {name}l" for name in ("si", "di", "bp", "sp", "ip")},
        **{str(number): f"r{number}d r{number}w r{number}b r{number}l" for number in range(8, 16)},
    }.items()
    for alias in (*aliases.split(), f"r{name}")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOperand:
    """base + index * scale + offset, or an address that is written out."""

    text: str
    base: str | None = None
    index: str | None = None
    scale: int = 1
    offset: int = 0
    segment: str | None = None
    """The register with the segment's base."""
    narrow: str = ""
    """How a 32-bit index is widened: uxtw, sxtw, or not at all."""

    @property
    def registers(self) -> tuple[str, ...]:
        """What the address is made of."""
        return tuple(name for name in (self.base, self.index, self.segment) if name is not None)

    @property
    def place(self) -> MemoryOperand:
        """The same, however it is written: two instructions spell an address that is relative to them differently."""
        return replace(self, text="")

    @property
    def on_stack(self) -> bool:
        """Whether it is addressed by the stack or frame pointer."""
        return self.base in ("sp", "x29", "rsp", "rbp")

    def address(self, registers: Mapping[str, int]) -> int | None:
        """Return where it is, or None where a register is not known."""
        if any(name not in registers for name in self.registers):
            return None
        index = registers[self.index] if self.index else 0
        if self.narrow in ("uxtw", "sxtw"):
            index &= 0xFFFFFFFF
            index -= (index >> 31 << 32) if self.narrow == "sxtw" else 0
        parts = sum(registers[name] for name in (self.base, self.segment) if name)
        return (parts + index * self.scale + self.offset) % _WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one instruction does, as far as loops go."""

    target: int | None = None
    """Where it branches to; None for a call, a return, or by register."""
    is_call: bool = False
    is_wait: bool = False
    is_pause: bool = False
    is_atomic: bool = False
    memory: MemoryOperand | None = None
    written: frozenset[str] = frozenset()
    """64-bit registers under GDB's names."""


def parse_instruction(text: str) -> Parsed:
    """Read one instruction; of what it does not know it says nothing."""
    text = " ".join(text.split())
    comment = _INTEL_COMMENT.search(text)
    words = re.split(r" (?://|<)", text.split(" # ", 1)[0], maxsplit=1)[0].split(" ")
    locked = False
    while len(words) > 1 and words[0] in _PREFIXES:
        locked |= words.pop(0) == "lock"
    mnemonic, rest = words[0], " ".join(words[1:])
    if _CALL.fullmatch(mnemonic):
        return Parsed(is_call=True, written=_ARM_CLOBBERED if mnemonic.startswith("b") else _INTEL_CLOBBERED)
    if _BRANCH.fullmatch(mnemonic):
        found = _TARGET.search(rest) if "*" not in rest else None
        return Parsed(target=int(found[1], 16) if found else None)
    operands = _split(rest)
    if "%" in rest or "$" in rest:
        return _parse_intel(mnemonic, operands, comment, locked=locked)
    return _parse_arm(mnemonic, operands, locked=locked)


def _parse_arm(mnemonic: str, operands: list[str], *, locked: bool) -> Parsed:
    """Also what has no operand at all, and x86-64's immediate addresses: `incl 0x1234`."""
    memory, moved = None, None
    for place, operand in enumerate(operands):
        if (found := _ARM_MEMORY.fullmatch(operand)) is not None:
            is_post_indexed = place + 1 < len(operands)
            moved = found["base"] if found["indexed"] or is_post_indexed else None
            memory = _arm_memory(operand, found)
    atomic = memory is not None and bool(_ARM_ATOMIC.fullmatch(mnemonic))
    return Parsed(
        is_wait=mnemonic in _WAITS,
        is_pause=mnemonic in _PAUSES,
        is_atomic=atomic or locked,
        memory=memory if not _ACCESSES_NOTHING.fullmatch(mnemonic) else None,
        written=frozenset((*_arm_written(mnemonic, operands), *([moved] if moved else []))),
    )


def _arm_memory(text: str, found: re.Match[str]) -> MemoryOperand | None:
    rest = found["rest"] or ""
    if not rest or _NUMBER.fullmatch(rest):
        return MemoryOperand(text=text, base=found["base"], offset=_integer(rest))
    index = _ARM_INDEX.fullmatch(rest)
    if index is None:
        return None
    shift = int(index["shift"] or 0)
    if index["index"].endswith("zr"):
        return MemoryOperand(text=text, base=found["base"])
    return MemoryOperand(
        text=text,
        base=found["base"],
        index=f"x{index['index'][1:]}",
        scale=1 << shift,
        narrow=index["extend"] or "",
    )


def _arm_written(mnemonic: str, operands: list[str]) -> set[str]:
    if re.match(r"st(?:l)?x", mnemonic):  # the status
        results = operands[:1]
    elif _NOT_WRITING.fullmatch(mnemonic):
        results = []
    elif re.match(r"swp|ld(?:add|clr|set|eor|[su]m(?:ax|in))", mnemonic):
        results = operands[1:2]
    elif re.match(r"ld(?:a?xp|n?p)", mnemonic):
        results = operands[:2]
    else:
        results = operands[:1]
    return {name for operand in results if (name := _arm_register(operand)) is not None}


def _arm_register(operand: str) -> str | None:
    if re.fullmatch(r"[wx][0-9]{1,2}", operand):
        return f"x{operand[1:]}"
    return "sp" if operand in ("sp", "wsp") else None


def _parse_intel(
    mnemonic: str, operands: list[str], comment: re.Match[str] | None, *, locked: bool
) -> Parsed:
    memory = None
    for operand in operands:
        if operand[:1] != "$" and (operand[:1] != "%" or ":" in operand):
            memory = _intel_memory(operand, int(comment[1], 16) if comment else None) or memory
    if _ACCESSES_NOTHING.fullmatch(mnemonic):
        memory = None
    atomic = memory is not None and bool(_INTEL_ATOMIC.fullmatch(mnemonic))
    return Parsed(is_atomic=atomic or locked, memory=memory, written=_intel_written(mnemonic, operands))


def _intel_memory(text: str, absolute: int | None) -> MemoryOperand | None:
    found = _INTEL_MEMORY.fullmatch(text)
    if found is None or not (found["offset"] or found["base"] or found["index"]):
        return None
    if found["base"] == "%rip":
        return None if absolute is None else MemoryOperand(text=text, offset=absolute)
    base, index = (_INTEL_NAMES.get((found[part] or "").lstrip("%")) for part in ("base", "index"))
    return MemoryOperand(
        text=text,
        base=base,
        index=index,
        scale=int(found["scale"] or 1),
        offset=_integer(found["offset"] or "0"),
        # The others' bases are 0 in 64-bit mode (Intel SDM 3.4.4).
        segment=f"{found['segment']}_base" if found["segment"] in ("fs", "gs") else None,
    )


def _intel_written(mnemonic: str, operands: list[str]) -> frozenset[str]:
    if _NOT_WRITING.fullmatch(mnemonic):
        return frozenset()
    results = operands[-1:]
    if mnemonic.startswith(("xchg", "xadd")):
        results = operands
    names = {_INTEL_NAMES[name] for operand in results if (name := operand.lstrip("%")) in _INTEL_NAMES}
    return frozenset(names | ({"rax"} if mnemonic.startswith("cmpxchg") else set()))


def _integer(text: str) -> int:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return 0
    value = int(found[2], 16 if found[2].startswith("0x") else 10)
    return -value if found[1] else value


def _split(text: str) -> list[str]:
    """Split at the commas that are outside brackets; the outer blanks are cut."""
    return [piece.strip() for piece in re.split(r",(?![^\[(]*[\])])", text)] if text else []
