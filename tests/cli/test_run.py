"""`parity run` as a process: signals, exit statuses, and what is left when it is killed."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from db import open_repository
from parity.outcome import Outcome
from tests.support.lab import Lab

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

pytestmark = pytest.mark.qemu

TESTS: Final = ("pass", "skip", "chatter", "fail")
PATIENT: Final = "[test.chatter]\nbudget_s = 600\n"
HASTY: Final = "[test.chatter]\nbudget_s = 1\n"


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def start_and_reach_chatter(lab: Lab) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Start a run; return it and its QEMUs once its third test is talking."""
    lab.write(*TESTS, architectures=["x86_64"], more=PATIENT)
    run = lab.start("run", "--jobs", "1")
    assert run.stdout is not None
    for line in run.stdout:
        if " skip " in line and "SKIP: no framebuffer" in line:
            break

    def talks() -> bool:
        logs = [log for folder in scratch_folders(run.pid) for log in folder.glob("*/console.log")]
        return any(b"still here" in log.read_bytes() for log in logs)

    assert wait_until(talks, seconds=30)
    return run, psutil.Process(run.pid).children(recursive=True)


def kept(lab: Lab) -> list[tuple[str, Outcome]]:
    with open_repository(f"sqlite:///{lab.folder}/.parity/parity.db", lab.folder / ".parity") as repository:
        return [(attempt.test, attempt.verdict.outcome) for attempt in repository.campaign_attempts(1)]


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def scratch_folders(pid: int) -> list[Path]:
    return list(Path("/dev/shm").glob(f"parity-{pid}-*"))


def resume(lab: Lab) -> subprocess.Popen[str]:
    lab.write(*TESTS, architectures=["x86_64"], more=HASTY)
    resumed = lab.start("run", "--resume", "--jobs", "1")
    resumed.communicate(timeout=60)
    return resumed


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_properly_and_resume_completes_it(
    lab: Lab, number: signal.Signals, status: int
) -> None:
    run, machines = start_and_reach_chatter(lab)
    run.send_signal(number)
    output, errors = run.communicate(timeout=30)
    assert (run.returncode, errors) == (status, "")
    assert "2 left; go on with: parity run --resume" in output
    assert all(is_gone(machine) for machine in machines)
    assert not scratch_folders(run.pid)
    finished = [("pass", Outcome.PASS), ("skip", Outcome.SKIP)]
    assert kept(lab) == finished

    assert resume(lab).returncode == 1
    assert kept(lab) == [*finished, ("chatter", Outcome.TIMEOUT), ("fail", Outcome.FAIL)]


def test_a_killed_run_leaves_no_machine_and_a_whole_database(lab: Lab) -> None:
    run, machines = start_and_reach_chatter(lab)
    assert machines
    run.kill()
    assert wait_until(lambda: all(is_gone(machine) for machine in machines), seconds=2)
    run.communicate(timeout=30)
    with sqlite3.connect(lab.folder / ".parity" / "parity.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert kept(lab) == [("pass", Outcome.PASS), ("skip", Outcome.SKIP)]

    assert scratch_folders(run.pid)
    assert resume(lab).returncode == 1
    assert not scratch_folders(run.pid)
    assert len(kept(lab)) == 4


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path, guest: Path) -> None:
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        lab = Lab(tmp_path / name, guest)
        lab.write("pass", "skip", "fail")
        runs.append(lab.start("run", "--json", "--jobs", "1"))
    for run in runs:
        output, errors = run.communicate(timeout=90)
        assert (run.returncode, errors) == (1, "")
        assert json.loads(output)["counts"] == {"pass": 2, "skip": 2, "fail": 2}


def test_a_run_in_which_all_is_as_wanted_ends_with_zero(lab: Lab) -> None:
    lab.write("pass", "skip", architectures=["x86_64"])
    run = lab.start("run")
    output, errors = run.communicate(timeout=60)
    assert (run.returncode, errors) == (0, "")
    assert "1 pass, 1 skip" in output


def test_a_qemu_that_does_not_start_is_quoted_and_ends_with_three(lab: Lab) -> None:
    lab.write("pass", architectures=["x86_64"], arguments=', "-no-such-option"')
    run = lab.start("run")
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "-no-such-option: invalid option" in errors


def test_a_dry_run_starts_nothing(lab: Lab) -> None:
    lab.write("pass", architectures=["x86_64"])
    run = lab.start("run", "--dry-run")
    output, errors = run.communicate(timeout=60)
    assert (run.returncode, errors) == (0, "")
    assert "qemu-system-x86_64 -machine q35" in output
    assert not (lab.folder / ".parity" / "parity.db").exists()
