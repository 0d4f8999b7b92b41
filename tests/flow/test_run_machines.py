"""QEMU that cannot start, is missing, or is killed; images swapped under a run; nothing left behind."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from parity.attempt import Isolation
from parity.campaign import CampaignState
from parity.errors import MachineError
from parity.flow.campaign.work import Finished
from parity.outcome import Outcome
from runners.machine.scratch import scratch_root
from tests.support.lab import ARCHITECTURES, Lab, Watcher, evidence, outcomes

if TYPE_CHECKING:
    from parity.flow.campaign.work import Event

pytestmark = pytest.mark.qemu


class Killer(Watcher):
    """Kills QEMU once its guest has printed a word."""

    def __init__(self, word: bytes, signal_name: str) -> None:
        super().__init__()
        self._word, self._signal_name = word, signal_name

    def happened(self, event: Event | None) -> None:
        super().happened(event)
        try:
            logs = scratch_root().glob(f"parity-{os.getpid()}-*/*/console.log")
            if any(self._word in log.read_bytes() for log in logs):
                for child in psutil.Process().children():
                    getattr(child, self._signal_name)()
        except (psutil.Error, OSError):
            pass  # it was over before we looked


class Swapper(Watcher):
    """Breaks the kernel image once the first test is over."""

    def __init__(self, image: Path) -> None:
        super().__init__()
        self._image = image

    def happened(self, event: Event | None) -> None:
        super().happened(event)
        if isinstance(event, Finished):
            self._image.write_bytes(b"half-written by a concurrent build")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("signal_name", ["kill", "terminate"])
def test_a_qemu_killed_from_outside_is_an_error_and_the_next_test_is_unharmed(
    lab: Lab, architecture: str, signal_name: str
) -> None:
    configuration = lab.write("spin", "pass", architectures=[architecture])
    summary = lab.run(
        configuration, isolation=Isolation.SHARED, watcher=Killer(b"about to spin", signal_name)
    )
    assert list(outcomes(summary).values()) == [Outcome.ERROR, Outcome.PASS]
    assert "from outside" in summary.attempts[0].verdict.evidence[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_image_of_the_runs_begin_is_what_boots(lab: Lab, architecture: str) -> None:
    image = lab.folder / "kernel.elf"
    shutil.copy(lab.guest / f"guest-{architecture}.elf", image)
    configuration = lab.write("pass", "skip", architectures=[architecture], kernel="kernel.elf")
    summary = lab.run(configuration, watcher=Swapper(image))
    assert list(outcomes(summary).values()) == [Outcome.PASS, Outcome.SKIP]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_qemu_that_refuses_an_option_is_quoted_and_the_rest_is_left_for_later(
    lab: Lab, architecture: str
) -> None:
    configuration = lab.write("pass", "skip", architectures=[architecture], arguments=', "-no-such-option"')
    summary = lab.run(configuration)
    assert summary.state is CampaignState.FAILED
    assert summary.harness_failed
    assert "no-such-option: invalid option" in summary.lost[0].error.message
    assert "no-such-option" in evidence(summary)
    assert summary.left == 1

    resumed = lab.run(lab.write("pass", "skip", architectures=[architecture]), resume=True)
    assert resumed.state is CampaignState.FINISHED
    assert outcomes(resumed)[architecture, "skip"] is Outcome.SKIP


def test_a_qemu_that_is_not_installed_ends_the_run_before_it_begins(lab: Lab) -> None:
    configuration = lab.write("pass", target='qemu = "qemu-system-nowhere"', architectures=["aarch64"])
    with pytest.raises(MachineError, match="qemu-system-nowhere is not installed") as caught:
        lab.run(configuration)
    assert caught.value.hint is not None
    assert "qemu-system-arm" in caught.value.hint


def test_attempts_leave_no_descriptor_thread_child_or_folder_behind(lab: Lab) -> None:
    def held() -> tuple[int, int, int]:
        return (
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
            len(psutil.Process().children()),
        )

    configuration = lab.write("pass", "fail", "skip", "panic", "reset")
    lab.run(configuration, jobs=2)
    before = held()
    lab.run(configuration, jobs=2)
    lab.run(configuration, jobs=2, isolation=Isolation.SHARED)
    assert held() == before
    assert not list(Path("/dev/shm").glob(f"parity-{os.getpid()}-*"))
