"""The user's own commands: builds before a campaign, prepare steps before a boot, and Git for the revision."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from parity.campaign import Revision
from parity.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TAIL: Final = 4000
_GIT_TIMEOUT_S: Final = 20.0


def run_command(command: Sequence[str], *, folder: Path, timeout_s: float) -> str:
    """Run one command to its end and return its output; raises `BuildError` with the tail of what it said."""
    try:
        finished = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise BuildError(
            command=command, status=None, output_tail=f"{command[0]}: {error.strerror}"
        ) from error
    except subprocess.TimeoutExpired as error:
        tail = (error.output or b"")[-_TAIL:].decode(errors="backslashreplace")
        raise BuildError(
            command=command, status=None, output_tail=f"{tail}\nnot over after {timeout_s:.0f} s"
        ) from error
    output = finished.stdout.decode(errors="backslashreplace")
    if finished.returncode != 0:
        raise BuildError(command=command, status=finished.returncode, output_tail=output[-_TAIL:])
    return output


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
