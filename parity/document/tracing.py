"""What a target's newest capture with trace rings shows of the kernel's tracing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCount:
    """How many events of one subsystem the rings hold."""

    provider: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCheck:
    """One check of the trace itself, such as whether time runs forwards."""

    name: str
    standing: str
    """passed, failed or not-applicable."""
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFacts:
    """The trace of one target, as the rings of a stopped machine showed it."""

    target: str
    test: str
    """Whose capture it is."""
    folder: Path
    cpus: int
    capacity: int
    """Events in each CPU's ring."""
    event_bytes: int
    hz: int | None
    """Ticks of its clock in a second; None where the kernel does not say."""
    held: int
    """Events that the rings still held."""
    written: int
    """Events that were ever written."""
    speaking: tuple[int, ...]
    """The CPUs whose rings hold any."""
    providers: tuple[ProviderCount, ...]
    counters: tuple[tuple[str, int], ...]
    """Each counter over all CPUs, by name."""
    checks: tuple[TraceCheck, ...]

    @property
    def failed(self) -> tuple[TraceCheck, ...]:
        """The checks that found a fault."""
        return tuple(check for check in self.checks if check.standing == "failed")
