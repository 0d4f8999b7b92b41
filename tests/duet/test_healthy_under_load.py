"""A shortened form of `python -m tests.duet.healthy_under_load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.duet.healthy_under_load import ARCHITECTURES, run_loaded
from tests.support.duet import kernel

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["kernel"]

TESTS = (
    *("alarm_test", "cat_test", "cow_stress_test", "fork_test", "fs_large_file_test", "itimer_test"),
    *("nonblock_test", "pause_test", "pipe_concurrent_test", "shell_pipe_test", "sigsuspend_test"),
    "wnohang_timing_test",
)
"""Those that sleep, compute, or wait for others."""


@pytest.mark.qemu
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("kernel")
def test_a_healthy_guest_on_a_busy_host_is_never_called_stuck(tmp_path: Path) -> None:
    found = run_loaded(tmp_path / "run", TESTS)
    assert len(found.attempts) == len(TESTS) * len(ARCHITECTURES)
    assert found.looked_into == ()
    assert found.captures == ()
    assert {attempt["outcome"] for attempt in found.attempts} == {"pass"}
