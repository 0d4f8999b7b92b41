"""Guests that another QEMU takes over once they have booted, for the sake of faster restores; or that one fails to."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from parity.attempt import Isolation
from parity.configuration import load_configuration
from parity.errors import MachineError
from parity.outcome import Outcome
from runners.snapshots.hand_over import HandOver
from tests.support.duet import kernel
from tests.support.lab import ARCHITECTURES, ROOT, Lab, outcomes
from tests.support.machines import Bystander, replace_qemu, snapshots_of

if TYPE_CHECKING:
    from pathlib import Path

    from runners.qemu.qemu_process import QemuProcess
    from runners.qemu.qmp import Monitor
    from runners.snapshots.saved_memory import SavedMemory

__all__ = ["kernel"]

pytestmark = pytest.mark.qemu


def qemus() -> list[psutil.Process]:
    """Return the QEMUs that this process has started and that still run."""
    return [
        child
        for child in psutil.Process().children()
        if child.name().startswith("qemu") and child.status() != psutil.STATUS_ZOMBIE
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_tests_run_on_a_second_qemu_and_the_first_one_is_gone(lab: Lab, architecture: str) -> None:
    configuration = lab.write("count", "fail", "count_again", architectures=[architecture])
    bystander = Bystander()
    with snapshots_of(configuration, architecture, bystander) as (rig, runner):
        reports = runner.run(("count", "fail", "count_again"))
        attempts = [next(reports).attempt]
        (machine,), (booted_by,) = bystander.machines, bystander.pids
        assert machine.pid != booted_by
        assert [qemu.pid for qemu in qemus()] == [machine.pid]
        assert "-incoming" in psutil.Process(machine.pid).cmdline()
        attempts += [report.attempt for report in reports]
        assert not rig.snapshots.why_slow
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
    assert {a.isolation for a in attempts} == {Isolation.SNAPSHOT}
    assert not qemus()


def test_a_flat_kernel_is_handed_over_as_well(kernel: Path, tmp_path: Path) -> None:
    (tmp_path / "kernel").symlink_to(kernel)
    shutil.copyfile(ROOT / "parity.toml", tmp_path / "parity.toml")
    configuration = load_configuration(tmp_path / "parity.toml")
    assert "duet.img" in str(configuration.targets["aarch64"].kernel)
    bystander = Bystander()
    with snapshots_of(configuration, "aarch64", bystander) as (_, runner):
        (report,) = runner.run(("true_test",))
        assert bystander.machines[0].pid != bystander.pids[0]
    assert report.attempt.verdict.outcome is Outcome.PASS


def test_devices_disks_and_a_network_go_along(lab: Lab) -> None:
    (lab.folder / "disk.img").write_bytes(bytes(1 << 20))
    devices = ("virtio-gpu-device", "virtio-keyboard-device", "virtio-net-device,netdev=net")
    words = (*(word for device in devices for word in ("-device", device)), "-netdev", "user,id=net")
    tests = ("count", "fail", "count_again")
    configuration = lab.write(
        *tests,
        architectures=["aarch64"],
        arguments="".join(f', "{word}"' for word in words),
        target='disk = [{ image = "disk.img", device = "virtio-blk-device" }]',
    )
    bystander = Bystander()
    with snapshots_of(configuration, "aarch64", bystander) as (_, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert bystander.machines[0].pid != bystander.pids[0]
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
    assert {a.isolation for a in attempts} == {Isolation.SNAPSHOT}


def test_further_serial_ports_are_read_on(lab: Lab) -> None:
    tests = ("pass", "panic_on_second_port", "skip")
    configuration = lab.write(*tests, architectures=["x86_64"], target='serial = ["console", "kernel"]')
    found = outcomes(lab.run(configuration, isolation=Isolation.SNAPSHOT))
    assert [found["x86_64", test] for test in tests] == [Outcome.PASS, Outcome.CRASH, Outcome.SKIP]


def test_a_qemu_that_takes_no_guest_over_is_tried_once_and_the_first_one_goes_on(lab: Lab) -> None:
    script = f'case "$*" in *-incoming*) echo no >>{lab.folder}/tries; echo not today >&2; exit 1;; esac'
    tests = ("pass", "power_off", "fail", "skip")
    configuration = lab.write(*tests, architectures=["x86_64"], target=replace_qemu(lab.folder, script))
    bystander = Bystander()
    with snapshots_of(configuration, "x86_64", bystander) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert "not today" in rig.snapshots.why_slow
        assert rig.snapshots.works
        assert [machine.pid for machine in bystander.machines[1:]] == bystander.pids[1:]
    assert [a.boot_s is not None for a in attempts] == [True, False, True, False]
    assert [a.verdict.outcome for a in attempts if a.test != "power_off"] == [
        *(Outcome.PASS, Outcome.FAIL, Outcome.SKIP)
    ]
    assert (lab.folder / "tries").read_text() == "no\n"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_guest_that_cannot_be_taken_in_stays_where_it_was(lab: Lab, architecture: str) -> None:
    class Garbles(HandOver):
        def receive(self, successor: QemuProcess, file: int) -> None:
            os.pwrite(file, b"\xff" * 64, 0)
            super().receive(successor, file)

    tests = ("count", "fail", "count_again")
    configuration = lab.write(*tests, architectures=[architecture])
    bystander = Bystander()
    with snapshots_of(configuration, architecture, bystander, hand_over=Garbles()) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert "the second QEMU" in rig.snapshots.why_slow
        assert [machine.pid for machine in bystander.machines] == bystander.pids
        assert [qemu.pid for qemu in qemus()] == bystander.pids
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
    assert [a.boot_s is not None for a in attempts] == [True, False, False]


def test_a_guest_that_uses_much_memory_stays_where_it_was(lab: Lab) -> None:
    class TakesLittle(HandOver):
        most_bytes = 4096

    configuration = lab.write("pass", architectures=["x86_64"])
    bystander = Bystander()
    with snapshots_of(configuration, "x86_64", bystander, hand_over=TakesLittle()) as (rig, runner):
        (report,) = runner.run(("pass",))
        assert [machine.pid for machine in bystander.machines] == bystander.pids
        assert not rig.snapshots.why_slow
    assert report.attempt.isolation is Isolation.SNAPSHOT


def test_a_guest_that_takes_too_long_to_send_goes_on_where_it_was(lab: Lab) -> None:
    class GivesUp(HandOver):
        def await_end(self, monitor: Monitor) -> None:
            monitor.execute("query-migrate")  # once, where a patient one would go on asking
            raise MachineError("too slow")

    tests = ("count", "fail", "count_again")
    configuration = lab.write(*tests, architectures=["x86_64"])
    with snapshots_of(configuration, "x86_64", hand_over=GivesUp()) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert rig.snapshots.why_slow == "too slow"
        assert rig.snapshots.works
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
    assert [a.boot_s is not None for a in attempts] == [True, False, False]


def test_a_run_says_why_its_guests_stayed_where_they_were(lab: Lab) -> None:
    script = 'case "$*" in *-incoming*) echo not today >&2; exit 1;; esac'
    configuration = lab.write("pass", architectures=["x86_64"], target=replace_qemu(lab.folder, script))
    summary = lab.run(configuration, isolation=Isolation.SNAPSHOT)
    assert "not today" in summary.slow_restores["x86_64"]
    assert not summary.without_snapshots


@pytest.mark.parametrize("victim", ["source", "successor"])
@pytest.mark.parametrize("moment", ["before the state is sent", "before it is taken in", "afterwards"])
def test_a_qemu_that_is_killed_while_a_guest_is_handed_over_costs_a_boot_at_most(
    lab: Lab, victim: str, moment: str
) -> None:
    bystander = Bystander()
    killed: list[int] = []

    def kill() -> None:
        source = bystander.pids[0]
        for qemu in qemus():
            if not killed and (qemu.pid == source) == (victim == "source"):
                killed.append(qemu.pid)
                os.kill(qemu.pid, signal.SIGKILL)

    class Struck(HandOver):
        def send(self, monitor: Monitor, file: int) -> None:
            if moment == "before the state is sent":
                kill()
            super().send(monitor, file)

        def receive(self, successor: QemuProcess, file: int) -> None:
            if moment == "before it is taken in":
                kill()
            super().receive(successor, file)
            if moment == "afterwards":
                kill()

    tests = ("pass", "fail", "skip")
    configuration = lab.write(*tests, architectures=["x86_64"])
    with snapshots_of(configuration, "x86_64", bystander, hand_over=Struck()) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert rig.snapshots.works
    assert bool(killed) == ((victim, moment) != ("successor", "before the state is sent"))
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL, Outcome.SKIP]
    assert {a.isolation for a in attempts} == {Isolation.SNAPSHOT}
    assert len(bystander.machines) <= 2
    assert not qemus()


def test_memory_that_the_host_does_not_give_leaves_the_guest_where_it_was(lab: Lab) -> None:
    class Refused(HandOver):
        def copy_memory(self, ours: SavedMemory, theirs: SavedMemory) -> None:  # noqa: ARG002 - as it is called
            raise OSError(errno.ENOSPC, "No space left on device")

    tests = ("pass", "fail")
    configuration = lab.write(*tests, architectures=["x86_64"])
    with snapshots_of(configuration, "x86_64", hand_over=Refused()) as (rig, runner):
        attempts = [report.attempt for report in runner.run(tests)]
        assert "No space left" in rig.snapshots.why_slow
    assert [a.verdict.outcome for a in attempts] == [Outcome.PASS, Outcome.FAIL]
    assert [a.boot_s is not None for a in attempts] == [True, False]
