from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from gdb.captures.kernel import read_kernel
from parity.configuration import HangRules
from parity.errors import UsageError
from tests.support.duet import kernel
from tests.support.elf_writer import FUNCTION, OBJECT, WrittenSegment, WrittenSymbol, write_elf

if TYPE_CHECKING:
    from pathlib import Path

    from gdb.captures.kernel import Kernel

__all__ = ["kernel"]

CODE: Final = 0x1000
DATA: Final = 0x8000
RULES: Final = HangRules()


def small(folder: Path, *, base: int = 0, data: int = 0x100, moves: bool = False) -> Kernel:
    """Return a kernel with one function of 0x20 bytes, and writable variables."""
    file = folder / "kernel.elf"
    file.write_bytes(
        write_elf(
            symbols=(
                WrittenSymbol(name="main", address=CODE + 0x10, size=0x20, kind=FUNCTION),
                WrittenSymbol(
                    name="_ZN4core5panic17h0123456789abcdefE", address=CODE + 0x40, size=8, kind=FUNCTION
                ),
            ),
            segments=(
                WrittenSegment(address=CODE, content=bytes(0x100), flags=5),
                WrittenSegment(address=DATA, content=b"", memory_size=data, flags=6),
            ),
            is_position_independent=moves,
        )
    )
    return read_kernel(file, RULES, base=base)


@pytest.mark.parametrize("base", [0, 0x10_0000_0000])
def test_a_place_is_a_name_and_a_distance_where_the_kernel_runs(tmp_path: Path, base: int) -> None:
    kernel = small(tmp_path, base=base, moves=True)
    assert kernel.place(base + CODE + 0x10) == "main"
    assert kernel.place(base + CODE + 0x14) == "main+0x4"
    assert kernel.place(base + CODE + 0x40) == "core::panic"
    assert kernel.place(base + 0x5000) == ""
    assert kernel.place(CODE + 0x10) == ("main" if not base else "")
    assert kernel.function_range(base + CODE + 0x14) == (base + CODE + 0x10, base + CODE + 0x30)
    assert kernel.function_range(base + 0x5000) is None
    assert kernel.holds(base + CODE + 0xFF)
    assert not kernel.holds(base + DATA)
    assert kernel.data == ((base + DATA, 0x100),)


def test_variables_in_a_segment_that_may_be_executed_are_no_code(tmp_path: Path) -> None:
    symbols = (
        WrittenSymbol(name="main", address=CODE, size=0x20, kind=FUNCTION),
        WrittenSymbol(name="table", address=CODE + 0x40, size=0x20, kind=OBJECT),
    )
    file = tmp_path / "kernel.elf"
    segments = (WrittenSegment(address=CODE, content=bytes(0x100), flags=7),)
    file.write_bytes(write_elf(symbols=symbols, segments=segments))
    kernel = read_kernel(file, RULES)
    assert [kernel.is_code(CODE + at) for at in (0, 0x1F, 0x48, 0x80, 0x200)] == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_variables_too_many_to_be_read_whole_are_left_to_those_who_know_them(tmp_path: Path) -> None:
    assert small(tmp_path, data=5 << 20).data == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", bytes(range(256)) * 2, write_elf()[:40]],
    ids=["empty", "magic", "garbage", "cut"],
)
def test_what_is_no_elf_file_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "kernel.elf"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"kernel\.elf"):
        read_kernel(file, RULES)
    with pytest.raises(UsageError, match=r"none\.elf"):
        read_kernel(tmp_path / "none.elf", RULES)


@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_the_sample_kernel_tells_where_its_trace_is(kernel: Path, arch: str) -> None:
    found = read_kernel(kernel / "build" / arch / "duet.elf", RULES)
    rings = found.layout.rings
    assert rings is not None
    assert (rings.cpus, rings.capacity, rings.stride) == (16, 1024, 16448)
    assert any(start <= rings.address < start + size for start, size in found.data)
    assert found.place(rings.address) == "TRACE_BUFFERS"
