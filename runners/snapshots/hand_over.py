"""A booted guest handed over to another QEMU on the same host, by a migration of which its memory is no part.

Why: before QEMU loads a saved state it resets the machine, and so writes the kernel that it was given with `-kernel`
into the guest's memory again. All code that was translated from there is dropped, block by block, and for each of
them the jump cache of every CPU is emptied: two thirds of a restore (hw/core/loader.c and accel/tcg, QEMU
7.2). A QEMU that was given next to nothing for a kernel, and the running guest by another QEMU, need not.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from parity.deadline import Deadline
from parity.errors import MachineError
from parity.printable import printable_line
from runners.processes.process import refusals_named
from runners.snapshots.saved_state import share_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from runners.qemu.qemu_process import QemuProcess
    from runners.qemu.qmp import Monitor
    from runners.snapshots.saved_memory import SavedMemory

_FILE: Final = "guest"
"""What QEMU calls the file that the guest goes through."""
_OVER: Final = frozenset({"none", "completed", "failed", "cancelled"})
"""What QEMU calls migrations that are not under way."""
_MOVED_S: Final = 10.0
_POLL_S: Final = 0.002


class HandOver:
    """How a guest goes to another QEMU, step by step."""

    most_bytes: int = 256 * 1024 * 1024
    """Of used memory: with more, a restore takes long for other reasons, and the host holds it three times for a moment."""

    def hand_over(
        self, source: QemuProcess, memory: SavedMemory, start: Callable[[], QemuProcess]
    ) -> tuple[QemuProcess, SavedMemory]:
        """Return the QEMU that has the guest now, standing still, and its saved memory.

        The guest stands still at the source; `memory` is what was saved of its memory there. `start` starts the other
        QEMU, which waits for a guest. Raises `MachineError` where it cannot be done; the guest is then where it was.
        """
        with contextlib.ExitStack() as resources, contextlib.ExitStack() as undo:
            resources.enter_context(refusals_named("hand the guest over to another QEMU"))
            state = os.memfd_create("parity-guest")
            resources.callback(os.close, state)
            undo.callback(_take_back, source.monitor)
            self.send(source.monitor, state)
            successor = start()
            undo.callback(successor.close)
            successor.connect()
            theirs = share_memory(successor.monitor, successor.pid)
            if theirs is None:
                raise MachineError("the second QEMU does not share its memory as the first one did")
            undo.callback(theirs.close)
            # The memory first: devices look at it when their state comes (hw/i386/kvmvapic.c, QEMU 7.2).
            self.copy_memory(memory, theirs)
            os.lseek(state, 0, os.SEEK_SET)
            self.receive(successor, state)
            undo.pop_all()
            return successor, theirs

    def send(self, monitor: Monitor, file: int) -> None:
        """Have the QEMU that has the guest write everything but its memory to an open file."""
        monitor.give(file, _FILE)
        monitor.execute("migrate", uri=f"fd:{_FILE}")
        self.await_end(monitor)

    def copy_memory(self, ours: SavedMemory, theirs: SavedMemory) -> None:
        """Make the other QEMU's memory what was saved of the guest's."""
        theirs.adopt(ours)

    def receive(self, successor: QemuProcess, file: int) -> None:
        """Have the other QEMU take the guest in from an open file."""
        try:
            successor.monitor.give(file, _FILE)
            successor.monitor.execute("migrate-incoming", uri=f"fd:{_FILE}")
            self.await_end(successor.monitor)
        except MachineError as error:  # QEMU ends where it cannot take a guest in, and says why
            why = printable_line(successor.stderr.strip()) or error.message
            raise MachineError(f"the second QEMU did not take the guest in: {why}") from error

    def await_end(self, monitor: Monitor) -> None:
        """Wait until a QEMU's migration is over."""
        answer = _await_standstill(monitor, Deadline.after(_MOVED_S))
        if (status := answer.get("status")) != "completed":
            raise MachineError(f"QEMU could not move the guest: {answer.get('error-desc', status)}")


def _take_back(monitor: Monitor) -> None:
    """Have a QEMU go on with a guest that it began to send, or has sent; the guest stands still afterwards.

    Until QEMU has put the migration away it refuses to go on (`qmp_cont`, QEMU 7.2); once it has sent a guest its
    disks are no longer its own, until it goes on.
    """
    monitor.execute("migrate_cancel")
    deadline = Deadline.after(_MOVED_S)
    _await_standstill(monitor, deadline)
    while monitor.execute("query-status").get("status") == "finish-migrate":
        _wait_a_little(deadline)
    monitor.execute("cont")
    monitor.execute("stop")


def _await_standstill(monitor: Monitor, deadline: Deadline) -> dict[str, Any]:
    """Wait until no migration is under way, and return what QEMU says of the last one."""
    answer: dict[str, Any]
    while (answer := monitor.execute("query-migrate")).get("status", "none") not in _OVER:
        _wait_a_little(deadline)
    return answer


def _wait_a_little(deadline: Deadline) -> None:
    if deadline.expired:
        raise MachineError(f"QEMU did not move the guest within {_MOVED_S:g} s")
    time.sleep(_POLL_S)
