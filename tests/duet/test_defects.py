"""duet's defects on demand, as `parity run` sees them: outcome and cause, printed and stored.

All of them are in test_hang_matrix.py; here is one of each kind, with what parity.toml usually says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db import open_repository
from tests.support.duet import kernel, run_duet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.duet import Campaign

__all__ = ["kernel", "run_duet"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(300)]

ARCHITECTURES = ("aarch64", "x86_64")


def struck_by(defect: str, *, quiet_s: float = 2, panics: bool = True) -> Callable[[str], str]:
    """Return the edit of parity.toml that switches a defect on, with a time limit to match."""

    def edit(text: str) -> str:
        text = text.replace(
            "[defaults]\n", f'[defaults]\nappend = "defect={defect}"\nboot = {{ retries = 0 }}\n', 1
        )
        if not panics:
            text = text.replace("panic = ['KERNEL PANIC: .*']", "panic = []")
        return text.replace("quiet_s = 5", f"quiet_s = {quiet_s}")

    return edit


def stored(folder: Path) -> list[tuple[str, str, str | None]]:
    """Return each attempt's test, outcome and cause as the database has them."""
    with open_repository(f"sqlite:///{folder}/.parity/parity.db", folder / ".parity") as repository:
        return [
            (
                attempt.test,
                attempt.verdict.outcome.value,
                attempt.hang.diagnosis.cause.value if attempt.hang is not None else None,
            )
            for attempt in repository.campaign_attempts(1)
        ]


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(
    ("defect", "cause"),
    [
        ("runnable-not-queued", "runnable-not-scheduled"),  # every CPU halts: silence with an idle guest
        ("lock-leak", "lock-leaked"),  # a CPU is busy: only what is inside tells it from a long computation
    ],
)
def test_a_proved_cause_is_a_hang_idle_or_busy(
    run: Callable[..., Campaign], tmp_path: Path, arch: str, defect: str, cause: str
) -> None:
    campaign = run("cat_test", "--target", arch, "--timeout", "3", edit=struck_by(defect))
    (attempt,) = campaign.attempts
    assert (attempt["outcome"], attempt["hang"]["cause"]) == ("hang", cause)
    assert attempt["hang"]["sentence"] in " ".join(attempt["evidence"])
    assert campaign.status == 1
    assert stored(tmp_path) == [("cat_test", "hang", cause)]


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("defect", ["fault-parked", "panic"])
def test_a_kernel_that_died_is_a_crash_whatever_it_printed(
    run: Callable[..., Campaign], tmp_path: Path, arch: str, defect: str
) -> None:
    campaign = run("cat_test", "--target", arch, "--timeout", "3", edit=struck_by(defect, panics=False))
    (attempt,) = campaign.attempts
    assert (attempt["outcome"], attempt["hang"]["cause"]) == ("crash", "panic-parked")
    assert stored(tmp_path) == [("cat_test", "crash", "panic-parked")]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_panic_that_is_read_on_the_console_is_a_crash_and_needs_no_look_inside(
    run: Callable[..., Campaign], tmp_path: Path, arch: str
) -> None:
    campaign = run("waitpid_test", "--target", arch, edit=struck_by("panic"))
    assert campaign.attempts[0]["hang"] is None
    assert stored(tmp_path) == [("waitpid_test", "crash", None)]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_slow_is_a_timeout_and_no_hang(run: Callable[..., Campaign], tmp_path: Path, arch: str) -> None:
    campaign = run("fs_large_file_test", "--target", arch, "--timeout", "3", edit=struck_by("slow"))
    (attempt,) = campaign.attempts
    assert (attempt["outcome"], attempt["hang"]["cause"]) == ("timeout", "slow")
    assert stored(tmp_path) == [("fs_large_file_test", "timeout", "slow")]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_slow_but_alive_passes_in_the_end(run: Callable[..., Campaign], arch: str) -> None:
    campaign = run("true_test", "--target", arch, "--timeout", "60", edit=struck_by("slow", quiet_s=5))
    assert campaign.outcomes(arch) == {"true_test": "pass"}
    assert campaign.attempts[0]["hang"] is None


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_unknown_defect_harms_nothing(run: Callable[..., Campaign], arch: str) -> None:
    campaign = run("fork_test", "--target", arch, edit=struck_by("no-such-defect"))
    assert campaign.outcomes(arch) == {"fork_test": "pass"}
