"""The guest as QEMU's monitor gives it, without stopping it: registers, physical memory, translations, state.

The monitor itself is its owner's; here it is only spoken to. Formats are those of QEMU 7.2.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from gdb.guest.cpu_state import Mode
from gdb.guest.memory import Block
from gdb.guest.register_dump import parse_register_dump
from parity.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gdb.guest.register_dump import PcSample
    from gdb.kernel_file.elf_image import ElfImage

PAGE: Final = 4096
_TRANSLATED: Final = re.compile(r"gpa: (0x[0-9a-fA-F]+)")
_LOWEST: Final = 19
"""The nice value that asks for least (Linux 6.1, sched(7))."""
_LARGEST_READ: Final = 16 * 1024 * 1024


class Monitor(Protocol):
    """One QMP session; `execute` raises `MachineError` where QEMU refuses, is gone, or does not answer."""

    def execute(self, command: str, **arguments: object) -> Any:
        """Run one QMP command and return its answer."""
        ...

    def events(self) -> Sequence[Mapping[str, Any]]:
        """Return all events since QEMU's start, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HostThread:
    """What the host gave the thread that runs one virtual CPU, in seconds since the thread began."""

    cpu: int
    ran_s: float
    waited_s: float
    """Ready to run, while the host ran something else."""


class Guest:
    """One running machine. `folder` is private and takes what QEMU writes out."""

    def __init__(self, monitor: Monitor, folder: Path, *, pid: int) -> None:
        self._monitor = monitor
        self._file = folder / "memory.part"
        self._pid = pid
        self._is_silent = False

    def human(self, line: str, *, cpu: int | None = None) -> str:
        """Return what the human monitor answers to a line. Raises `MachineError`."""
        arguments = {"command-line": line} | ({} if cpu is None else {"cpu-index": cpu})
        return str(self._execute("human-monitor-command", **arguments))

    def status(self) -> str:
        """Return QEMU's run state, such as `running` or `paused`. Raises `MachineError`."""
        return str(self._execute("query-status").get("status", ""))

    def resume(self) -> None:
        """Let a paused guest go. Raises `MachineError`."""
        self._execute("cont")

    def events(self) -> tuple[str, ...]:
        """Return the names of all events since QEMU's start, oldest first."""
        return tuple(str(event.get("event", "")) for event in self._monitor.events())

    def stood_still_s(self, *, after: int) -> float:
        """Return for how long the guest stood still since the first `after` events, as QEMU's own clock has it."""
        return sum_pauses(self._monitor.events()[after:], now=time.time())

    def dump_core(self, file: Path) -> None:
        """Write the guest's memory and registers to an ELF core file; the guest stands still meanwhile.

        Raises `MachineError`.
        """
        self._execute("dump-guest-memory", paging=False, protocol=f"file:{file}")

    def registers(self) -> tuple[PcSample, ...]:
        """Return every CPU's registers, read while it runs. Raises `MachineError`."""
        return parse_register_dump(self.human("info registers -a"))

    def host_threads(self) -> tuple[HostThread, ...]:
        """Return what the host gave each virtual CPU; empty where the host does not tell (Linux alone does)."""
        found = []
        with contextlib.suppress(OSError, ValueError, MachineError, KeyError, TypeError):
            for entry in self._execute("query-cpus-fast"):
                file = Path(f"/proc/{self._pid}/task/{int(entry['thread-id'])}/schedstat")
                ran_ns, waited_ns, _slices = map(int, file.read_text(encoding="ascii").split())
                found.append(
                    HostThread(cpu=int(entry["cpu-index"]), ran_s=ran_ns / 1e9, waited_s=waited_ns / 1e9)
                )
        return tuple(found)

    def give_way(self) -> None:
        """Let the host prefer everything else to this guest from now on: it has been watched long enough."""
        with contextlib.suppress(OSError, ValueError):
            for task in Path(f"/proc/{self._pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(task.name), _LOWEST)

    def read_physical(self, address: int, size: int) -> bytes | None:
        """Return guest-physical memory; None where QEMU does not give it."""
        if not 0 < size <= _LARGEST_READ:
            return None
        try:
            self._execute("pmemsave", val=address, size=size, filename=str(self._file))
            content = self._file.read_bytes()
        except (MachineError, OSError):
            return None
        finally:
            self._file.unlink(missing_ok=True)
        return content if len(content) == size else None

    def translate(self, page: int, *, cpu: int) -> int | None:
        """Return the physical address of a page as this CPU maps it, or None."""
        with contextlib.suppress(MachineError):
            if found := _TRANSLATED.search(self.human(f"gva2gpa {page:#x}", cpu=cpu)):
                return int(found[1], 16)
        return None

    def _execute(self, command: str, **arguments: object) -> Any:
        """Run a QMP command; once one was not answered in time, none is waited for any more."""
        if self._is_silent:
            raise MachineError("QEMU's monitor no longer answers")
        try:
            return self._monitor.execute(command, **arguments)
        except MachineError as error:
            self._is_silent = isinstance(error.__cause__, TimeoutError)
            raise


def sum_pauses(events: Iterable[Mapping[str, Any]], *, now: float) -> float:
    """Return the seconds between each STOP and the RESUME after it; one that has none lasts until `now`.

    Times are QEMU's wall clock in seconds and microseconds (qapi/qapi-schema.json, QEMU 7.2, "events").
    """
    total, stopped = 0.0, None
    for event in events:
        at = _seconds(event.get("timestamp"))
        if event.get("event") == "STOP" and stopped is None:
            stopped = at
        elif event.get("event") == "RESUME" and stopped is not None:
            total += max(0.0, (at or stopped) - stopped)
            stopped = None
    return total if stopped is None else total + max(0.0, now - stopped)


def _seconds(timestamp: Any) -> float | None:
    """Return an event's time; None where QEMU could not tell it."""
    try:
        seconds, microseconds = int(timestamp["seconds"]), int(timestamp["microseconds"])
    except (KeyError, TypeError, ValueError):
        return None
    return seconds + microseconds / 1e6 if seconds >= 0 else None


class GuestMemory:
    """The kernel's virtual memory, read through physical memory without stopping anything.

    Where the ELF file says at which physical addresses the kernel lies, its bytes are found there, and no CPU that
    runs it finds them elsewhere, that is believed; all else is translated page by page by a CPU that is in the kernel.
    """

    def __init__(self, guest: Guest, elf: ElfImage | None, *, base: int = 0) -> None:
        self._guest = guest
        self._elf = (
            elf
            if elf is not None and _lies_as_linked(guest, elf, base) and not _runs_elsewhere(guest, elf)
            else None
        )
        self._base = base
        self._pages: dict[int, int] = {}
        self.ahead: tuple[Block, ...] = ()
        """What was read ahead."""
        self._code = elf if elf is not None and any(s.is_executable for s in elf.segments) else None
        self._cpus: tuple[int, ...] = ()
        with contextlib.suppress(MachineError):
            self.look_through(guest.registers())

    def look_through(self, samples: tuple[PcSample, ...]) -> None:
        """Choose the CPUs that translate: those in the kernel's code, then, as x86-64 lets them, those in user mode.

        What is privileged and runs something else may map nothing at all: it was never started, or is on its way up.
        """
        inside = [sample.cpu for sample in samples if self._is_inside(sample)]
        self._cpus = (*inside, *(sample.cpu for sample in samples if sample.mode is Mode.USER))

    def _is_inside(self, sample: PcSample) -> bool:
        if sample.mode is not Mode.KERNEL:
            return False
        return self._code is None or _is_code(self._code, sample.pc - self._base)

    def read_ahead(self, pieces: Iterable[tuple[int, int]]) -> None:
        """Read (address, size) pieces now, at one stroke each; what lies in them is served from there from now on."""
        self.ahead = ()
        found = (Block(address=address, content=self.read(address, size) or b"") for address, size in pieces)
        self.ahead = tuple(block for block in found if block.content)

    def read(self, address: int, size: int) -> bytes | None:
        """Return `size` bytes, or None where a page of them is not mapped."""
        for block in self.ahead:
            if block.address <= address and address + size <= block.address + len(block.content):
                return block.content[address - block.address :][:size]
        if not 0 < size <= _LARGEST_READ or address < 0:
            return None
        pieces = []
        for start, length in self._runs(address, size):
            content = None if start is None else self._guest.read_physical(start, length)
            if content is None:
                return None
            pieces.append(content)
        return b"".join(pieces)

    def _runs(self, address: int, size: int) -> list[tuple[int | None, int]]:
        """Return the physical pieces, neighbours joined."""
        runs: list[tuple[int | None, int]] = []
        at, end = address, address + size
        while at < end:
            length = min(end, (at // PAGE + 1) * PAGE) - at
            page = self.physical(at // PAGE * PAGE)
            start = None if page is None else page + at % PAGE
            if start is None:
                return [(None, size)]
            last = runs[-1] if runs else None
            if last is not None and last[0] is not None and last[0] + last[1] == start:
                runs[-1] = (last[0], last[1] + length)
            else:
                runs.append((start, length))
            at += length
        return runs

    def physical(self, page: int) -> int | None:
        """Return where a page of the kernel's virtual memory is, or None."""
        if self._elf is not None and (linked := _linked_page(self._elf, page - self._base)) is not None:
            return linked
        if page not in self._pages:
            for cpu in self._cpus[:2]:
                if (found := self._guest.translate(page, cpu=cpu)) is not None:
                    self._pages[page] = found
                    break
        return self._pages.get(page)


def _lies_as_linked(guest: Guest, elf: ElfImage, base: int) -> bool:
    """Whether the kernel's code is found at the physical addresses of its program headers."""
    if base:
        return False
    for segment in elf.segments:
        if not segment.is_executable or segment.file_size < 64:
            continue
        offsets = (0, segment.file_size // 2 & ~7, segment.file_size - 64 & ~7)
        alike = 0
        for offset in offsets:
            linked = elf.read(segment.address + offset, 64)
            alike += linked is not None and linked == guest.read_physical(
                segment.physical_address + offset, 64
            )
        return alike >= len(offsets) - 1
    return False


def _linked_page(elf: ElfImage, page: int) -> int | None:
    """Return where the program headers put a page; a segment need not begin with one."""
    for segment in elf.segments:
        if segment.address < page + PAGE and page < segment.address + segment.memory_size:
            return segment.physical_address + page - segment.address
    return None


def _runs_elsewhere(guest: Guest, elf: ElfImage) -> bool:
    """Whether a CPU in the kernel's code maps it elsewhere: what lies as linked is then a copy that nothing writes."""
    with contextlib.suppress(MachineError):
        for sample in guest.registers():
            if sample.mode is not Mode.KERNEL or not _is_code(elf, sample.pc):
                continue
            places = (sample.pc, *(segment.address for segment in elf.segments if segment.is_writable))
            return any(_maps_elsewhere(guest, elf, address, cpu=sample.cpu) for address in places)
    return False


def _maps_elsewhere(guest: Guest, elf: ElfImage, address: int, *, cpu: int) -> bool:
    page = guest.translate(address // PAGE * PAGE, cpu=cpu)
    return page is not None and page + address % PAGE != elf.physical(address)


def _is_code(elf: ElfImage, address: int) -> bool:
    return any(s.is_executable and 0 <= address - s.address < s.memory_size for s in elf.segments)
