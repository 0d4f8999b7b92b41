"""What was taken from one machine that got no further: records only, all that a diagnosis may look at.

capture_folder.py keeps them as plain files; evidence.py reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gdb.debugger.spin_loop import SpinLoop
from gdb.guest.cpu_state import CpuState
from gdb.guest.guest import HostThread
from gdb.guest.memory import Block
from gdb.guest.register_dump import PcSample
from gdb.scheduler.scheduler_state import LockState, ThreadState
from gdb.trace.counters import Counter, Provider
from gdb.trace.layout import TraceLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose machine it was."""

    test: str
    target: str
    arch: str
    cpus: int
    ending: str
    """Why the wait ended: quiet, budget, panicked, or boot."""
    waited_s: float
    taken_at: str
    """UTC, ISO 8601."""
    kernel_sha256: str = ""
    symbols: str = ""
    """The ELF file's name, for people; its hash tells what it was."""
    symbols_sha256: str = ""
    base: int = 0
    """What a position-independent kernel's addresses are moved by."""
    console_tail: tuple[str, ...] = ()
    """The console's last lines, printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was seen of the running guest at one moment."""

    at_s: float
    """Since the first sample, on the host's clock."""
    cpus: tuple[PcSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The kernel's own counts at one moment; two of them tell what goes on."""

    at_s: float
    counters: tuple[Counter, ...]
    write_indices: tuple[int, ...]
    """How many events each CPU's ring has ever taken."""
    host: tuple[HostThread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Innermost:
    """What was looked up of the place at which one CPU was stopped."""

    cpu: int
    loop: SpinLoop | None
    """The smallest loop around the program counter."""
    pointers: Mapping[str, int]
    """Arguments of the innermost frames that look like pointers, by `function.name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Everything."""

    subject: Subject
    version: int = 1
    qemu_states: tuple[str, ...] = ()
    """QEMU's run state before the samples and after them."""
    qemu_events: tuple[str, ...] = ()
    """The names of the events since the test began, oldest first: RESET, SHUTDOWN, STOP."""
    samples: tuple[Sample, ...] = ()
    progress: tuple[Progress, ...] = ()
    cpus: tuple[CpuState, ...] = ()
    """Every CPU as the debugger saw it, all stopped at one moment."""
    innermost: tuple[Innermost, ...] = ()
    places: Mapping[int, str] | None = None
    """Code and data addresses that occur elsewhere here, as `symbol+0x10`."""
    interrupt_controllers: Mapping[int, str] | None = None
    """QEMU's `info lapic` by CPU, where the machine has such."""
    layout: TraceLayout | None = None
    timestamp_hz: float | None = None
    trace_enabled: int | None = None
    cpu0_write_index: int | None = None
    providers: tuple[Provider, ...] = ()
    counters: tuple[Counter, ...] = ()
    """As they were while the guest was stopped."""
    threads: tuple[ThreadState, ...] = ()
    locks: tuple[LockState, ...] = ()
    lock_names: tuple[str, ...] = ()
    """By the id in lock events."""
    queue_length: int | None = None
    memory: tuple[Block, ...] = ()
    """Raw memory, the rings among it, read while the guest was stopped."""
    pause_s: float = 0.0
    """For how long the guest stood still."""
    took_s: float = 0.0
    debugger: str = ""
    """GDB's version; empty where there was none."""
    core: str | None = None
    """The core file's name in the capture's folder."""
    missing: tuple[str, ...] = ()
    """What could not be had, and why, as sentences."""
