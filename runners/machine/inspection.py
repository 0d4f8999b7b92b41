"""How a runner has a guest looked into that got no further: what it asks, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parity.diagnosis import Hang
    from runners.machine.machine import Machine
    from runners.machine.rig import Rig
    from runners.verdict.observation import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A wait that did not end as it should, on a machine that still runs."""

    rig: Rig
    machine: Machine
    fields: Mapping[str, str]
    ending: Ending
    waited_s: float
    booting: bool = False
    """Whether the kernel was still coming up."""
    is_last: bool = True
    """Whether the machine ends after this look, whatever is found."""


def look_inside(stall: Stall) -> Hang | None:
    """Return what the guest is stuck on; None where nobody is there to look, or nothing is to be found out."""
    inspector = stall.rig.inspector
    return inspector.inspect(stall) if inspector is not None else None


class Inspector(Protocol):
    """Looks into machines. Never raises for what it finds there."""

    def progress_of(self, rig: Rig, machine: Machine, fields: Mapping[str, str]) -> Callable[[], int | None]:
        """Return what counts the kernel's own progress, as far as it can be told: system calls, not ticks."""
        ...

    def inspect(self, stall: Stall) -> Hang | None:
        """Return what the guest is stuck on; None where it is not to be looked into, or cannot be."""
        ...
