"""A capture as plain files, for people and for a later diagnosis.

capture.json        everything but raw memory
memory/0x....bin    guest memory, a file per contiguous piece, named by its virtual address
core                an ELF core file, where one was asked for
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from gdb.captures.capture import Capture
from gdb.captures.capture_bounds import find_lie, impossible_number
from gdb.guest.memory import Block, RecordedMemory
from parity.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE_FILE: Final = "capture.json"
_VERSION: Final = 1
_CAPTURE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of capture.json; an honest one has a few hundred KiB."""
_MEMORY_FILE: Final = re.compile(r"(0x[0-9a-f]{1,16})\.bin")
_MEMORY_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of raw memory in one capture; no honest one has a tenth of it."""


def write_capture(folder: Path, capture: Capture) -> None:
    """Write a capture's files; raises `HarnessError` where that cannot be done."""
    try:
        memory = folder / "memory"
        memory.mkdir(mode=0o700, exist_ok=True)
        for block in RecordedMemory(capture.memory).blocks:
            (memory / f"{block.address:#x}.bin").write_bytes(block.content)
        text = _adapter().dump_json(replace(capture, memory=()), indent=1)
        (folder / CAPTURE_FILE).write_bytes(text)
    except OSError as error:
        raise HarnessError(
            f"cannot write the capture {folder}: {error.strerror}", hint="is the disk full?"
        ) from error


def read_capture(folder: Path) -> Capture:
    """Read a capture back; raises `UsageError` where it is none, or was written by a later parity."""
    file = folder / CAPTURE_FILE
    try:
        text = _read_plain(file, limit=_CAPTURE_LIMIT)
    except OSError as error:
        raise UsageError(f"{folder} is no capture: {CAPTURE_FILE} cannot be read: {_why(error)}") from error
    _refuse_later(file, text)
    try:
        capture = _adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{file}: {where or 'the whole'}: {first['msg']}") from error
    if (lie := find_lie(capture)) is not None:
        raise UsageError(f"{file}: {lie}")
    return replace(capture, memory=_read_memory(folder / "memory"))


def _refuse_later(file: Path, text: bytes) -> None:
    try:
        found = json.loads(text)
        version = found["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file}: it is not what `parity run` writes") from error
    if version != _VERSION:
        raise UsageError(f"{file}: its version is {version!r}, and this parity reads {_VERSION}")
    if (number := impossible_number(found)) is not None:
        raise UsageError(f"{file}: it has the number {number:.6g}, which no guest has")


def _read_memory(folder: Path) -> tuple[Block, ...]:
    if folder.is_symlink():
        raise UsageError(f"{folder}: it is a symbolic link")
    blocks: list[Block] = []
    left = _MEMORY_LIMIT
    for file in sorted(folder.glob("*.bin")) if folder.is_dir() else ():
        name = _MEMORY_FILE.fullmatch(file.name)
        if name is None:
            raise UsageError(f"{file}: its name is no address")
        try:
            block = Block(address=int(name[1], 16), content=_read_plain(file, limit=left))
        except OSError as error:
            raise UsageError(f"{file}: cannot be read: {_why(error)}") from error
        if block.address + len(block.content) > 1 << 64:
            raise UsageError(f"{file}: it reaches beyond the last address")
        left -= len(block.content)
        blocks.append(block)
    return tuple(sorted(blocks, key=lambda block: block.address))


def _read_plain(file: Path, *, limit: int) -> bytes:
    """Return a file's content; raises `OSError`, and `UsageError` for what is no plain file or has more than `limit`.

    A capture may come from elsewhere: a link in it could name any file of its reader's, a pipe never ends.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{file}: it is no plain file")
        content = stream.read(limit + 1) if found.st_size <= limit else None
    if content is None or len(content) > limit:
        raise UsageError(f"{file}: with it, the capture has more bytes than any that `parity run` writes")
    return content


def _why(error: OSError) -> str:
    return "it is a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)


@cache
def _adapter() -> TypeAdapter[Capture]:
    return TypeAdapter(Capture)
