"""Which campaigns have a living process: each holds a file lock, which the system drops when the process dies.

A process number in the database would not do: numbers are given anew, and the process that wrote it may have
been on another machine.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.lock_file import open_lock_file

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class CampaignLocks:
    """The locks of one state folder, and those that this process holds."""

    folder: Path
    _held: dict[str, int] = field(default_factory=dict)

    def take(self, identity: str) -> bool:
        """Lock a campaign for this process until `release`; False where another process has it.

        Raises `DatabaseError` where the lock's file cannot be made.
        """
        if identity in self._held:
            return True
        handle = open_lock_file(self._path(identity))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._held[identity] = handle
        return True

    def is_held(self, identity: str) -> bool:
        """Whether some living process, this one included, has the campaign."""
        if identity in self._held:
            return True
        try:
            handle = open_lock_file(self._path(identity), create=False)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def release(self, identity: str, *, forget: bool = False) -> None:
        """Let go of a campaign; with `forget` also remove the file, right only where nobody resumes it."""
        handle = self._held.pop(identity, None)
        if forget:
            self._path(identity).unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)

    def release_all(self) -> None:
        """Let go of everything this process holds."""
        for identity in tuple(self._held):
            self.release(identity)

    def _path(self, identity: str) -> Path:
        return self.folder / f"{identity}.lock"
