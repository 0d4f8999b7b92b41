"""Processes of ours: in a session of their own, ended with their owner, reaped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parity.errors import MachineError
from runners.processes.process import ChildProcess

OWNER = """
import os, time
from runners.processes.process import ChildProcess
nothing = os.open(os.devnull, os.O_RDWR)
child = ChildProcess(["sleep", "60"], stdin=nothing, stdout=nothing, stderr=nothing)
time.sleep(0.5)
print(child.pid, flush=True)
time.sleep(60)
"""


def start(*command: str) -> ChildProcess:
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        return ChildProcess(command, stdin=nothing, stdout=nothing, stderr=nothing)
    finally:
        os.close(nothing)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, *, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not is_alive(pid)


def test_a_child_is_in_a_session_of_its_own_from_the_start() -> None:
    with start("sleep", "60") as child:
        assert os.getsid(child.pid) == child.pid


def test_leaving_the_context_ends_and_reaps_it() -> None:
    with start("sleep", "60") as child:
        pid = child.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    child = start("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    time.sleep(0.3)
    assert child.end() < 0


def test_ending_twice_is_harmless() -> None:
    child = start("true")
    assert child.wait(10) == 0
    assert child.end() == 0
    assert child.end() == 0


def test_a_program_that_is_not_there_ends_with_127() -> None:
    with start("/nowhere/at-all") as child:
        assert child.wait(10) == 127


def test_a_folder_that_is_not_there_is_a_machine_error(tmp_path: Path) -> None:
    with pytest.raises(MachineError):
        ChildProcess(["true"], stdin=0, stdout=1, stderr=2, folder=tmp_path / "missing")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the terminal's hangup ends it")
def test_a_child_dies_with_its_owner_even_when_that_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert is_alive(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert wait_until_gone(pid)
