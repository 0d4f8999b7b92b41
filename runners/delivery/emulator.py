"""Which user-mode emulator a target's programs need on this host, if any, and what it is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.errors import MachineError
from runners.processes.process import shortage

if TYPE_CHECKING:
    from parity.configuration import ProcessDelivery, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine is, as far as it decides which programs it can run."""

    system: str
    machine: str
    search_path: str | None = None
    """Where programs are looked for; None is the environment's own."""


def this_host() -> Host:
    """Return the machine that we are on."""
    return Host(system=platform.system(), machine=platform.machine())


def find_emulator(target: Target, delivery: ProcessDelivery, host: Host | None = None) -> str | None:
    """Return the user-mode emulator that the target's programs need here; None where they run natively.

    Raises `MachineError` where it is not installed or the host is not Linux.
    """
    host = host or this_host()
    if host.system != "Linux":
        raise MachineError("its programs are for Linux, and this is none", hint="run it on a Linux host")
    if host.machine in target.architecture.host_names:
        return None
    name = delivery.emulator or target.architecture.user_emulator
    for candidate in (name, f"{name}-static"):
        if found := shutil.which(candidate, path=host.search_path):
            return os.path.abspath(found)  # noqa: PTH100 - links stay: they may be the program's name
    raise MachineError(f"{name} is not installed", hint="Debian and Ubuntu: apt install qemu-user")


def read_host_version(target: Target, delivery: ProcessDelivery) -> str:
    """Return what runs the target's programs: Linux's release, and the emulator's version where there is one."""
    emulator = find_emulator(target, delivery)
    linux = f"Linux {platform.release()}"
    if emulator is None:
        return linux
    try:
        asked = subprocess.run((emulator, "--version"), capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired as error:
        raise MachineError(f"{emulator} does not tell its version: {error}") from error
    except OSError as error:
        raise shortage(f"run {emulator} --version", error) from error
    lines = asked.stdout.decode(errors="backslashreplace").splitlines()
    return f"{lines[0] if lines else emulator} on {linux}"
