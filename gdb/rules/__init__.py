"""The hang rules: each a pure function `Evidence -> Diagnosis | None`, in the order in which they are believed.

All modules are pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gdb.rules.fatal import fault_storm, panic_parked
from gdb.rules.interrupts import (
    idle_with_interrupts_off,
    interrupt_storm,
    interrupts_off_loop,
    timer_lost,
    wait_with_interrupts_off,
)
from gdb.rules.locks import lock_cycle, lock_leaked, self_deadlock
from gdb.rules.looping import kernel_loop, polling_livelock, requeue_livelock, slow, user_spin
from gdb.rules.machine import HOST, host_starves, qemu_stopped, reset_loop
from gdb.rules.unknown import unknown
from gdb.rules.waiting import blocked_in_system_call, lost_wakeup, runnable_not_scheduled
from parity.diagnosis import Cause, Suspicion

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdb.evidence.evidence import Evidence
    from parity.diagnosis import Diagnosis

RULES: Final[tuple[Callable[[Evidence], Diagnosis | None], ...]] = (
    qemu_stopped,
    reset_loop,
    host_starves,
    panic_parked,
    fault_storm,
    self_deadlock,
    lock_cycle,
    lock_leaked,
    requeue_livelock,
    interrupts_off_loop,
    wait_with_interrupts_off,
    timer_lost,
    lost_wakeup,
    runnable_not_scheduled,
    blocked_in_system_call,
    interrupt_storm,
    polling_livelock,
    kernel_loop,
    user_spin,
    slow,
    idle_with_interrupts_off,
)
"""The first that matches is the verdict; the others that match are its runners-up."""

_TIMELESS: Final = (Cause.PANIC_PARKED, Cause.SELF_DEADLOCK, Cause.LOCK_CYCLE, Cause.LOCK_LEAKED)
"""What stacks and records prove at one moment, however little time the host gave."""


def diagnose(evidence: Evidence) -> Diagnosis:
    """Return what the evidence proves; `unknown` says what was seen and what was missing."""
    found = [diagnosis for rule in RULES if (diagnosis := rule(evidence)) is not None]
    if found and found[0].subject == HOST:
        found.sort(key=lambda one: not (one.cause in _TIMELESS and one.confidence.is_proof))
    first, *others = found or [unknown(evidence)]
    return replace(
        first,
        runners_up=tuple(
            Suspicion(cause=other.cause, confidence=other.confidence, sentence=other.sentence)
            for other in others
        ),
        missing=evidence.capture.missing,
    )
