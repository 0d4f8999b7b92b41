"""Captures of a real guest with a GDB, or what there is in its place."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from gdb.debugger.mi import find_gdb
from gdb.guest.cpu_state import Mode
from tests.gdb.booted import boot_duet
from tests.gdb.looking import look
from tests.support.duet import kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gdb.captures.capture import Capture
    from tests.gdb.booted import Booted

__all__ = ["kernel"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(120)]

ARCHITECTURES: Final = ("aarch64", "x86_64")
FAKES: Final = {
    "dies at once": ("sys.exit(3)", "it is gone"),
    "answers nothing": ("while True: time.sleep(1)", "did not answer in time"),
    "answers nothing and stays": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        "did not answer in time",
    ),
    "answers garbage": (
        "while True: os.write(1, os.urandom(64).replace(b'\\n', b'') + b'\\n'); time.sleep(0.01)",
        "gdb",
    ),
    "cuts its answers off": (
        "for line in sys.stdin: os.write(1, line.split('-')[0].encode() + b'^done,a=[\"x\\n')",
        "it answered with",
    ),
    "floods": ("while True: os.write(1, b'~\"words\"\\n' * 5000)", "did not answer in time"),
}
IN_MID_CAPTURE: Final = """
import gdb, os, signal
def strike(event):
    {what}
gdb.events.stop.connect(strike)
"""
"""For the real GDB: the guest has just stopped."""


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    threads = threading.active_count()
    descriptors = os.listdir("/proc/self/fd")  # noqa: PTH208 - a list of names is what is compared
    yield
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == len(descriptors)  # noqa: PTH208
    assert psutil.Process().children() == []


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in GDB's place."""

    def write(text: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "gdb-multiarch"
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return write


@pytest.fixture
def strike(install: Callable[[str], None], tmp_path: Path) -> Callable[[str], None]:
    """Have the real GDB do something once it has stopped the guest."""

    def hook(what: str) -> None:
        script = tmp_path / "strike.py"
        script.write_text(IN_MID_CAPTURE.format(what=what))
        install(f'#!/bin/sh\nexec {find_gdb()} "$@" -iex "source {script}"\n')

    return hook


def said(capture: Capture) -> str:
    return "\n".join(capture.missing)


def assert_goes_on(machine: Booted) -> None:
    """The guest runs, and nothing of the visit is left."""
    assert machine.monitor.execute("query-status")["status"] == "running"
    machine.type("echo still here")
    machine.expect("\nstill here")
    assert {child.pid for child in psutil.Process().children(recursive=True)} == {machine.process.pid}
    assert not {"gdb", "memory.part"} & {entry.name for entry in machine.folder.iterdir()}


def assert_has_what_the_monitor_gives(capture: Capture, *, kernel_known: bool = True) -> None:
    assert len(capture.samples) >= 8
    assert len(capture.progress) == 2
    assert [state.cpu for state in capture.cpus] == [0, 1, 2, 3]
    assert capture.qemu_states == ("running", "running")
    if kernel_known:
        assert capture.cpus[0].frames[0].function
        assert capture.counters
        assert capture.layout is not None
        assert capture.memory


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_capture_has_everything_and_its_pause_is_by_qemus_own_clock(
    kernel: Path, tmp_path: Path, arch: str
) -> None:
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        before = len(machine.monitor.events())
        capture = look(machine, kernel, arch)
        assert capture.missing == ()
        assert capture.debugger.startswith("GNU gdb")
        assert_has_what_the_monitor_gives(capture)
        assert all(len(state.frames) > 1 for state in capture.cpus if state.mode is Mode.KERNEL)
        assert len(capture.innermost) == 4
        assert {state.pc for state in capture.cpus} <= (capture.places or {}).keys()
        stopped, resumed = machine.monitor.events()[before:]
        assert (stopped["event"], resumed["event"]) == ("STOP", "RESUME")
        times = [e["timestamp"]["seconds"] + e["timestamp"]["microseconds"] / 1e6 for e in (stopped, resumed)]
        assert capture.pause_s == pytest.approx(times[1] - times[0], abs=1e-6)
        assert 0 < capture.pause_s < capture.took_s
        assert_goes_on(machine)


@pytest.mark.parametrize("name", FAKES)
def test_a_gdb_that_is_none_costs_its_part_alone_and_little_time(
    kernel: Path, tmp_path: Path, install: Callable[[str], None], name: str
) -> None:
    body, why = FAKES[name]
    install(f"#!{sys.executable} -IS\nimport os, signal, sys, time\n{textwrap.dedent(body)}\n")
    with boot_duet("x86_64", tmp_path) as machine:
        machine.expect("duet> ")
        began = time.monotonic()
        capture = look(machine, kernel, "x86_64")
        assert time.monotonic() - began < 20
        assert_has_what_the_monitor_gives(capture)
        assert "what GDB can tell: gdb: " in said(capture)
        assert why in said(capture)
        assert capture.pause_s == 0
        assert_goes_on(machine)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_without_gdb_the_monitor_tells_what_it_can(
    kernel: Path, tmp_path: Path, arch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = shutil.which(f"qemu-system-{arch}")
    assert program is not None
    (folder / f"qemu-system-{arch}").symlink_to(program)
    monkeypatch.setenv("PATH", str(folder))
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        capture = look(machine, kernel, arch)
        assert_has_what_the_monitor_gives(capture)
        assert said(capture) == "what GDB can tell: gdb: start: no gdb is installed"
        assert capture.debugger == ""
        assert_goes_on(machine)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("fate", [("SIGKILL", "it is gone"), ("SIGSTOP", "did not answer in time")])
def test_a_gdb_that_dies_or_hangs_while_the_guest_is_stopped_does_not_leave_it_so(
    kernel: Path, tmp_path: Path, strike: Callable[[str], None], arch: str, fate: tuple[str, str]
) -> None:
    number, why = fate
    strike(f"os.kill(os.getpid(), signal.{number})")
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        began = time.monotonic()
        capture = look(machine, kernel, arch)
        assert time.monotonic() - began < 15
        assert_has_what_the_monitor_gives(capture)
        assert why in said(capture)
        assert capture.debugger.startswith("GNU gdb")
        assert capture.pause_s > 0
        assert_goes_on(machine)


def test_a_qemu_that_dies_under_the_debugger_leaves_what_was_seen(
    kernel: Path, tmp_path: Path, strike: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    strike("os.kill(int(os.environ['VICTIM']), signal.SIGKILL)")
    with boot_duet("aarch64", tmp_path) as machine:
        machine.expect("duet> ")
        monkeypatch.setenv("VICTIM", str(machine.process.pid))
        began = time.monotonic()
        capture = look(machine, kernel, "aarch64")
        assert time.monotonic() - began < 15
        assert len(capture.samples) == 8
        assert "the end of QEMU's stub: QEMU went away" in said(capture)
        assert machine.process.wait(1) == -signal.SIGKILL
    assert not (tmp_path / "gdb").exists()


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_qemu_that_dies_among_the_samples_ends_the_capture_soon(
    kernel: Path, tmp_path: Path, arch: str
) -> None:
    waits = iter(range(1000))

    def wait(seconds: float) -> None:
        time.sleep(seconds)
        if next(waits) == 2:
            os.kill(machine.process.pid, signal.SIGKILL)

    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        began = time.monotonic()
        capture = look(machine, kernel, arch, wait=wait)
        assert time.monotonic() - began < 10
        assert 0 < len(capture.samples) < 8
        assert "the registers of the running guest: QEMU went away" in said(capture)
        assert [state.cpu for state in capture.cpus] == [0, 1, 2, 3]


@pytest.mark.parametrize("moment", [0, 4, 12])
def test_who_asks_for_an_end_gets_it_at_once_and_nothing_is_left(
    kernel: Path, tmp_path: Path, install: Callable[[str], None], moment: int
) -> None:
    class EnoughError(Exception):
        pass

    waits = iter(range(1000))

    def wait(seconds: float) -> None:
        if next(waits) == moment:
            asked.append(time.monotonic())
            raise EnoughError
        time.sleep(seconds)

    asked: list[float] = []
    install(f"#!{sys.executable} -IS\nimport time\nwhile True: time.sleep(1)\n")
    with boot_duet("x86_64", tmp_path) as machine:
        machine.expect("duet> ")
        with pytest.raises(EnoughError):
            look(machine, kernel, "x86_64", wait=wait)
        assert time.monotonic() - asked[0] < 3
        assert_goes_on(machine)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("what", ["missing", "garbage", "empty", "other"])
def test_a_bad_elf_file_costs_the_symbols_alone(kernel: Path, tmp_path: Path, arch: str, what: str) -> None:
    other = {"aarch64": "x86_64", "x86_64": "aarch64"}[arch]
    symbols = tmp_path / "kernel.elf"
    match what:
        case "garbage":
            symbols.write_bytes(os.urandom(4096))
        case "empty":
            symbols.touch()
        case "other":
            shutil.copyfile(kernel / "build" / other / "duet.elf", symbols)
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        capture = look(machine, kernel, arch, symbols=symbols)
        assert_has_what_the_monitor_gives(capture, kernel_known=False)
        assert re.search(r"the kernel's ELF file: .*kernel\.elf", said(capture))
        assert capture.debugger.startswith("GNU gdb")
        assert len(capture.cpus[0].registers) > 20
        assert (capture.layout, capture.memory) == (None, ())
        assert_goes_on(machine)


def test_a_guest_that_was_paused_before_stays_so(kernel: Path, tmp_path: Path) -> None:
    with boot_duet("x86_64", tmp_path) as machine:
        machine.expect("duet> ")
        machine.monitor.execute("stop")
        capture = look(machine, kernel, "x86_64")
        assert capture.qemu_states == ("paused", "paused")
