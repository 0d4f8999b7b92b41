"""Keeps files and the rows that name them together: who stores either shares, who sweeps files is alone.

A log is stored before the row that names it, so for a moment nobody refers to it: a sweep at that moment would
take it for left over.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.lock_file import open_lock_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileGuard:
    """A lock file that every process on one state folder knows; the system drops what a dead process held."""

    path: Path

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Let no sweep begin until the context ends; others may store meanwhile."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Wait until nobody stores, and let nobody begin to until the context ends."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, operation: int) -> Iterator[None]:
        handle = open_lock_file(self.path)
        try:
            fcntl.flock(handle, operation)
            yield
        finally:
            os.close(handle)
