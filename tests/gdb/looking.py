"""Takes captures of a booted duet as an inspector does."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gdb.captures.capture import Subject
from gdb.captures.kernel import read_kernel
from gdb.captures.take_capture import Tools, take_capture
from gdb.guest.guest import Guest
from gdb.kernel_file.roles import Roles
from parity.configuration import HangRules
from runners.processes.process import launcher_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gdb.captures.capture import Capture
    from tests.gdb.booted import Booted

RULES: Final = HangRules()


def look(
    machine: Booted,
    kernel: Path,
    arch: str,
    *,
    symbols: Path | None = None,
    wait: Callable[[float], object] = time.sleep,
    core: Path | None = None,
) -> Capture:
    """Take a capture as an inspector does."""
    elf = symbols or kernel / "build" / arch / "duet.elf"
    tools = Tools(
        kernel=lambda: read_kernel(elf, RULES),
        symbols=elf,
        launcher=launcher_words(),
        socket=machine.folder / "gdb",
        roles=Roles.by(RULES),
        wait=wait,
        core=core,
    )
    subject = Subject(
        test="a_test",
        target=arch,
        arch=arch,
        cpus=4,
        ending="quiet",
        waited_s=1.0,
        taken_at=datetime.now(UTC).isoformat(),
    )
    return take_capture(Guest(machine.monitor, machine.folder, pid=machine.process.pid), subject, tools)
