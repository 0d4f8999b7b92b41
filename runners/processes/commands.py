"""The user's own commands: builds before a campaign, prepare steps before a boot, and Git for the revision."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Final

from parity.campaign import Revision
from parity.deadline import Deadline
from parity.errors import BuildError
from runners.processes.process import shortage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from threading import Event

_TAIL: Final = 4000
_POLL_S: Final = 0.1
_GRACE_S: Final = 2.0
_GIT_TIMEOUT_S: Final = 20.0


def run_command(command: Sequence[str], *, folder: Path, timeout_s: float, stop: Event | None = None) -> str:
    """Run one command to its end and return its output; raises `BuildError` with the tail of what it said.

    It runs in a process group of its own, which is ended when time is up or `stop` is set.
    """
    with _open_output(command) as output:
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
            )
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR):
                raise shortage(f"start {command[0]}", error) from error
            tail = f"{command[0]}: {error.strerror}"
            raise BuildError(command=command, status=None, output_tail=tail) from error
        try:
            why = _wait(process, Deadline.after(timeout_s), stop)
        finally:
            _end_group(process)
        output.seek(0)
        said = output.read().decode(errors="backslashreplace")
    if why is not None:
        raise BuildError(command=command, status=None, output_tail=f"{said[-_TAIL:]}\n{why}")
    if process.returncode != 0:
        raise BuildError(command=command, status=process.returncode, output_tail=said[-_TAIL:])
    return said


def _open_output(command: Sequence[str]) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise shortage(f"keep what {command[0]} says", error) from error


def _wait(process: subprocess.Popen[bytes], deadline: Deadline, stop: Event | None) -> str | None:
    """Wait for the end; return why it did not come, if so."""
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if stop is not None and stop.is_set():
                return "interrupted"
            if deadline.expired:
                return "not over in time"
        else:
            return None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever of the group still runs: a compiler outlives the make that started it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE_S)
        except (ProcessLookupError, PermissionError):
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def read_revision(folder: Path) -> Revision | None:
    """Return the Git revision that `folder`'s files are at; None outside of Git.

    Only what lies in `folder` counts as dirty: a change elsewhere in the repository is not the kernel's.
    """

    def git(*words: str) -> str:
        return run_command(("git", *words), folder=folder, timeout_s=_GIT_TIMEOUT_S).strip()

    try:
        commit = git("rev-parse", "HEAD")
        return Revision(
            commit=commit,
            described=git("describe", "--always", "--tags", "HEAD"),
            dirty=bool(git("status", "--porcelain", "--", ".")),
        )
    except BuildError:
        return None
