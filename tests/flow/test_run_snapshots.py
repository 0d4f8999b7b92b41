"""Isolation by snapshot: the machine goes back to its prompt before every test, whatever the last one did to it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

import pytest

from db import open_repository
from parity.attempt import Isolation, LogKind
from parity.outcome import Outcome
from runners.machine.machine import Machine
from tests.support.lab import ARCHITECTURES, SHELL, Lab, Watcher, outcomes
from tests.support.machines import Bystander, snapshots_of

if TYPE_CHECKING:
    from pathlib import Path

    from parity.configuration import Configuration
    from parity.flow.campaign.run import Summary

pytestmark = pytest.mark.qemu

RUINS = ("panic", "hang", "chatter", "spin", "flood", "binary")
"""Tests that leave a machine dead, silent, talking, busy or with escape sequences half-way."""


def raw_log(configuration: Configuration, summary: Summary, test: str) -> bytes:
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        attempt = next(a for a in repository.campaign_attempts(summary.number) if a.test == test)
        log = next(log for log in repository.logs_of(attempt.id) if log.kind is LogKind.RAW)
        return log.path.read_bytes()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_boot_serves_all_tests(lab: Lab, architecture: str) -> None:
    summary = lab.run(
        lab.write("pass", "fail", "skip", architectures=[architecture]), isolation=Isolation.SNAPSHOT
    )
    assert [attempt.isolation for attempt in summary.attempts] == [Isolation.SNAPSHOT] * 3
    assert [attempt.boot_s is not None for attempt in summary.attempts] == [True, False, False]


def test_a_boot_is_announced_and_over_before_its_test_ends(lab: Lab) -> None:
    watcher = Watcher()
    configuration = lab.write("pass", "fail", architectures=["x86_64"])
    lab.run(configuration, isolation=Isolation.SNAPSHOT, watcher=watcher)
    kinds = [type(event).__name__ for event in watcher.events]
    boot = ["Booting", "MachineStarted", "Booted"]
    assert kinds == ["Started", *boot, "Finished", "Started", "Finished", "WorkerEnded"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("ruin", RUINS)
def test_what_a_test_does_to_its_machine_costs_the_next_one_nothing(
    lab: Lab, architecture: str, ruin: str
) -> None:
    more = f"[test.{ruin}]\nbudget_s = 3"
    configuration = lab.write(ruin, "pass", architectures=[architecture], more=more)
    summary = lab.run(configuration, isolation=Isolation.SNAPSHOT)
    assert outcomes(summary)[architecture, "pass"] is Outcome.PASS
    assert b"still here" not in raw_log(configuration, summary, "pass")
    assert raw_log(configuration, summary, "pass").count(b"[begin ") == 1


@pytest.mark.parametrize("ending", ["reset", "power_off"])
def test_a_machine_that_ended_itself_is_booted_anew(lab: Lab, ending: str) -> None:
    summary = lab.run(
        lab.write(ending, "pass", "fail", architectures=["x86_64"]), isolation=Isolation.SNAPSHOT
    )
    assert [attempt.boot_s is not None for attempt in summary.attempts] == [True, True, False]
    assert outcomes(summary)["x86_64", "pass"] is Outcome.PASS


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_qemu_that_is_killed_on_its_way_back_is_booted_anew(lab: Lab, killed: str) -> None:
    class Mortal(Machine):
        def begin_restore(self) -> None:
            if killed == "after":
                super().begin_restore()
            os.kill(self.pid, signal.SIGKILL)
            if killed == "before":
                super().begin_restore()

    tests = ("pass", "fail", "skip")
    configuration = lab.write(*tests, architectures=["x86_64"])
    with snapshots_of(configuration, "x86_64", machine_type=Mortal) as (_, runner):
        attempts = [report.attempt for report in runner.run(tests)]
    assert [attempt.boot_s is not None for attempt in attempts] == [True] * 3
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL, Outcome.SKIP]


MUTE: Final = "\n".join(f'[test.mute_{number}]\npath = "mute"' for number in range(5))
"""Five tests that never begin."""


def test_tests_that_begin_neither_here_nor_after_a_boot_do_not_cost_the_snapshots(lab: Lab) -> None:
    tests = ("pass", *(f"mute_{number}" for number in range(5)), "fail")
    configuration = lab.write(*tests, architectures=["x86_64"], more=MUTE)
    bystander = Bystander()
    with snapshots_of(configuration, "x86_64", bystander) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert rig.snapshots.works
    assert {a.isolation for a in attempts} == {Isolation.SNAPSHOT}
    assert [a.verdict.outcome for a in attempts[1:-1]] == [Outcome.HANG] * 5
    assert [a.verdict.outcome for a in (attempts[0], attempts[-1])] == [Outcome.PASS, Outcome.FAIL]
    assert len(bystander.machines) == 4  # the first, and one each until three had said the same


def test_restores_after_which_nothing_begins_cost_the_snapshots_and_no_test(lab: Lab) -> None:
    class Deaf(Machine):
        def restore(self) -> None:
            super().restore()
            self.monitor.execute("stop")

    tests = ("pass", "fail", "skip", "silent", "large", "binary")
    configuration = lab.write(*tests, architectures=["x86_64"], delivery=SHELL + "typing.echo_s = 0.5\n")
    with snapshots_of(configuration, "x86_64", machine_type=Deaf) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert rig.snapshots.why_not == "tests did not begin after a restore that began after a boot"
    assert [a.verdict.outcome for a in attempts] == [
        *(Outcome.PASS, Outcome.FAIL, Outcome.SKIP, Outcome.FAIL, Outcome.FAIL, Outcome.PASS)
    ]
    assert [a.isolation for a in attempts] == [Isolation.SNAPSHOT] * 4 + [Isolation.BOOT] * 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_memory_goes_back_with_the_machine(lab: Lab, architecture: str) -> None:
    configuration = lab.write("count", "count_again", architectures=[architecture])
    assert set(outcomes(lab.run(configuration, isolation=Isolation.SNAPSHOT)).values()) == {Outcome.PASS}
    assert Outcome.FAIL in outcomes(lab.run(configuration, isolation=Isolation.SHARED)).values()


def test_disks_go_back_with_the_machine_and_the_image_stays_as_it_was(lab: Lab) -> None:
    image = lab.folder / "disk.img"
    image.write_bytes(bytes(1 << 20))
    configuration = lab.write(
        "count",
        "count_again",
        architectures=["x86_64"],
        machines={"x86_64": ("pc", "qemu64")},
        target='disk = [{ image = "disk.img", interface = "ide" }]',
    )
    assert set(outcomes(lab.run(configuration, isolation=Isolation.SNAPSHOT)).values()) == {Outcome.PASS}
    assert image.read_bytes() == bytes(1 << 20)


def test_a_drive_that_cannot_be_saved_means_a_fresh_boot_for_every_test_and_says_so(
    lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "raw.img").write_bytes(bytes(1 << 20))
    configuration = lab.write(
        "pass",
        "fail",
        architectures=["x86_64"],
        arguments=f', "-drive", "file={tmp_path}/raw.img,format=raw,if=ide"',
    )
    summary = lab.run(configuration, isolation=Isolation.SNAPSHOT)
    assert [attempt.isolation for attempt in summary.attempts] == [Isolation.BOOT] * 2
    assert "does not support snapshots" in summary.without_snapshots["x86_64"]
    assert outcomes(summary) == {("x86_64", "pass"): Outcome.PASS, ("x86_64", "fail"): Outcome.FAIL}


def test_without_the_image_tool_every_test_gets_a_fresh_boot(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import which  # noqa: PLC0415

    programs = tmp_path / "programs"
    programs.mkdir()
    for program in ("qemu-system-x86_64", "git"):
        (programs / program).symlink_to(str(which(program)))
    monkeypatch.setenv("PATH", str(programs))
    summary = lab.run(lab.write("pass", "fail", architectures=["x86_64"]), isolation=Isolation.SNAPSHOT)
    assert summary.without_snapshots == {"x86_64": "qemu-img is not installed (Debian: qemu-utils)"}
    assert [attempt.isolation for attempt in summary.attempts] == [Isolation.BOOT] * 2


def test_a_prepare_step_that_names_the_test_rules_snapshots_out(lab: Lab) -> None:
    (lab.folder / "disk.img").write_bytes(bytes(1 << 16))
    configuration = lab.write(
        "pass",
        "fail",
        architectures=["x86_64"],
        defaults="prepare = [['true', '{test}', '{disk}']]",
        machines={"x86_64": ("pc", "qemu64")},
        target='disk = [{ image = "disk.img", interface = "ide" }]',
    )
    summary = lab.run(configuration, isolation=Isolation.SNAPSHOT)
    assert "prepare" in summary.without_snapshots["x86_64"]
    assert [attempt.boot_s is not None for attempt in summary.attempts] == [True, True]


def test_nothing_of_saved_machines_is_left_behind(lab: Lab) -> None:
    lab.run(lab.write("pass", "panic", "fail", architectures=["x86_64"]), isolation=Isolation.SNAPSHOT)
    from runners.machine.scratch import scratch_root  # noqa: PLC0415

    assert not list(scratch_root().glob(f"parity-{os.getpid()}-*"))
