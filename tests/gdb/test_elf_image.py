"""Reading a kernel's ELF file, whole, damaged or hostile."""

import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.guest.memory import read_integer
from gdb.kernel_file.elf_image import ElfImage, read_elf
from parity.errors import UsageError
from tests.support.elf_writer import X86_64, WrittenSegment, WrittenSymbol, write_elf

ROOT = Path(__file__).parents[2]
WRITTEN = write_elf(
    symbols=[WrittenSymbol(name="counter", address=0x8000_0008, size=8)],
    segments=[
        WrittenSegment(
            address=0x8000_0000, content=b"abcdefgh" + bytes([7]), memory_size=64, physical_address=0x100
        ),
        WrittenSegment(address=0x8000_0040, content=b"next", flags=5),
    ],
    entry=0x8000_0040,
    build_id=bytes.fromhex("00112233aabb"),
)


def image_of(content: bytes) -> ElfImage:
    return ElfImage(io.BytesIO(content), name="written.elf")


def test_the_headers_say_what_the_kernel_is() -> None:
    image = image_of(WRITTEN)
    assert (image.machine, image.entry, image.is_position_independent) == ("aarch64", 0x8000_0040, False)
    assert image.build_id == "00112233aabb"
    first, second = image.segments
    assert (first.address, first.file_size, first.memory_size, first.is_executable) == (
        0x8000_0000,
        9,
        64,
        False,
    )
    assert (second.is_writable, second.is_executable) == (False, True)


def test_a_position_independent_kernel_is_known() -> None:
    image = image_of(write_elf(machine=X86_64, is_position_independent=True))
    assert (image.machine, image.is_position_independent, image.build_id) == ("x86_64", True, None)


def test_initial_data_is_read_at_link_addresses_with_zeros_after_what_the_file_has() -> None:
    image = image_of(WRITTEN)
    assert image.read(0x8000_0004, 8) == b"efgh\x07\0\0\0"
    assert read_integer(image, 0x8000_0008, 8) == 7


def test_a_read_runs_across_segments_that_touch_and_not_beyond() -> None:
    image = image_of(WRITTEN)
    assert image.read(0x8000_003E, 6) == b"\0\0next"
    assert image.read(0x8000_003E, 7) is None
    assert image.read(0x7FFF_FFFF, 2) is None


def test_a_link_address_has_the_physical_one_of_its_program_header() -> None:
    image = image_of(WRITTEN)
    assert image.physical(0x8000_0008) == 0x108
    assert image.physical(0x9000_0000) is None


def test_symbols_come_with_the_file() -> None:
    found = image_of(WRITTEN).symbols.find("counter")
    assert found is not None
    assert (found.address, found.size) == (0x8000_0008, 8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", ""),
        (b"#!/bin/sh\n", "ELF"),
        (b"\x7fELF", ""),
        (WRITTEN[:70], ""),
        (b"\x7fELF\2\2\1" + WRITTEN[7:], ""),
    ],
)
def test_what_is_no_elf_file_is_refused_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "kernel.img"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=rf"kernel\.img: .*{reason}"):
        read_elf(file)


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"kernel\.elf: cannot be read: No such file"):
        read_elf(tmp_path / "kernel.elf")


def test_a_count_of_segments_that_cannot_be_is_refused() -> None:
    content = bytearray(WRITTEN)
    content[56:58] = b"\xfe\xff"
    with pytest.raises(UsageError, match="segments"):
        image_of(bytes(content))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("elf")
    source, product = folder / "small.c", folder / "small.elf"
    source.write_text("struct s { int a; struct s *next; } first; int _start(void) { return first.a; }\n")
    subprocess.run(
        [
            *("clang", "-target", "x86_64-none-elf", "-g", "-ffreestanding", "-nostdlib", "-fuse-ld=lld"),
            *("-Wl,--build-id=sha1", "-o", product, source),
        ],
        check=True,
    )
    return product.read_bytes()


def test_a_linked_program_has_symbols_a_build_id_and_dwarf(compiled: bytes) -> None:
    image = image_of(compiled)
    assert image.symbols.find("first") is not None
    assert image.build_id is not None
    assert len(image.build_id) == 40
    assert image.dwarf is not None


@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_the_sample_kernel_is_read(arch: str) -> None:
    file = ROOT / "kernel" / "build" / arch / "duet.elf"
    if not file.exists():
        pytest.skip("the sample kernel is not built: make -C kernel")
    image = read_elf(file)
    rings = image.symbols.find("TRACE_BUFFERS")
    assert image.machine == arch
    assert rings is not None
    assert rings.size == 16 * 16448
    assert image.read(rings.address, 16) == bytes(16)


def _use(image: ElfImage) -> None:
    """Touch everything that reads the file."""
    _ = image.build_id, image.dwarf, image.symbols.at(image.entry), image.physical(image.entry)
    image.read(image.entry, 64)
    for segment in image.segments:
        image.read(segment.address, min(segment.memory_size, 4096))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(compiled: bytes, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([compiled, WRITTEN])))
    headers = st.one_of(st.integers(0, 0x200), st.integers(len(content) - 0x800, len(content) - 1))
    for at in data.draw(st.lists(headers, max_size=6)):
        content[at % len(content)] = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    try:
        image = image_of(bytes(content[:cut]))
    except UsageError:
        return
    _use(image)


@given(st.binary(max_size=300))
def test_any_bytes_behind_an_elf_header_are_read_or_refused(content: bytes) -> None:
    try:
        image = image_of(WRITTEN[:24] + content)
    except UsageError:
        return
    _use(image)
