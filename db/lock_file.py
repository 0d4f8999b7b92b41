"""Opening lock files: the system drops what a dead process held."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from parity.errors import DatabaseError
from parity.shortage import shortage_hint

if TYPE_CHECKING:
    from pathlib import Path


def open_lock_file(path: Path, *, create: bool = True) -> int:
    """Return an open lock file's descriptor; raise `DatabaseError` where it cannot be opened.

    Without `create`, one that is not there is a `FileNotFoundError`.
    """
    try:
        if create:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not create:
            raise
        raise DatabaseError(
            f"{path} cannot be locked: {error.strerror}",
            hint=shortage_hint(error) or "check who owns the folder and whether its disk can be written",
        ) from error
