"""Files and folders that are there whole or not at all, however their writer ends."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from parity.errors import HarnessError, UsageError
from parity.shortage import shortage_hint

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNFINISHED: Final = ".writing-"
"""What a folder is called until it is whole; its process's number follows."""


@contextmanager
def new_file(file: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Give a stream whose content is in `file` once the context has ended well; otherwise nothing changes.

    A private one is its owner's alone; another has the mode of the file that it replaces, or what the process's
    file mode mask leaves. Raises `OSError`.
    """
    mode = 0o600 if private else file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        temporary.chmod(mode)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(content: str, file: Path) -> None:
    """Write a text for the user, whole or not at all; raise `UsageError` where it cannot be written."""
    try:
        with new_file(file) as stream:
            stream.write(content.encode())
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}",
            hint=shortage_hint(error) or "name another with -o FILE",
        ) from error


def _umask() -> int:
    """Return the process's file mode mask; the system tells it only to who sets it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@dataclass
class NewFolder:
    """A folder while it is filled: where it is now, and for good once the context has ended."""

    path: Path


@contextmanager
def new_folder(parent: Path, name: str) -> Iterator[NewFolder]:
    """Make `parent / name` (with a number where that is taken) under a temporary name: whole or not at all.

    Raises `HarnessError` where it cannot be made.
    """
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = NewFolder(Path(tempfile.mkdtemp(dir=parent, prefix=f"{_UNFINISHED}{os.getpid()}-")))
    except OSError as error:
        raise HarnessError(
            f"cannot make a folder in {parent}: {error.strerror}", hint=shortage_hint(error)
        ) from error
    try:
        yield new
        new.path = _rename(new.path, parent / name)
    except BaseException:
        shutil.rmtree(new.path, ignore_errors=True)
        raise


def sweep_unfinished(parent: Path) -> tuple[Path, ...]:
    """Remove the folders whose process was killed while it filled them; return them."""
    swept = []
    for folder in parent.glob(f"{_UNFINISHED}*"):
        if is_of_the_dead(folder.name, _UNFINISHED):
            shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder)
    return tuple(swept)


def is_of_the_dead(name: str, prefix: str) -> bool:
    """Whether something called PREFIX, a process's number, a dash and more was made by a process that is gone."""
    pid = name.removeprefix(prefix).partition("-")[0]
    if not pid.isdecimal():
        return False  # not one of ours
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False


def _rename(temporary: Path, wanted: Path) -> Path:
    for number in range(1, 1000):
        final = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            if not final.exists():  # an empty folder would be replaced
                os.rename(temporary, final)  # noqa: PTH104 - must fail where a folder of that name has content
                return final
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise HarnessError(f"cannot make the folder {final}: {error.strerror}") from error
    raise HarnessError(f"there are a thousand folders called {wanted.name}")
