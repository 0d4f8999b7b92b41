"""One QEMU process and its monitor, which is one end of a socket pair."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final

from parity.errors import MachineError
from runners.processes.process import ChildProcess
from runners.qemu.qmp import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

EXIT_S: Final = 2.0
"""How long QEMU may take to end once it has closed its console."""
_STDERR_LIMIT: Final = 64 * 1024


class QemuProcess:
    """Started paused, and ended by `close`.

    `command` makes its arguments once the descriptor of its end of the monitor is known. `terminal` is the path of
    its console; what it says on its standard error goes to the end of the file `stderr`. Raises `OSError` and `MachineError`.
    """

    def __init__(
        self, command: Callable[[int], Sequence[str]], *, terminal: str, stderr: Path, folder: Path
    ) -> None:
        self._stderr = stderr
        with contextlib.ExitStack() as resources:
            near, far = socket.socketpair()
            resources.callback(near.close)
            with _opened(terminal) as port, stderr.open("ab") as words, far:
                self.process = ChildProcess(
                    command(far.fileno()),
                    stdin=port,
                    stdout=port,
                    stderr=words.fileno(),
                    pass_fds=[far.fileno()],
                    folder=folder,
                )
            resources.callback(self.process.end)
            self.monitor = Monitor(near)
            resources.callback(self.monitor.close)
            self._resources = resources.pop_all()

    @property
    def pid(self) -> int:
        """The process id; stays ours until it is reaped."""
        return self.process.pid

    @property
    def raw_stderr(self) -> bytes:
        """What was said on standard error, up to a limit."""
        with self._stderr.open("rb") as said:
            return said.read(_STDERR_LIMIT)

    @property
    def stderr(self) -> str:
        """The same, as text."""
        return self.raw_stderr.decode(errors="backslashreplace")

    def connect(self) -> None:
        """Wait until the monitor answers; raises `MachineError` with QEMU's own words when it did not start."""
        try:
            self.monitor.connect()
        except MachineError as error:
            status = self.process.wait(EXIT_S)
            if status is None:
                raise
            words = self.stderr.strip() or str(error)
            raise MachineError(f"QEMU did not start (exit status {status}): {words}") from error

    def close(self) -> None:
        """End it and reap it."""
        self._resources.close()


@contextlib.contextmanager
def _opened(terminal: str) -> Iterator[int]:
    descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
