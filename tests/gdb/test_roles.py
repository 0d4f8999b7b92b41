"""What functions are there for, by their names."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.kernel_file.roles import Role, Roles, is_exception, short_name
from parity.configuration import HangRules

ROLES: Final = Roles.by(HangRules())


@pytest.mark.parametrize(
    ("function", "role"),
    [
        ("panic", Role.PANIC),
        ("core::panicking::panic_fmt", Role.PANIC),
        ("spin_lock", Role.LOCK),
        ("core::sync::atomic::AtomicBool::load", Role.LIBRARY),
        ("<core::option::Option<u8>>::map::<u8>", Role.LIBRARY),
        ("core::hint::spin_loop", Role.LIBRARY),
        ("coreutils::main", Role.OTHER),
        ("spin::mutex::Mutex<kernel::process::Manager>::lock", Role.LOCK),
        ("arch_wait_for_interrupt", Role.IDLE),
        ("kernel::interrupts::page_fault_handler", Role.INTERRUPT),
        ("handle_sync_exception", Role.INTERRUPT),
        ("trap_nmi", Role.INTERRUPT),
        ("rust_syscall_handler", Role.SYSTEM_CALL),
        ("SCHEDULE", Role.WAIT),
        ("create_at", Role.OTHER),
        ("fs_sync", Role.OTHER),
        ("", Role.OTHER),
        (None, Role.OTHER),
    ],
)
def test_a_name_tells_the_role(function: str | None, role: Role) -> None:
    assert ROLES.of(function) is role


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("a::B<c::D<u8>>::e::h0123456789abcdef", "a::B::e"),
        ("<kernel::sync::Mutex<kernel::fs::Root>>::lock", "kernel::sync::Mutex::lock"),
        ("<a::Guard<T> as core::ops::Deref<X = B<u8>>>::deref", "a::Guard::deref"),
        ("<&mut a::Queue<T> as core::iter::Iterator>::next", "a::Queue::next"),
        ("<<a::B as c::D>::E as f::G>::h", "a::B::E::h"),
        ("with::<fn(u8) -> u8, a::b::{closure:#0}>", "with"),
        ("a::with::<u8>::{closure#0}", "a::with::{closure#0}"),
        (
            "Kernel::Locker<Kernel::SpinLock>::lock(Kernel::SpinLock&, void (*)(int)) const",
            "Kernel::Locker::lock",
        ),
        ("(anonymous namespace)::probe()", "(anonymous namespace)::probe"),
        ("(anonymous namespace)", "(anonymous namespace)"),
        ("operator<", "operator<"),
        ("<", "<"),
        ("", ""),
    ],
)
def test_a_rust_name_is_shown_as_its_path(function: str, expected: str) -> None:
    assert short_name(function) == expected


@given(
    st.one_of(st.text(), st.from_regex(r"(<?[a-z&]*(::|<| as |>|\[[0-9a-f]+\]|->)){0,12}", fullmatch=True))
)
def test_a_short_name_is_never_empty_where_there_was_one(function: str) -> None:
    assert bool(short_name(function)) == bool(function)


def test_the_primitives_are_left_out_of_what_tells_stacks_apart() -> None:
    assert ROLES.canonical(["spin_lock", "create_at", "sys_mkdir", "syscall_dispatch"]) == (
        "create_at",
        "sys_mkdir",
    )


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        (("stop", "vector14"), True),
        (("page_fault_handler", "trap_entry"), True),
        (("isr2",), False),
        (("isr32", "trap"), False),
        (("sched_tick", "trap_from_kernel"), False),
        (("wake", "trap_from_kernel"), None),
        (("vector99999",), None),
        ((), None),
    ],
)
def test_exceptions_are_told_from_interrupts_where_names_allow(
    functions: tuple[str, ...], *, expected: bool | None
) -> None:
    assert is_exception(functions) is expected
