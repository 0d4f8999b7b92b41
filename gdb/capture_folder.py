"""A capture as plain files, for people and for a later diagnosis.

capture.json        everything but raw memory
memory/0x....bin    guest memory, a file per contiguous piece, named by its virtual address
core                an ELF core file, where one was asked for
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from gdb.capture import Capture
from gdb.memory import Block, RecordedMemory
from parity.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

CAPTURE_FILE: Final = "capture.json"
_VERSION: Final = 1
_MEMORY_FILE: Final = re.compile(r"(0x[0-9a-f]{1,16})\.bin")
_MEMORY_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of raw memory in one capture; no honest one has a tenth of it."""


@dataclass
class NewFolder:
    """A capture's folder while it is made: where it is now, and for good once the context has ended."""

    path: Path


@contextmanager
def new_folder(parent: Path, name: str) -> Iterator[NewFolder]:
    """Make `parent / name` (with a number where that is taken) under a temporary name: whole or not at all.

    Raises `HarnessError` where it cannot be made.
    """
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = NewFolder(Path(tempfile.mkdtemp(dir=parent, prefix=".writing-")))
    except OSError as error:
        raise HarnessError(f"cannot make a folder for a capture in {parent}: {error.strerror}") from error
    try:
        yield new
        new.path = _rename(new.path, parent / name)
    except BaseException:
        shutil.rmtree(new.path, ignore_errors=True)
        raise


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
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{folder} is no capture: {CAPTURE_FILE} cannot be read: {error.strerror}"
        ) from error
    _refuse_later(file, text)
    try:
        capture = _adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{file}: {where or 'the whole'}: {first['msg']}") from error
    return replace(capture, memory=_read_memory(folder / "memory"))


def _refuse_later(file: Path, text: bytes) -> None:
    try:
        version = json.loads(text)["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file}: it is not what `parity run` writes") from error
    if version != _VERSION:
        raise UsageError(f"{file}: its version is {version!r}, and this parity reads {_VERSION}")


def _read_memory(folder: Path) -> tuple[Block, ...]:
    blocks, total = [], 0
    for file in sorted(folder.glob("*.bin")) if folder.is_dir() else ():
        name = _MEMORY_FILE.fullmatch(file.name)
        if name is None:
            continue
        try:
            total += file.stat().st_size
            if total > _MEMORY_LIMIT:
                raise UsageError(f"{folder}: more than {_MEMORY_LIMIT >> 20} MiB of memory files")
            blocks.append(Block(address=int(name[1], 16), content=file.read_bytes()))
        except OSError as error:
            raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    return tuple(blocks)


def _rename(temporary: Path, wanted: Path) -> Path:
    for number in range(1, 1000):
        final = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if not final.exists():
            os.rename(temporary, final)  # noqa: PTH104 - must fail where a folder of that name has content
            return final
    raise HarnessError(f"there are a thousand captures called {wanted.name}")


@cache
def _adapter() -> TypeAdapter[Capture]:
    return TypeAdapter(Capture)
