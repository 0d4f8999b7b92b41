"""The files a target boots: found, checked, and frozen under the name of their content.

A build that runs meanwhile once swapped the image under a test runner. So a campaign boots from copies named by
their SHA-256, which later diagnosis finds again, and the hash in the results is that of what really ran.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from parity.configuration import fill
from parity.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parity.configuration import Configuration, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenFile:
    """A file's copy that nobody changes."""

    path: Path
    sha256: str


class ImageStore:
    """Content-named copies in one folder; the same content is stored once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def freeze(self, file: Path) -> FrozenFile:
        """Copy `file` into the store, unless its content is there already."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        os.close(descriptor)
        copy = Path(name)
        try:
            shutil.copyfile(file, copy)
            sha256 = hash_file(copy)  # of the copy: the original may change at any moment
            frozen = self._folder / sha256
            copy.chmod(0o400)
            copy.replace(frozen)
        finally:
            copy.unlink(missing_ok=True)
        return FrozenFile(path=frozen, sha256=sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetImages:
    """What a target boots for one test (the same for all tests, unless a path names `{test}`)."""

    kernel: FrozenFile | None
    initrd: FrozenFile | None
    symbols: FrozenFile | None
    disks: tuple[Path, ...]
    firmware_code: Path | None
    firmware_variables: Path | None
    build_id: str | None

    @property
    def sha256(self) -> str:
        """The hash of what was booted: the kernel image; of the first disk where firmware loads the kernel."""
        if self.kernel is not None:
            return self.kernel.sha256
        return hash_file(self.disks[0]) if self.disks else ""

    @property
    def inputs_sha256(self) -> str:
        """The hash of everything the guest is given: kernel, initial RAM disk, disks and firmware."""
        frozen = [file.sha256 for file in (self.kernel, self.initrd) if file is not None]
        firmware = [file for file in (self.firmware_code, self.firmware_variables) if file is not None]
        hashes = [*frozen, *(hash_file(file) for file in (*self.disks, *firmware))]
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def find_images(
    configuration: Configuration, name: str, target: Target, fields: Mapping[str, str], store: ImageStore
) -> TargetImages:
    """Resolve and freeze a target's files; raises `ConfigurationError` for one that is not there."""

    def resolve(key: str, path: str) -> Path:
        file = configuration.root / fill(path, fields)
        if not file.is_file():
            raise ConfigurationError(
                file=configuration.file,
                key=f"target.{name}.{key}",
                problem=f"there is no file {fill(path, fields)!r}",
                hint="build it first, or check `build`"
                if target.build
                else "build the kernel, or add a `build` command",
            )
        return file

    def frozen(key: str, path: str | None) -> FrozenFile | None:
        return None if path is None else store.freeze(resolve(key, path))

    kernel = frozen("kernel", target.kernel)
    symbols = frozen("symbols", target.symbols) or kernel
    return TargetImages(
        kernel=kernel,
        initrd=frozen("initrd", target.initrd),
        symbols=symbols,
        disks=tuple(resolve(f"disk.{number}.image", disk.image) for number, disk in enumerate(target.disk)),
        firmware_code=configuration.root / target.firmware.code if target.firmware else None,
        firmware_variables=(
            configuration.root / target.firmware.variables
            if target.firmware and target.firmware.variables
            else None
        ),
        build_id=read_build_id(symbols.path) if symbols else None,
    )


def read_build_id(file: Path) -> str | None:
    """Return the GNU build id of an ELF file in hexadecimal; None where it has none or is no ELF file."""
    with (
        contextlib.suppress(ELFError, OSError, ValueError, KeyError, UnicodeDecodeError),
        file.open("rb") as stream,
    ):
        for section in ELFFile(stream).iter_sections():
            if isinstance(section, NoteSection):
                for note in section.iter_notes():
                    if note["n_type"] == "NT_GNU_BUILD_ID":
                        return str(note["n_desc"])
    return None


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
