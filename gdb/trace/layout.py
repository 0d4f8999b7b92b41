"""How a kernel's trace state lies in memory: records only. find_layout.py reads them from the kernel's ELF file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One unsigned little-endian integer inside a structure, in bytes."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLayout:
    """One trace event. What a kernel does not record is None."""

    size: int
    timestamp: Field
    event_type: Field
    cpu: Field | None
    flags: Field | None
    payload: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class RingLayout:
    """One ring of events per CPU, at equal distances."""

    address: int
    """Of the first CPU's ring, where the kernel runs."""
    stride: int
    """From one CPU's ring to the next."""
    cpus: int
    capacity: int
    """Events in one ring."""
    entries: int
    """Offset of the first event in a ring."""
    write_index: Field
    """Counts every event ever reserved; the slot is its value modulo the capacity."""
    read_index: Field | None
    dropped: Field | None
    event: EventLayout

    @property
    def size(self) -> int:
        """All rings, in bytes."""
        return self.stride * self.cpus


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterLayout:
    """A counter with one slot per CPU."""

    size: int
    name: Field | None
    """Pointer to the name; its length is the next integer of the same size. None: the symbol is the name."""
    per_cpu: int
    """Offset of CPU 0's value."""
    per_cpu_stride: int
    value_size: int
    cpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLayout:
    """A trace provider: its name (pointer, then length), its number, and a bit for each probe that is on."""

    size: int
    name: Field
    number: Field
    enabled: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """An array of pointers to structures, and the variable that says how many are used."""

    address: int
    capacity: int
    count_address: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteTraceLayout:
    """The older trace: single bytes, of which the first `capacity` are kept; the index goes on counting."""

    address: int
    capacity: int
    index_address: int
    index_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLayout:
    """Everything of the kernel's own that is read; what it does not have is None, and `missing` says why."""

    rings: RingLayout | None = None
    enabled_address: int | None = None
    """u64, 0 while nothing is traced."""
    timestamp_hz_address: int | None = None
    """u64, the timestamps' frequency by the kernel's own calibration."""
    counter: CounterLayout | None = None
    counters: Registry | None = None
    named_counters: tuple[tuple[str, int], ...] = ()
    """(symbol, address) of counters that have a symbol of their own."""
    provider: ProviderLayout | None = None
    providers: Registry | None = None
    byte_trace: ByteTraceLayout | None = None
    lock_names: Registry | None = None
    """Pointers to NUL-terminated names, by the id in lock events."""
    origin: str = ""
    """Where the layout was taken from, as a sentence part: DWARF, or symbol sizes."""
    missing: tuple[str, ...] = ()
