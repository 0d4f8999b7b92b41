"""Private folders for machines, gone when their owner is, even when it was killed.

Each process has one folder `parity-PID-XXXX` (0700), in memory where the host has /dev/shm: block drivers of
young kernels time out on slow disks. The owner holds a lock on it for life; whoever comes next removes the
folders whose owner is gone and whose lock nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parity.errors import MachineError
from parity.whole_files import is_of_the_dead
from runners.processes.process import shortage

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "parity-"
_LOCK: Final = "lock"
_LONGEST: Final = 60
"""Bytes of a root's path: a socket's has 107 (unix(7)), and up to 43 come behind the root's."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are made with mkdtemp


def scratch_root(memory: Path = _MEMORY, temporary: Path | None = None) -> Path:
    """Return where scratch folders go: memory if possible, never a deep path, in which no socket can be.

    `temporary` is the folder for temporary files; the system's, where it is not said. Raises `MachineError` where there
    is no such place.
    """
    wanted = temporary or Path(tempfile.gettempdir())
    for root in (memory, wanted, Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - as above
        if len(os.fsencode(root)) <= _LONGEST and os.access(root, os.W_OK | os.X_OK):
            return root
    raise MachineError(
        f"there is no folder for scratch files: {memory} cannot be written, and {wanted} is of no use either",
        hint=f"set TMPDIR to a folder that can be written, with a path of at most {_LONGEST} bytes",
    )


@contextlib.contextmanager
def open_scratch(root: Path | None = None) -> Iterator[Path]:
    """Yield this process's own folder, and remove it at the end; first sweep what the dead left behind."""
    root = root or scratch_root()
    sweep(root)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))
    try:
        with (folder / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a sweep elsewhere may be trying it for a moment
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def machine_folder(scratch: Path) -> Iterator[Path]:
    """Yield a folder for one machine, removed with it."""
    try:
        folder = Path(tempfile.mkdtemp(dir=scratch))
    except OSError as error:
        raise shortage("make a folder for a machine", error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> tuple[Path, ...]:
    """Remove this user's scratch folders whose owner is gone; return them."""
    removed = []
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid() and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return tuple(removed)


def _is_abandoned(folder: Path) -> bool:
    """Whether its process is gone and nobody holds the lock.

    Neither alone is enough: a moment-old folder is not locked yet, and the owner may live in another container.
    """
    if not is_of_the_dead(folder.name, _PREFIX):
        return False
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        pass
    return True
