"""What looks like a hang and is none of the guest's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gdb.rules.verdict import verdict
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from gdb.evidence.evidence import Evidence

HOST: Final = "host"
"""The subject of a verdict against the host."""
_RESETS: Final = 3
_STARVED_S: Final = 0.05
"""What a virtual CPU ran at most, having been ready for most of the window: a share of it would tell of the host alone,
where many spin on few cores and each goes round its loop a million times."""


def qemu_stopped(evidence: Evidence) -> Diagnosis | None:
    """QEMU itself stands still: paused, or ended by an error of its own."""
    still = [state for state in evidence.capture.qemu_states if state not in ("running", "")]
    if not still:
        return None
    return verdict(
        evidence,
        Cause.NOT_THE_GUEST,
        Confidence.VERY_HIGH,
        f"QEMU does not run the guest: its state is {still[0]}",
        [f"query-status answered {', '.join(evidence.capture.qemu_states)}"],
        subject=still[0],
    )


def reset_loop(evidence: Evidence) -> Diagnosis | None:
    """The machine is reset again and again."""
    resets = evidence.capture.qemu_events.count("RESET")
    if resets < _RESETS:
        return None
    return verdict(
        evidence,
        Cause.NOT_THE_GUEST,
        Confidence.VERY_HIGH,
        f"the machine resets in a loop: {resets} times since the wait began",
        [f"{resets} RESET events; a triple fault or the kernel's own reboot does that"],
        subject="reset",
    )


def host_starves(evidence: Evidence) -> Diagnosis | None:
    """The host gave the guest's CPUs no time."""
    shares, seconds = evidence.window.host, evidence.seconds
    starved = [
        cpu
        for cpu in evidence.busy
        if cpu.cpu in shares
        and shares[cpu.cpu].ran_s < _STARVED_S
        and shares[cpu.cpu].waited_s > 0.5 * seconds
    ]
    if not starved or len(starved) < len(evidence.busy):
        return None
    facts = [
        f"CPU {cpu.cpu}: ran {shares[cpu.cpu].ran_s:.2f} s and waited {shares[cpu.cpu].waited_s:.2f} s of {seconds:.1f} s"
        for cpu in starved
    ]
    return verdict(
        evidence,
        Cause.NOT_THE_GUEST,
        Confidence.HIGH,
        "the host starves the guest: its CPUs are ready and are not given time",
        facts,
        subject=HOST,
    )
