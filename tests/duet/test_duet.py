"""The sample kernel on both architectures, as its users run it."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from parity.configuration import load_configuration
from runners.machine.images import read_build_id
from tests.support.duet import ROOT, kernel, run_duet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.duet import Campaign

__all__ = ["kernel", "run_duet"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(420)]

ARCHITECTURES = ("aarch64", "x86_64")
NOT_PORTED_TO_AARCH64 = {  # kernel/README.md, "Known gaps": no socket calls
    "blocking_recv_test",
    "dns_test",
    "http_test",
    "nonblock_eagain_test",
    "tcp_blocking_test",
    "tcp_client_test",
    "tcp_socket_test",
    "udp_socket_test",
    "unix_named_socket_test",
    "unix_socket_test",
}
INAPPLICABLE = {"exec_from_ext2_test", "fbinfo_test"}
"""There is neither an ext2 file system nor a framebuffer."""


def test_every_test_that_applies_passes_on_x86_64(run: Callable[..., Campaign]) -> None:
    outcomes = run("--target", "x86_64").outcomes("x86_64")
    assert len(outcomes) == 80
    assert {test for test, outcome in outcomes.items() if outcome == "skip"} == INAPPLICABLE
    assert {test for test, outcome in outcomes.items() if outcome not in ("pass", "skip")} == set()


def test_aarch64_lacks_the_socket_calls_and_nothing_else(run: Callable[..., Campaign]) -> None:
    campaign = run("--target", "aarch64")
    outcomes = campaign.outcomes("aarch64")
    assert len(outcomes) == 80
    assert {test for test, outcome in outcomes.items() if outcome == "skip"} == INAPPLICABLE
    assert {
        test for test, outcome in outcomes.items() if outcome not in ("pass", "skip")
    } == NOT_PORTED_TO_AARCH64
    assert all("ENOSYS" in campaign.evidence("aarch64", test) for test in NOT_PORTED_TO_AARCH64)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_test_that_applies_passes_on_linux(run: Callable[..., Campaign], arch: str) -> None:
    outcomes = run("--target", f"linux-{arch}").outcomes(f"linux-{arch}")
    assert len(outcomes) == 80
    assert {test for test, outcome in outcomes.items() if outcome not in ("pass", "skip")} == set()
    assert "exec_from_ext2_test" in outcomes


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_one_boot_for_many_tests_gives_the_same_outcomes(run: Callable[..., Campaign], arch: str) -> None:
    tests = ("cow_*", "pipe*", "signal*", "waitpid_test", "fbinfo_test", "job_control_test")
    fresh = run(*tests, "--target", arch).outcomes(arch)
    shared = run(*tests, "--target", arch, "--isolation", "shared").outcomes(arch)
    assert shared == fresh


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_tests_named_on_the_command_line_give_the_same_outcomes(
    run: Callable[..., Campaign], arch: str
) -> None:
    def by_boot_argument(text: str) -> str:
        delivery = r"""
[defaults.delivery]
kind = "boot-arg"
append = "test={test} nonce={nonce}"
begin = '^\[begin {nonce} .*\]$'
end = '^\[end {nonce} (?:exit (?P<status>-?\d+)|signal (?P<signal>\d+))\]$'
"""
        return re.sub(r"\[defaults\.delivery\].*?(?=\n\[)", lambda _: delivery, text, flags=re.DOTALL)

    tests = ("fork_test", "false_test", "fbinfo_test")
    outcomes = run(*tests, "--target", arch, edit=by_boot_argument).outcomes(arch)
    assert outcomes == {"fork_test": "pass", "false_test": "pass", "fbinfo_test": "skip"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_ktap_suite_gives_the_same_outcomes(run: Callable[..., Campaign], arch: str) -> None:
    def by_suite(text: str) -> str:
        delivery = (
            '\n[defaults.delivery]\nkind = "suite"\nformat = "ktap"\nappend = "suite=1 tests={tests}"\n'
        )
        return re.sub(r"\[defaults\.delivery\].*?(?=\n\[)", lambda _: delivery, text, flags=re.DOTALL)

    tests = ("fork_test", "false_test", "fbinfo_test")
    outcomes = run(*tests, "--target", arch, edit=by_suite).outcomes(arch)
    assert outcomes == {"fork_test": "pass", "false_test": "pass", "fbinfo_test": "skip"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_guest_that_idles_at_its_prompt_is_soon_given_the_next_test(
    run: Callable[..., Campaign], arch: str
) -> None:
    def without_drain(text: str) -> str:
        return text.replace("drain_s = 0.005\n", "")

    arguments = ("true_test", "--repeat", "20", "--target", arch, "--isolation", "shared", "--jobs", "1")
    moments = [
        (datetime.fromisoformat(attempt["started_at"]).timestamp(), attempt["duration_s"])
        for attempt in run(*arguments, edit=without_drain).attempts
    ]
    gaps_s = [after - before - took_s for (before, took_s), (after, _) in itertools.pairwise(sorted(moments))]
    assert 0.03 <= min(gaps_s) < 0.2, "it is not the 0.2 s that a busy guest is given"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_image_tells_the_build_id_of_its_elf_file(kernel: Path, arch: str) -> None:
    build_id = read_build_id(kernel / "build" / arch / "duet.elf")
    assert build_id is not None
    image = kernel / "build" / arch / ("duet.img" if arch == "aarch64" else "duet.elf")
    assert bytes.fromhex(build_id) in image.read_bytes()


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_trace_symbols_have_the_agreed_sizes(kernel: Path, arch: str) -> None:
    with (kernel / "build" / arch / "duet.elf").open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        sizes = {symbol.name: symbol["st_size"] for symbol in symbols.iter_symbols()}
    assert sizes["TRACE_BUFFERS"] == 16 * 16448
    assert sizes["SYSCALL_TOTAL"] == sizes["IRQ_TOTAL"] == sizes["CTX_SWITCH_TOTAL"] == 1088
    assert sizes["TRACE_PROVIDERS"] == 16 * 8
    assert sizes["TRACE_ENABLED"] == sizes["TRACE_CPU0_WRITE_IDX"] == 8


def test_the_tests_listed_are_the_tests_there_are(kernel: Path) -> None:
    sources = {path.stem for path in (kernel / "user" / "tests").glob("*_test.c")}
    assert set(load_configuration(ROOT / "parity.toml").tests) == sources
