"""GDB on a kernel: symbols ahead of time, then every CPU's registers and backtrace while the guest stands still.

The guest stops when `attach` connects to QEMU's stub and goes on when `detach` or `close` returns; only where GDB
has to be killed it stays paused, and the monitor has to continue it. QEMU 7.2, GDB 13.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.debugger.mi import MiSession
from gdb.debugger.mi_text import number, parse_number, rows, text
from gdb.debugger.spin_loop import Instruction
from gdb.guest.cpu_state import REGISTER_SETS, CpuState, Frame, Mode, kept_registers
from parity.errors import GdbError, GdbRefusedError
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from gdb.debugger.mi_text import MiValue
    from parity.architecture import Architecture
    from parity.deadline import Deadline

_SETTINGS: Final = (
    "auto-load off",
    "mi-async on",
    "pagination off",
    "confirm off",
    "language c",
    "print demangle on",
    "print asm-demangle on",
    "print elements 64",
    "print frame-arguments none",
    "remotetimeout 2",
    "tcp auto-retry off",
    "backtrace past-main off",
    "backtrace limit 64",
    # The unwinder looks at code: out of the ELF file it takes half as many turns with QEMU.
    "trust-readonly-sections on",
    "stack-cache on",
    "code-cache on",
    # A kernel has no dynamic linker, whose lists in memory GDB would follow, and no Linux's signal frames.
    "auto-solib-add off",
    "osabi none",
)
_ON_A_FAULT_OF_ITS_OWN: Final = tuple(
    f'-interpreter-exec console "maintenance set {fault} {what}"'
    for fault in ("internal-error", "internal-warning")
    for what in ("corefile no", "quit yes" if fault == "internal-error" else "quit no")
)
"""It would ask its user, and wait for ever."""
_DETAILS: Final = re.compile(r"CPU#([0-9]{1,4}) \[(\w+) *\]")
_TARGET: Final = re.compile(r"Thread (?:[0-9]+\.)?([0-9]{1,4})")
_CRATE_HASH: Final = re.compile(r"(?<=\w)\[[0-9a-f]{1,16}\](?=::)")
"""By which Rust's v0 mangling tells crates apart, and which another build changes: `kernel[67eb7090cc3ec402]::main`."""
_LARGEST_READ: Final = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuThread:
    """A CPU as QEMU's stub shows it: a thread."""

    thread: str
    """GDB's number of it."""
    cpu: int
    """QEMU's index, from 0."""
    halted: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedCpus:
    """What was read of all CPUs at one moment."""

    cpus: tuple[CpuState, ...]
    """By index."""
    missing: tuple[str, ...]
    """What GDB refused, as sentences."""


class Debugger:
    """One GDB with a kernel's symbols. Every step raises `GdbError` where GDB is gone, hangs or refuses it."""

    def __init__(self, session: MiSession, architecture: Architecture) -> None:
        self._session = session
        self._known = REGISTER_SETS[architecture.name]
        self._reader: CpuThread | None = None
        self._attached = False
        self.version = ""
        """As GDB says it, on one line."""

    @classmethod
    def start(
        cls,
        elf: Path | None,
        architecture: Architecture,
        deadline: Deadline,
        *,
        base: int = 0,
        launcher: Sequence[str] = (),
        program: str | None = None,
    ) -> Debugger:
        """Start GDB and load the kernel's symbols; no guest is touched.

        `base` is what the addresses of a position-independent kernel are moved by. Raises `GdbError`.
        """
        session = MiSession(program, launcher=launcher)
        try:
            debugger = cls(session, architecture)
            debugger._prepare(elf, base, deadline)
        except BaseException:
            session.close()
            raise
        return debugger

    @property
    def pid(self) -> int:
        """GDB's process id."""
        return self._session.pid

    def attach(self, stub: Path, deadline: Deadline) -> None:
        """Connect to QEMU's stub at a Unix socket, at which the guest stops."""
        self._attached = True
        self._session.execute(f"-target-select remote {stub}", deadline)

    def threads(self, deadline: Deadline) -> tuple[CpuThread, ...]:
        """Return the guest's CPUs by index."""
        return _parse_threads(self._session.execute("-thread-info", deadline))

    def capture_cpus(self, deadline: Deadline, *, frames: int = 32, arguments: int = 0) -> StoppedCpus:
        """Read every CPU: registers, and at most `frames` frames, in user mode one.

        The innermost `arguments` frames of the kernel bear the values of their scalar parameters. All is asked in
        three batches, since each single question costs a turn while the guest stands still.
        """
        info, listed = (
            _given(answer)
            for answer in self._session.execute_all(("-thread-info", "-data-list-register-names"), deadline)
        )
        threads = _parse_threads(info)
        numbers = _register_numbers(listed, [name for names in self._known.names for name in names])
        missing: list[str] = []
        values = self._read_registers(threads, numbers, deadline, missing)
        stacks = self._read_stacks(values, deadline, frames, arguments, missing)
        cpus = tuple(
            self._state(thread, registers, stacks.get(thread, ())) for thread, registers in values.items()
        )
        self._reader = next(
            (thread for thread, state in zip(values, cpus, strict=True) if state.mode is Mode.KERNEL), None
        )
        return StoppedCpus(cpus=cpus, missing=tuple(missing))

    def read_memory(self, address: int, size: int, deadline: Deadline) -> bytes | None:
        """Return memory as a CPU in the kernel sees it, if there is one; None where it cannot be read.

        On aarch64 a CPU in user mode is denied the kernel's addresses. `capture_cpus` finds the CPU to ask. What
        the ELF file has as read-only comes from there.
        """
        if not 0 < size <= _LARGEST_READ or not 0 <= address < 1 << 64:
            return None
        where = f" --thread {self._reader.thread}" if self._reader is not None and self._attached else ""
        try:
            answer = self._session.execute(f"-data-read-memory-bytes{where} {address:#x} {size}", deadline)
        except GdbRefusedError:
            return None
        return _parse_memory(answer, address, size)

    def disassemble(self, start: int, end: int, deadline: Deadline) -> tuple[Instruction, ...]:
        """Return the instructions from `start` to before `end`; empty where there is no code.

        With no guest attached they come from the ELF file.
        """
        return self._disassemble(f"-s {start:#x} -e {end:#x}", deadline)

    def disassemble_function(self, pc: int, deadline: Deadline) -> tuple[Instruction, ...]:
        """Return the instructions of the function around an address; empty where it is in none."""
        return self._disassemble(f"-a {pc:#x}", deadline)

    def detach(self, deadline: Deadline) -> None:
        """Let the guest go on; the symbols stay."""
        self._session.execute("-target-detach", deadline)
        self._attached = False

    def close(self) -> None:
        """End GDB; a guest that is still attached goes on, unless GDB has to be killed."""
        self._session.close()

    def __enter__(self) -> Debugger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self, elf: Path | None, base: int, deadline: Deadline) -> None:
        self.version = self._session.console("show version", deadline).partition("\n")[0]
        settings = [f"-gdb-set {setting}" for setting in _SETTINGS]
        self._session.execute_all([*settings, *_ON_A_FAULT_OF_ITS_OWN], deadline)  # some versions lack some
        self._session.execute(f"-gdb-set architecture {self._known.gdb_name}", deadline)
        if elf is None:
            return
        if '"' in str(elf) or "\\" in str(elf):
            raise GdbError(asked=f"load {elf}", said="its path has a quote or a backslash")
        if not base:
            self._session.execute(f'-file-exec-and-symbols "{elf}"', deadline)
            return
        # Both, and in this order: else GDB has the moved symbols, and no code there until a guest is attached.
        self._session.execute(f'-file-exec-file "{elf}"', deadline)
        self._session.console(f'add-symbol-file "{elf}" -o {base:#x}', deadline)

    def _read_registers(
        self,
        threads: Sequence[CpuThread],
        numbers: Mapping[int, str],
        deadline: Deadline,
        missing: list[str],
    ) -> dict[CpuThread, dict[str, int]]:
        """Return the registers of each CPU whose program counter could be read."""
        listed = " ".join(map(str, numbers))
        answers = self._session.execute_all(
            [
                f"-data-list-register-values --thread {each.thread} --skip-unavailable x {listed}"
                for each in threads
            ],
            deadline,
        )
        found = {}
        for thread, answer in zip(threads, answers, strict=True):
            if isinstance(answer, GdbRefusedError):
                missing.append(f"CPU {thread.cpu}'s registers: {answer.said}")
                continue
            registers = kept_registers(self._known, _parse_registers(answer, numbers))
            if self._known.program_counter in registers:
                found[thread] = registers
            else:
                missing.append(f"CPU {thread.cpu}'s registers: no program counter among them")
        return found

    def _read_stacks(
        self,
        values: Mapping[CpuThread, Mapping[str, int]],
        deadline: Deadline,
        frames: int,
        arguments: int,
        missing: list[str],
    ) -> dict[CpuThread, tuple[Frame, ...]]:
        depths = {
            thread: frames if self._known.mode(registers) is Mode.KERNEL else 1
            for thread, registers in values.items()
        }
        commands = [
            f"-stack-list-frames --thread {thread.thread} --no-frame-filters 0 {depth - 1}"
            for thread, depth in depths.items()
        ]
        with_arguments = [thread for thread, depth in depths.items() if arguments and depth > 1]
        commands += [
            f"-stack-list-arguments --thread {thread.thread} --no-frame-filters 2 0 {arguments - 1}"
            for thread in with_arguments
        ]
        answers = self._session.execute_all(commands, deadline)
        passed = dict(zip(with_arguments, answers[len(depths) :], strict=True))
        found = {}
        for thread, answer in zip(depths, answers, strict=False):
            if isinstance(answer, GdbRefusedError):
                missing.append(f"CPU {thread.cpu}'s backtrace: {answer.said}")
                continue
            found[thread] = _parse_frames(answer, _parse_arguments(passed.get(thread)))
        return found

    def _state(self, thread: CpuThread, registers: dict[str, int], frames: tuple[Frame, ...]) -> CpuState:
        return CpuState(
            cpu=thread.cpu,
            halted=thread.halted,
            mode=self._known.mode(registers),
            interrupts_masked=self._known.interrupts_masked(registers),
            pc=registers[self._known.program_counter],
            registers=registers,
            frames=frames,
        )

    def _disassemble(self, where: str, deadline: Deadline) -> tuple[Instruction, ...]:
        try:
            answer = self._session.execute(f"-data-disassemble {where} -- 0", deadline)
        except GdbRefusedError:
            return ()
        return tuple(
            Instruction(address=address, text=printable_line(found))
            for row in rows(answer.get("asm_insns"))
            if (address := number(row, "address")) is not None and (found := text(row, "inst")) is not None
        )


def _given(answer: Mapping[str, MiValue] | GdbRefusedError) -> Mapping[str, MiValue]:
    if isinstance(answer, GdbRefusedError):
        raise answer
    return answer


def _parse_threads(answer: Mapping[str, MiValue]) -> tuple[CpuThread, ...]:
    threads = []
    for row in rows(answer.get("threads")):
        name = text(row, "id") or ""
        details = _DETAILS.search(text(row, "details") or "")
        target = _TARGET.search(text(row, "target-id") or "")
        if not name.isdigit() or (details is None and target is None):
            continue
        cpu = int(details[1]) if details else int(target[1]) - 1 if target else 0
        halted = None if details is None else details[2] == "halted"
        threads.append(CpuThread(thread=name, cpu=cpu, halted=halted))
    return tuple(sorted(threads, key=lambda thread: thread.cpu))


def _register_numbers(answer: Mapping[str, MiValue], wanted: Sequence[str]) -> dict[int, str]:
    names = answer.get("register-names")
    found = (
        {name: at for at, name in enumerate(names) if isinstance(name, str)}
        if isinstance(names, list)
        else {}
    )
    return {found[name]: name for name in wanted if name in found}


def _parse_registers(answer: Mapping[str, MiValue], numbers: Mapping[int, str]) -> dict[str, int]:
    found = {}
    for row in rows(answer.get("register-values")):
        at, value = number(row, "number"), parse_number(text(row, "value"))
        if at is not None and at in numbers and value is not None:
            found[numbers[at]] = value
    return found


def _parse_frames(
    answer: Mapping[str, MiValue], arguments: Mapping[int, tuple[tuple[str, str], ...]]
) -> tuple[Frame, ...]:
    frames = []
    for row in rows(answer.get("stack")):
        level, address = number(row, "level"), number(row, "addr")
        if level is None or address is None:
            continue
        function, file = text(row, "func"), text(row, "file")
        frames.append(
            Frame(
                level=level,
                address=address,
                function=None
                if function in (None, "??")
                else printable_line(_CRATE_HASH.sub("", function or "")),
                file=None if file is None else printable_line(file),
                line=number(row, "line"),
                arguments=arguments.get(level, ()),
            )
        )
    return tuple(frames)


def _parse_arguments(
    answer: Mapping[str, MiValue] | GdbRefusedError | None,
) -> dict[int, tuple[tuple[str, str], ...]]:
    if answer is None or isinstance(answer, GdbRefusedError):
        return {}
    return {
        level: tuple(
            (printable_line(name), printable_line(value))
            for row in rows(frame.get("args"))
            if (name := text(row, "name")) is not None and (value := text(row, "value")) is not None
        )
        for frame in rows(answer.get("stack-args"))
        if (level := number(frame, "level")) is not None
    }


def _parse_memory(answer: Mapping[str, MiValue], address: int, size: int) -> bytes | None:
    """Return the bytes, if they are there without a gap."""
    content = bytearray()
    for row in sorted(rows(answer.get("memory")), key=lambda found: number(found, "begin") or 0):
        if number(row, "begin") != address + len(content):
            return None
        try:
            content += bytes.fromhex(text(row, "contents") or "")
        except ValueError:
            return None
    return bytes(content) if len(content) == size else None
