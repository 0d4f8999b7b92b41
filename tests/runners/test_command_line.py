"""QEMU's argument vector, word by word."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity.architecture import ARCHITECTURES
from parity.configuration import Target
from runners.qemu.command_line import MachineFiles, Wiring, guest_cpu, qemu_command, shell_line

SHELL = {"kind": "shell", "prompt": "> $"}


def target(**keys: object) -> Target:
    return Target.model_validate({"arch": "aarch64", "machine": "virt", "delivery": SHELL, **keys})


def words(
    configured: Target, files: MachineFiles, wiring: Wiring | None = None, append: str = ""
) -> list[str]:
    return list(qemu_command(configured, files, append=append, accelerator="tcg", wiring=wiring))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_dry_run_shows_what_a_person_would_type(architecture: str) -> None:
    configured = target(arch=architecture, cpu="max", cpus=4, memory_mib=256, arguments=["-nic", "none"])
    command = words(
        configured, MachineFiles(kernel=Path("duet.elf"), initrd=Path("a b.cpio")), append="a=1 b"
    )
    assert shell_line(command) == (
        f"qemu-system-{architecture} -machine virt -accel tcg -cpu max -smp 4 -m 256M"
        " -display none -monitor none -no-reboot -no-user-config -kernel duet.elf -initrd 'a b.cpio'"
        " -append 'a=1 b' -chardev stdio,id=port-console -serial chardev:port-console -nic none"
    )


def test_a_real_run_is_wired_to_files_and_a_descriptor_and_starts_paused() -> None:
    configured = target(serial=["user", "kernel"], console="kernel")
    wiring = Wiring(port_files={"user": Path("/dev/shm/x,y/user.log")}, monitor_fd=7)
    command = words(configured, MachineFiles(kernel=Path("k"), initrd=None), wiring)
    start = command.index("-chardev")
    assert command[start:] == [
        *(
            "-chardev",
            "file,id=port-user,path=/dev/shm/x,,y/user.log,append=on",
            "-serial",
            "chardev:port-user",
        ),
        *("-chardev", "stdio,id=port-kernel,signal=off", "-serial", "chardev:port-kernel"),
        *("-chardev", "socket,id=monitor,fd=7", "-mon", "chardev=monitor,mode=control", "-S"),
    ]


def test_a_qemu_that_takes_over_waits_for_a_guest_and_gets_a_stub_for_a_kernel() -> None:
    files = MachineFiles(kernel=Path("k"), initrd=Path("i"), stub=Path("stub"))
    first = words(target(), files, Wiring(port_files={}, monitor_fd=7))
    second = words(target(), files, Wiring(port_files={}, monitor_fd=7, takes_over=True))
    assert "-incoming" not in first
    assert second == [*("stub" if word == "k" else word for word in first), "-incoming", "defer"]


@pytest.mark.parametrize(
    ("keys", "accelerator", "cpu"),
    [
        ({}, "tcg", "cortex-a72"),
        ({"machine": "virt,gic-version=3"}, "tcg", "cortex-a72"),
        ({"machine": "virt-7.2,gic-version=3"}, "tcg", "cortex-a72"),
        ({}, "kvm", "host"),
        ({"cpu": "max"}, "tcg", "max"),
        ({"cpu": "max"}, "hvf", "max"),
        ({"machine": "raspi3b"}, "tcg", None),
        ({"machine": "virtual"}, "tcg", None),
        ({"arch": "x86_64", "machine": "q35"}, "tcg", None),
        ({"arch": "x86_64", "machine": "q35"}, "kvm", None),
    ],
)
def test_a_machine_whose_own_cpu_cannot_run_the_kernel_gets_one_that_can(
    keys: dict[str, str], accelerator: str, cpu: str | None
) -> None:
    assert guest_cpu(target(**keys), accelerator) == cpu


def test_memory_is_shared_with_the_host_by_a_backend() -> None:
    command = qemu_command(
        target(),
        MachineFiles(kernel=Path("k"), initrd=None),
        append="",
        accelerator="tcg",
        wiring=None,
        memory_backend="memory-backend-memfd",
    )
    assert "virt,memory-backend=ram" in command
    assert "memory-backend-memfd,id=ram,size=128M,share=on" in command


def test_disks_come_in_order_with_their_devices_and_doubled_commas() -> None:
    configured = target(
        disk=[
            {"image": "a", "device": "virtio-blk-device"},
            {"image": "b", "format": "qcow2", "interface": "ide", "read_only": True},
        ]
    )
    command = words(configured, MachineFiles(kernel=None, initrd=None, disks=(Path("/t,1"), Path("/t2"))))
    start = command.index("-drive")
    assert command[start : start + 6] == [
        *("-drive", "if=none,id=disk0,format=raw,file=/t,,1", "-device", "virtio-blk-device,drive=disk0"),
        *("-drive", "if=ide,id=disk1,format=qcow2,file=/t2,readonly=on"),
    ]


def test_two_disks_of_the_same_image_are_two_disks() -> None:
    configured = target(disk=[{"image": "a", "device": "x"}, {"image": "a", "device": "x"}])
    command = words(configured, MachineFiles(kernel=None, initrd=None, disks=(Path("1"), Path("2"))))
    assert [word for word in command if word.startswith("if=")] == [
        "if=none,id=disk0,format=raw,file=1",
        "if=none,id=disk1,format=raw,file=2",
    ]


def test_firmware_is_two_flash_drives_of_which_the_first_is_read_only() -> None:
    files = MachineFiles(
        kernel=None, initrd=None, firmware_code=Path("/f/CODE.fd"), firmware_variables=Path("/f/VARS.fd")
    )
    flash = [word for word in words(target(), files) if "pflash" in word]
    assert flash == [
        "if=pflash,format=raw,unit=0,readonly=on,file=/f/CODE.fd",
        "if=pflash,format=raw,unit=1,file=/f/VARS.fd",
    ]
