"""Signals sent to a run in the middle of it: to the tool itself, to one of its QEMUs, to its GDB."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    import random

TOOL: Final = "tool"
QEMU: Final = "qemu"
GDB: Final = "gdb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A signal, and whom it is for."""

    whom: str
    signal: signal.Signals

    def __str__(self) -> str:
        return f"{self.signal.name} to {self.whom}"


STRIKES: Final = (
    *(Strike(whom=TOOL, signal=s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)),
    *(Strike(whom=QEMU, signal=s) for s in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP)),
    *(Strike(whom=GDB, signal=s) for s in (signal.SIGKILL, signal.SIGSTOP)),
)


def targets_of(whom: str, tool: int) -> list[psutil.Process]:
    """Return the processes of a run, whose tool has the id `tool`, that a strike may be for."""
    try:
        root = psutil.Process(tool)
        if whom == TOOL:
            return [root]
        return [
            child for child in root.children(recursive=True) if _program(child).startswith(_PROGRAMS[whom])
        ]
    except psutil.Error:
        return []


_PROGRAMS: Final = {QEMU: "qemu-system-", GDB: "gdb"}


def _program(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""


def send(strike: Strike, tool: int, choice: random.Random) -> bool:
    """Send it to one that there is; return whether there was one."""
    found = targets_of(strike.whom, tool)
    if not found:
        return False
    with contextlib.suppress(psutil.Error):
        choice.choice(found).send_signal(strike.signal)
        return True
    return False
