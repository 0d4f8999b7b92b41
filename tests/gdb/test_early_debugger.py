from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from gdb.debugger.debugger import Debugger
from gdb.debugger.early_debugger import EarlyDebugger
from parity.architecture import AARCH64
from parity.errors import GdbError, GdbRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from parity.deadline import Deadline


def real(deadline: Deadline) -> Debugger:
    return Debugger.start(None, AARCH64, deadline)


@pytest.fixture
def mute(tmp_path: Path) -> Callable[[Deadline], Debugger]:
    """Start a GDB that never answers."""
    program = tmp_path / "gdb"
    program.write_text(f"#!{sys.executable} -IS\nimport time\nwhile True: time.sleep(1)\n")
    program.chmod(0o755)
    return lambda deadline: Debugger.start(None, AARCH64, deadline, program=str(program))


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    threads = threading.active_count()
    yield
    assert threading.active_count() == threads
    assert psutil.Process().children() == []


def test_it_is_there_when_it_is_asked_for_and_gone_with_the_context() -> None:
    with EarlyDebugger(real) as early:
        debugger = early.await_ready(time.sleep)
        assert early.usable is debugger
        assert psutil.pid_exists(debugger.pid)
    assert not psutil.pid_exists(debugger.pid)


def test_one_that_never_answers_is_given_up_in_time(mute: Callable[[Deadline], Debugger]) -> None:
    began = time.monotonic()
    with EarlyDebugger(mute, within_s=0.5) as early, pytest.raises(GdbError, match="did not answer in time"):
        early.await_ready(time.sleep)
    assert early.usable is None
    assert time.monotonic() - began < 3


def test_leaving_does_not_wait_for_one_that_is_not_ready(mute: Callable[[Deadline], Debugger]) -> None:
    began = time.monotonic()
    with EarlyDebugger(mute, within_s=60):
        time.sleep(0.2)
    assert time.monotonic() - began < 3


def fail(early: EarlyDebugger, error: GdbError) -> None:
    """Let something go wrong that it was trusted with."""
    with pytest.raises(type(error)), early.trusted():
        raise error


def test_a_failure_ends_it_and_a_refusal_does_not() -> None:
    with EarlyDebugger(real) as early:
        debugger = early.await_ready(time.sleep)
        fail(early, GdbRefusedError(asked="this", said="no"))
        assert early.usable is debugger
        fail(early, GdbError(asked="that", said="it is gone"))
        assert not psutil.pid_exists(debugger.pid)
    assert early.usable is None
