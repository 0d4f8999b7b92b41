from __future__ import annotations

import re
import struct
import subprocess
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.debugger.mi import find_gdb
from gdb.guest.core_file import PAGE, MappedMemory, find_mappings, map_core, read_memory_map
from parity.errors import HarnessError
from tests.gdb.booted import boot_duet
from tests.gdb.looking import look
from tests.support.duet import kernel

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["kernel"]

RAM: Final = 0x4000_0000


def core(pieces: dict[int, bytes]) -> bytes:
    """Return a core file with these pieces of physical memory."""
    rows, body, place = b"", b"", 64 + 56 * len(pieces)
    for physical, content in pieces.items():
        size = len(content)
        rows += struct.pack("<IIQQQQQQ", 1, 0, place + len(body), physical, physical, size, size, 0)
        body += content
    header = struct.pack(
        "<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 4, 183, 1, 0, 64, 0, 0, 64, 56, len(pieces), 0, 0, 0
    )
    return header + rows + body


def shown(file: Path) -> dict[int, bytes]:
    """Return what a core file shows at virtual addresses, by the ELF rules."""
    raw = file.read_bytes()
    at, count = struct.unpack_from("<Q", raw, 32)[0], struct.unpack_from("<H", raw, 56)[0]
    rows = [struct.unpack_from("<IIQQQQQQ", raw, at + 56 * number) for number in range(count)]
    return {row[3]: raw[row[2] : row[2] + row[5]] for row in rows}


def test_memory_is_shown_at_both_its_addresses(tmp_path: Path) -> None:
    file = tmp_path / "core"
    file.write_bytes(core({RAM: bytes(PAGE) + b"a" * PAGE, RAM + 0x10000: b"b" * PAGE}))
    assert read_memory_map(file) == ((RAM, 2 * PAGE), (RAM + 0x10000, PAGE))
    map_core(file, [MappedMemory(address=0xFFFF << 48, physical=RAM + PAGE, size=0x10000)])
    found = shown(file)
    assert found[RAM][PAGE:] == found[0xFFFF << 48] == b"a" * PAGE
    assert found[(0xFFFF << 48) + 0xF000] == b"b" * PAGE
    assert len(found) == 4


def test_what_the_core_does_not_have_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "core"
    file.write_bytes(core({RAM: bytes(PAGE)}))
    map_core(file, [MappedMemory(address=1 << 40, physical=0, size=PAGE)])
    assert list(shown(file)) == [RAM]


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: core({RAM: b"x"})[:64] + tail))
def test_what_is_no_core_file_is_told_and_left_alone(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    file = tmp_path_factory.mktemp("core") / "core"
    file.write_bytes(raw)
    try:
        map_core(file, [])
    except HarnessError:
        assert file.read_bytes() == raw


def test_all_memory_is_found_through_a_stack_where_both_ends_agree() -> None:
    offset, image = 0xFFFF << 48, 0xFFFF_FFFF_8000_0000

    def translate(page: int) -> int | None:
        if page >= image:
            return page - image + RAM
        return page - offset if RAM <= page - offset < RAM + 64 * PAGE else None

    found = find_mappings(
        translate,
        image=[(image, 3 * PAGE - 8)],
        stack_pointers=[offset + RAM + 40 * PAGE + 0x123],
        memory=[(RAM, 64 * PAGE), (0xFD00_0000, 64 * PAGE)],
    )
    assert MappedMemory(address=image, physical=RAM, size=3 * PAGE) in found
    assert MappedMemory(address=offset + RAM, physical=RAM, size=64 * PAGE) in found
    assert not any(mapping.physical >= 0xFD00_0000 for mapping in found)


def test_nothing_is_found_where_nothing_translates() -> None:
    none = find_mappings(lambda _page: None, image=[(0, PAGE)], stack_pointers=[5], memory=[(RAM, PAGE)])
    assert none == ()


@pytest.mark.qemu
@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_gdb_reads_the_kernels_variables_heap_and_stacks_out_of_a_core(
    kernel: Path, tmp_path: Path, arch: str
) -> None:
    file = tmp_path / "core"
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        time.sleep(0.3)
        capture = look(machine, kernel, arch, core=file)
        assert (capture.core, capture.missing) == ("core", ())
        assert capture.timestamp_hz
        assert machine.monitor.execute("query-status")["status"] == "running"
    words = ("p TRACE_ENABLED", "p TRACE_TIMESTAMP_HZ", "p all_threads->tid", "thread apply all backtrace 4")
    command = [find_gdb(), "--nx", "-batch", *(word for line in words for word in ("-ex", line))]
    said = subprocess.run(
        [*command, str(kernel / "build" / arch / "duet.elf"), str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    enabled, hz, tid = re.findall(r"^\$\d = (\d+)$", said, re.MULTILINE)
    assert (enabled, float(hz)) == ("1", capture.timestamp_hz)
    assert int(tid) > 0
    assert len(re.findall(r"^#1 .* in idle_loop ", said, re.MULTILINE)) == 4
