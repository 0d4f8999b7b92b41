"""What the author of a trace wants to know of it: is it whole, does it keep order, does every provider speak?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from gdb.trace.event_types import provider_name
from gdb.trace.ring import Mark
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gdb.trace.counters import Provider
    from gdb.trace.layout import Field, RingLayout
    from gdb.trace.ring import DecodedRing
    from gdb.trace.timeline import Timeline


class Standing(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a trace."""

    name: str
    standing: Standing
    sentence: str

    @property
    def failed(self) -> bool:
        """Whether the trace contradicts itself here."""
        return self.standing is Standing.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Indices:
    """What a ring's header says besides its write index; None where the kernel keeps no such thing."""

    cpu: int
    read_index: int | None
    dropped: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraceState:
    """Everything that the checks look at."""

    timeline: Timeline
    providers: tuple[Provider, ...] = ()
    indices: tuple[Indices, ...] = ()
    enabled: int | None = None
    """TRACE_ENABLED."""
    cpu0_write_index: int | None = None
    """TRACE_CPU0_WRITE_IDX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """How many events of a provider a CPU's ring holds."""

    cpu: int
    provider: int
    count: int


_NEVER_EMITTED_ALONE: Final = 0xFF
"""The marker provider: it speaks when somebody sets a marker, and silence says nothing."""


def read_indices(raw: bytes, layout: RingLayout) -> tuple[Indices, ...]:
    """Read each ring's read index and count of dropped events; `raw` is as for `gdb.trace.ring.decode_rings`."""
    cpus = min(layout.cpus, len(raw) // layout.stride) if layout.stride > 0 else 0

    def integer(cpu: int, field: Field | None) -> int | None:
        if field is None or field.offset < 0 or field.size <= 0 or field.offset + field.size > layout.stride:
            return None
        start = cpu * layout.stride + field.offset
        return int.from_bytes(raw[start : start + field.size], "little")

    return tuple(
        Indices(cpu=cpu, read_index=integer(cpu, layout.read_index), dropped=integer(cpu, layout.dropped))
        for cpu in range(cpus)
    )


def count_events(timeline: Timeline) -> tuple[EventCount, ...]:
    """Return how many events of which provider each CPU's ring holds, by CPU and provider's number."""
    counts = []
    for ring in timeline.rings:
        providers, numbers = np.unique(ring.usable["event_type"] >> 8, return_counts=True)
        counts += [
            EventCount(cpu=ring.cpu, provider=int(provider), count=int(number))
            for provider, number in zip(providers, numbers, strict=True)
        ]
    return tuple(counts)


def validate_trace(state: TraceState) -> tuple[Check, ...]:
    """Return all checks, in the order in which a reader wants them."""
    return tuple(check(state) for check in _CHECKS)


def _check_enabled(state: TraceState) -> Check:
    name = "tracing is on"
    match state.enabled:
        case None:
            return _not_applicable(name, "the kernel has no TRACE_ENABLED")
        case 0:
            return _failed(name, "TRACE_ENABLED is 0: the rings hold what was before it was switched off")
        case 1:
            return _passed(name, "TRACE_ENABLED is 1")
        case value:
            return _failed(name, f"TRACE_ENABLED is {value:#x}, neither 0 nor 1")


def _check_events(state: TraceState) -> Check:
    name = "events are there"
    held = {ring.cpu: len(ring.usable) for ring in state.timeline.rings if len(ring.usable)}
    if not held:
        return _failed(name, "no ring holds an event")
    return _passed(name, f"{_counted(sum(held.values()), 'event')} on {_counted(len(held), 'CPU')}")


def _check_order(state: TraceState) -> Check:
    name = "time never goes back"
    found = [(ring.cpu, _marked(ring, Mark.OUT_OF_ORDER | Mark.BAD_TIME)) for ring in state.timeline.rings]
    bad = [(cpu, count) for cpu, count in found if count]
    if bad:
        return _failed(name, _per_cpu(bad, "event out of order", "events out of order"))
    nested = sum(_marked(ring, Mark.NESTED) for ring in state.timeline.rings)
    return _passed(name, f"{nested} behind a predecessor, by nested interrupts" if nested else "on no CPU")


def _check_slots(state: TraceState) -> Check:
    name = "slots are written"
    bad = [(ring.cpu, _marked(ring, Mark.UNCOMMITTED)) for ring in state.timeline.rings]
    bad = [(cpu, count) for cpu, count in bad if count]
    if bad:
        return _failed(name, _per_cpu(bad, "slot reserved and not written", "slots reserved and not written"))
    return _passed(name, "every slot that was reserved")


def _check_types(state: TraceState) -> Check:
    name = "types are known"
    unknown = [
        (ring.cpu, int(number))
        for ring in state.timeline.rings
        for number in np.unique(ring.usable["event_type"][_has(ring, Mark.UNKNOWN_TYPE)])
    ]
    if unknown:
        types = sorted({number for _, number in unknown})
        shown = ", ".join(f"0x{number:04x}" for number in types[:8]) + (" ..." if len(types) > 8 else "")
        return _failed(name, f"{_counted(len(types), 'type')} that nobody named: {shown}")
    return _passed(name, "every event's")


def _check_cpus(state: TraceState) -> Check:
    name = "events name their ring's CPU"
    bad = [(ring.cpu, int(_has(ring, Mark.WRONG_CPU).sum())) for ring in state.timeline.rings]
    bad = [(cpu, count) for cpu, count in bad if count]
    if bad:
        return _failed(name, _per_cpu(bad, "event of another CPU", "events of another CPU"))
    return _passed(name, "all of them")


def _check_memory(state: TraceState) -> Check:
    name = "rings can be read"
    notes = [f"CPU {ring.cpu}: {note}" for ring in state.timeline.rings for note in ring.notes]
    return _failed(name, "; ".join(notes[:4])) if notes else _passed(name, "all of them, whole")


def _check_losses(state: TraceState) -> Check:
    name = "nothing was overwritten"
    lost = [(ring.cpu, ring.overwritten) for ring in state.timeline.rings if ring.overwritten]
    if not lost:
        return _passed(name, "the rings hold everything since their start")
    return Check(  # a ring is there to be written round: this is for who counts events
        name=name, standing=Standing.NOT_APPLICABLE, sentence=_per_cpu(lost, "older event", "older events")
    )


def _check_dropped(state: TraceState) -> Check:
    name = "dropped counts what was overwritten"
    overwritten = {ring.cpu: ring.overwritten for ring in state.timeline.rings}
    told = [indices for indices in state.indices if indices.dropped is not None]
    if not told:
        return _not_applicable(name, "the rings count no dropped events")
    # The writer reserves first and counts after: one event in flight a nesting level.
    wrong = [i for i in told if not 0 <= overwritten.get(i.cpu, 0) - (i.dropped or 0) <= 8]
    if wrong:
        first = wrong[0]
        return _failed(
            name,
            f"CPU {first.cpu} dropped {first.dropped}, and {overwritten.get(first.cpu, 0)} were overwritten"
            + _and_more(len(wrong) - 1),
        )
    return _passed(name, f"{sum(i.dropped or 0 for i in told)} in all")


def _check_read_index(state: TraceState) -> Check:
    name = "the read index is behind the write index"
    written = {ring.cpu: ring.write_index for ring in state.timeline.rings}
    told = [indices for indices in state.indices if indices.read_index is not None]
    if not told:
        return _not_applicable(name, "the rings have no read index")
    wrong = [i for i in told if (i.read_index or 0) > written.get(i.cpu, 0)]
    if wrong:
        first = wrong[0]
        return _failed(
            name,
            f"CPU {first.cpu} was read up to {first.read_index}, and written up to {written.get(first.cpu, 0)}"
            + _and_more(len(wrong) - 1),
        )
    return _passed(name, "on every CPU")


def _check_cpu0(state: TraceState) -> Check:
    name = "TRACE_CPU0_WRITE_IDX agrees with CPU 0's ring"
    index = next((ring.write_index for ring in state.timeline.rings if ring.cpu == 0), None)
    if state.cpu0_write_index is None or index is None:
        return _not_applicable(name, "the kernel has none")
    # It is stored after the ring's own index: a CPU stopped in between is one event ahead, or a nesting level more.
    if 0 <= index - state.cpu0_write_index <= 8:
        return _passed(
            name, f"both are {index}" if index == state.cpu0_write_index else f"{index}, in flight"
        )
    return _failed(name, f"it is {state.cpu0_write_index}, the ring's is {index}")


def _check_silent(state: TraceState) -> Check:
    name = "providers that are on have events"
    on = [provider for provider in state.providers if provider.enabled]
    if not on:
        return _not_applicable(name, "no provider is registered and on")
    heard = {count.provider for count in count_events(state.timeline)}
    silent = [p for p in on if p.number not in heard and p.number != _NEVER_EMITTED_ALONE]
    if silent:
        names = ", ".join(printable_line(provider.name, limit=32) for provider in silent)
        return _failed(name, f"silent in these windows: {names}")
    return _passed(name, f"all {len(on)} that are on")


def _check_off(state: TraceState) -> Check:
    name = "providers that are off have no events"
    off = {provider.number: provider.name for provider in state.providers if not provider.enabled}
    if not off:
        return _not_applicable(name, "no provider is registered and off")
    heard = sorted({count.provider for count in count_events(state.timeline)} & off.keys())
    if heard:
        names = ", ".join(printable_line(off[number], limit=32) for number in heard)
        return _failed(name, f"off, and events in the rings: {names}")
    return _passed(name, f"none of {len(off)}")


_CHECKS: Final[tuple[Callable[[TraceState], Check], ...]] = (
    _check_enabled,
    _check_memory,
    _check_events,
    _check_order,
    _check_slots,
    _check_types,
    _check_cpus,
    _check_losses,
    _check_dropped,
    _check_read_index,
    _check_cpu0,
    _check_silent,
    _check_off,
)


def format_counts(timeline: Timeline, providers: Iterable[Provider] = ()) -> tuple[str, ...]:
    """Return the events of each provider and CPU as lines of a table, a line a provider."""
    counts = count_events(timeline)
    cpus = [ring.cpu for ring in timeline.rings if ring.write_index]
    by_place = {(count.cpu, count.provider): count.count for count in counts}
    names = {provider.number: printable_line(provider.name, limit=16) for provider in providers}
    numbers = sorted({*names, *(count.provider for count in counts)})
    lines = [f"{'provider':<16}" + "".join(f"{f'CPU {cpu}':>9}" for cpu in cpus)]
    for number in numbers:
        cells = "".join(f"{by_place.get((cpu, number), 0):>9}" for cpu in cpus)
        lines.append(f"{names.get(number) or provider_name(number):<16}{cells}")
    return tuple(lines)


def _has(ring: DecodedRing, mark: Mark) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Say which of the usable events bear a mark."""
    marked: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (ring.usable["marks"] & mark) != 0
    return marked


def _marked(ring: DecodedRing, mark: Mark) -> int:
    return int(((ring.events["marks"] & mark) != 0).sum())


def _per_cpu(found: Iterable[tuple[int, int]], one: str, many: str) -> str:
    return ", ".join(f"CPU {cpu}: {count} {one if count == 1 else many}" for cpu, count in found)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _and_more(count: int) -> str:
    return f", and {_counted(count, 'CPU')} more" if count else ""


def _passed(name: str, sentence: str) -> Check:
    return Check(name=name, standing=Standing.PASSED, sentence=sentence)


def _failed(name: str, sentence: str) -> Check:
    return Check(name=name, standing=Standing.FAILED, sentence=sentence)


def _not_applicable(name: str, sentence: str) -> Check:
    return Check(name=name, standing=Standing.NOT_APPLICABLE, sentence=sentence)
