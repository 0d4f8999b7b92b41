"""Taking tests on the host's own Linux, natively or under a user-mode emulator: the reference for the tests.

A test that fails here too says nothing about the kernel: the test is wrong. Each runs in a session, a temporary
directory and, where the host allows it, namespaces of its own (host_init.py).
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from parity.attempt import Attempt, Log, LogKind
from parity.configuration import fill
from parity.errors import MachineError
from runners.boot import Report
from runners.classify import classify
from runners.console_text import decode_console
from runners.machine import Stopped
from runners.observation import Ending, Observation
from runners.process import ChildProcess
from runners.progress import ProgressMeter
from runners.proof import make_proof
from runners.rig import now
from runners.scratch import machine_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from parity.configuration import ProcessDelivery, Target
    from runners.machine import Limits
    from runners.rig import Rig

_INIT: Final = Path(__file__).with_name("host_init.py")
_POLL_S: Final = 0.01
_PORT: Final = "output"
_STATUS_BYTES: Final = 64


class HostRunner:
    """Runs each test as a process of the host."""

    def __init__(self, rig: Rig, delivery: ProcessDelivery) -> None:
        self._rig = rig
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
        temporary = folder / "tmp"
        temporary.mkdir()
        folder.chmod(0o711)  # a test that gives up root's identity must still reach its directory
        temporary.chmod(0o1777)
        output = folder / "output"
        near, far = os.pipe()
        try:
            with output.open("wb") as sink, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
                process = ChildProcess(
                    self._command(folder, fields, status_fd=far),
                    stdin=nothing.fileno(),
                    stdout=sink.fileno(),
                    stderr=sink.fileno(),
                    pass_fds=[far],
                    folder=temporary,
                    environment=self._environment(temporary),
                )
            os.close(far)
            started = time.monotonic()
            with process:
                ending = self._wait(process, output, self._rig.test_limits(fields))
            waited_s = time.monotonic() - started
            status, signal = _read_status(near)
        finally:
            os.close(near)
        content = output.read_bytes()
        observation = Observation(
            fields=fields,
            ending=ending,
            waited_s=waited_s,
            transcripts={_PORT: decode_console(content)},
            status=status,
            signal=signal,
        )
        return observation, content

    def _command(self, folder: Path, fields: Mapping[str, str], *, status_fd: int) -> tuple[str, ...]:
        program, *arguments = host_command(self._delivery, fields)
        init = [sys.executable, "-I", "-S", str(_INIT), str(status_fd), self._emulator or "-", str(folder)]
        return (*init, str(self._rig.configuration.root / program), *arguments)

    def _environment(self, temporary: Path) -> dict[str, str]:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
        }
        if self._emulator is not None:
            environment["USER_EMULATOR"] = Path(self._emulator).name
        return environment

    def _wait(self, process: ChildProcess, output: Path, limits: Limits) -> Ending:
        progress = ProgressMeter(lambda: _family(process.pid))
        size, grown_at = 0, time.monotonic()
        while process.wait(_POLL_S) is None:
            if self._rig.stop.is_set():
                raise Stopped
            if output.stat().st_size > size:
                size, grown_at = output.stat().st_size, time.monotonic()
            if size > limits.output_bytes:
                return Ending.FLOODED
            if limits.deadline.expired:
                return Ending.BUDGET
            if progress.quiet_s(grown_at) > limits.quiet_s:
                return Ending.QUIET
        return Ending.COMPLETED


def find_emulator(target: Target, delivery: ProcessDelivery) -> str | None:
    """Return the user-mode emulator that the target's programs need here; None where they run natively.

    Raises `MachineError` where it is not installed or the host is not Linux.
    """
    if platform.system() != "Linux":
        raise MachineError(
            "programs for Linux run on Linux alone", hint="leave this target out: --target NAME"
        )
    if platform.machine() in target.architecture.host_names:
        return None
    name = delivery.emulator or target.architecture.user_emulator
    found = shutil.which(name) or shutil.which(f"{name}-static")
    if found is None:
        raise MachineError(f"{name} is not installed", hint="Debian and Ubuntu: apt install qemu-user")
    return found


def host_command(delivery: ProcessDelivery, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return a test's program and arguments, as parity.toml words them."""
    return tuple(fill(word, fields) for word in delivery.run)


def read_host_version(target: Target, delivery: ProcessDelivery) -> str:
    """Return what runs the target's programs: Linux's release, and the emulator's version where there is one."""
    emulator = find_emulator(target, delivery)
    linux = f"Linux {platform.release()}"
    if emulator is None:
        return linux
    asked = subprocess.run((emulator, "--version"), capture_output=True, timeout=10, check=False)
    return f"{asked.stdout.decode(errors='backslashreplace').splitlines()[0]} on {linux}"


def _family(pid: int) -> tuple[int, ...]:
    with contextlib.suppress(psutil.Error):
        return (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))
    return (pid,)


def _read_status(near: int) -> tuple[int | None, int | None]:
    """Return (exit status, signal) as host_init.py wrote them; neither where it was ended before."""
    kind, _, number = os.read(near, _STATUS_BYTES).decode().partition(" ")
    if not number:
        return None, None
    return (int(number), None) if kind == "exit" else (None, int(number))


def _text(observation: Observation) -> bytes:
    return observation.transcripts[_PORT].encode("utf-8", "backslashreplace")
