"""One CPU, as the rules see it: what the samples agree on, where it is stuck, and on which lock."""

from __future__ import annotations

import itertools
import re
from collections import Counter as Tally
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gdb.evidence.waited_lock import Spin, WaitedLock, find_waited_lock
from gdb.evidence.window import Count
from gdb.guest.cpu_facts import GENERAL_REGISTERS
from gdb.guest.cpu_state import Mode
from gdb.kernel_file.roles import Role, is_exception, own_place, short_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gdb.captures.capture import Capture, Innermost
    from gdb.evidence.window import Window
    from gdb.guest.cpu_state import CpuState, Frame
    from gdb.guest.register_dump import PcSample
    from gdb.kernel_file.roles import Roles

_MOST: Final = 0.75
"""The share of samples that must agree: a timer interrupt may fall between."""
_KERNEL_HALF: Final = 1 << 63
_FROM_USER: Final = re.compile(r"user|el0|lower")
_REPEATS: Final = 4
"""How many samples find a CPU where another has found it already, at least."""
_GENERAL: Final = 16
"""How many general registers a sample has at least."""
_NARROW: Final = 64
"""Bytes that a tight loop spans at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuEvidence:
    """One CPU."""

    cpu: int
    state: CpuState | None
    samples: tuple[PcSample, ...]
    places: tuple[str, ...]
    """The function of each sample, `` where it is not known."""
    functions: tuple[str, ...]
    """The stack when the CPU was stopped, innermost first; without an interrupt that fell on it just then."""
    innermost: Innermost | None
    ticks: int | None
    system_calls: int | None
    interrupts: int | None
    switches: int | None
    faults: int | None
    idle: bool
    lock: WaitedLock | None
    interrupted_at: int | None
    """The index in `functions` of the innermost interrupt's or exception's entry that has kernel code below it."""
    ends_at_entry: bool = False
    """Whether the stack ends at an interrupt's entry: what that fell on is not known."""
    offline: bool = False
    """Whether the kernel never ran on it: it waits with its MMU still off, or halted in code that is not the kernel's."""
    has_ticked: bool | None = None
    """Whether the timer ever interrupted it; None where that is not counted."""
    events: int | None = None
    """How many trace events it wrote between the two progress samples, seen or overwritten."""

    @property
    def always_masked(self) -> bool:
        """Whether every sample, and the stop, had interrupts masked."""
        seen = [sample.interrupts_masked for sample in self.samples]
        if self.state is not None:
            seen.append(self.state.interrupts_masked)
        return bool(seen) and all(seen)

    @property
    def has_worked(self) -> bool:
        """Whether the kernel is known to have run more than a start on it: kernels park secondaries for good."""
        return self.cpu == 0 or bool(self.has_ticked or self.events) or self.interrupted_at is not None

    @property
    def never_masked(self) -> bool:
        """Whether no sample had interrupts masked."""
        seen = [sample.interrupts_masked for sample in self.samples]
        return bool(seen) and not any(seen)

    @property
    def mostly_user(self) -> bool:
        """Whether nearly all samples are in user mode."""
        return self._share(sample.mode is Mode.USER for sample in self.samples) >= _MOST

    @property
    def mostly_kernel(self) -> bool:
        """Whether nearly all samples are in the kernel."""
        return self._share(sample.mode is Mode.KERNEL for sample in self.samples) >= _MOST

    @property
    def in_user_now(self) -> bool:
        """Whether it was stopped in user mode."""
        return self.state is not None and self.state.mode is Mode.USER

    @property
    def parked(self) -> bool:
        """Whether it waits for an interrupt in one place: halted, or at one WFI or HLT in all samples."""
        if self.state is not None and self.state.halted and self._narrow:
            return True
        halted = [sample.halted for sample in self.samples if sample.halted is not None]
        if halted and all(halted):
            return True
        loop = self.innermost.loop if self.innermost is not None else None
        return bool(loop and loop.has_wait and self.within(loop.low, loop.high))

    @property
    def _narrow(self) -> bool:
        pcs = [sample.pc for sample in self.samples]
        return not pcs or max(pcs) - min(pcs) <= _NARROW

    def within(self, low: int, high: int) -> bool:
        """Whether nearly all samples lie in a range of addresses, its end included."""
        return bool(self.samples) and self._share(low <= s.pc <= high for s in self.samples) >= _MOST

    @property
    def span(self) -> int:
        """How far apart the samples of the most frequent mode are, in bytes."""
        mode = Tally(sample.mode for sample in self.samples).most_common(1)
        pcs = [sample.pc for sample in self.samples if mode and sample.mode == mode[0][0]]
        return max(pcs) - min(pcs) if pcs else 0

    @property
    def mode(self) -> str:
        """The level, as words for one line."""
        return self.state.mode if self.state is not None else (self.samples[-1].mode if self.samples else "?")

    @property
    def function(self) -> str:
        """Where it was stopped, for people: in what of the kernel's, not in what of the language's library that calls."""
        return self.functions[own_place(self.functions)] if self.functions else ""

    @property
    def user_places(self) -> frozenset[int]:
        """The program counters in user code; those just before the return to it are the kernel's."""
        return frozenset(s.pc for s in self.samples if s.mode is Mode.USER and s.pc < _KERNEL_HALF)

    @property
    def repeats_itself(self) -> bool:
        """Whether nothing moves in user code: all registers are equal in all samples at one place, flags included."""
        seen: dict[int, list[dict[str, int]]] = {}
        for sample in self.samples:
            if sample.mode is Mode.USER and sample.pc < _KERNEL_HALF:
                general = {k: value for k, value in sample.registers.items() if k in GENERAL_REGISTERS}
                seen.setdefault(sample.pc, []).append(general)
        repeats = sum(len(registers) - 1 for registers in seen.values())
        return repeats >= _REPEATS and all(
            len(found[0]) >= _GENERAL and all(registers == found[0] for registers in found)
            for found in seen.values()
        )

    def spends_in(self, roles: Roles, *wanted: Role) -> float:
        """Return the share of samples in functions of these roles."""
        return self._share(roles.of(place) in wanted for place in self.places)

    @staticmethod
    def _share(flags: Iterable[bool]) -> float:
        known = list(flags)
        return sum(known) / len(known) if known else 0.0


def read_cpu(number: int, capture: Capture, *, roles: Roles, window: Window) -> CpuEvidence:
    """Gather what the capture has on one CPU."""
    state = next((found for found in capture.cpus if found.cpu == number), None)
    samples = tuple(s for one in capture.samples for s in one.cpus if s.cpu == number)
    places = tuple(_function(capture, sample.pc) for sample in samples)
    frames: tuple[Frame, ...] = state.frames if state is not None else ()
    names = tuple(short_name(frame.function) if frame.function else "" for frame in frames)
    functions = names if _all_masked(samples) else _without_passing_interrupt(names, places, roles)
    innermost = next((found for found in capture.innermost if found.cpu == number), None)
    spin = Spin(
        functions=functions,
        samples=samples,
        places=places,
        innermost=innermost,
        inlined=_count_inlined(frames[len(names) - len(functions) :]),
    )
    bare = CpuEvidence(
        cpu=number,
        state=state,
        samples=samples,
        places=places,
        functions=functions,
        innermost=innermost,
        ticks=window.count(Count.TICKS, number),
        system_calls=window.count(Count.SYSTEM_CALLS, number),
        interrupts=window.count(Count.INTERRUPTS, number),
        switches=window.count(Count.SWITCHES, number),
        faults=window.count(Count.FAULTS, number),
        idle=False,
        lock=find_waited_lock(capture, spin, roles),
        interrupted_at=_interrupted_at(functions, roles),
        ends_at_entry=_ends_at_entry(functions, state, roles),
        offline=_has_mmu_off(state),
        has_ticked=window.has_ever(Count.TICKS, number),
        events=window.events.get(number),
    )
    return _with_idle(replace(bare, offline=bare.offline or _is_left_to_firmware(bare)), roles)


def _count_inlined(frames: Sequence[Frame]) -> int:
    """Return how many of the innermost frames are of functions inlined into the next: GDB gives them its address."""
    same = itertools.takewhile(lambda frame: frame.address == frames[0].address, frames)
    return max(sum(1 for _ in same) - 1, 0)


def _is_left_to_firmware(cpu: CpuEvidence) -> bool:
    """Whether it waits, deaf, in code that is not the kernel's: UEFI halts the CPUs that a kernel does not start so."""
    named = any(cpu.functions) or any(cpu.places)
    return cpu.parked and cpu.always_masked and not named and not cpu.has_worked


def _with_idle(cpu: CpuEvidence, roles: Roles) -> CpuEvidence:
    """Decide whether the CPU idles: it waits for an interrupt that can come, and is on no panic path."""
    if cpu.lock is not None or any(roles.of(name) is Role.PANIC for name in cpu.functions[:3]):
        return cpu
    in_idle = cpu.spends_in(roles, Role.IDLE) >= _MOST
    # On a busy host its ticks take so long that samples find it in those; nothing else happens on it then.
    only_ticks = roles.of(cpu.function) is Role.IDLE and cpu.switches == 0 and cpu.system_calls == 0
    waits = cpu.parked or in_idle or only_ticks
    reachable = not cpu.always_masked or bool(cpu.ticks)
    return replace(cpu, idle=waits and reachable)


def _has_mmu_off(state: CpuState | None) -> bool:
    """Say so by SCTLR_EL1.M (DDI 0487, D17.2.118) or CR0.PG (Intel SDM volume 3, 2.5)."""
    registers = state.registers if state is not None else {}
    control, bit = registers.get("SCTLR_EL1"), 1
    if control is None:
        control, bit = registers.get("cr0"), 1 << 31
    return control is not None and not control & bit


def _function(capture: Capture, pc: int) -> str:
    place = (capture.places or {}).get(pc, "")
    return short_name(place.rsplit("+0x", 1)[0]) if place else ""


def _all_masked(samples: tuple[PcSample, ...]) -> bool:
    """Whether no interrupt can have come while the samples were taken."""
    return bool(samples) and all(sample.interrupts_masked for sample in samples)


def _without_passing_interrupt(
    names: tuple[str, ...], places: tuple[str, ...], roles: Roles
) -> tuple[str, ...]:
    """Leave out an interrupt's frames where the samples say that the CPU is usually below it."""
    entry = _entry(names, roles)
    if entry is None or not any(places):
        return names
    above = set(names[: entry + 1]) - set(names[entry + 1 :])
    return names if 2 * sum(place in above for place in places) >= len(places) else names[entry + 1 :]


def _interrupted_at(functions: tuple[str, ...], roles: Roles) -> int | None:
    """Return the entry below the spinning frames, which an interrupt above them has left to them."""
    lock = roles.first(functions, Role.LOCK) or 0
    found = _entry(functions[lock:], roles)
    return None if found is None else lock + found


def _ends_at_entry(functions: tuple[str, ...], state: CpuState | None, roles: Roles) -> bool:
    """Say so of a stack that was not unwound beyond an entry; one from user code ends there as well, and rightly.

    Exceptions are taken for user code's: few kernels fault while they hold a spinlock.
    """
    known = [name for name in functions if name]
    if not known or roles.of(known[-1]) is not Role.INTERRUPT or _FROM_USER.search(known[-1].lower()):
        return False
    if is_exception(known):
        return False
    saved = state.registers.get("SPSR_EL1") if state is not None else None
    return saved is None or bool(saved & 0xF)


def _entry(functions: tuple[str, ...], roles: Roles) -> int | None:
    """Return the index of the innermost interrupt's entry that has the kernel's own code below it."""
    for n, name in enumerate(functions[:-1]):
        if roles.of(name) is Role.INTERRUPT and roles.of(functions[n + 1]) is not Role.INTERRUPT:
            return (
                n
                if any(name and roles.of(name) is not Role.INTERRUPT for name in functions[n + 1 :])
                else None
            )
    return None
