"""How long silence may last on this target and this host, before it means something."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

_USUAL_BOOT_S: Final = 5.0
"""Firmware and a grown kernel take that long under TCG, and their tests are no slower for it."""
_SILENT_SHARE: Final = 1 / 6
_SLOWEST: Final = 5.0
_BUSIEST: Final = 4.0


def host_load() -> float:
    """Return how many threads want each of the host's cores, over the last minute; 1 where that is not known."""
    try:
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    except OSError:
        return 1.0


@dataclass(slots=True, kw_only=True)
class Pace:
    """One target's pace; shared by its workers."""

    boots_s: list[float] = field(default_factory=list)

    def note_boot(self, seconds: float) -> None:
        """Remember how long a boot took that came up."""
        self.boots_s.append(seconds)

    def boot_silence_s(self, budget_s: float) -> float:
        """Return how long silence may last at least while a target boots that may take `budget_s` for it.

        Firmware and boot menus wait for seconds, idle and silent. No silence in a boot is longer than a boot that
        came up; until there was one, it is a share of the budget.
        """
        return max(self.boots_s, default=budget_s * _SILENT_SHARE)

    def factor(self, load: float) -> float:
        """Return how many times longer than configured a silence may be.

        The quickest boot so far tells how slow the target is, `load` (threads a core) how busy the host.
        """
        boot = min(self.boots_s, default=_USUAL_BOOT_S) / _USUAL_BOOT_S
        return min(max(boot, 1.0), _SLOWEST) * min(max(load, 1.0), _BUSIEST)
