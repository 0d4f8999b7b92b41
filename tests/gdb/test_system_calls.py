"""System calls by number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gdb.trace.system_calls import SYSTEM_CALL_NAMES, is_error, result_name, signed_result, system_call_name

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("architecture", "number", "name"),
    [
        ("x86_64", 0, "read"),
        ("aarch64", 63, "read"),
        ("x86_64", 61, "wait4"),
        ("aarch64", 260, "wait4"),
        ("x86_64", 231, "exit_group"),
        ("aarch64", 94, "exit_group"),
        ("x86_64", 334, "rseq"),
        ("x86_64", 424, "pidfd_send_signal"),
        ("aarch64", 281, "execveat"),
        ("aarch64", 450, "set_mempolicy_home_node"),
        ("x86_64", 450, "set_mempolicy_home_node"),
        ("aarch64", 250, "system call 250"),
        ("riscv64", 1, "system call 1"),
    ],
)
def test_a_call_is_named_as_its_architecture_numbers_it(architecture: str, number: int, name: str) -> None:
    assert system_call_name(architecture, number) == name


def test_a_kernels_own_numbers_come_first_and_are_made_printable() -> None:
    assert system_call_name("aarch64", 63, {63: "own\x07read"}) == r"own\x07read"
    assert system_call_name("aarch64", 64, {63: "own_read"}) == "write"


@pytest.mark.parametrize("architecture", HEADERS)
def test_the_tables_are_those_of_the_hosts_headers(architecture: str) -> None:
    if not HEADERS[architecture].exists():
        pytest.skip("the host has no Linux headers for it")
    header = HEADERS[architecture].read_text(encoding="utf-8")
    listed = {
        int(number): name
        for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)$", header, re.MULTILINE)
        if int(number) <= 450
        and int(number) not in range(403, 424)  # times of 64 bits, for 32-bit architectures
        and name not in ("syscalls", "arch_specific_syscall", "sync_file_range2")
    }
    ours = SYSTEM_CALL_NAMES[architecture]
    assert len(listed) > 300
    # The generic header calls by another name what 64-bit architectures call newfstatat.
    assert {number: name for number, name in listed.items() if ours.get(number) != name} in (
        {},
        {79: "fstatat"},
    )


def test_results_are_told_as_errors_small_numbers_or_addresses() -> None:
    assert result_name(signed_result(0xFFFFFFFE)) == "-ENOENT"
    assert result_name(-4000) == "-4000"
    assert result_name(17) == "17"
    assert result_name(signed_result(0xB6FFE000)) == "0xb6ffe000"
    assert [is_error(result) for result in (0, -1, -4095, -4096)] == [False, True, True, False]
