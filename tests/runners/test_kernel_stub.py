"""Stand-ins for kernels: what QEMU looks at is kept, what it would load is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from runners.snapshots.kernel_stub import make_stub
from tests.support.lab import ARCHITECTURES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

BUILT: Final = ROOT / "kernel" / "build"


def segments(file: Path) -> list[tuple[str, int, int, int, int]]:
    with file.open("rb") as stream:
        return [
            (s["p_type"], s["p_offset"], s["p_paddr"], s["p_filesz"], s["p_memsz"])
            for s in ELFFile(stream).iter_segments()
        ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_segment_stays_where_it_was_and_nothing_is_left_of_what_is_loaded(
    tmp_path: Path, architecture: str
) -> None:
    kernel, stub = BUILT / architecture / "duet.elf", tmp_path / "stub"
    assert make_stub(kernel, architecture, stub)
    before, after = segments(kernel), segments(stub)
    assert [segment[:3] for segment in after] == [segment[:3] for segment in before]
    assert {segment[3] for segment in after if segment[0] == "PT_LOAD"} <= set(range(17))
    assert {segment[4] for segment in after if segment[0] == "PT_LOAD"} <= set(range(17))
    assert stub.stat().st_size <= kernel.stat().st_size


def test_notes_are_kept_for_one_of_them_says_where_the_kernel_begins(tmp_path: Path) -> None:
    kernel, stub = BUILT / "x86_64" / "duet.elf", tmp_path / "stub"
    make_stub(kernel, "x86_64", stub)
    notes = [(offset, size) for kind, offset, _, size, _ in segments(kernel) if kind == "PT_NOTE"]
    assert notes
    for offset, size in notes:
        assert stub.read_bytes()[offset : offset + size] == kernel.read_bytes()[offset : offset + size]


def test_sections_are_left_out_with_the_debug_information(tmp_path: Path) -> None:
    stub = tmp_path / "stub"
    make_stub(BUILT / "aarch64" / "duet.elf", "aarch64", stub)
    with stub.open("rb") as stream:
        assert ELFFile(stream).num_sections() == 0


def test_a_flat_image_keeps_its_header(tmp_path: Path) -> None:
    kernel, stub = BUILT / "aarch64" / "duet.img", tmp_path / "stub"
    assert make_stub(kernel, "aarch64", stub)
    assert stub.read_bytes() == kernel.read_bytes()[:64]


@pytest.mark.parametrize(
    ("architecture", "content"),
    [
        ("aarch64", b"\x1f\x8b\x08" + bytes(100)),
        ("aarch64", b"\x27\x05\x19\x56" + bytes(100)),
        ("aarch64", b"\xd0\x0d\xfe\xed" + bytes(100)),
        ("aarch64", b"short"),
        ("aarch64", b""),
        ("x86_64", b"MZ" + bytes(0x800)),
        ("x86_64", b"\x7fELF"),
        ("x86_64", b"\x7fELF\x02\x01\x01" + bytes(57)),
    ],
)
def test_there_is_none_for_what_is_packed_unknown_or_broken(
    tmp_path: Path, architecture: str, content: bytes
) -> None:
    kernel, stub = tmp_path / "kernel", tmp_path / "stub"
    kernel.write_bytes(content)
    assert not make_stub(kernel, architecture, stub)
    assert not stub.exists()


@given(
    changes=st.dictionaries(st.integers(0, 63) | st.integers(0, 1023), st.integers(0, 255), max_size=8),
    kept=st.sampled_from((64, 300, 8000, 100_000)),
    architecture=st.sampled_from(ARCHITECTURES),
)
def test_no_damage_to_a_kernel_raises_or_makes_a_larger_one(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[int, int], kept: int, architecture: str
) -> None:
    folder = tmp_path_factory.mktemp("stub")
    with (BUILT / architecture / "duet.elf").open("rb") as whole:
        content = bytearray(whole.read(kept))
    for place, value in changes.items():
        content[place % kept] = value
    kernel, stub = folder / "kernel", folder / "stub"
    kernel.write_bytes(content)
    made = make_stub(kernel, architecture, stub)
    assert stub.exists() == made
    assert not made or stub.stat().st_blocks * 512 <= 256 * 1024
    kernel.unlink()
    stub.unlink(missing_ok=True)
