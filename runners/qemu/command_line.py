"""QEMU's command line, from a target's description: pure, so that `--dry-run` shows what would really run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from parity.configuration import Disk, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFiles:
    """The files that one boot uses, resolved: images are shared, disks and flash are the boot's own copies."""

    kernel: Path | None
    initrd: Path | None
    stub: Path | None = None
    """What a QEMU that takes over a booted guest is given in the kernel's place; None where none is to."""
    disks: tuple[Path, ...] = ()
    firmware_code: Path | None = None
    firmware_variables: Path | None = None
    state: Path | None = None
    """A qcow2 image that takes saved machine states; what the guest writes is then on qcow2 overlays as well."""

    @property
    def overlay_format(self) -> str | None:
        """The format of what the guest may write, where it is not the image's own."""
        return "qcow2" if self.state is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How this boot's QEMU is tied to us; None: as a person at a terminal would have it (`--dry-run`)."""

    port_files: Mapping[str, Path]
    """Where each serial port other than the console is written."""
    monitor_fd: int
    """QEMU's end of the QMP socket pair."""
    takes_over: bool = False
    """Whether it waits for a guest that another QEMU has booted."""


def qemu_command(
    target: Target,
    files: MachineFiles,
    *,
    append: str,
    accelerator: str,
    wiring: Wiring | None,
    memory_backend: str | None = None,
) -> tuple[str, ...]:
    """Return QEMU's argument vector for one boot of `target`.

    `append` is the whole kernel command line. `memory_backend` names the object type that shares the guest's
    RAM with the host (`memory-backend-memfd`, QEMU 7.2, Linux only).
    """
    machine = target.machine or ""
    memory = ["-m", f"{target.memory_mib}M"]
    if memory_backend is not None:
        machine += ",memory-backend=ram"
        memory += ["-object", f"{memory_backend},id=ram,size={target.memory_mib}M,share=on"]
    command = [target.qemu or target.architecture.qemu, "-machine", machine, "-accel", accelerator]
    cpu = guest_cpu(target, accelerator)
    command += ["-cpu", cpu] if cpu else []
    command += ["-smp", str(target.cpus), *memory]
    command += ["-display", "none", "-monitor", "none", "-no-reboot", "-no-user-config"]
    command += _firmware(files)
    takes_over = wiring is not None and wiring.takes_over
    kernel = files.stub if takes_over else files.kernel
    command += ["-kernel", str(kernel)] if kernel else []
    command += ["-initrd", str(files.initrd)] if files.initrd else []
    command += ["-append", append] if append else []
    for number, (disk, path) in enumerate(zip(target.disk, files.disks, strict=True)):
        command += _disk(disk, path, number=number, overlay_format=files.overlay_format)
    if files.state is not None:
        command += ["-drive", f"if=none,id=state,format=qcow2,file={option_value(files.state)}"]
    command += _serial_ports(target, wiring)
    command += target.arguments
    if wiring is not None:
        # Paused until the monitor listens, so that no event of a short-lived guest is missed.
        command += [
            "-chardev",
            f"socket,id=monitor,fd={wiring.monitor_fd}",
            "-mon",
            "chardev=monitor,mode=control",
            "-S",
        ]
    command += ["-incoming", "defer"] if takes_over else []
    return tuple(command)


def guest_cpu(target: Target, accelerator: str) -> str | None:
    """Return QEMU's `-cpu`; None for the machine's own, which has to be able to run the kernel's instruction set.

    Where it is not, and not configured, it is one that can, or the host's own, if that is to run the guest.
    """
    machine = re.sub(r"(?:-\d.*)?(?:,.*)?$", "", target.machine or "")  # virt-7.2,gic-version=3
    able = target.architecture.cpus.get(machine)
    return target.cpu or (able if able is None or accelerator == "tcg" else "host")


def shell_line(command: Sequence[str]) -> str:
    """Return the command as one line that can be pasted into a shell."""
    return shlex.join(command)


def option_value(text: object) -> str:
    """Return `text` as the value of a key in a QEMU option list, where a comma is written twice."""
    return str(text).replace(",", ",,")


def _firmware(files: MachineFiles) -> list[str]:
    words = []
    if files.firmware_code:
        words += [
            "-drive",
            f"if=pflash,format=raw,unit=0,readonly=on,file={option_value(files.firmware_code)}",
        ]
    if files.firmware_variables:
        format_ = files.overlay_format or "raw"
        words += [
            "-drive",
            f"if=pflash,format={format_},unit=1,file={option_value(files.firmware_variables)}",
        ]
    return words


def _disk(disk: Disk, path: Path, *, number: int, overlay_format: str | None) -> list[str]:
    name = f"disk{number}"
    read_only = ",readonly=on" if disk.read_only else ""
    format_ = disk.format if disk.read_only else overlay_format or disk.format
    drive = f"if={disk.interface},id={name},format={format_},file={option_value(path)}{read_only}"
    attach = ["-device", f"{disk.device},drive={name}"] if disk.device else []
    return ["-drive", drive, *attach]


def _serial_ports(target: Target, wiring: Wiring | None) -> list[str]:
    words = []
    for port in target.serial:
        if port == target.console_port:
            # signal=off: Ctrl-C typed at the guest is the guest's, never QEMU's.
            backend, options = "stdio", ",signal=off" if wiring is not None else ""
        else:
            path = wiring.port_files[port] if wiring is not None else f"{port}.log"
            # append=on: what a QEMU that takes over writes comes after what the first one did
            backend = "file"
            options = f",path={option_value(path)}" + (",append=on" if wiring is not None else "")
        words += ["-chardev", f"{backend},id=port-{port}{options}", "-serial", f"chardev:port-{port}"]
    return words
