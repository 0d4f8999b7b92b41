from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from gdb.captures.capture import Capture, Subject
from gdb.captures.kernel import read_kernel
from gdb.captures.look_up import look_up_innermost, name_places, why_unnamed, without_data
from gdb.debugger.debugger import Debugger
from gdb.guest.cpu_state import CpuState, Frame, Mode
from gdb.kernel_file.roles import Roles
from gdb.scheduler.scheduler_state import LockState
from parity.architecture import ARCHITECTURES
from parity.configuration import HangRules
from parity.deadline import Deadline
from tests.support.duet import kernel

if TYPE_CHECKING:
    from pathlib import Path

    from gdb.captures.kernel import Kernel

__all__ = ["kernel"]

RULES: Final = HangRules()
ROLES: Final = Roles.by(RULES)
ON: Final = {"aarch64": {"SCTLR_EL1": 1}, "x86_64": {"cr0": 1 << 31}}


@pytest.fixture(params=["aarch64", "x86_64"])
def known(request: pytest.FixtureRequest, kernel: Path) -> tuple[str, Kernel]:
    arch = str(request.param)
    return arch, read_kernel(kernel / "build" / arch / "duet.elf", RULES)


def frame(level: int, function: str, **arguments: str) -> Frame:
    return Frame(level=level, address=0, function=function, arguments=tuple(arguments.items()))


def captured(arch: str, pc: int, *frames: Frame, mode: Mode = Mode.KERNEL) -> Capture:
    state = CpuState(
        cpu=0, halted=False, mode=mode, interrupts_masked=True, pc=pc, registers=ON[arch], frames=frames
    )
    subject = Subject(test="t", target=arch, arch=arch, cpus=1, ending="quiet", waited_s=1.0, taken_at="now")
    return Capture(subject=subject, cpus=(state,))


def address(kernel: Kernel, name: str) -> int:
    found = kernel.symbols.find(name)
    assert found is not None
    return found.address


def test_the_loop_that_a_cpu_spins_in_is_found_in_the_elf_file(known: tuple[str, Kernel]) -> None:
    arch, kernel = known
    with Debugger.start(kernel.path, ARCHITECTURES[arch], Deadline.after(20)) as debugger:
        start = address(kernel, "spin_lock")
        code = debugger.disassemble_function(start, Deadline.after(10))
        loops = [
            innermost.loop
            for instruction in code
            for innermost in look_up_innermost(captured(arch, instruction.address), kernel, ROLES, debugger)
        ]
        assert any(loop is not None and loop.low >= start for loop in loops)
        assert look_up_innermost(captured(arch, 0x1000), kernel, ROLES, debugger)[0].loop is None


def test_without_a_debugger_there_are_pointers_and_no_loops(known: tuple[str, Kernel]) -> None:
    arch, kernel = known
    stack = (
        frame(0, "arch_relax"),
        frame(1, "spin_lock", lock="0xffff800012345678 <a_lock>", flags="7"),
        frame(2, "create_at", path='0xffff8000aaaaaaaa "/x"'),
    )
    (found,) = look_up_innermost(captured(arch, address(kernel, "spin_lock"), *stack), kernel, ROLES, None)
    assert found.loop is None
    assert found.pointers == {
        "spin_lock.lock": 0xFFFF800012345678,
        "create_at.path": 0xFFFF8000AAAAAAAA,
    }


def test_a_cpu_in_user_mode_is_not_looked_up(known: tuple[str, Kernel]) -> None:
    arch, kernel = known
    assert look_up_innermost(captured(arch, 0x400000, mode=Mode.USER), kernel, ROLES, None) == ()


def test_every_address_that_is_shown_gets_its_name(known: tuple[str, Kernel]) -> None:
    arch, kernel = known
    pc, data = address(kernel, "spin_lock") + 4, address(kernel, "TRACE_ENABLED")
    lock = LockState(name="", address=data, symbol="", held=True, holder=None, size=8)
    capture = replace(captured(arch, pc), locks=(lock,))
    assert name_places(capture, kernel) == {pc: "spin_lock+0x4", data: "TRACE_ENABLED"}


def test_why_nothing_has_a_name_is_told(known: tuple[str, Kernel]) -> None:
    arch, kernel = known
    inside, outside = captured(arch, address(kernel, "spin_lock")), captured(arch, 0x1234)
    assert why_unnamed(inside, kernel) == ()
    assert "there is no ELF file" in why_unnamed(inside, None)[0]
    (said,) = why_unnamed(outside, kernel)
    assert "the kernel runs at 0x1234, where its ELF file has no code: it is another file" in said


def test_a_frame_in_a_variable_has_no_name(known: tuple[str, Kernel]) -> None:
    arch, kernel = known
    places = ("spin_lock", "TRACE_BUFFERS", "kernel_main")
    frames = tuple(
        Frame(level=n, address=address(kernel, name), function=name, file="f.c", line=1)
        for n, name in enumerate(places)
    )
    (state,) = without_data(captured(arch, frames[0].address, *frames).cpus, kernel)
    assert [frame.function for frame in state.frames] == ["spin_lock", None, "kernel_main"]
    assert [frame.file for frame in state.frames] == ["f.c", None, "f.c"]
