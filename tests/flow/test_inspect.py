"""Runs on a sample kernel that gets stuck, while whatever looks into it is itself in trouble."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from db import open_repository
from parity.attempt import Isolation
from parity.campaign import Case
from parity.configuration import HangRules, load_configuration
from parity.diagnosis import Cause
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import run_campaign
from parity.flow.hang.look import find_base
from parity.outcome import Outcome
from tests.support.duet import ROOT, kernel
from tests.support.lab import Lab, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parity.attempt import StoredAttempt

__all__ = ["kernel"]

KILL_QEMU: Final = f"""#!{sys.executable} -IS
import os, signal
from pathlib import Path
for stat in Path("/proc").glob("[0-9]*/stat"):
    pid, name, state, parent = stat.read_text().split()[:4]
    if int(parent) == os.getppid() and name.startswith("(qemu-system"):
        os.kill(int(pid), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    yield
    assert psutil.Process().children() == []
    assert not list(Path("/dev/shm").glob(f"parity-{os.getpid()}-*"))


class Project:
    """A folder in which duet gets stuck in one way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "kernel").symlink_to(ROOT / "kernel")

    @property
    def captures(self) -> Path:
        return self.folder / ".parity" / "captures"

    def write(self, defect: str, *, hang: str = "") -> None:
        """Write parity.toml with a defect switched on, and lines for the table `hang`."""
        text = (ROOT / "parity.toml").read_text(encoding="utf-8")
        text = text.replace(
            "[defaults]\n", f'[defaults]\nappend = "defect={defect}"\nboot = {{ retries = 0 }}\n', 1
        )
        text = text.replace("quiet_s = 5", "quiet_s = 2").replace("test_s = 10", "test_s = 3")
        text = text.replace("[defaults.hang]\n", f"[defaults.hang]\n{hang}\n")
        (self.folder / "parity.toml").write_text(text, encoding="utf-8")

    def run(self, arch: str, test: str = "cat_test") -> StoredAttempt:
        """Run one test and return its attempt as it was recorded."""
        configuration = load_configuration(self.folder / "parity.toml")
        order = Order(cases=(Case(target=arch, test=test),), isolation=Isolation.BOOT, jobs=1, build=False)
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            summary = run_campaign(configuration, repository, order, Watcher())
            (attempt,) = repository.campaign_attempts(summary.number)
        return attempt


@pytest.fixture
def project(kernel: Path, tmp_path: Path) -> Project:  # noqa: ARG001 - it is built
    return Project(tmp_path)


@pytest.fixture
def instead_of_gdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Let there be no GDB, or another program in its place."""

    def arrange(text: str | None) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("qemu-system-aarch64", "qemu-system-x86_64", "git"):
            if (program := shutil.which(name)) is not None:
                (folder / name).symlink_to(program)
        if text is not None:
            (folder / "gdb").write_text(text)
            (folder / "gdb").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return arrange


@pytest.mark.qemu
@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_a_proven_hang_is_recorded_with_a_whole_capture(project: Project, arch: str) -> None:
    project.write("self-deadlock")
    attempt = project.run(arch)
    assert attempt.verdict.outcome is Outcome.HANG
    assert attempt.hang is not None
    assert attempt.hang.diagnosis.cause is Cause.SELF_DEADLOCK
    assert attempt.hang.diagnosis.sentence in " ".join(attempt.verdict.evidence)
    assert list(project.captures.iterdir()) == [attempt.hang.folder]
    assert (attempt.hang.folder / "capture.json").stat().st_mode & 0o077 == 0 or (
        attempt.hang.folder.stat().st_mode & 0o077 == 0
    )


@pytest.mark.qemu
def test_without_gdb_the_attempt_is_recorded_and_says_so(
    project: Project, instead_of_gdb: Callable[[str | None], None]
) -> None:
    project.write("user-spin")
    instead_of_gdb(None)
    hang = project.run("aarch64").hang
    assert hang is not None
    assert hang.diagnosis.cause is Cause.USER_SPIN
    assert any("no gdb is installed" in missing for missing in hang.diagnosis.missing)


@pytest.mark.qemu
def test_a_capture_that_cannot_be_kept_is_diagnosed_all_the_same(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.write("self-deadlock")
    project.captures.parent.mkdir(mode=0o700)
    project.captures.write_text("in the way")
    attempt = project.run("x86_64")
    assert attempt.verdict.outcome is Outcome.HANG
    assert attempt.hang is not None
    assert attempt.hang.diagnosis.cause is Cause.SELF_DEADLOCK
    assert "the capture's files: cannot make a folder" in attempt.hang.diagnosis.missing[-1]
    assert not attempt.hang.folder.exists()
    assert [record.exc_info for record in caplog.records] == [None]


@pytest.mark.qemu
def test_a_qemu_that_dies_under_inspection_costs_no_more_than_its_own_attempt(
    project: Project, instead_of_gdb: Callable[[str | None], None]
) -> None:
    project.write("user-spin")
    instead_of_gdb(KILL_QEMU)
    began = time.monotonic()
    attempt = project.run("x86_64")
    assert time.monotonic() - began < 30
    assert attempt.verdict.outcome is not Outcome.PASS
    assert attempt.hang is not None
    assert any("QEMU went away" in missing for missing in attempt.hang.diagnosis.missing)
    assert not list(project.captures.glob(".writing-*"))


@pytest.mark.qemu
@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_a_boot_that_stops_half_way_is_looked_into(lab: Lab, arch: str) -> None:
    configuration = lab.write("pass", architectures=[arch], append="boot=half", defaults="boot.retries = 0")
    summary = lab.run(configuration)
    (attempt,) = summary.attempts
    assert attempt.verdict.outcome is Outcome.BOOT_FAILURE
    assert attempt.hang is not None
    assert attempt.hang.diagnosis.sentence in attempt.verdict.evidence[0]


@pytest.mark.qemu
def test_nothing_is_looked_into_where_that_is_not_wanted(project: Project) -> None:
    project.write("self-deadlock", hang="capture = []")
    attempt = project.run("aarch64")
    assert (attempt.verdict.outcome, attempt.hang) == (Outcome.TIMEOUT, None)
    assert not project.captures.exists()


@pytest.mark.qemu
def test_ctrl_c_in_mid_capture_ends_it_and_leaves_nothing(project: Project, guest: Path) -> None:
    project.write("self-deadlock")
    lab = Lab(project.folder, guest)
    run = lab.start("run", "cat_test", "--target", "aarch64", "--no-build")
    try:
        end = time.monotonic() + 40
        while not list(project.captures.glob(".writing-*")):
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.3)
        processes = psutil.Process(run.pid).children(recursive=True)
        assert len(processes) >= 2
        run.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, errors = run.communicate(timeout=30)
        assert time.monotonic() - began < 8
        assert (run.returncode, errors) == (130, "")
        assert not psutil.wait_procs(processes, timeout=2)[1]
        assert list(project.captures.iterdir()) == []
        assert not list(Path("/dev/shm").glob(f"parity-{run.pid}-*"))
    finally:
        lab.close()


def rules(base: str) -> HangRules:
    return HangRules.model_validate({"base": base})


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], 0),
        (["nothing is said"], 0),
        (["offset: 0x10000000000\n"], 0x10000000000),
        (["offset: 0x1000\nreset\noffset: 0x2000\n"], 0x2000),
        (["", "offset: 0xABC000"], 0xABC000),
        (["offset: 0xffffffffffffffff1"], 0),
        (["offset: elsewhere"], 0),
        (["offset: "], 0),
    ],
)
def test_the_load_address_is_the_consoles_last_word(texts: list[str], expected: int) -> None:
    assert find_base(rules(r"offset: (?P<base>\S+)?"), texts) == expected


def test_a_load_address_that_is_written_down_is_believed() -> None:
    assert find_base(rules("0x10000000000"), ["offset: 0x1"]) == 0x10000000000
    assert find_base(HangRules(), ["offset: 0x1"]) == 0
