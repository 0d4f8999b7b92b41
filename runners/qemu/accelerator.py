"""What the host's QEMU can do: its version, and the accelerator that really works for a target."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import TYPE_CHECKING, Final

from parity.errors import MachineError
from runners.processes.process import shortage
from runners.qemu.command_line import guest_cpu

if TYPE_CHECKING:
    from parity.configuration import Target

_PROBE_S: Final = 10.0
_QMP_QUIT: Final = b'{"execute":"qmp_capabilities"}{"execute":"quit"}'


def emulator(target: Target) -> str:
    """Return the program that emulates the target."""
    return target.qemu or target.architecture.qemu


def read_version(target: Target) -> str:
    """Return QEMU's version line; raises `MachineError` where it is not installed."""
    program = emulator(target)
    try:
        asked = subprocess.run((program, "--version"), capture_output=True, timeout=_PROBE_S, check=False)
    except FileNotFoundError:
        raise MachineError(
            f"{program} is not installed",
            hint=f"Debian and Ubuntu: apt install {target.architecture.qemu_package}; macOS: brew install qemu",
        ) from None
    except subprocess.TimeoutExpired as error:
        raise MachineError(f"{program} --version failed: {error}") from error
    except OSError as error:
        raise shortage(f"run {program} --version", error) from error
    lines = asked.stdout.decode(errors="backslashreplace").splitlines()
    return lines[0].replace("emulator version ", "").strip() if lines else f"{program} (no version told)"


def choose_accelerator(target: Target) -> str:
    """Return `kvm` or `hvf` where host and guest match and the emulator starts with it, else `tcg`.

    A device node proves nothing: nested virtualisation often has /dev/kvm and then fails to set a register.
    """
    if target.accelerator != "auto":
        return target.accelerator
    if platform.machine() not in target.architecture.host_names:
        return "tcg"
    native = "hvf" if platform.system() == "Darwin" else "kvm"
    if native == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    return native if _starts_with(target, native) else "tcg"


def _starts_with(target: Target, accelerator: str) -> bool:
    cpu = guest_cpu(target, accelerator)
    command = [emulator(target), "-accel", accelerator, "-machine", str(target.machine)]
    command += ["-cpu", cpu] if cpu else []
    command += ["-smp", str(target.cpus), "-display", "none", "-nodefaults", "-S", "-qmp", "stdio"]
    try:
        probe = subprocess.run(command, input=_QMP_QUIT, capture_output=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0
