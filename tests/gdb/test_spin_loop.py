from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.debugger.debugger import Debugger
from gdb.debugger.mi_text import rows
from gdb.debugger.spin_loop import Instruction, SpinLoop, find_spin_loop
from parity.architecture import ARCHITECTURES
from parity.deadline import Deadline
from parity.errors import GdbRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdb.guest.cpu_state import CpuState

LOCKS: Final = Path(__file__).with_name("locks") / "locks.c"
KINDS: Final = ("test_and_set", "test_and_test_and_set", "compare_and_swap", "bit", "ticket", "global")
COMPILERS: Final = {
    "aarch64-exclusives": ("aarch64", "-mno-outline-atomics"),
    "aarch64-atomics": ("aarch64", "-march=armv8.1-a"),
    "x86_64": ("x86_64", "-mno-red-zone"),
}

# duet's spin_lock as clang 14 compiles it at -O2 and GDB 13 prints it: the part that waits.
AARCH64: Final = """
0xffffff8040204fd4 mov w22, #0x1 // #1
0xffffff8040204fd8 mov x0, x19
0xffffff8040204fdc bl 0xffffff8040200220 <arch_interrupts_restore>
0xffffff8040204fe0 ldr w8, [x20]
0xffffff8040204fe4 cbz w8, 0xffffff8040204ffc <spin_lock+108>
0xffffff8040204fe8 bl 0xffffff8040204360 <panic_started>
0xffffff8040204fec tbnz w0, #0, 0xffffff8040205104 <spin_lock+372>
0xffffff8040204ff0 yield
0xffffff8040204ff4 ldr w8, [x20]
0xffffff8040204ff8 cbnz w8, 0xffffff8040204fe8 <spin_lock+88>
0xffffff8040204ffc bl 0xffffff8040200200 <arch_interrupts_save>
0xffffff8040205000 ldaxr w8, [x20]
0xffffff8040205004 stxr w9, w22, [x20]
0xffffff8040205008 cbnz w9, 0xffffff8040205000 <spin_lock+112>
0xffffff804020500c cbnz w8, 0xffffff8040204fd8 <spin_lock+72>
0xffffff8040205010 bl 0xffffff80402001c0 <arch_cpu_id>
"""
X86_64: Final = """
0xffffffff80205500 call 0xffffffff80200da0 <arch_interrupts_save>
0xffffffff80205505 mov $0x1,%eax
0xffffffff8020550a xchg %eax,(%rbx)
0xffffffff8020550c test %eax,%eax
0xffffffff8020550e je 0xffffffff80205537 <spin_lock+119>
0xffffffff80205510 mov %r14,%rdi
0xffffffff80205513 call 0xffffffff80200db0 <arch_interrupts_restore>
0xffffffff80205518 nopl 0x0(%rax,%rax,1)
0xffffffff80205520 mov (%rbx),%eax
0xffffffff80205522 test %eax,%eax
0xffffffff80205524 je 0xffffffff80205500 <spin_lock+64>
0xffffffff80205526 call 0xffffffff80204a80 <panic_started>
0xffffffff8020552b test %al,%al
0xffffffff8020552d jne 0xffffffff80205621 <spin_lock+353>
0xffffffff80205533 pause
0xffffffff80205535 jmp 0xffffffff80205520 <spin_lock+96>
0xffffffff80205560 mov $0x1,%eax
0xffffffff80205565 xchg %eax,0x5a075(%rip) # 0xffffffff8025f5e0 <names_locked>
0xffffffff8020556b test %eax,%eax
0xffffffff8020556d je 0xffffffff80205573 <spin_lock+179>
0xffffffff8020556f pause
0xffffffff80205571 jmp 0xffffffff80205560 <spin_lock+160>
"""


def listing(text: str) -> list[Instruction]:
    lines = [line.split(" ", 1) for line in text.strip().splitlines()]
    return [Instruction(address=int(address, 16), text=instruction) for address, instruction in lines]


def loop_of(*instructions: str, at: int = 0, registers: dict[str, int]) -> SpinLoop:
    """Return the loop of instructions at 0x1000, 0x1004 and so on; the last one branches back to the first."""
    code = [Instruction(address=0x1000 + 4 * n, text=text) for n, text in enumerate(instructions)]
    found = find_spin_loop(code, pc=0x1000 + 4 * at, registers=registers)
    assert found is not None
    return found


def test_the_loops_of_duets_lock_are_found_as_one_on_aarch64() -> None:
    found = find_spin_loop(listing(AARCH64), pc=0xFFFFFF8040204FF4, registers={"x20": 0x1230})
    assert found is not None
    assert (found.low, found.high) == (0xFFFFFF8040204FD8, 0xFFFFFF804020500C)
    assert [(o.text, o.address, o.is_atomic) for o in found.operands] == [("[x20]", 0x1230, True)]
    assert (found.has_call, found.has_wait, found.has_pause) == (True, False, True)


def test_samples_elsewhere_in_the_function_widen_the_loop() -> None:
    """At a retry of an exclusive store, the loop that the CPU is really in goes around it."""
    retry, wait = 0xFFFFFF8040205004, 0xFFFFFF8040204FF4
    alone = find_spin_loop(listing(AARCH64), pc=retry, registers={})
    seen = find_spin_loop(listing(AARCH64), pc=retry, samples=[wait, 0x99], registers={"x20": 0x40})
    assert alone is not None
    assert seen is not None
    assert (alone.low, alone.high) == (0xFFFFFF8040205000, 0xFFFFFF8040205008)
    assert (seen.low, seen.high) == (0xFFFFFF8040204FD8, 0xFFFFFF804020500C)
    assert seen.operands[0].is_atomic
    assert seen.operands[0].address == 0x40


def test_the_loops_of_duets_lock_are_found_as_one_on_x86_64() -> None:
    found = find_spin_loop(listing(X86_64), pc=0xFFFFFFFF8020552B, registers={"rbx": 0x1230})
    assert found is not None
    assert (found.low, found.high) == (0xFFFFFFFF80205500, 0xFFFFFFFF80205535)
    assert [(o.text, o.address, o.is_atomic) for o in found.operands] == [("(%rbx)", 0x1230, True)]


def test_a_loop_that_reads_and_the_one_that_tries_may_spell_their_variable_differently() -> None:
    """Rust's spin::Mutex of rustc 1.95, inlined: both addresses are relative to their instruction."""
    inlined = """
    0x1013f0 xor %eax,%eax
    0x1013f2 lock cmpxchg %dl,0x704e(%rip) # 0x108448 <ROOT_FS>
    0x1013fa jne 0x101402 <read_inode+34>
    0x1013fc jmp 0x10140f <read_inode+47>
    0x1013fe xchg %ax,%ax
    0x101400 pause
    0x101402 movzbl 0x703f(%rip),%eax # 0x108448 <ROOT_FS>
    0x101409 test %al,%al
    0x10140b jne 0x101400 <read_inode+32>
    0x10140d jmp 0x1013f0 <read_inode+16>
    """
    found = find_spin_loop(listing(textwrap.dedent(inlined)), pc=0x101402, registers={})
    assert found is not None
    assert (found.low, found.high) == (0x1013F0, 0x10140D)
    assert (found.operands[0].address, found.operands[0].is_atomic) == (0x108448, True)


def test_a_loop_around_one_that_reads_is_not_taken_for_a_lock_where_it_sets_something_else() -> None:
    found = loop_of(
        "ldadd x1, x2, [x9]",
        "ldr w8, [x3]",
        "cbnz w8, 0x1004 <f>",
        "b 0x1000 <f>",
        at=1,
        registers={"x3": 0x40},
    )
    assert (found.low, found.high) == (0x1004, 0x1008)


def test_an_address_relative_to_the_instruction_needs_no_register() -> None:
    found = find_spin_loop(listing(X86_64), pc=0xFFFFFFFF8020556D, registers={})
    assert found is not None
    assert (found.operands[0].address, found.operands[0].is_atomic) == (0xFFFFFFFF8025F5E0, True)


def test_where_there_is_no_loop_there_is_none() -> None:
    assert find_spin_loop(listing(AARCH64), pc=0xFFFFFF8040205010, registers={}) is None
    assert find_spin_loop([], pc=0, registers={}) is None


@pytest.mark.parametrize(("text", "branch"), [("wfi", "b 0x1000 <idle>"), ("hlt", "jmp 0x1000 <idle>")])
def test_a_loop_that_waits_for_interrupts_is_told_from_one_that_spins(text: str, branch: str) -> None:
    found = loop_of(text, branch, registers={})
    assert (found.has_wait, found.has_pause) == (True, False)


@pytest.mark.parametrize(
    "branch", ["b.ne 0x1000 <f> // b.any", "cbnz w8, 0x1000 <f>", "tbz w8, #3, 0x1000 <f>"]
)
@pytest.mark.parametrize(
    ("access", "address", "atomic"),
    [
        ("ldr w8, [x1]", 0x500, False),
        ("ldr w8, [x1, #16]", 0x510, False),
        ("ldur w8, [x1, #-8]", 0x4F8, False),
        ("ldar w8, [x1]", 0x500, True),
        ("ldaxrb w8, [x1]", 0x500, True),
        ("swpa w8, w9, [x1]", 0x500, True),
        ("casal x8, x9, [x1]", 0x500, True),
        ("ldaddal w8, w9, [x1]", 0x500, True),
        ("ldr x8, [x1, x2, lsl #3]", 0x580, False),
        ("ldr x8, [x1, w3, sxtw #2]", 0x4FC, False),
        ("ldr x8, [x1, w2, uxtw]", 0x510, False),
        ("ldr x1, [x1]", None, False),
        ("ldr x8, [x1], #8", None, False),
        ("ldr x8, [x7]", None, False),
    ],
)
def test_what_aarch64_accesses_is_found_by_its_registers(
    access: str, branch: str, address: int | None, *, atomic: bool
) -> None:
    found = loop_of(access, branch, registers={"x1": 0x500, "x2": 0x10, "x3": 0x5FFFFFFFF})
    assert [(operand.address, operand.is_atomic) for operand in found.operands] == [(address, atomic)]


@pytest.mark.parametrize("branch", ["jne 0x1000 <f>", "jmp 0x1000 <f+4>"])
@pytest.mark.parametrize(
    ("access", "address", "atomic"),
    [
        ("mov (%rcx),%eax", 0x500, False),
        ("mov 0x10(%rcx),%eax", 0x510, False),
        ("cmpl $0x0,-0x8(%rcx)", 0x4F8, False),
        ("xchg %eax,(%rcx)", 0x500, True),
        ("lock cmpxchg %edx,0x4(%rcx)", 0x504, True),
        ("lock btsl $0x0,(%rcx)", 0x500, True),
        ("mov (%rcx,%rdx,8),%rax", 0x580, False),
        ("mov 0x100(,%rdx,4),%rax", 0x140, False),
        ("mov %gs:0x10,%rax", 0x7010, False),
        ("mov %gs:0x8(%rdx),%rax", 0x7018, False),
        ("mov 0xffffffff80001000,%eax", 0xFFFFFFFF80001000, False),
        ("mov (%rcx),%rcx", None, False),
        ("mov (%rsi),%rax", None, False),
    ],
)
def test_what_x86_64_accesses_is_found_by_its_registers(
    access: str, branch: str, address: int | None, *, atomic: bool
) -> None:
    found = loop_of(access, branch, registers={"rcx": 0x500, "rdx": 0x10, "gs_base": 0x7000})
    assert [(operand.address, operand.is_atomic) for operand in found.operands] == [(address, atomic)]


def test_a_register_that_has_changed_since_names_no_address() -> None:
    body = ("ldr x8, [sp, #8]", "ldaxr w9, [x8]", "mov x8, #0x7", "cbnz w9, 0x1000 <f>")
    registers = {"x8": 0x500, "sp": 0x9000}
    before = loop_of(*body, at=1, registers=registers).operands
    after = loop_of(*body, at=3, registers=registers).operands
    assert [(operand.text, operand.address) for operand in before] == [("[x8]", 0x500), ("[sp, #8]", 0x9008)]
    assert after[0].address is None


def test_a_call_takes_the_registers_that_it_may() -> None:
    body = ("ldr w9, [x8]", "ldr w9, [x20]", "bl 0x5000 <relax>", "cbnz w9, 0x1000 <f>")
    found = loop_of(*body, at=1, registers={"x8": 0x500, "x20": 0x600}).operands
    assert {operand.text: operand.address for operand in found} == {"[x8]": 0x500, "[x20]": 0x600}
    found = loop_of("bl 0x5000 <relax>", *body, at=0, registers={"x8": 0x500, "x20": 0x600}).operands
    assert {operand.text: operand.address for operand in found}["[x20]"] == 0x600
    moved = ("mov x8, x20", "ldr w9, [x8]", "bl 0x5000 <relax>", "cbnz w9, 0x1000 <f>")
    assert loop_of(*moved, at=3, registers={"x8": 0x500}).operands[0].address is None


def test_names_with_brackets_and_commas_do_no_harm() -> None:
    name = "<<spin::Mutex<T, R> as core::ops::[drop]>::lock(u8, *const u8)+4>"
    assert loop_of("ldr w8, [x1]", f"cbnz w8, 0x1000 {name}", registers={"x1": 16}).operands[0].address == 16
    assert (
        loop_of(f"mov 0x4(%rip),%eax # 0x2000 {name}", "jmp 0x1000", registers={}).operands[0].address
        == 0x2000
    )


@given(
    st.lists(
        st.text(max_size=30)
        | st.text("bljmpcznetx0123 ,[]()#%$<>/.*wrs:", max_size=30)
        | st.sampled_from([line.split(" ", 1)[1] for line in (AARCH64 + X86_64).split("\n") if line]),
        max_size=20,
    ),
    st.integers(0, 100),
)
def test_any_text_is_taken(texts: list[str], pc: int) -> None:
    code = [Instruction(address=4 * number, text=text) for number, text in enumerate(texts)]
    code.append(Instruction(address=4 * len(texts), text="b 0x0"))
    found = find_spin_loop(code, pc=pc, registers={"x20": 1, "rbx": 2, "sp": 3})
    assert (found is not None) == (pc <= 4 * len(texts)) or found is not None
    for operand in found.operands if found is not None else ():
        assert operand.address is None or 0 <= operand.address < 1 << 64


def test_a_function_of_ten_thousand_instructions_takes_no_time() -> None:
    code = [
        Instruction(address=4 * number, text=f"ldaxr w{number % 28}, [x{number % 29}]")
        for number in range(10_000)
    ]
    code.append(Instruction(address=40_000, text="b 0x0"))
    began = time.monotonic()
    assert find_spin_loop(code, pc=20_000, registers={}) is not None
    assert time.monotonic() - began < 2


def soon() -> Deadline:
    return Deadline.after(20)


class Spinning:
    """The locks' program under a user-mode QEMU, in which GDB can enter each lock."""

    def __init__(self, debugger: Debugger, emulator: int) -> None:
        self.debugger = debugger
        self.emulator = emulator
        self._execute = debugger._session.execute

    def number(self, expression: str) -> int:
        answer = self._execute(f'-data-evaluate-expression "(unsigned long)({expression})"', soon())
        return int(str(answer["value"]))

    def enter(self, kind: str) -> None:
        self.debugger._session.console(f"set var $pc = (unsigned long)enter_{kind}", soon())

    def _is_stopped(self) -> bool:
        try:
            threads = rows(self._execute("-thread-info", soon())["threads"])
        except GdbRefusedError:  # "while the target is running"
            return False
        return all(row.get("state") == "stopped" for row in threads)

    def run(self) -> CpuState:
        """Let it spin for a moment, and return where it is then."""
        self._execute("-exec-continue", soon())
        time.sleep(0.02)
        os.kill(
            self.emulator, signal.SIGINT
        )  # user-mode QEMU looks for GDB's own interrupt at system calls alone
        deadline = soon()
        while not self._is_stopped():
            assert not deadline.expired
        (state,) = self.debugger.capture_cpus(soon()).cpus
        return state


@contextlib.contextmanager
def spinning(compiler: str, level: str, folder: Path) -> Iterator[Spinning]:
    arch, option = COMPILERS[compiler]
    program = folder / "locks"
    subprocess.run(
        [
            *("clang", f"--target={arch}-none-elf", "-g", level, option, "-ffreestanding", "-fno-pic"),
            *("-c", str(LOCKS), "-o", f"{program}.o"),
        ],
        check=True,
    )
    subprocess.run(["ld.lld", "-static", f"{program}.o", "-o", str(program)], check=True)
    stub = folder / "stub"
    command = [f"qemu-{arch}", "-cpu", "max", "-g", str(stub), str(program)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as emulator:
        try:
            deadline = soon()
            while not stub.exists():
                assert not deadline.expired
                time.sleep(0.01)
            with Debugger.start(program, ARCHITECTURES[arch], soon()) as debugger:
                debugger.attach(stub, soon())
                yield Spinning(debugger, emulator.pid)
        finally:
            emulator.kill()


@pytest.mark.qemu
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_lock_that_a_running_program_spins_on_is_found(compiler: str, level: str, tmp_path: Path) -> None:
    with spinning(compiler, level, tmp_path) as program:
        for kind in KINDS:
            program.enter(kind)
            lock = program.number(f"&the_lock.{'owner' if kind == 'ticket' else 'value'}")
            for _ in range(3):
                state = program.run()
                code = program.debugger.disassemble_function(state.pc, soon())
                found = find_spin_loop(code, pc=state.pc, registers=state.registers)
                where = f"{kind} at {state.pc:#x}: {found}"
                if found is None:  # unoptimized, it can be in the function that only pauses
                    assert level == "-O0", where
                    continue
                assert any(operand.address == lock for operand in found.operands) or level == "-O0", where
                assert {operand.address for operand in found.operands if operand.is_atomic} <= {lock, None}, (
                    where
                )
