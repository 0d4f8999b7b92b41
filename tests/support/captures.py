"""Captures without a guest: what a kernel would have shown, in the few lines that a rule's test is about.

    capture(spins("spin_lock", "create_at", ticks=0), idle(), locks=[lock("lock_a", holder=1)])

A function is given by name and gets an address of its own. A CPU's counts are those of the window, one second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gdb.captures.capture import Capture, Innermost, Progress, Sample, Subject
from gdb.debugger.spin_loop import Operand, SpinLoop
from gdb.evidence.evidence import read_evidence
from gdb.guest.cpu_state import CpuState, Frame, Mode
from gdb.guest.guest import HostThread
from gdb.guest.memory import Block
from gdb.guest.register_dump import PcSample
from gdb.rules import diagnose
from gdb.scheduler.scheduler_state import LockState, ThreadState
from gdb.trace.counters import Counter
from gdb.trace.layout import TraceLayout
from parity.configuration import HangRules
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gdb.trace.event_types import Event
    from parity.diagnosis import Diagnosis

KERNEL: Final = 0xFFFF_0000_0000_0000
USER: Final = 0x40_0000
HZ: Final = 1_000_000
MMU_ON: Final = {"SCTLR_EL1": 0x30D0_198D}
MMU_OFF: Final = {"SCTLR_EL1": 0x30C5_0830}
SAMPLES: Final = 8
_FUNCTION_BYTES: Final = 0x1000
_COUNTERS: Final = {
    "ticks": "TIMER_TICK_TOTAL",
    "calls": "SYSCALL_TOTAL",
    "interrupts": "IRQ_TOTAL",
    "switches": "CTX_SWITCH_TOTAL",
    "faults": "PAGE_FAULT_TOTAL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """What is seen of one CPU; a count that is None is of a counter that the kernel does not have."""

    stack: tuple[str, ...] = ()
    mode: Mode = Mode.KERNEL
    masked: bool | None = False
    halted: bool | None = None
    inlined: int = 0
    """How many of the innermost functions are inlined into the next: theirs are its addresses."""
    samples: tuple[str | int, ...] = ()
    """Functions or addresses of the samples; all in the innermost function where they are not given."""
    masked_samples: tuple[str, ...] = ()
    """Functions in which samples find interrupts off, whatever `masked` says: those of a handler."""
    sample_modes: tuple[Mode, ...] = ()
    span: int = 0
    """Over how many bytes the samples are spread, in user mode or in one function."""
    registers: Mapping[str, int] = field(default_factory=dict)
    waits: bool = False
    """Whether it is stopped in a loop around WFI or HLT."""
    moves: bool = False
    """Whether a register differs from sample to sample."""
    reads: str = ""
    """The variable that the loop in which it is stopped reads as locks are read."""
    straight: bool = False
    """Whether it is stopped in a function without a loop."""
    pointers: Mapping[str, str] = field(default_factory=dict)
    """Arguments of the innermost frames: the names of the locks that they point to."""
    ticks: int | None = 100
    calls: int | None = 0
    interrupts: int | None = None
    switches: int | None = 0
    faults: int | None = None
    ran_s: float = 1.0
    waited_s: float = 0.0


def runs(*stack: str, **about: object) -> Cpu:
    """Return a CPU in the kernel, its stack innermost first."""
    return Cpu(stack=stack, **about)  # type: ignore[arg-type]


def idle(*stack: str, **about: object) -> Cpu:
    """Return a CPU that waits for work, interrupts on."""
    return Cpu(stack=stack or ("arch_idle", "idle_loop"), halted=True, waits=True, **about)  # type: ignore[arg-type]


def user(*, span: int = 8, **about: object) -> Cpu:
    """Return a CPU in user code."""
    return Cpu(mode=Mode.USER, span=span, **about)  # type: ignore[arg-type]


def off(**about: object) -> Cpu:
    """Return a secondary CPU that never came up: parked by its firmware, its MMU off."""
    registers = dict(MMU_OFF)
    return Cpu(stack=(), masked=True, halted=True, registers=registers, ticks=0, **about)  # type: ignore[arg-type]


def lock(name: str, *, holder: int | None = None, held: bool = True) -> LockState:
    """Return what a lock's record says; its address is that of `pointers={"lock": name}`."""
    return LockState(name=name, address=address(name), symbol=name, held=held, holder=holder, size=8)


def thread(number: int, state: str, *, cpu: int = 0, name: str = "", waits_for: str = "") -> ThreadState:
    """Return what the scheduler says of a thread."""
    return ThreadState(id=number, state=state, cpu=cpu, name=name, waits_for=waits_for)


def capture(
    *cpus: Cpu,
    arch: str = "aarch64",
    before: Sequence[tuple[int, Event, int]] = (),
    events: Sequence[tuple[int, Event, int]] = (),
    threads: Sequence[ThreadState] = (),
    locks: Sequence[LockState] = (),
    lock_names: Sequence[str] = (),
    queue_length: int | None = None,
    qemu_states: Sequence[str] = ("running", "running"),
    qemu_events: Sequence[str] = (),
    interrupt_controllers: Mapping[int, str] | None = None,
    seconds: float = 1.0,
) -> Capture:
    """Return a capture; `before` are the events that the rings had when the window began, `events` the later ones.

    An event is (CPU, type, payload); they are a millisecond apart.
    """
    layout = ring_layout(cpus=max(len(cpus), 1))
    writers = [RingWriter(layout=layout, cpu=number) for number in range(max(len(cpus), 1))]
    began = _write(writers, before, start=0)
    _write(writers, events, start=len(before))
    has_trace = bool(before or events)
    return Capture(
        subject=Subject(
            test="some_test",
            target=arch,
            arch=arch,
            cpus=len(cpus),
            ending="quiet",
            waited_s=2.0,
            taken_at="",
        ),
        qemu_states=tuple(qemu_states),
        qemu_events=tuple(qemu_events),
        samples=tuple(
            Sample(at_s=0.14 * moment, cpus=tuple(_sample(n, cpu, moment) for n, cpu in enumerate(cpus)))
            for moment in range(SAMPLES)
        ),
        progress=(
            Progress(at_s=0.0, counters=_counters(cpus, 0), write_indices=began, host=_host(cpus, 0)),
            Progress(
                at_s=seconds,
                counters=_counters(cpus, 1),
                write_indices=tuple(writer.write_index for writer in writers) if has_trace else (),
                host=_host(cpus, 1),
            ),
        ),
        cpus=tuple(_state(number, cpu) for number, cpu in enumerate(cpus)),
        innermost=tuple(
            _innermost(number, cpu) for number, cpu in enumerate(cpus) if cpu.mode is not Mode.USER
        ),
        places={address(name): name for cpu in cpus for name in _names(cpu)} | _spread(cpus),
        interrupt_controllers=interrupt_controllers,
        layout=TraceLayout(rings=layout) if has_trace else None,
        timestamp_hz=HZ,
        threads=tuple(threads),
        locks=tuple(locks),
        lock_names=tuple(lock_names),
        queue_length=queue_length,
        memory=(Block(address=layout.address, content=rings_memory(writers)),) if has_trace else (),
    )


def diagnosed(found: Capture, rules: HangRules | None = None) -> Diagnosis:
    """Return the verdict on a capture, with `hang`'s defaults."""
    return diagnose(read_evidence(found, rules or HangRules()))


_ADDRESSES: Final[dict[str, int]] = {}


def address(name: str) -> int:
    """Return where a function or variable is."""
    return _ADDRESSES.setdefault(name, KERNEL + _FUNCTION_BYTES * (len(_ADDRESSES) + 1))


def _write(
    writers: list[RingWriter], events: Sequence[tuple[int, Event, int]], *, start: int
) -> tuple[int, ...]:
    for moment, (cpu, kind, payload) in enumerate(events, start + 1):
        writers[cpu].emit(moment * HZ // 1000, kind, payload)
    return tuple(writer.write_index for writer in writers)


def _names(cpu: Cpu) -> list[str]:
    sampled = (place for place in cpu.samples if isinstance(place, str))
    return [*cpu.stack, *sampled, *cpu.pointers.values(), *filter(None, (cpu.reads,))]


def _spread(cpus: Sequence[Cpu]) -> dict[int, str]:
    """Return the names of the sampled places within a function."""
    return {
        _pc(cpu, moment): f"{cpu.stack[0]}+{_offset(cpu, moment):#x}"
        for cpu in cpus
        for moment in range(SAMPLES)
        if cpu.span and cpu.stack and cpu.mode is Mode.KERNEL and not cpu.samples
    }


def _offset(cpu: Cpu, moment: int) -> int:
    return cpu.span * moment // (SAMPLES - 1) & ~3


def _pc(cpu: Cpu, moment: int) -> int:
    if cpu.samples:
        place = cpu.samples[moment % len(cpu.samples)]
        return place if isinstance(place, int) else address(place)
    start = USER if cpu.mode is Mode.USER else address(cpu.stack[0]) if cpu.stack else KERNEL + 0x40
    return start + _offset(cpu, moment)


def _sample(number: int, cpu: Cpu, moment: int) -> PcSample:
    mode = cpu.sample_modes[moment % len(cpu.sample_modes)] if cpu.sample_modes else cpu.mode
    pc = _pc(cpu, moment)
    return PcSample(
        cpu=number,
        pc=pc,
        mode=mode,
        interrupts_masked=pc in map(address, cpu.masked_samples) or cpu.masked,
        halted=cpu.halted,
        stack_pointer=None,
        registers=_sampled_registers(cpu, mode, moment),
    )


def _sampled_registers(cpu: Cpu, mode: Mode, moment: int) -> dict[str, int]:
    general = dict.fromkeys((f"x{number}" for number in range(31)), 7) if mode is Mode.USER else {}
    moving = {"x8": moment} if cpu.moves and general else {}
    return {name: value for name, value in cpu.registers.items() if name == "cr2"} | general | moving


def _state(number: int, cpu: Cpu) -> CpuState:
    frames = tuple(
        Frame(level=n, address=address(cpu.stack[max(n, cpu.inlined)]), function=name)
        for n, name in enumerate(cpu.stack)
    )
    return CpuState(
        cpu=number,
        halted=cpu.halted,
        mode=cpu.mode,
        interrupts_masked=cpu.masked,
        pc=address(cpu.stack[0]) if cpu.stack else _pc(cpu, 0),
        registers=cpu.registers,
        frames=frames,
    )


def _innermost(number: int, cpu: Cpu) -> Innermost:
    low = _pc(cpu, 0)
    read = (Operand(text="[x20]", address=address(cpu.reads), is_atomic=True),) if cpu.reads else ()
    loop = SpinLoop(low=low, high=low + 8, operands=read, has_call=False, has_wait=cpu.waits, has_pause=False)
    return Innermost(
        cpu=number,
        loop=None if cpu.straight else loop,
        pointers={key: address(name) for key, name in cpu.pointers.items()},
    )


def _counters(cpus: Sequence[Cpu], times: int) -> tuple[Counter, ...]:
    found = []
    for attribute, name in _COUNTERS.items():
        values = [getattr(cpu, attribute) for cpu in cpus]
        if any(value is not None for value in values):
            found.append(
                Counter(name=name, address=0, per_cpu=tuple(1000 + times * (value or 0) for value in values))
            )
    return tuple(found)


def _host(cpus: Sequence[Cpu], times: int) -> tuple[HostThread, ...]:
    return tuple(
        HostThread(cpu=n, ran_s=times * cpu.ran_s, waited_s=times * cpu.waited_s)
        for n, cpu in enumerate(cpus)
    )
