"""Small programs compiled for both architectures, as kernels are: freestanding, linked at a fixed address."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

ARCHITECTURES = ("aarch64", "x86_64")
_TEXT = "int _start(void) { return 0; }\n"


@cache
def compile_c(*sources: str, arch: str = "aarch64", options: tuple[str, ...] = ()) -> bytes:
    """Return the ELF file linked from these C sources, with DWARF (`options` can say `-gdwarf-4`, `-g0`)."""
    return _build((*sources, _TEXT), ".c", arch, ("-g", "-ffreestanding", "-std=gnu11", *options))


@cache
def compile_cxx(source: str, *, arch: str = "aarch64", options: tuple[str, ...] = ()) -> bytes:
    """Return the ELF file linked from a C++ source, as compile_c does."""
    own = ("-g", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-std=gnu++17")
    return _build((source, f'extern "C" {_TEXT}'), ".cc", arch, (*own, *options))


@cache
def compile_ir(source: str, *, arch: str = "aarch64") -> bytes:
    """Return the ELF file linked from LLVM's intermediate language: what C cannot say."""
    return _build((source,), ".ll", arch, ("-Wno-override-module",))


def _build(sources: tuple[str, ...], suffix: str, arch: str, options: tuple[str, ...]) -> bytes:
    with TemporaryDirectory() as folder:
        objects = []
        for number, source in enumerate(sources):
            file = Path(folder) / f"source{number}{suffix}"
            file.write_text(source, encoding="utf-8")
            subprocess.run(
                ["clang", "-target", f"{arch}-none-elf", *options, "-c", file, "-o", file.with_suffix(".o")],
                check=True,
            )
            objects.append(file.with_suffix(".o"))
        product = Path(folder) / "kernel.elf"
        subprocess.run(["ld.lld", "-e", "_start", "-o", product, *objects], check=True)
        return product.read_bytes()
