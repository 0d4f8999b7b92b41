"""Why an attempt got no further: the verdict of the hang rules, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parity.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path


class Cause(StrEnum):
    """What a kernel is stuck on; one per rule (docs/hang-diagnosis.md has the table)."""

    NOT_THE_GUEST = "not-the-guest"
    """QEMU is gone or paused, the machine resets in a loop, or the host starves it."""
    PANIC_PARKED = "panic-parked"
    """A panic or a fatal exception, after which the kernel halted."""
    FAULT_STORM = "fault-storm"
    """A fault whose handler returns without having mended it."""
    SELF_DEADLOCK = "self-deadlock"
    """A CPU spins on a lock that it holds itself."""
    LOCK_CYCLE = "lock-cycle"
    """CPUs spin on locks that the others among them hold (ABBA)."""
    LOCK_LEAKED = "lock-leaked"
    """A CPU spins on a lock whose holder is on no CPU, or left without releasing it."""
    INTERRUPTS_OFF_LOOP = "interrupts-off-loop"
    """A CPU runs on with interrupts masked."""
    WAIT_WITH_INTERRUPTS_OFF = "wait-with-interrupts-off"
    """A CPU waits for an interrupt that it has masked."""
    TIMER_LOST = "timer-lost"
    """Interrupts are on, and the timer no longer sends any."""
    LOST_WAKEUP = "lost-wakeup"
    """What a thread waits for has happened, and nobody woke it."""
    RUNNABLE_NOT_SCHEDULED = "runnable-not-scheduled"
    """A thread is ready and no CPU runs it, though CPUs idle."""
    BLOCKED_IN_SYSTEM_CALL = "blocked-in-system-call"
    """A thread waits in a system call, and nothing is left that could wake it."""
    INTERRUPT_STORM = "interrupt-storm"
    """Interrupts come faster than the kernel gets on."""
    POLLING_LIVELOCK = "polling-livelock"
    """User space repeats a system call that never succeeds."""
    KERNEL_LOOP = "kernel-loop"
    """The kernel runs in circles below a system call."""
    USER_SPIN = "user-spin"
    """The test itself runs in circles."""
    SLOW = "slow"
    """It gets on, and needs longer than it may."""
    UNKNOWN = "unknown"

    @property
    def is_hang(self) -> bool:
        """Whether it says that the guest would never get on."""
        return self not in (Cause.NOT_THE_GUEST, Cause.SLOW, Cause.UNKNOWN)


class Confidence(StrEnum):
    """How much a verdict can be relied on."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very-high"

    @property
    def rank(self) -> int:
        """Its place among the others, the least first."""
        return tuple(Confidence).index(self)

    @property
    def is_proof(self) -> bool:
        """Whether a verdict of this confidence may decide an outcome."""
        return self in (Confidence.HIGH, Confidence.VERY_HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A cause that the evidence speaks for, but less."""

    cause: Cause
    confidence: Confidence
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What one capture proves."""

    cause: Cause
    confidence: Confidence
    sentence: str
    """What a kernel developer would write; guest text in it is already printable."""
    evidence: tuple[str, ...] = ()
    """Facts, the deciding one first: CPU, register, frame, event, counter."""
    subject: str = ""
    """The lock, the fault or the system call that it is about, as a symbol or name; empty where there is none."""
    frames: tuple[str, ...] = ()
    """The stuck stack's functions, innermost first, without the primitives that every such stack shares."""
    runners_up: tuple[Suspicion, ...] = ()
    missing: tuple[str, ...] = ()
    """What could not be had, and would have told more."""
    is_for_good: bool = False
    """Whether nothing is left that could end it, however sure its cause is."""

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that it proves for an attempt that did not end; None where it proves none."""
        if not self.confidence.is_proof and not self.is_for_good:
            return None
        if self.cause.is_hang:
            return Outcome.CRASH if self.cause is Cause.PANIC_PARKED else Outcome.HANG
        return {Cause.SLOW: Outcome.TIMEOUT, Cause.NOT_THE_GUEST: Outcome.ERROR}.get(self.cause)

    @property
    def signature(self) -> str:
        """What hangs of one cause have in common: cause, subject and canonical frames."""
        return " | ".join((self.cause.value, self.subject or "-", " < ".join(self.frames[:3]) or "-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """A diagnosed attempt's capture: where its files are, and what they were found to prove."""

    folder: Path
    """The capture: a folder of plain files."""
    diagnosis: Diagnosis
    pause_s: float
    """For how long the guest was stopped for it."""
    took_s: float
    """From the detection to the verdict."""
