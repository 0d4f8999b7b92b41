"""Takes a capture: looks at the running guest for a second, then stops it for a moment.

    samples and counters, through the monitor     the guest runs
    registers, backtraces, rings, threads, locks  the guest is stopped, as briefly as can be
    disassembly, names                            it runs again

GDB is started at once, in a thread beside the samples, so that its half second is off the clock. Whatever fails
costs what it would have told; the capture says so and goes on.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gdb.captures.capture import Capture, Progress, Sample
from gdb.captures.frame_chain import with_chain
from gdb.captures.look_up import look_up_innermost, name_places, why_unnamed, without_data
from gdb.debugger.debugger import Debugger
from gdb.debugger.early_debugger import EarlyDebugger
from gdb.guest.core_file import find_mappings, map_core, read_memory_map
from gdb.guest.cpu_facts import GENERAL_REGISTERS
from gdb.guest.cpu_state import CpuState, Frame, Mode
from gdb.guest.guest import GuestMemory
from gdb.guest.memory import Recorder, read_integer, read_text
from gdb.kernel_file.elf_image import read_elf
from gdb.scheduler.scheduler_state import read_scheduler
from gdb.trace.counters import read_counters, read_providers
from parity.architecture import ARCHITECTURES, X86_64
from parity.deadline import Deadline
from parity.errors import HarnessError, MachineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from gdb.captures.capture import Innermost, Subject
    from gdb.captures.kernel import Kernel
    from gdb.guest.core_file import MappedMemory
    from gdb.guest.guest import Guest
    from gdb.guest.memory import Memory
    from gdb.guest.register_dump import PcSample
    from gdb.kernel_file.elf_image import ElfImage
    from gdb.kernel_file.roles import Roles

SAMPLES: Final = 8
INTERVAL_S: Final = 0.14
"""So that the two progress samples are a second apart."""
STARVED_INTERVALS: Final = 16
"""How many more intervals a guest gets whose CPUs the host has hardly run meanwhile."""
_STOPPED_S: Final = 5.0
"""All that GDB may ask while the guest stands still; 16 CPUs take a tenth of a second."""
_DETACH_S: Final = 2.0
_ARGUMENTS: Final = 12
"""Innermost frames whose arguments are read: those around a lock's primitive may lie below an interrupt's."""
_LOCK_NAMES: Final = 256
_HELD: Final = ("paused", "debug")
"""QEMU's run states after a debugger that went without a word."""
_KEPT: Final = frozenset({"cr2", "cr3", "cpsr", "eflags", "sp", "rsp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a capture is taken with."""

    kernel: Callable[[], Kernel | None]
    """Reads the kernel's ELF file, or remembers it; raises `UsageError` where it cannot be read."""
    symbols: Path | None
    """The kernel's ELF file, for GDB."""
    launcher: Sequence[str]
    """Words before a program that tie its life to ours."""
    socket: Path
    """Where QEMU's stub is to listen; at most 107 bytes."""
    roles: Roles
    """What the kernel's functions are there for."""
    wait: Callable[[float], object]
    """Waits so many seconds; may raise to end everything."""
    core: Path | None = None
    """Where a core file is to be written, where one is wanted."""


def take_capture(guest: Guest, subject: Subject, tools: Tools) -> Capture:
    """Look into a guest. Raises only what `tools.wait` raises; the guest runs again afterwards, if it still can."""
    return _Taking(guest, subject, tools).take()


class _Taking:
    """One capture in the making."""

    def __init__(self, guest: Guest, subject: Subject, tools: Tools) -> None:
        self._guest = guest
        self._subject = subject
        self._tools = tools
        self._began = time.monotonic()
        self._missing: list[str] = []
        self._kernel: Kernel | None = None
        self._memory: GuestMemory | None = None

    def take(self) -> Capture:
        events = len(self._guest.events())
        with EarlyDebugger(self._start_debugger) as early:
            with self._noting("the kernel's ELF file"):
                kernel = self._tools.kernel()
                _refuse_other(kernel.elf if kernel is not None else None, self._subject.arch)
                self._kernel = kernel
            elf = self._kernel.elf if self._kernel is not None else None
            self._memory = GuestMemory(self._guest, elf, base=self._subject.base)
            capture = self._watch(Capture(subject=self._subject))
            capture = self._stop(capture, early)
            capture = self._look_up(capture, early)
        capture = self._keep_core(capture)
        return replace(
            capture,
            pause_s=self._guest.stood_still_s(after=events),
            took_s=time.monotonic() - self._began,
            missing=tuple(dict.fromkeys(self._missing)),
        )

    def _start_debugger(self, deadline: Deadline) -> Debugger:
        """Start GDB, without symbols where the ELF file is none that it could take."""
        symbols = self._tools.symbols
        try:
            _refuse_other(read_elf(symbols) if symbols is not None else None, self._subject.arch)
        except UsageError:
            symbols = None
        return Debugger.start(
            symbols,
            ARCHITECTURES[self._subject.arch],
            deadline,
            base=self._subject.base,
            launcher=self._tools.launcher,
        )

    def _watch(self, capture: Capture) -> Capture:
        """Sample program counters, with the kernel's counts before and after."""
        states, progress = [self._state()], [self._progress(0.0)]
        samples: list[Sample] = []
        began = time.monotonic()
        intervals = SAMPLES
        while len(samples) < intervals:
            cpus = self._sample()
            if cpus is None:
                break
            samples.append(Sample(at_s=time.monotonic() - began, cpus=cpus))
            self._tools.wait(INTERVAL_S)
            if len(samples) == SAMPLES and intervals == SAMPLES:
                progress.append(self._progress(time.monotonic() - began))
                if _starved(progress):
                    intervals += STARVED_INTERVALS
        if len(progress) < 2 or intervals > SAMPLES:
            progress.append(self._progress(time.monotonic() - began))
        states.append(self._state())
        return replace(
            capture,
            qemu_states=tuple(state for state in states if state),
            qemu_events=self._guest.events(),
            samples=tuple(samples),
            progress=tuple(progress),
        )

    def _sample(self) -> tuple[PcSample, ...] | None:
        """Return every CPU's few telling registers; None where QEMU no longer tells."""
        with self._noting("the registers of the running guest"):
            cpus = self._guest.registers()
            if self._memory is not None:
                self._memory.look_through(cpus)
            return tuple(replace(cpu, registers=_few(cpu)) for cpu in cpus)
        return None

    def _state(self) -> str:
        with self._noting("QEMU's run state"):
            return self._guest.status()
        return ""

    def _progress(self, at_s: float) -> Progress:
        kernel, memory = self._kernel, self._memory
        layout = kernel.layout if kernel is not None else None
        indices: list[int] = []
        if memory is not None and self._kernel is not None:
            memory.read_ahead(self._kernel.data)
        if memory is not None and layout is not None and layout.rings is not None:
            rings = layout.rings
            for cpu in range(min(rings.cpus, self._subject.cpus)):
                address = rings.address + cpu * rings.stride + rings.write_index.offset
                indices.append(read_integer(memory, address, rings.write_index.size) or 0)
        return Progress(
            at_s=at_s,
            counters=read_counters(memory, layout, self._subject.cpus) if memory and layout else (),
            write_indices=tuple(indices),
            host=self._guest.host_threads(),
        )

    def _stop(self, capture: Capture, early: EarlyDebugger) -> Capture:
        """Stop the guest, take what moves, and let it go."""
        self._guest.give_way()
        cpus: tuple[CpuState, ...] = ()
        try:
            with self._noting("what GDB can tell"), early.trusted():
                debugger = early.await_ready(self._tools.wait)
                capture = replace(capture, debugger=debugger.version)
                cpus = self._read_cpus(debugger)
            capture = self._read_memory(capture)
        finally:
            self._let_go(early, ran=capture.qemu_states[-1:] == ("running",))
        return replace(capture, cpus=cpus or _from_samples(capture, self._kernel))

    def _read_cpus(self, debugger: Debugger) -> tuple[CpuState, ...]:
        """Attach, at which the guest stops, and read every CPU."""
        deadline = Deadline.after(_STOPPED_S)
        self._guest.human(f"gdbserver unix:{self._tools.socket},server=on,wait=off")
        debugger.attach(self._tools.socket, deadline)
        seen = debugger.capture_cpus(deadline, arguments=_ARGUMENTS)
        self._missing += seen.missing
        if self._memory is None or self._kernel is None:
            return seen.cpus
        arch = self._subject.arch
        return tuple(with_chain(state, self._memory, self._kernel, arch) for state in seen.cpus)

    def _let_go(self, early: EarlyDebugger, *, ran: bool) -> None:
        """End the debugger's visit; a guest that ran before runs again, even where GDB died."""
        if (debugger := early.usable) is not None:
            with self._noting("a clean end of the debugger's visit"), early.trusted():
                debugger.detach(Deadline.after(_DETACH_S))
        with self._noting("the end of QEMU's stub"):
            self._guest.human("gdbserver none")
        with self._noting("the guest's going on"):
            if ran and self._guest.status() in _HELD:
                self._guest.resume()
        self._tools.socket.unlink(missing_ok=True)

    def _read_memory(self, capture: Capture) -> Capture:
        if self._memory is None or self._kernel is None:
            return capture
        self._memory.read_ahead(self._kernel.data)
        recorder = Recorder(self._memory)
        layout = self._kernel.layout
        self._missing += layout.missing
        if layout.rings is not None and recorder.read(layout.rings.address, layout.rings.size) is None:
            self._missing.append("the trace rings: their memory cannot be read")
        if layout.byte_trace is not None:
            recorder.read(layout.byte_trace.address, layout.byte_trace.capacity)
            recorder.read(layout.byte_trace.index_address, layout.byte_trace.index_size)
        scheduler = read_scheduler(recorder, self._kernel.scheduler)
        self._missing += scheduler.missing
        hz = layout.timestamp_hz_address
        return replace(
            capture,
            layout=layout,
            timestamp_hz=float(read_integer(recorder, hz, 8) or 0) if hz is not None else None,
            trace_enabled=(
                read_integer(recorder, layout.enabled_address, 8)
                if layout.enabled_address is not None
                else None
            ),
            providers=read_providers(recorder, layout),
            counters=read_counters(recorder, layout, self._subject.cpus),
            threads=scheduler.threads,
            locks=scheduler.locks,
            queue_length=scheduler.queue_length,
            lock_names=self._lock_names(recorder),
            memory=(*recorder.blocks, *self._memory.ahead),
        )

    def _lock_names(self, memory: Memory) -> tuple[str, ...]:
        registry = self._kernel.layout.lock_names if self._kernel is not None else None
        names: list[str] = []
        for index in range(min(registry.capacity, _LOCK_NAMES) if registry is not None else 0):
            pointer = read_integer(memory, registry.address + 8 * index, 8) if registry is not None else None
            if not pointer:
                break
            names.append(read_text(memory, pointer, limit=64) or "")
        return tuple(names)

    def _look_up(self, capture: Capture, early: EarlyDebugger) -> Capture:
        """Find what needs no stopped guest: loops around program counters, and names."""
        if self._subject.arch == X86_64.name:
            capture = replace(capture, interrupt_controllers=self._lapics())
        self._missing += why_unnamed(capture, self._kernel)
        if self._kernel is None:
            return capture
        capture = replace(capture, cpus=without_data(capture.cpus, self._kernel))
        capture = replace(capture, innermost=self._innermost(capture, self._kernel, early))
        return replace(capture, places=name_places(capture, self._kernel))

    def _innermost(self, capture: Capture, kernel: Kernel, early: EarlyDebugger) -> tuple[Innermost, ...]:
        with self._noting("the code around the program counters"), early.trusted():
            return look_up_innermost(capture, kernel, self._tools.roles, early.usable)
        return look_up_innermost(capture, kernel, self._tools.roles, None)

    def _lapics(self) -> dict[int, str]:
        found = {}
        for cpu in range(self._subject.cpus):
            with contextlib.suppress(MachineError):
                found[cpu] = self._guest.human(f"info lapic {cpu}")[:4000]
        return found

    def _keep_core(self, capture: Capture) -> Capture:
        if self._tools.core is None:
            return capture
        with self._noting("a core file"):
            self._guest.dump_core(self._tools.core)
            capture = replace(capture, core=self._tools.core.name)
        with self._noting("the kernel's own addresses in the core file"):
            if capture.core is not None:
                map_core(self._tools.core, self._kernel_mappings(capture, self._tools.core))
        return capture

    def _kernel_mappings(self, capture: Capture, core: Path) -> tuple[MappedMemory, ...]:
        if self._memory is None or self._kernel is None:
            return ()
        return find_mappings(
            self._memory.physical,
            image=[(s.address + self._kernel.base, s.memory_size) for s in self._kernel.elf.segments],
            stack_pointers=[
                pointer
                for state in capture.cpus
                if state.mode is Mode.KERNEL
                and (pointer := state.registers.get("sp") or state.registers.get("rsp"))
            ],
            memory=read_memory_map(core),
        )

    def _noting(self, what: str) -> _Noting:
        """Go on without what fails, and say so."""
        return _Noting(what, self._missing)


class _Noting:
    """A context that turns the failures of a step into a sentence."""

    def __init__(self, what: str, missing: list[str]) -> None:
        self._what = what
        self._missing = missing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, (HarnessError, UsageError, OSError, TimeoutError)):
            return False
        words = error.message if isinstance(error, (HarnessError, UsageError)) else str(error)
        self._missing.append(f"{self._what}: {words or type(error).__name__}")
        return True


def _few(sample: PcSample) -> dict[str, int]:
    """Return the telling registers; in user mode they tell whether anything moves."""
    kept = _KEPT | GENERAL_REGISTERS if sample.mode is Mode.USER else _KEPT
    return {name: value for name, value in sample.registers.items() if name in kept}


def _starved(progress: list[Progress]) -> bool:
    """Whether the host gave the guest's CPUs, ready as they were, little of the time."""
    first, last = progress[0], progress[-1]
    before = {thread.cpu: thread for thread in first.host}
    for thread in last.host:
        old = before.get(thread.cpu)
        if old is not None and thread.waited_s - old.waited_s > 2 * (thread.ran_s - old.ran_s) + 0.2:
            return True
    return False


def _from_samples(capture: Capture, kernel: Kernel | None) -> tuple[CpuState, ...]:
    """Make do with the last sample where no debugger looked: a program counter is a stack's innermost frame."""
    last = capture.samples[-1].cpus if capture.samples else ()
    return tuple(
        CpuState(
            cpu=sample.cpu,
            halted=sample.halted,
            mode=sample.mode,
            interrupts_masked=sample.interrupts_masked,
            pc=sample.pc,
            registers=sample.registers,
            frames=(
                Frame(
                    level=0,
                    address=sample.pc,
                    function=kernel.place(sample.pc).rsplit("+0x", 1)[0] or None if kernel else None,
                ),
            ),
        )
        for sample in last
    )


def _refuse_other(elf: ElfImage | None, arch: str) -> None:
    """Raise `UsageError` for a file of the other architecture; a 32-bit wrapper of a 64-bit kernel is welcome."""
    if elf is not None and elf.machine in ARCHITECTURES and elf.machine != arch:
        raise UsageError(f"{elf.name} is for {elf.machine}, and the target is {arch}")
