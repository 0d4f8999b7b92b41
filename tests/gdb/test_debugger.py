from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.debugger.debugger import (
    Debugger,
    _parse_arguments,
    _parse_frames,
    _parse_memory,
    _parse_registers,
    _parse_threads,
    _register_numbers,
)
from gdb.debugger.spin_loop import find_spin_loop
from gdb.guest.cpu_state import Mode
from parity.architecture import AARCH64, ARCHITECTURES
from parity.deadline import Deadline
from parity.errors import GdbError, GdbRefusedError
from tests.gdb.booted import boot_duet
from tests.support.duet import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gdb.booted import Booted

__all__ = ["kernel"]

NAMES: Final = sorted(ARCHITECTURES)
MI_VALUE: Final = st.recursive(
    st.sampled_from(["0", "7", "0x10", "-1", "??", "main", "CPU#1 [halted ]", "Thread 1.2", "\x1b[1m"])
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "level", "addr", "func", "args", "name", "value", "number"]), inner
        )
    ),
    max_leaves=12,
)
MI_KEYS: Final = ("threads", "register-names", "register-values", "stack", "stack-args", "memory")


def soon(seconds: float = 20) -> Deadline:
    return Deadline.after(seconds)


def elf(kernel: Path, arch: str) -> Path:
    return kernel / "build" / arch / "duet.elf"


def debugger(kernel: Path, arch: str, *, base: int = 0) -> Debugger:
    return Debugger.start(elf(kernel, arch), ARCHITECTURES[arch], soon(), base=base)


def functions(found: Any) -> list[str | None]:
    return [frame.function for frame in found.frames]


@contextlib.contextmanager
def stuck(arch: str, folder: Path, defect: str, *, cpus: int = 4) -> Iterator[Booted]:
    """Boot duet into one of its defects."""
    with boot_duet(arch, folder, cpus=cpus, append=f"defect={defect}") as machine:
        machine.expect("duet> ")
        machine.type("run n1 fork_test")
        machine.expect(r"\[begin n1 fork_test\]")
        time.sleep(1)
        yield machine


def entry(kernel: Path, arch: str) -> int:
    """Return where `spin_lock` begins."""
    with debugger(kernel, arch) as found:
        answer = found._session.execute('-data-evaluate-expression "(unsigned long)spin_lock"', soon())
    return int(str(answer["value"]))


@pytest.mark.parametrize("arch", NAMES)
def test_code_is_disassembled_from_the_elf_file_alone(kernel: Path, arch: str) -> None:
    start = entry(kernel, arch)
    with debugger(kernel, arch) as found:
        assert found.version.startswith("GNU gdb")
        whole = found.disassemble_function(start + 8, soon())
        assert whole[0].address == start
        assert found.disassemble(start, whole[3].address, soon()) == whole[:3]
        assert found.disassemble(0x1000, 0x1010, soon()) == ()
        assert found.disassemble_function(0x1000, soon()) == ()


@pytest.mark.parametrize("arch", NAMES)
def test_a_moved_kernels_code_is_where_it_was_moved_to(kernel: Path, arch: str) -> None:
    base = 0x10000000
    start = entry(kernel, arch)
    with debugger(kernel, arch) as unmoved, debugger(kernel, arch, base=base) as moved:
        here = unmoved.disassemble_function(start, soon())
        there = moved.disassemble_function(start + base, soon())
        assert [each.address + base for each in here] == [each.address for each in there]
        assert moved.disassemble_function(start, soon()) == ()


def test_an_elf_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GdbRefusedError, match="No such file"):
        Debugger.start(tmp_path / "none.elf", AARCH64, soon())


def test_garbage_for_an_elf_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "garbage.elf").write_bytes(os.urandom(4096))
    with pytest.raises(GdbRefusedError, match="not in executable format"):
        Debugger.start(tmp_path / "garbage.elf", AARCH64, soon())


def test_a_path_with_a_blank_is_taken(kernel: Path, tmp_path: Path) -> None:
    link = tmp_path / "my kernel.elf"
    link.symlink_to(elf(kernel, "aarch64"))
    for base in (0, 0x10000):
        with Debugger.start(link, AARCH64, soon(), base=base) as found:
            assert found.pid


def test_a_stub_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with Debugger.start(None, AARCH64, soon()) as found, pytest.raises(GdbError, match="No such file"):
        found.attach(tmp_path / "none", soon())
    assert time.monotonic() - began < 2


def test_memory_that_makes_no_sense_is_none() -> None:
    with Debugger.start(None, AARCH64, soon()) as found:
        assert found.read_memory(0, 0, soon()) is None
        assert found.read_memory(-1, 8, soon()) is None
        assert found.read_memory(0, 1 << 30, soon()) is None
        assert found.read_memory(0x1000, 8, soon()) is None


@given(st.dictionaries(st.sampled_from(MI_KEYS), MI_VALUE))
def test_whatever_gdb_answers_is_taken(answer: dict[str, Any]) -> None:
    _parse_threads(answer)
    _parse_registers(answer, _register_numbers(answer, ["main", "pc"]))
    _parse_frames(answer, _parse_arguments(answer))
    _parse_memory(answer, 0, 16)


def test_a_machine_that_names_its_cpus_otherwise_is_counted_by_thread() -> None:
    rows: Any = {"threads": [{"id": "2", "target-id": "Thread 1.2"}, {"id": "1", "target-id": "Thread 1.1"}]}
    assert [(found.thread, found.cpu, found.halted) for found in _parse_threads(rows)] == [
        ("1", 0, None),
        ("2", 1, None),
    ]


def test_memory_with_a_gap_is_none() -> None:
    rows: Any = {"memory": [{"begin": "0x10", "contents": "0102"}, {"begin": "0x12", "contents": "03"}]}
    assert _parse_memory(rows, 0x10, 3) == b"\1\2\3"
    assert _parse_memory(rows, 0x10, 4) is None
    assert _parse_memory({"memory": [rows["memory"][1]]}, 0x10, 1) is None


@pytest.mark.qemu
@pytest.mark.parametrize("arch", NAMES)
def test_every_cpu_is_read_and_the_guest_goes_on(kernel: Path, tmp_path: Path, arch: str) -> None:
    with boot_duet(arch, tmp_path) as machine, debugger(kernel, arch) as found:
        machine.expect("duet> ")
        time.sleep(0.5)
        stub = machine.open_stub()
        machine.monitor.events()
        began = time.monotonic()
        found.attach(stub, soon())
        stopped = found.capture_cpus(soon())
        found.detach(soon())
        pause_s = time.monotonic() - began
        assert stopped.missing == ()
        assert [state.cpu for state in stopped.cpus] == [0, 1, 2, 3]
        for state in stopped.cpus:
            assert (state.mode, state.halted) == (Mode.KERNEL, True)
            assert functions(state)[:2] == ["arch_wait_for_interrupt", "idle_loop"]
            assert state.frames[1].line
            assert state.frames[0].address == state.pc
        machine.type("echo still here")
        machine.expect("\nstill here")
        assert [event["event"] for event in machine.monitor.events()] == ["STOP", "RESUME"]
        assert pause_s < 0.5


@pytest.mark.qemu
def test_system_registers_are_read(kernel: Path, tmp_path: Path) -> None:
    wanted = {
        "aarch64": {
            "ESR_EL1",
            "FAR_EL1",
            "VBAR_EL1",
            "SCTLR_EL1",
            "CNTV_CTL_EL0",
            "CNTP_CVAL_EL0",
            "x30",
            "cpsr",
        },
        "x86_64": {"cr0", "cr2", "cr3", "efer", "gs_base", "eflags", "cs", "r15"},
    }
    for arch in NAMES:
        with boot_duet(arch, tmp_path, cpus=1) as machine, debugger(kernel, arch) as found:
            machine.expect("duet> ")
            found.attach(machine.open_stub(), soon())
            (state,) = found.capture_cpus(soon()).cpus
            assert wanted[arch] <= state.registers.keys()
            assert state.registers.get("SCTLR_EL1", 1) & 1
            assert state.registers.get("cr0", 1) & 1


@pytest.mark.qemu
@pytest.mark.parametrize("arch", NAMES)
def test_a_gdb_that_is_ended_lets_the_guest_go_on(kernel: Path, tmp_path: Path, arch: str) -> None:
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        with debugger(kernel, arch) as found:
            found.attach(machine.open_stub(), soon())
            assert machine.monitor.execute("query-status")["running"] is False
        assert machine.monitor.execute("query-status")["running"] is True
        machine.type("echo still here")
        machine.expect("\nstill here")


@pytest.mark.qemu
def test_a_qemu_that_stands_still_is_an_error_in_time(kernel: Path, tmp_path: Path) -> None:
    with boot_duet("aarch64", tmp_path, cpus=1) as machine, debugger(kernel, "aarch64") as found:
        stub = machine.open_stub()
        os.kill(machine.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(GdbError):
                found.attach(stub, soon(0.5))
            found.close()
        finally:
            os.kill(machine.process.pid, signal.SIGCONT)
        machine.expect("duet> ")


@pytest.mark.qemu
@pytest.mark.parametrize("arch", NAMES)
def test_of_a_cpu_in_user_mode_only_one_frame_is_believed(kernel: Path, tmp_path: Path, arch: str) -> None:
    with stuck(arch, tmp_path, "user-spin") as machine, debugger(kernel, arch) as found:
        enabled = found._session.execute('-data-evaluate-expression "(unsigned long)&TRACE_ENABLED"', soon())
        for _ in range(20):  # now and then that CPU is in its timer interrupt
            found.attach(machine.open_stub(), soon())
            stopped = found.capture_cpus(soon(), arguments=2)
            if any(state.mode is Mode.USER for state in stopped.cpus):
                break
            found.detach(soon())
            time.sleep(0.1)
        (user,) = (state for state in stopped.cpus if state.mode is Mode.USER)
        assert len(user.frames) == 1
        assert (user.halted, user.interrupts_masked) == (False, False)
        assert found.read_memory(int(str(enabled["value"])), 8, soon()) == bytes((1, *bytes(7)))
        found.detach(soon())


@pytest.mark.qemu
@pytest.mark.parametrize("arch", NAMES)
def test_a_spinning_cpus_stack_has_the_locks_address(kernel: Path, tmp_path: Path, arch: str) -> None:
    with stuck(arch, tmp_path, "self-deadlock") as machine, debugger(kernel, arch) as found:
        found.attach(machine.open_stub(), soon())
        stopped = found.capture_cpus(soon(), arguments=2)
        found.detach(soon())
        # Another CPU may wait for the lock as well: the one that holds it has the defect's code on its stack.
        waiting = [state for state in stopped.cpus if "spin_lock" in functions(state)]
        (spinning,) = (state for state in waiting if "hold_with_interrupts_on" in functions(state))
        assert spinning.interrupts_masked is True
        assert spinning.halted is False
        level = functions(spinning).index("spin_lock")
        assert level < 2
        argument = dict(spinning.frames[level].arguments)["lock"]
        assert "process_lock" in argument
        if level == 0:  # else it is in what the lock calls
            code = found.disassemble_function(spinning.pc, soon())
            loop = find_spin_loop(code, pc=spinning.pc, registers=spinning.registers)
            assert loop is not None
            assert f"{loop.operands[0].address:#x}" == argument.split()[0]
            assert loop.high - loop.low <= 64


def test_rust_names_are_shown_without_what_another_build_changes() -> None:
    names = ("kernel[67eb7090cc3ec402]::fs::open", "<kernel[1f]::Lock<[u8]>>::take", "table[3]", "a::b")
    stack: Any = [{"level": str(n), "addr": "0x10", "func": name} for n, name in enumerate(names)]
    shown = [frame.function for frame in _parse_frames({"stack": stack}, {})]
    assert shown == ["kernel::fs::open", "<kernel::Lock<[u8]>>::take", "table[3]", "a::b"]
