"""duet's defects on demand, as `parity run` sees them today: the outcome is right, whatever the cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.duet import kernel, run_duet

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.duet import Campaign

__all__ = ["kernel", "run_duet"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(300)]

ARCHITECTURES = ("aarch64", "x86_64")
IDLE = ("lost-wakeup", "runnable-not-queued", "blocked-in-syscall")
"""Every CPU halts: silence with an idle guest."""
BUSY = (
    "abba",
    "fault-storm",
    "interrupt-storm",
    "irq-off-loop",
    "kernel-loop",
    "lock-leak",
    "polling-livelock",
    "self-deadlock",
    "timer-stopped",
    "user-spin",
)
"""Some CPU runs without getting anywhere: no console output tells that from a long computation."""


def struck_by(defect: str, *, quiet_s: float = 2) -> Callable[[str], str]:
    """Return the edit of parity.toml that switches a defect on, with a time limit to match."""

    def edit(text: str) -> str:
        text = text.replace(
            "[defaults]\n", f'[defaults]\nappend = "defect={defect}"\nboot = {{ retries = 0 }}\n', 1
        )
        return text.replace("quiet_s = 3", f"quiet_s = {quiet_s}")

    return edit


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("defect", IDLE)
def test_a_defect_that_leaves_every_cpu_idle_is_a_hang(
    run: Callable[..., Campaign], arch: str, defect: str
) -> None:
    campaign = run("waitpid_test", "--target", arch, edit=struck_by(defect))
    assert campaign.outcomes(arch) == {"waitpid_test": "hang"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("defect", BUSY)
def test_a_defect_that_keeps_a_cpu_busy_is_a_timeout(
    run: Callable[..., Campaign], arch: str, defect: str
) -> None:
    campaign = run("cat_test", "--target", arch, "--timeout", "3", edit=struck_by(defect))
    assert campaign.outcomes(arch) == {"cat_test": "timeout"}


def test_a_parked_fault_is_idle_on_x86_64_and_busy_on_aarch64(run: Callable[..., Campaign]) -> None:
    # WFI ends at once while a masked interrupt is pending, and the timer's is: QEMU runs that loop at full speed.
    campaign = run(
        "waitpid_test", "-t", "aarch64", "-t", "x86_64", "--timeout", "4", edit=struck_by("fault-parked")
    )
    assert campaign.outcomes("aarch64") == {"waitpid_test": "timeout"}
    assert campaign.outcomes("x86_64") == {"waitpid_test": "hang"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_panic_is_a_crash(run: Callable[..., Campaign], arch: str) -> None:
    campaign = run("waitpid_test", "--target", arch, edit=struck_by("panic"))
    assert campaign.outcomes(arch) == {"waitpid_test": "crash"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_slow_but_alive_passes_in_the_end(run: Callable[..., Campaign], arch: str) -> None:
    campaign = run("true_test", "--target", arch, "--timeout", "60", edit=struck_by("slow", quiet_s=5))
    assert campaign.outcomes(arch) == {"true_test": "pass"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_unknown_defect_harms_nothing(run: Callable[..., Campaign], arch: str) -> None:
    campaign = run("fork_test", "--target", arch, edit=struck_by("no-such-defect"))
    assert campaign.outcomes(arch) == {"fork_test": "pass"}
