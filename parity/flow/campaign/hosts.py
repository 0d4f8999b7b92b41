"""Targets that are a host's own Linux: which of them this host can serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parity.configuration import ProcessDelivery
from parity.errors import MachineError
from runners.delivery.emulator import find_emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.configuration import Configuration
    from runners.delivery.emulator import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A target that this host cannot serve."""

    target: str
    error: MachineError


def leave_out_unserved(
    configuration: Configuration,
    targets: Sequence[str],
    *,
    named: Sequence[str] = (),
    host: Host | None = None,
) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    """Return the targets that this host can serve, and those that it cannot, with the reason.

    One that was `named` itself is never left out silently, nor is the only one: both raise `MachineError`.
    """
    served: list[str] = []
    left_out: list[LeftOut] = []
    for name in targets:
        target = configuration.target(name)
        try:
            if isinstance(target.delivery, ProcessDelivery):
                find_emulator(target, target.delivery, host)
            served.append(name)
        except MachineError as error:
            if name in named:
                raise MachineError(f"{name}: {error.message}", hint=error.hint) from error
            left_out.append(LeftOut(target=name, error=error))
    if left_out and not served:
        raise MachineError(f"{left_out[0].target}: {left_out[0].error.message}", hint=left_out[0].error.hint)
    return tuple(served), tuple(left_out)
