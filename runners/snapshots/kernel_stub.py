"""A kernel image cut down to what QEMU looks at before it loads one: the same headers, next to no content.

For a QEMU that takes over a guest which another one has booted: it insists on a kernel like the first one's, never
runs it, and writes it into the guest's memory at every reset all the same (hw/core/loader.c, QEMU 7.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

if TYPE_CHECKING:
    from pathlib import Path

_ELF: Final = b"\x7fELF"
_FLAT_ARCHITECTURES: Final = ("aarch64",)
"""Where QEMU loads whatever it does not recognise as it is (hw/arm/boot.c, QEMU 7.2)."""
_PACKED: Final = (b"\x1f\x8b", b"\x27\x05\x19\x56", b"\xd0\x0d\xfe\xed")
"""How gzip, U-Boot's images and device trees begin, all of which are unpacked."""
_FLAT: Final = 64
"""Bytes of a flat image, which are the header of one for Linux's boot protocol (Documentation/arm64/booting.rst)."""
_HEAD: Final = 8192
"""Bytes in which a multiboot header lies (Multiboot 0.6.96, section 3.1)."""
_SEGMENT: Final = 16
"""Bytes that are left of what is loaded."""
_NOTES: Final = 64 * 1024
"""Bytes of notes that are kept; one of them says where a PVH kernel begins."""
_MOST_SEGMENTS: Final = 64
_BROKEN: Final = (ELFError, ConstructError, ValueError, KeyError, OverflowError, OSError)
"""What pyelftools 0.33 raises on broken files, and a host that is short of something."""


def make_stub(kernel: Path, architecture: str, stub: Path) -> bool:
    """Write a stand-in for `kernel` to `stub`; False, and no file, for one that none can be made of."""
    try:
        with kernel.open("rb") as image:
            head = image.read(_FLAT)
            if head.startswith(_ELF):
                _shrink_elf(image, stub)
                return True
        if architecture not in _FLAT_ARCHITECTURES or head.startswith(_PACKED) or len(head) < _FLAT:
            return False
        stub.write_bytes(head)
    except _BROKEN:
        stub.unlink(missing_ok=True)
        return False
    return True


def _shrink_elf(image: BinaryIO, stub: Path) -> None:
    """Keep the headers, the notes, and the begin of each segment where it was; no sections."""
    elf = ELFFile(image)
    header = elf.header
    if not 0 < header.e_phnum <= _MOST_SEGMENTS:
        raise ValueError("no kernel has so many segments")
    headers = [segment.header for segment in elf.iter_segments()]
    header.e_shoff = header.e_shnum = header.e_shstrndx = 0
    with stub.open("wb") as out:

        def keep(offset: int, size: int) -> None:
            image.seek(offset)
            out.seek(offset)
            out.write(image.read(size))

        keep(0, _HEAD)
        for segment in headers:
            if segment.p_type == "PT_LOAD":
                size = min(int(segment.p_filesz), int(segment.p_memsz), _SEGMENT)
                segment.p_filesz, segment.p_memsz = size, min(int(segment.p_memsz), _SEGMENT)
                keep(segment.p_offset, size)
            elif segment.p_type == "PT_NOTE" and segment.p_filesz <= _NOTES:
                keep(segment.p_offset, segment.p_filesz)
        for number, segment in enumerate(headers):
            out.seek(header.e_phoff + number * header.e_phentsize)
            out.write(elf.structs.Elf_Phdr.build(segment))
        out.seek(0)
        out.write(elf.structs.Elf_Ehdr.build(header))
