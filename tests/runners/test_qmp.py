"""The monitor of a real QEMU, which runs no guest: commands answered at once, later, never."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from parity.errors import MachineError
from runners.qemu.qmp import Monitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def qemu() -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    near, far = socket.socketpair()
    with far:
        command = (
            *("qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", "-S"),
            *("-chardev", f"socket,id=monitor,fd={far.fileno()}", "-mon", "chardev=monitor,mode=control"),
        )
        process = subprocess.Popen(command, pass_fds=[far.fileno()])
    try:
        yield process, near
    finally:
        process.kill()
        process.wait()
        near.close()


@pytest.fixture
def monitor(qemu: tuple[subprocess.Popen[bytes], socket.socket]) -> Iterator[Monitor]:
    _, near = qemu
    monitor = Monitor(near)
    try:
        monitor.connect()
        yield monitor
    finally:
        monitor.close()


def test_a_command_is_answered(monitor: Monitor) -> None:
    assert monitor.execute("query-status")["status"] == "prelaunch"


def test_what_was_sent_is_carried_out_in_order_and_answered_when_asked_for(monitor: Monitor) -> None:
    first = monitor.send("query-name")
    second = monitor.send("cont")
    assert monitor.execute("query-status")["running"]
    assert monitor.answer(second) == {}
    assert monitor.answer(first) == {}


def test_what_qemu_refuses_is_said_with_the_answer(monitor: Monitor) -> None:
    sent = monitor.send("no-such-command")
    with pytest.raises(MachineError, match=r"QEMU refused no-such-command: .*not been found"):
        monitor.answer(sent)


def test_a_qemu_that_dies_before_it_answers_is_told(
    qemu: tuple[subprocess.Popen[bytes], socket.socket], monitor: Monitor
) -> None:
    process, _ = qemu
    process.send_signal(signal.SIGSTOP)
    sent = monitor.send("query-status")
    process.kill()
    process.wait()
    with pytest.raises(MachineError, match="QEMU went away during query-status"):
        monitor.answer(sent)


def test_a_command_to_a_qemu_that_is_gone_fails_with_its_answer(
    qemu: tuple[subprocess.Popen[bytes], socket.socket], monitor: Monitor
) -> None:
    process, _ = qemu
    process.kill()
    process.wait()
    with pytest.raises(MachineError, match="QEMU went away during stop"):
        monitor.answer(monitor.send("stop"))


def test_a_qemu_that_does_not_answer_is_not_waited_for_longer_than_the_limit(
    qemu: tuple[subprocess.Popen[bytes], socket.socket],
) -> None:
    process, near = qemu
    monitor = Monitor(near, timeout_s=0.2)
    try:
        monitor.connect()
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(MachineError, match=r"QEMU did not answer query-name within 0.2 s"):
            monitor.answer(monitor.send("query-name"))
    finally:
        monitor.close()


def test_an_open_file_is_handed_over_under_its_name(monitor: Monitor, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        monitor.give(file.fileno(), "mine")
    assert monitor.execute("closefd", fdname="mine") == {}


def test_a_qemu_that_is_gone_takes_no_open_file(
    qemu: tuple[subprocess.Popen[bytes], socket.socket], monitor: Monitor, tmp_path: Path
) -> None:
    process, _ = qemu
    process.kill()
    process.wait()
    with (tmp_path / "file").open("wb") as file, pytest.raises(MachineError, match="QEMU went away"):
        monitor.give(file.fileno(), "mine")


@pytest.mark.parametrize("command", ["query-status", "no-such-command"])
@pytest.mark.parametrize("ended", [False, True])
def test_closing_with_answers_outstanding_says_nothing_and_leaves_nothing(
    qemu: tuple[subprocess.Popen[bytes], socket.socket],
    monitor: Monitor,
    caplog: pytest.LogCaptureFixture,
    command: str,
    *,
    ended: bool,
) -> None:
    process, near = qemu
    monitor.send(command)
    monitor.send("query-name")
    if ended:
        process.kill()
        process.wait()
    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        monitor.close()
        gc.collect()  # asyncio complains of a task's lost exception when the task is collected
    assert [record.message for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert near.fileno() == -1
