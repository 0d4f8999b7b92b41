"""A child process that is always ended and reaped, and that never outlives us."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parity.errors import MachineError
from parity.shortage import shortage_hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_GRACE_S: Final = 1.0


def launcher_words() -> tuple[str, ...]:
    """Return the words before a command that tie its process's life to the thread that starts it."""
    return (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()))


def shortage(what: str, error: OSError) -> MachineError:
    """Return the error for `what` (as in "cannot ...") that the host refused, with what to do where that is known."""
    where = f" ({error.filename})" if error.filename else ""
    return MachineError(f"cannot {what}: {error.strerror or error}{where}", hint=shortage_hint(error))


@contextlib.contextmanager
def refusals_named(what: str) -> Iterator[None]:
    """Raise such a `MachineError` for every `OSError`."""
    try:
        yield
    except OSError as error:
        raise shortage(what, error) from error


@contextlib.contextmanager
def shortages_named(what: str) -> Iterator[None]:
    """Raise one for an `OSError` that says that the host is short of something; any other is let through."""
    try:
        yield
    except OSError as error:
        if shortage_hint(error) is None:
            raise
        raise shortage(what, error) from error


class ChildProcess:
    """A running program, in its own session; leaving the context ends it: TERM, then KILL, then reap.

    Signals go to its pid alone: whatever it started itself ends with it or is not ours to kill.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: int,
        pass_fds: Sequence[int] = (),
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        try:
            self._popen = subprocess.Popen(
                [*launcher_words(), *command],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
                cwd=folder,
                env=environment,
                start_new_session=True,  # Ctrl-C at the user's terminal is not the guest's
            )
        except OSError as error:
            raise shortage(f"start {command[0]}", error) from error

    @property
    def pid(self) -> int:
        """The process id; stays ours until it is reaped."""
        return self._popen.pid

    def poll(self) -> int | None:
        """Return its exit status, negative for a signal, or None while it runs."""
        return self._popen.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for its end; None when it still runs after `timeout_s`."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> int:
        """End it if it still runs, reap it, and return its exit status."""
        status = self.poll()
        if status is None:
            self._popen.terminate()
            status = self.wait(_GRACE_S)
        if status is None:
            self._popen.kill()
            status = self._popen.wait()
        return status

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
