"""Whether a silent guest does anything: its kernel's own counters, read out of its memory while it runs."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gdb.guest.guest import Guest, GuestMemory
from gdb.trace.counters import read_counters
from parity.errors import ParityError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdb.captures.kernel import Kernel
    from runners.machine.machine import Machine

_GO_BY_THEMSELVES: Final = ("*tick*", "*irq*", "*interrupt*", "*switch*", "*wake*", "*idle*")
"""Counters that move in an idle kernel as well."""


@dataclass(slots=True)
class Pulse:
    """Counts what one machine's kernel does for its programs. Costs some milliseconds a call; the first one more."""

    machine: Machine
    cpus: int
    kernel: Callable[[], Kernel | None]
    _memory: GuestMemory | None = field(default=None)
    _pid: int = field(default=0)
    """Whose memory that is: a guest may be handed over to another QEMU."""
    _is_lost: bool = field(default=False)

    def __call__(self) -> int | None:
        """Return a number that grows while the kernel does something for a program; None where it cannot be told."""
        if self._is_lost:
            return None
        try:
            return self._read()
        except ParityError:
            self._is_lost = True
            return None

    def _read(self) -> int | None:
        kernel = self.kernel()
        if kernel is None or kernel.layout.counter is None:
            self._is_lost = True
            return None
        if self._memory is None or self._pid != self.machine.pid:
            self._pid = self.machine.pid
            guest = Guest(self.machine.monitor, self.machine.folder, pid=self._pid)
            self._memory = GuestMemory(guest, kernel.elf, base=kernel.base)
            self._memory.look_through(guest.registers())
        self._memory.read_ahead(kernel.data)
        counters = read_counters(self._memory, kernel.layout, self.cpus)
        telling = [
            counter.total
            for counter in counters
            if not any(fnmatch.fnmatchcase(counter.name.lower(), glob) for glob in _GO_BY_THEMSELVES)
        ]
        return sum(telling) if telling else None
