"""Taking tests on the host's own Linux, natively or under a user-mode emulator: the reference for the tests.

A test that fails here too says nothing about the kernel: the test is wrong. Each runs in a session, a temporary
directory and, where the host allows it, namespaces of its own (host_init.py).
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from elftools.elf.enums import ENUM_E_MACHINE

from parity.attempt import Attempt, Log, LogKind
from parity.configuration import fill
from runners.console.console_text import decode_console
from runners.delivery.emulator import find_emulator
from runners.machine.boot import Report
from runners.machine.machine import Stopped
from runners.machine.progress import ProgressMeter
from runners.machine.rig import now
from runners.machine.scratch import machine_folder
from runners.processes.process import ChildProcess
from runners.verdict.classify import classify
from runners.verdict.observation import Ending, Observation
from runners.verdict.proof import make_proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import FileIO

    from parity.architecture import Architecture
    from parity.configuration import ProcessDelivery
    from runners.machine.machine import Limits
    from runners.machine.rig import Rig

_INIT: Final = Path(__file__).with_name("host_init.py")
_POLL_S: Final = 0.01
_PORT: Final = "output"
_REPORT_BYTES: Final = 4096
_PIECE_BYTES: Final = 65536
_ELF_HEAD_BYTES: Final = 20
_ELF_BIG_ENDIAN: Final = 2
_ALONE: Final = "this host cannot run the foreign programs that it may execute (it takes Linux 6.7, or a handler in binfmt_misc)"


class HostRunner:
    """Runs each test as a process of the host."""

    def __init__(self, rig: Rig, delivery: ProcessDelivery, *, fenced: bool = True) -> None:
        self._rig = rig
        self._fenced = fenced  # whether namespaces are tried at all
        self._delivery = delivery
        self._proof = make_proof(delivery, rig.configuration.tests)
        self._emulator = find_emulator(rig.target, delivery)

    def run(self, tests: Sequence[str]) -> Iterator[Report]:
        """Run the tests one after another. Raises `HarnessError`s and `Stopped`."""
        for test in tests:
            yield self._run_one(test)

    def close(self) -> None:
        """Nothing outlives an attempt here."""

    def _run_one(self, test: str) -> Report:
        fields = self._rig.fields(test)
        started_at, started = now(), time.monotonic()
        with machine_folder(self._rig.scratch) as folder:
            observation, output = self._observe(folder, fields)
        attempt = Attempt(
            target=self._rig.name,
            test=test,
            verdict=classify(
                observation, self._rig.configuration.verdict_rules(self._rig.name, test), self._proof
            ),
            nonce=fields["nonce"],
            isolation=self._rig.isolation,
            started_at=started_at,
            duration_s=time.monotonic() - started,
            logs=(
                Log(kind=LogKind.TRANSCRIPT, port=_PORT, content=_text(observation)),
                Log(kind=LogKind.RAW, port=_PORT, content=output),
                Log(kind=LogKind.OBSERVATION, port="parity", content=observation.facts_as_json()),
            ),
        )
        return Report(attempt=attempt)

    def _observe(self, folder: Path, fields: Mapping[str, str]) -> tuple[Observation, bytes]:
        """Run one test in `folder`; return what was seen of it, and its output as it came."""
        program, *arguments = host_command(self._delivery, fields)
        file = self._rig.configuration.root / program
        if (why := why_not(file, self._rig.target.architecture)) is not None:
            return self._seen(fields, Ending.NOT_STARTED, detail=f"{program}: {why}"), b""
        temporary = _make_temporary(self._rig.scratch, folder)
        with _open_pipe() as (output, output_end), _open_pipe() as (told, told_end):
            with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
                process = ChildProcess(
                    [*self._init(told_end.fileno(), folder), str(file), *arguments],
                    stdin=nothing.fileno(),
                    stdout=output_end.fileno(),
                    stderr=output_end.fileno(),
                    pass_fds=[told_end.fileno()],
                    folder=temporary,
                    environment=self._environment(temporary),
                )
            started = time.monotonic()
            with process:
                for end in (output_end, told_end):
                    end.close()  # what is written there is the program's and its keepers' alone
                printed = Output(output.fileno())
                ending = self._wait(process, printed, self._rig.test_limits(fields))
            waited_s = time.monotonic() - started
            printed.read()
            report = read_report(told.read(_REPORT_BYTES))
        if report.why_not is not None:
            return self._seen(fields, Ending.NOT_STARTED, detail=f"{program}: {report.why_not}"), b""
        if ending is Ending.COMPLETED and not report.ended:
            ending = Ending.LOST
        observation = Observation(
            fields=fields,
            ending=ending,
            waited_s=waited_s,
            transcripts={_PORT: decode_console(printed.content)},
            status=report.status,
            signal=report.signal,
            detail=f"{printed.size_bytes} bytes" if ending is Ending.FLOODED else "",
            caveat=_ALONE if report.alone else "",
        )
        return observation, printed.content

    def _seen(self, fields: Mapping[str, str], ending: Ending, *, detail: str) -> Observation:
        return Observation(fields=fields, ending=ending, waited_s=0.0, transcripts={_PORT: ""}, detail=detail)

    def _init(self, told: int, folder: Path) -> tuple[str, ...]:
        """Return the command that fences a program in (host_init.py)."""
        fence = "fence" if self._fenced else "-"
        machine = str(_machine_number(self._rig.target.architecture))
        python = (sys.executable, "-I", "-S", str(_INIT))
        return (*python, str(told), fence, self._emulator or "-", machine, str(folder))

    def _environment(self, temporary: Path) -> dict[str, str]:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
        }
        if self._emulator is not None:
            environment["USER_EMULATOR"] = Path(self._emulator).name
        return environment

    def _wait(self, process: ChildProcess, printed: Output, limits: Limits) -> Ending:
        family = Family(process.pid)
        progress = ProgressMeter(family.read)
        grown_at = time.monotonic()
        while process.wait(printed.pause_s) is None:
            if self._rig.stop.is_set():
                raise Stopped
            if printed.wait(_POLL_S):
                grown_at = time.monotonic()
            if printed.size_bytes > limits.output_bytes:
                return Ending.FLOODED
            if limits.deadline.expired:
                return Ending.BUDGET
            if progress.is_quiet(max(grown_at, family.changed_at), limits.quiet_s):
                return Ending.QUIET
        return Ending.COMPLETED


class Family:
    """A process and all below it. A child that comes or goes is work as well: its CPU time goes with it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: frozenset[tuple[int, str]] = frozenset()
        self.changed_at = time.monotonic()

    def read(self) -> tuple[int, ...]:
        """Return the family as it is now."""
        import psutil  # noqa: PLC0415 - slow to import, and not needed for guests

        pids = [self._pid]
        with contextlib.suppress(psutil.Error):
            pids += [child.pid for child in psutil.Process(self._pid).children(recursive=True)]
        seen = frozenset((pid, _read_ended_children(pid)) for pid in pids)
        if seen != self._seen:
            self._seen, self.changed_at = seen, time.monotonic()
        return tuple(pids)


def _read_ended_children(pid: int) -> str:
    """Return a number that grows with every child of a process that ended: their page faults (cminflt, proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[8]
    except (OSError, IndexError):
        return ""


class Output:
    """What a test has printed so far, from the reading end of a pipe: a file, it could truncate itself."""

    def __init__(self, end: int) -> None:
        os.set_blocking(end, False)
        self._end = end
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)
        self._open = True
        self._content = bytearray()

    @property
    def content(self) -> bytes:
        """All that was read."""
        return bytes(self._content)

    @property
    def size_bytes(self) -> int:
        """How much was read."""
        return len(self._content)

    @property
    def pause_s(self) -> float:
        """How long one may wait for something else: no time, while there may be more to read."""
        return 0.0 if self._open else _POLL_S

    def wait(self, timeout_s: float) -> bool:
        """Wait for more, and read it; whether there was any."""
        return self._open and bool(self._poll.poll(timeout_s * 1000)) and self.read(pieces=16)

    def read(self, pieces: int = 1024) -> bool:
        """Read what is there, up to so many pieces; whether there was any."""
        before = len(self._content)
        with contextlib.suppress(BlockingIOError):
            for _ in range(pieces):
                piece = os.read(self._end, _PIECE_BYTES)
                self._content += piece
                if not piece:
                    self._open = False
                    break
        return len(self._content) > before


@dataclass(frozen=True, slots=True, kw_only=True)
class InitReport:
    """What host_init.py told of a program."""

    why_not: str | None = None
    """Why it could not be executed."""
    alone: bool = False
    """Whether it was emulated on a host that cannot run the foreign programs that it executes itself."""
    status: int | None = None
    signal: int | None = None

    @property
    def ended(self) -> bool:
        """Whether its end is known."""
        return self.status is not None or self.signal is not None


def read_report(told: bytes) -> InitReport:
    """Return what host_init.py's lines say; nothing is said of the end of a program that was killed from here."""
    words = dict(line.partition(" ")[::2] for line in told.decode(errors="backslashreplace").splitlines())
    return InitReport(
        why_not=words.get("cannot"),
        alone="alone" in words,
        status=int(words["exit"]) if "exit" in words else None,
        signal=int(words["signal"]) if "signal" in words else None,
    )


def why_not(file: Path, architecture: Architecture) -> str | None:
    """Return why a file is no program for the architecture; None where it is one, or a script.

    A host may well run a program for another architecture than the target's, and prove nothing.
    """
    try:
        with file.open("rb") as stream:
            head = stream.read(_ELF_HEAD_BYTES)
    except FileNotFoundError:
        return "there is no such program"
    except OSError as error:
        return error.strerror
    if head.startswith(b"\x7fELF") and len(head) == _ELF_HEAD_BYTES:
        machine = int.from_bytes(head[18:20], "big" if head[5] == _ELF_BIG_ENDIAN else "little")
        if machine != _machine_number(architecture):
            return f"is no program for {architecture.name}"
    return None


def host_command(delivery: ProcessDelivery, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return a test's program and arguments, as parity.toml words them."""
    return tuple(fill(word, fields) for word in delivery.run)


@contextlib.contextmanager
def _open_pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Yield the reading and the writing end of a pipe; either may be closed meanwhile."""
    near, far = os.pipe()
    with open(near, "rb", buffering=0) as reading, open(far, "wb", buffering=0) as writing:  # noqa: PTH123
        yield reading, writing


def _make_temporary(scratch: Path, folder: Path) -> Path:
    """Make the test's own directory, which it still reaches when it gives up root's identity."""
    temporary = folder / "tmp"
    temporary.mkdir()
    for above in (scratch, folder):
        above.chmod(0o711)
    temporary.chmod(0o1777)
    return temporary


def _machine_number(architecture: Architecture) -> int:
    return int(ENUM_E_MACHINE[architecture.elf_machine])


def _text(observation: Observation) -> bytes:
    return observation.transcripts[_PORT].encode("utf-8", "backslashreplace")
