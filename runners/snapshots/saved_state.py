"""One machine's state, saved and loaded again by its QEMU; the memory that QEMU shares with us is kept by us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parity.errors import MachineError
from parity.printable import printable_line
from runners.processes.process import refusals_named
from runners.snapshots.saved_memory import SavedMemory, open_memory

if TYPE_CHECKING:
    from runners.qemu.qmp import Monitor, Sent

_HUMAN: Final = "human-monitor-command"
_STATE: Final = "parity"
"""What saved states are called; they live and die with their QEMU."""


class SavedState:
    """What a machine can go back to. Every step raises `MachineError` with QEMU's reason where it cannot be done."""

    def __init__(self, monitor: Monitor, pid: int, memory: SavedMemory | None = None) -> None:
        """`pid` is that of the QEMU that answers at the monitor; `memory` what was saved of its memory already."""
        self._monitor = monitor
        self._pid = pid
        self._restoring: tuple[Sent, Sent] | None = None
        self.memory = memory
        """The guest's memory, where it is ours to keep."""

    def save_memory(self) -> None:
        """Remember the memory as it is now, if it is ours to keep; the guest stands still."""
        if self.memory is None:
            self.memory = share_memory(self._monitor, self._pid)
        if self.memory is not None:
            with refusals_named("save the guest's memory"):
                self.memory.save()

    def save_devices(self) -> None:
        """Remember everything else; the guest stands still."""
        _accept("savevm", self._monitor.execute(_HUMAN, **_words("savevm")))

    def begin_restore(self) -> None:
        """Have QEMU go back to what was saved while something else is done; `restore` finishes it."""
        self._restoring = self._send_restore()

    def restore(self) -> None:
        """Put the machine back to what was saved, and let it go on."""
        stop, load = self._restoring or self._send_restore()
        self._restoring = None
        _accept("loadvm", self._monitor.answer(load))
        self._monitor.answer(stop)  # which has come with the other
        if self.memory is not None:
            with refusals_named("put the guest's memory back"):
                self.memory.put_back()
        self._monitor.execute("cont")

    def _send_restore(self) -> tuple[Sent, Sent]:
        return self._monitor.send("stop"), self._monitor.send(_HUMAN, **_words("loadvm"))

    def close(self) -> None:
        """Let go of the copy of the memory."""
        if self.memory is not None:
            self.memory.close()
            self.memory = None


def share_memory(monitor: Monitor, pid: int) -> SavedMemory | None:
    """Agree with a QEMU that the guest's memory is ours to save; None unless that is all that it shares with anybody."""
    shared = [device for device in monitor.execute("query-memdev") if device.get("share", True)]
    memory = open_memory(pid) if len(shared) == 1 else None
    if memory is not None and not _leaves_out_shared_memory(monitor):
        memory.close()
        return None
    return memory


def _leaves_out_shared_memory(monitor: Monitor) -> bool:
    ours = {"capability": "x-ignore-shared", "state": True}
    try:
        monitor.execute("migrate-set-capabilities", capabilities=[ours])
    except MachineError:  # a QEMU that does not know it saves the memory itself
        return False
    return True


def _words(command: str) -> dict[str, str]:
    """Return the arguments of a command of QEMU's human monitor that saves, or loads, our state."""
    return {"command-line": f"{command} {_STATE}"}


def _accept(command: str, said: str) -> None:
    """Raise `MachineError` unless such a command went well: the human monitor then says nothing.

    That is so in QEMU 7.2 (migration/savevm.c).
    """
    if said.strip():
        raise MachineError(f"QEMU refused {command}: {printable_line(said)}")
