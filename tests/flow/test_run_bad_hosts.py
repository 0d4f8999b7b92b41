"""Hosts that are short of something, and machines that cannot be saved or put back: told plainly, and the run goes on."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.attempt import Isolation, LogKind
from parity.outcome import Outcome
from runners.machine.machine import Machine
from runners.machine.scratch import scratch_root
from tests.support.duet import kernel, run_duet
from tests.support.lab import ARCHITECTURES, ROOT, Lab, outcomes
from tests.support.machines import Bystander, replace_qemu, snapshots_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.duet import Campaign

__all__ = ["kernel", "run_duet"]

pytestmark = pytest.mark.qemu

CLOCK_TESTS = ("clock_gettime_test", "itimer_test", "alarm_test")


def run_below(
    lab: Lab, before: str, *arguments: str, mounts: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a shell after `before`, where `mounts` in a view of the file system of its own."""
    script = f'{before} && exec "$0" -m parity run "$@"'
    command = [*(["unshare", "-m"] if mounts else []), "sh", "-c", script, sys.executable, *arguments]
    return subprocess.run(
        command,
        cwd=lab.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def can_mount() -> bool:
    """Whether this user may have a view of the file system of its own."""
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /dev/shm"]
    return (
        sys.platform == "linux" and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("limit", [8, 12, *range(14, 22)])
def test_too_few_descriptors_are_named_with_what_to_do(lab: Lab, limit: int) -> None:
    lab.write("pass", "fail", architectures=["x86_64"])
    done = run_below(lab, f"ulimit -n {limit}", "--jobs", "1")
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    if done.returncode != 1:  # it was enough
        assert done.returncode in (2, 3)  # 2: the database could not be used, and a person has to act
        assert "Too many open files" in said
        assert "ulimit -n" in said


def test_a_limit_that_is_too_low_for_a_machine_leaves_the_rest_for_a_resumed_run(lab: Lab) -> None:
    lab.write("pass", "fail", architectures=["x86_64"])
    assert run_below(lab, "ulimit -n 14", "--jobs", "1").returncode == 3
    done = run_below(lab, "true", "--json")
    assert sorted(attempt["outcome"] for attempt in json.loads(done.stdout)["attempts"]) == ["fail", "pass"]


def test_without_memory_for_files_the_temporary_folder_is_used(tmp_path: Path) -> None:
    assert scratch_root(tmp_path / "none") != tmp_path / "none"


def test_a_temporary_folder_too_deep_for_a_socket_is_not_used(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    assert len(os.fsencode(scratch_root(tmp_path / "none", deep))) <= 60


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
def test_a_host_without_shared_memory_files_runs_all_the_same(lab: Lab) -> None:
    lab.write("pass", architectures=["x86_64"])
    done = run_below(lab, "mount -t tmpfs -o ro tmpfs /dev/shm", "--json", mounts=True)
    assert [attempt["outcome"] for attempt in json.loads(done.stdout)["attempts"]] == ["pass"], done.stderr


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
def test_a_scratch_disk_too_small_for_a_saved_machine_means_fresh_boots_and_says_so(lab: Lab) -> None:
    lab.write("pass", "skip", architectures=["x86_64"])
    done = run_below(lab, "mount -t tmpfs -o size=600k tmpfs /dev/shm", mounts=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "x86_64: every test had a fresh boot: QEMU refused savevm" in done.stdout
    assert "1 pass, 1 skip" in done.stdout


def test_a_qemu_without_memory_to_share_is_started_without(lab: Lab) -> None:
    script = (
        'case "$*" in *memory-backend-memfd*)'
        " echo 'qemu-system-x86_64: invalid object type: memory-backend-memfd' >&2; exit 1;; esac"
    )
    configuration = lab.write(
        "pass", "skip", architectures=["x86_64"], target=replace_qemu(lab.folder, script)
    )
    for isolation in (Isolation.SNAPSHOT, Isolation.BOOT):
        found = outcomes(lab.run(configuration, isolation=isolation))
        assert found == {("x86_64", "pass"): Outcome.PASS, ("x86_64", "skip"): Outcome.SKIP}


def test_a_qemu_that_is_killed_before_it_answers_is_started_once_more(lab: Lab) -> None:
    once = f"mkdir {lab.folder}/killed 2>/dev/null && kill -9 $$"
    script = f'case "$*" in *id=monitor*) {once};; esac'
    configuration = lab.write(
        "pass", "skip", architectures=["x86_64"], target=replace_qemu(lab.folder, script)
    )
    found = outcomes(lab.run(configuration))
    assert (lab.folder / "killed").is_dir()
    assert found == {("x86_64", "pass"): Outcome.PASS, ("x86_64", "skip"): Outcome.SKIP}


@pytest.mark.parametrize("devices", ["none", "one more"])
def test_memory_is_kept_by_us_only_where_no_other_is_shared(lab: Lab, devices: str) -> None:
    shared = f"memory-backend-file,id=more,size=1M,share=on,mem-path={lab.folder}/more"
    more = f', "-object", "{shared}", "-device", "ivshmem-plain,memdev=more,master=on"'
    configuration = lab.write(
        "pass", "fail", architectures=["x86_64"], arguments=more if devices == "one more" else ""
    )
    bystander = Bystander()
    with snapshots_of(configuration, "x86_64", bystander) as (_, runner):
        reports = [*runner.run(("pass", "fail", "pass"))]
        (machine,) = bystander.machines
        memory = machine._saved.memory
    assert [r.attempt.verdict.outcome for r in reports] == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
    assert {r.attempt.isolation for r in reports} == {Isolation.SNAPSHOT}
    assert (memory is None) == (devices == "one more")


@pytest.mark.parametrize("lost", [1, 3])
def test_a_state_that_is_lost_costs_a_boot_and_three_times_the_snapshots(lab: Lab, lost: int) -> None:
    begun = itertools.count()

    class Forgetful(Machine):
        def begin_restore(self) -> None:
            if next(begun) < lost:
                said = self.monitor.execute("human-monitor-command", **{"command-line": "delvm parity"})
                assert said == ""
            super().begin_restore()

    tests = ("pass", "fail", "skip", "silent", "large", "binary")
    configuration = lab.write(*tests, architectures=["x86_64"])
    with snapshots_of(configuration, "x86_64", machine_type=Forgetful) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
    assert [a.verdict.outcome for a in attempts[:3]] == [Outcome.PASS, Outcome.FAIL, Outcome.SKIP]
    if lost == 1:
        assert [a.boot_s is not None for a in attempts] == [True, True, False, False, False, False]
        assert rig.snapshots.works
    else:
        assert [a.boot_s is not None for a in attempts] == [True] * 6
        assert [a.isolation for a in attempts] == [Isolation.SNAPSHOT] * 3 + [Isolation.BOOT] * 3
        assert "loadvm" in rig.snapshots.why_not


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("mode", ["early", "chatty"])
def test_a_machine_is_saved_only_at_the_last_prompt_of_its_boot(
    lab: Lab, architecture: str, mode: str
) -> None:
    configuration = lab.write("pass", "skip", architectures=[architecture], append=f"boot={mode}")
    summary = lab.run(configuration, isolation=Isolation.SNAPSHOT)
    assert sorted(outcomes(summary).values()) == [Outcome.PASS, Outcome.SKIP]
    assert [attempt.boot_s is not None for attempt in summary.attempts] == [True, False]
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        logs = [
            next(log for log in repository.logs_of(a.id) if log.kind is LogKind.RAW).path.read_bytes()
            for a in repository.campaign_attempts(summary.number)
        ]
    assert logs[0].index(b"the boot is over") < logs[0].index(b"[begin ")
    assert b"[boot]" not in logs[1]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_guests_clock_goes_on_after_a_restore(run: Callable[..., Campaign], architecture: str) -> None:
    campaign = run(*CLOCK_TESTS, "--target", architecture, "--isolation", "snapshot", "--repeat", "5")
    assert [attempt["outcome"] for attempt in campaign.attempts] == ["pass"] * 15, campaign.attempts
