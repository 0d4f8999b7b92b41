"""Waiting with a look inside: a guest that shows no sign of life is looked into, and waited for where it gets on.

Silence with an idle guest is the end of the wait, unless what is found inside says that it will go on by itself.
Silence with a busy guest is none, unless what is found proves that it never will.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from parity.diagnosis import Cause
from parity.outcome import Outcome
from runners.observation import Ending

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

    from parity.diagnosis import Hang
    from runners.machine import Limits, Machine

_PATIENCE: Final = 2.0
"""How much longer each further silence may be."""
_NEVER: Final = float("inf")


def wait_patiently(
    machine: Machine,
    patterns: Sequence[re.Pattern[str]],
    limits: Limits,
    look: Callable[[Ending], Hang | None] | None,
) -> tuple[int | Ending, Hang | None]:
    """Wait as `Machine.wait_for` does; return with the end of the wait what a look inside found, where it decided.

    `look` is told `QUIET` for an idle guest and `STALLED` for a busy one. Raises `Stopped`.
    """
    if look is None:
        return machine.wait_for(patterns, limits), None
    limits = replace(limits, stall_s=limits.quiet_s)
    looks = 0
    while True:
        waited = machine.wait_for(patterns, limits)
        if waited not in (Ending.QUIET, Ending.STALLED):
            return waited, None
        hang = look(waited)
        looks += 1
        if _is_over(waited, hang, looks):
            return Ending.QUIET, hang
        if hang is not None:  # it decided nothing, and leaves nothing behind
            shutil.rmtree(hang.folder, ignore_errors=True)
        machine.begin_wait()
        limits = _longer(limits) if hang is not None else replace(limits, stall_s=_NEVER)


def _is_over(waited: Ending, hang: Hang | None, looks: int) -> bool:
    """Whether there is nothing left to wait for. An idle guest of which nothing is known gets a second silence."""
    if hang is None or hang.diagnosis.cause is Cause.UNKNOWN:
        return waited is Ending.QUIET and (hang is None or looks > 1)
    if hang.diagnosis.cause is Cause.SLOW:
        return False
    if waited is Ending.STALLED:
        return hang.diagnosis.outcome in (Outcome.HANG, Outcome.CRASH)
    return True


def _longer(limits: Limits) -> Limits:
    return replace(limits, quiet_s=limits.quiet_s * _PATIENCE, stall_s=limits.stall_s * _PATIENCE)
