"""Zip files of runs: written in one form, and read with suspicion (run_file.py says what is in them).

A file that comes in is anybody's. Its names are matched against what parity writes, and its sizes are bounded before
anything is unpacked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from parity.errors import UsageError
from parity.printable import printable_line
from parity.whole_files import new_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PART: Final = "[A-Za-z0-9][A-Za-z0-9_.+-]"
NAMES: Final = re.compile(
    r"run\.json|runs/[0-9a-f]{32}\.json|logs/[0-9a-f]{64}"
    rf"|captures/{_PART}{{0,250}}(/{_PART}{{0,99}}){{1,3}}"
)
"""What entries are called: no absolute name, no `..`, nothing hidden."""
_TOTAL_LIMIT: Final = 64 * 1024 * 1024 * 1024
"""Bytes of everything unpacked; the disk's free space is often the smaller one."""
_DIRECTORY_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of the file's own list of entries: a quarter of a million of them."""
_BLOCK: Final = 1024 * 1024
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every entry: the same runs give the same bytes."""


@contextmanager
def new_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """Give an archive that is `file` once the context has ended well; otherwise nothing changes. Raises `OSError`."""
    with new_file(file, private=True) as stream, zipfile.ZipFile(stream, "w") as archive:
        yield archive


def put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add an entry."""
    archive.writestr(_entry(name), content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    return entry


def put_file(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    """Add a file's content, however large."""
    with file.open("rb") as source, archive.open(_entry(name), "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, _BLOCK)


@contextmanager
def open_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open a file of runs, having looked at its names and sizes.

    What is wrong with it raises `UsageError`, also while it is read in the context.
    """
    try:
        with file.open("rb") as stream, _open_zip(file, stream) as archive:
            if (fault := _find_fault(archive.infolist())) is not None:
                raise refused(file, fault)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise refused(file, f"it is damaged: {printable_line(str(error))}") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error


def _open_zip(file: Path, stream: IO[bytes]) -> zipfile.ZipFile:
    size = _directory_size(stream)
    if size is None or size > _DIRECTORY_LIMIT:
        raise refused(file, "it is no zip file" if size is None else "it has too many entries")
    try:
        return zipfile.ZipFile(stream)
    # What zipfile raises for lists of entries that no program writes.
    except (ValueError, RuntimeError, OverflowError, struct.error) as error:
        raise refused(file, f"it is damaged: {printable_line(str(error))}") from error


def refused(file: Path, why: str) -> UsageError:
    """Return the error that says why a file is not taken."""
    return UsageError(
        f"{file} is no export of runs that can be read: {why}",
        hint="nothing was changed; write it again with `parity export`",
    )


def _directory_size(stream: IO[bytes]) -> int | None:
    """Return how many bytes a zip file's list of entries claims; None where it is no zip file.

    zipfile reads that list whole before it can be asked anything. It looks for the records in the same places; their
    fields are in APPNOTE.TXT 4.3.14 to 4.3.16.
    """
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, length - (1 << 16) - 22 - 76))
    tail = stream.read()
    stream.seek(0)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        return None
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    if end >= 76 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        return max(int.from_bytes(tail[end - 36 : end - 28], "little"), size if size < 0xFFFF_FFFF else 0)
    return size


def _find_fault(entries: Sequence[zipfile.ZipInfo]) -> str | None:
    """Return what is wrong with a file's entries, by their names and sizes alone."""
    if len({entry.filename for entry in entries}) < len(entries):
        return "two of its entries have one name"
    if sum(entry.file_size for entry in entries) > _TOTAL_LIMIT:
        return "unpacked it would be larger than anything that parity writes"
    for entry in entries:
        if not NAMES.fullmatch(entry.filename):
            return f"it has an entry called {printable_line(entry.filename)!r}"
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            return f"{entry.filename} is no plain file"
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return f"{entry.filename} is encrypted or packed in a way that parity does not write"
    return None


def read_entry(archive: zipfile.ZipFile, name: str, *, limit: int) -> bytes:
    """Return an entry's content of at most `limit` bytes; raises `BadZipFile` where it has none or more."""
    entry = find_entry(archive, name)
    if entry is None or entry.file_size > limit:
        raise zipfile.BadZipFile(f"{name} is {'missing' if entry is None else 'too large'}")
    return archive.read(entry)


def find_entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo | None:
    """Return what an archive says of an entry; None where it has none of the name."""
    return archive.NameToInfo.get(name)


def hash_entry(archive: zipfile.ZipFile, name: str) -> str:
    """Return the SHA-256 of an entry's content; one whose checksum is wrong raises `BadZipFile`."""
    digest = hashlib.sha256()
    with archive.open(name) as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path) -> None:
    """Write an entry into a new file, readable by its owner alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with archive.open(entry) as source, os.fdopen(handle, "wb") as target:
        shutil.copyfileobj(source, target, _BLOCK)
