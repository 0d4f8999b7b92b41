"""Waiting with a look inside: a guest that shows no sign of life is looked into, and waited for where it gets on.

Silence with an idle guest is the end of the wait, unless what is found inside says that it will go on by itself.
Silence with a busy guest is none, unless what is found proves that it never will.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from parity.diagnosis import Cause, Confidence
from parity.outcome import Outcome
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

    from parity.diagnosis import Hang
    from runners.machine.machine import Limits, Machine

_PATIENCE: Final = 2.0
"""How much longer each further silence may be."""
_NEVER: Final = float("inf")


def wait_patiently(
    machine: Machine,
    patterns: Sequence[re.Pattern[str]],
    limits: Limits,
    look: Callable[[Ending], Hang | None] | None,
    *,
    enough: Confidence = Confidence.MEDIUM,
) -> tuple[int | Ending, Hang | None]:
    """Wait as `Machine.wait_for` does; return with the end of the wait what a look inside found, where it decided.

    `look` is told `QUIET` for an idle guest and `STALLED` for a busy one. An idle guest about which nothing is found
    with `enough` confidence gets a second silence. Raises `Stopped`.
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
        if _is_over(waited, hang, enough if looks == 1 else Confidence.LOW):
            return Ending.QUIET, hang
        if hang is not None:  # it decided nothing, and leaves nothing behind
            shutil.rmtree(hang.folder, ignore_errors=True)
        machine.begin_wait()
        limits = _longer(limits) if hang is not None else replace(limits, stall_s=_NEVER)


def _is_over(waited: Ending, hang: Hang | None, enough: Confidence) -> bool:
    """Whether there is nothing left to wait for."""
    if hang is None:
        return waited is Ending.QUIET
    diagnosis = hang.diagnosis
    if diagnosis.cause is Cause.SLOW:
        return False
    if waited is Ending.STALLED:
        return diagnosis.outcome in (Outcome.HANG, Outcome.CRASH)
    if diagnosis.cause is Cause.UNKNOWN:
        return enough is Confidence.LOW
    return diagnosis.confidence.rank >= enough.rank


def _longer(limits: Limits) -> Limits:
    return replace(limits, quiet_s=limits.quiet_s * _PATIENCE, stall_s=limits.stall_s * _PATIENCE)
