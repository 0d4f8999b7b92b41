"""Which guests are looked into, for the runners. What it takes to look is loaded for the first one: most runs need none."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runners.machine.machine import Stopped
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from parity.diagnosis import Hang
    from parity.flow.hang.look import Looker
    from parity.flow.hang.pulse import Pulse
    from runners.machine.inspection import Stall
    from runners.machine.machine import Machine
    from runners.machine.rig import Rig

_log = logging.getLogger(__name__)

_MOMENTS: Final = {
    Ending.QUIET: "hang",
    Ending.STALLED: "hang",
    Ending.BUDGET: "timeout",
    Ending.PANICKED: "crash",
}


@dataclass
class GuestInspector:
    """Decides which machines of one campaign are looked into; shared by its workers."""

    folder: Path
    """Where captures go."""
    always: bool = False
    """Look into every guest that did not end well, whatever the configuration says."""
    _looker: Looker | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def progress_of(self, rig: Rig, machine: Machine, fields: Mapping[str, str]) -> Callable[[], int | None]:
        """Return what counts the progress of a machine's kernel."""
        pulse: Pulse | None = None

        def count() -> int | None:
            nonlocal pulse
            if pulse is None:
                pulse = self._load().pulse(rig, machine, fields)
            return pulse()

        return count

    def inspect(self, stall: Stall) -> Hang | None:
        """Return what the guest is stuck on; a failure of this tool costs the diagnosis and nothing else."""
        rules = stall.rig.target.hang
        moment = "boot" if stall.booting else _MOMENTS[stall.ending]
        if not self.always and moment not in rules.capture:
            return None
        try:
            return self._load().look(stall, rules)
        except Stopped:
            raise
        except Exception:  # noqa: BLE001 - the boundary of one diagnosis: recorded, and the attempt is judged without it
            _log.exception("%s on %s: looking into the guest", stall.fields["test"], stall.rig.name)
            return None

    def _load(self) -> Looker:
        from parity.flow.hang.look import Looker  # noqa: PLC0415 - see above

        with self._lock:
            if self._looker is None:
                self._looker = Looker(self.folder)
            return self._looker
