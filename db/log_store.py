"""Log files named by their content, beside the database: equal output is kept once, and none is overwritten."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from parity.errors import DatabaseError
from parity.shortage import shortage_hint

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFINISHED: Final = ".writing-"
"""What a file's name begins with until it is whole."""
_BLOCK: Final = 1024 * 1024
_TAIL_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What a row needs to find a file again."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LogStore:
    """The folder `logs/`: a file is at <two hexadecimal digits>/<SHA-256>, readable by its owner alone."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Return where the file of this content is."""
        return self.folder.joinpath(sha256[:2], sha256)

    def put(self, content: bytes) -> StoredFile:
        """Store `content` and return its name; raise `DatabaseError` where it cannot be written.

        It is whole under its name or not there at all, also when this process is killed.
        """
        stored = StoredFile(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
        path = self.path(stored.sha256)
        try:
            if not path.exists():
                _write_atomically(path, content)
        except OSError as error:
            raise self._unwritable(error) from error
        return stored

    def put_stream(self, stream: IO[bytes], sha256: str) -> bool:
        """Store what a stream holds, unless its content has another name than `sha256`; return whether it was stored.

        Raises `DatabaseError` where it cannot be written. Whole or not at all, as with `put`.
        """
        path = self.path(sha256)
        try:
            with _new_file(path.parent) as (file, temporary):
                digest = hashlib.sha256()
                while block := stream.read(_BLOCK):
                    digest.update(block)
                    file.write(block)
                _settle(file)
                if is_right := digest.hexdigest() == sha256:
                    temporary.replace(path)
        except OSError as error:
            raise self._unwritable(error) from error
        return is_right

    def is_whole(self, sha256: str) -> bool:
        """Whether the file is there and has the content that it is named by."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def files(self) -> Iterator[Path]:
        """Yield every file in the folder, by name; what a killed process left half-written among them."""
        for folder in sorted(self.folder.glob("*")):
            yield from sorted(folder.iterdir()) if folder.is_dir() else (folder,)

    def read(self, sha256: str) -> bytes:
        """Return the whole content; raise `DatabaseError` where the file is gone."""
        try:
            return self.path(sha256).read_bytes()
        except OSError as error:
            raise self._missing(sha256, error) from error

    def read_tail(self, sha256: str, *, lines: int, limit_bytes: int = 1024 * 1024) -> bytes:
        """Return the last `lines` lines, of at most `limit_bytes`, without reading what is before them."""
        tail = b""
        try:
            with self.path(sha256).open("rb") as file:
                start = file.seek(0, os.SEEK_END)
                while start > 0 and len(tail) < limit_bytes and tail.rstrip(b"\n").count(b"\n") < lines:
                    step = min(_TAIL_BLOCK, start, limit_bytes - len(tail))
                    start -= step
                    file.seek(start)
                    tail = file.read(step) + tail
        except OSError as error:
            raise self._missing(sha256, error) from error
        return b"".join(tail.splitlines(keepends=True)[-lines:]) if lines > 0 else b""

    def _unwritable(self, error: OSError) -> DatabaseError:
        return DatabaseError(
            f"cannot store a log in {self.folder}: {error.strerror}",
            hint=shortage_hint(error) or "is the folder not yours?",
        )

    def _missing(self, sha256: str, error: OSError) -> DatabaseError:
        return DatabaseError(
            f"the log {self.path(sha256)} cannot be read: {error.strerror}",
            hint="the database still names it; was the folder cleaned by hand?",
        )


def _write_atomically(path: Path, content: bytes) -> None:
    with _new_file(path.parent) as (file, temporary):
        file.write(content)
        _settle(file)
        temporary.replace(path)


@contextmanager
def _new_file(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Make a file, and its folder where need be, that is gone after the context unless it was renamed in it."""
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)  # mode 0600
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())  # before the row that names it
