"""Stacks that GDB loses are found by their frame pointers, and nothing else is taken for one."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.captures.frame_chain import follow_chain, is_return_address, with_chain
from gdb.captures.kernel import Kernel, read_kernel
from gdb.guest.cpu_state import CpuState, Frame, Mode
from gdb.guest.memory import Block, RecordedMemory
from parity.configuration import HangRules
from tests.support.elf_writer import AARCH64, FUNCTION, X86_64, WrittenSegment, WrittenSymbol, write_elf

if TYPE_CHECKING:
    from pathlib import Path

CODE: Final = 0x1000
STACK: Final = 0x8000
NAMES: Final = ("read_inode", "lookup", "mkdir", "dispatch")
CALLS: Final = {"aarch64": struct.pack("<I", 0x94000010), "x86_64": b"\xe8\x10\0\0\0"}
MACHINES: Final = {"aarch64": AARCH64, "x86_64": X86_64}
FRAME_POINTERS: Final = {"aarch64": "x29", "x86_64": "rbp"}


@pytest.fixture(params=["aarch64", "x86_64"])
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def kernel(arch: str, tmp_path: Path) -> Kernel:
    """Return a kernel of functions that are 0x100 bytes long, each with one call that returns to its offset 0x40."""
    call = CALLS[arch]
    body = bytes(0x40 - len(call)) + call + bytes(0xC0)
    file = tmp_path / "kernel.elf"
    file.write_bytes(
        write_elf(
            machine=MACHINES[arch],
            symbols=[
                WrittenSymbol(name=name, address=CODE + 0x100 * n, size=0x100, kind=FUNCTION)
                for n, name in enumerate(NAMES)
            ],
            segments=[
                WrittenSegment(address=CODE, content=body * len(NAMES), flags=5),
                WrittenSegment(address=STACK, content=b"", memory_size=0x1000, flags=6),
            ],
        )
    )
    return read_kernel(file, HangRules())


def back_to(name: str) -> int:
    return CODE + 0x100 * NAMES.index(name) + 0x40


def stack_of(*records: tuple[int, int, int]) -> RecordedMemory:
    """Return memory with (where, the caller's frame pointer, return address) records."""
    content = bytearray(0x1000)
    for at, above, back in records:
        struct.pack_into("<QQ", content, at - STACK, above, back)
    return RecordedMemory([Block(address=STACK, content=bytes(content))])


WHOLE: Final = stack_of(
    (STACK + 0x10, STACK + 0x40, back_to("lookup")),
    (STACK + 0x40, STACK + 0x90, back_to("mkdir")),
    (STACK + 0x90, 0, back_to("dispatch")),
)


def test_a_chain_is_followed_to_its_end(kernel: Kernel, arch: str) -> None:
    assert follow_chain(WHOLE, STACK + 0x10, kernel, arch) == tuple(map(back_to, NAMES[1:]))


@pytest.mark.parametrize(
    "memory",
    [
        stack_of((STACK + 0x10, STACK + 0x40, back_to("lookup")), (STACK + 0x40, 0, back_to("mkdir") + 4)),
        stack_of((STACK + 0x10, STACK + 0x10, back_to("lookup"))),
        stack_of((STACK + 0x10, STACK, back_to("lookup")), (STACK, 0, back_to("mkdir"))),
        stack_of((STACK + 0x10, STACK + 0x41, back_to("lookup"))),
        stack_of((STACK + 0x10, STACK + 0x100_0000, back_to("lookup"))),
        stack_of((STACK + 0x10, STACK + 0x2000, back_to("lookup"))),
    ],
    ids=["no call before it", "a circle", "downwards", "askew", "too far", "not mapped"],
)
def test_a_chain_ends_where_it_is_none(kernel: Kernel, arch: str, memory: RecordedMemory) -> None:
    assert follow_chain(memory, STACK + 0x10, kernel, arch) == (back_to("lookup"),)


def test_a_register_that_is_no_frame_pointer_leads_nowhere(kernel: Kernel, arch: str) -> None:
    for value in (0, 7, STACK + 0x11, STACK + 0x20, 0x1234_5678, (1 << 64) - 8):
        assert follow_chain(WHOLE, value, kernel, arch) == ()


@given(content=st.binary(min_size=0x100, max_size=0x400), pointer=st.integers(0, 0x500))
def test_whatever_is_on_a_stack_a_chain_ends(content: bytes, pointer: int) -> None:
    memory = RecordedMemory([Block(address=STACK, content=content)])
    assert follow_chain(memory, STACK + pointer, _anything(), "x86_64") is not None


def test_calls_by_register_and_memory_leave_return_addresses(tmp_path: Path) -> None:
    after = {  # as clang's assembler writes them
        "aarch64": [struct.pack("<I", 0xD63F0100)],  # blr x8
        "x86_64": [
            b"\xff\xd0",
            b"\x41\xff\xd3",
            b"\xff\x50\x08",
            b"\xff\x15\x10\0\0\0",
            b"\xff\x94\xc8\0\x10\0\0",
        ],
    }
    for arch, calls in after.items():
        for call in calls:
            file = tmp_path / "kernel.elf"
            code = WrittenSegment(address=CODE, content=bytes(16) + call + bytes(16), flags=5)
            file.write_bytes(write_elf(machine=MACHINES[arch], segments=[code]))
            kernel = read_kernel(file, HangRules())
            assert is_return_address(kernel, CODE + 16 + len(call), arch), call
            assert not is_return_address(kernel, CODE + 16, arch), call
            assert not is_return_address(kernel, CODE + 4, arch), call


def lost(arch: str, *frames: Frame, mode: Mode = Mode.KERNEL) -> CpuState:
    return CpuState(
        cpu=0,
        halted=False,
        mode=mode,
        interrupts_masked=True,
        pc=CODE + 0x20,
        registers={FRAME_POINTERS[arch]: STACK + 0x10},
        frames=frames,
    )


INNERMOST: Final = Frame(level=0, address=CODE + 0x20, function="read_inode")
GARBAGE: Final = Frame(level=1, address=STACK + 0x40)


def test_a_stack_that_gdb_lost_is_completed(kernel: Kernel, arch: str) -> None:
    told = Frame(level=2, address=back_to("lookup"), function="lookup", file="fs.rs", line=9)
    found = with_chain(lost(arch, INNERMOST, GARBAGE, told), WHOLE, kernel, arch)
    assert [frame.function for frame in found.frames] == list(NAMES)
    assert [frame.level for frame in found.frames] == [0, 1, 2, 3]
    assert found.frames[1].line == 9


def test_what_gdb_found_before_it_was_lost_is_kept(kernel: Kernel, arch: str) -> None:
    caller = Frame(level=1, address=back_to("lookup"), function="lookup")
    inlined = replace(caller, level=2, function="with_lock")
    found = with_chain(lost(arch, INNERMOST, caller, inlined, replace(GARBAGE, level=3)), WHOLE, kernel, arch)
    assert [frame.function for frame in found.frames] == [
        "read_inode",
        "lookup",
        "with_lock",
        "mkdir",
        "dispatch",
    ]


def test_a_stack_that_gdb_did_not_lose_stays_as_it_is(kernel: Kernel, arch: str) -> None:
    end = Frame(level=1, address=0)
    whole = lost(arch, INNERMOST, end)
    assert with_chain(whole, WHOLE, kernel, arch) is whole
    user = lost(arch, INNERMOST, GARBAGE, mode=Mode.USER)
    assert with_chain(user, WHOLE, kernel, arch) is user
    without = lost(arch, INNERMOST, GARBAGE)
    assert with_chain(without, stack_of(), kernel, arch) is without


def _anything() -> Kernel:
    """Return a kernel in whose code everything follows a call."""

    class Code:
        elf = type(
            "Elf", (), {"machine": "x86_64", "read": staticmethod(lambda _address, _size: b"\xe8" * 8)}
        )
        base = 0

        @staticmethod
        def is_code(_address: int) -> bool:
            return True

    return Code()  # type: ignore[return-value]


def test_a_kernel_in_a_32_bit_elf_file_is_x86_64s_all_the_same(tmp_path: Path) -> None:
    """As QEMU's multiboot loader wants it."""
    file = tmp_path / "kernel.elf"
    code = bytes(16) + CALLS["x86_64"] + bytes(16)
    file.write_bytes(write_elf(machine=3, segments=[WrittenSegment(address=CODE, content=code, flags=5)]))
    kernel = read_kernel(file, HangRules())
    assert kernel.elf.machine == "EM_386"
    assert is_return_address(kernel, CODE + 16 + len(CALLS["x86_64"]), "x86_64")
    without = lost("x86_64", INNERMOST, GARBAGE)
    assert with_chain(without, stack_of(), kernel, "x86_64") is without
