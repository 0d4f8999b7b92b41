"""duet, booted by hand for tests that look into it: its console, its monitor, a debugger's way in."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runners.processes.process import ChildProcess
from runners.qemu.qmp import Monitor

if TYPE_CHECKING:
    from collections.abc import Iterator

KERNEL: Final = Path(__file__).parents[2] / "kernel"
_MACHINES: Final = {
    "aarch64": ("-machine", "virt,gic-version=3", "-cpu", "cortex-a72"),
    "x86_64": ("-machine", "q35", "-cpu", "qemu64"),
}
_IMAGES: Final = {"aarch64": "duet.img", "x86_64": "duet.elf"}


class Booted:
    """One running machine."""

    def __init__(self, process: ChildProcess, console: socket.socket, monitor: Monitor, folder: Path) -> None:
        self.process = process
        self.monitor = monitor
        self.folder = folder
        self._console = console
        self._seen = ""

    def expect(self, pattern: str, *, timeout_s: float = 30) -> str:
        """Wait for the console to say something, and drop everything up to it."""
        end = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self._seen)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self._seen[-2000:]!r}"
            self._console.settimeout(left)
            piece = self._console.recv(65536)
            assert piece, f"QEMU ended: {self._seen[-2000:]!r}"
            self._seen += piece.decode("utf-8", "replace")
        self._seen = self._seen[found.end() :]
        return found[0]

    def type(self, line: str) -> None:
        self._console.sendall(line.encode() + b"\n")

    def human(self, line: str) -> str:
        return str(self.monitor.execute("human-monitor-command", **{"command-line": line}))

    def open_stub(self) -> Path:
        """Have QEMU listen for a debugger; the guest runs on until one connects."""
        path = self.folder / f"stub-{self.process.pid}"
        self.human("gdbserver none")  # else the last one takes the new one's path with it
        path.unlink(missing_ok=True)
        self.human(f"gdbserver unix:{path},server=on,wait=off")
        return path


@contextlib.contextmanager
def boot_duet(arch: str, folder: Path, *, cpus: int = 4, append: str = "") -> Iterator[Booted]:
    """Boot duet and end it with the block; the prompt is not awaited."""
    build = KERNEL / "build" / arch
    console, its_console = socket.socketpair()
    monitor_end, its_monitor = socket.socketpair()
    command = [
        f"qemu-system-{arch}",
        *_MACHINES[arch],
        *("-smp", str(cpus), "-m", "128", "-display", "none", "-no-reboot", "-nic", "none"),
        *("-kernel", str(build / _IMAGES[arch]), "-initrd", str(build / "initrd.cpio"), "-append", append),
        *("-chardev", f"socket,id=console,fd={its_console.fileno()}", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=monitor,fd={its_monitor.fileno()}", "-mon", "chardev=monitor,mode=control"),
    ]
    with contextlib.ExitStack() as stack:
        stack.callback(console.close)
        process = stack.enter_context(
            ChildProcess(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(its_console.fileno(), its_monitor.fileno()),
                environment=os.environ,
            )
        )
        its_console.close()
        its_monitor.close()
        monitor = Monitor(monitor_end)
        stack.callback(monitor.close)
        monitor.connect()
        yield Booted(process, console, monitor, folder)
