"""Finds how a kernel's trace lies in memory, from its ELF file: DWARF, or the sizes of symbols. Nothing is assumed.

Without DWARF for a variable (Rust with `debug=1` has none for any), the documented layout is accepted where the
symbol's size proves it; a size of 0 proves nothing. What contradicts itself is refused, and `missing` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from gdb.guest.place import PathError, follow, place_of
from gdb.kernel_file.structures import POINTER_SIZE, Kind, Structures
from gdb.trace.layout import (
    ByteTraceLayout,
    CounterLayout,
    EventLayout,
    Field,
    ProviderLayout,
    Registry,
    RingLayout,
    TraceLayout,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdb.kernel_file.elf_image import ElfImage
    from gdb.kernel_file.structures import Type, Variable
    from gdb.kernel_file.symbols import Symbol
    from parity.configuration import TraceNames

Found = TypeVar("Found")
_CPU_LIMIT: Final = 64
_CACHE_LINE: Final = 64
_EVENT: Final = EventLayout(
    size=16,
    timestamp=Field(offset=0, size=8),
    event_type=Field(offset=8, size=2),
    cpu=Field(offset=10, size=1),
    flags=Field(offset=11, size=1),
    payload=Field(offset=12, size=4),
)
"""The documented event, `<QHBBI`: what a ring without DWARF is taken to hold once its size fits."""
_LEAST_CAPACITY: Final = 16
_INDEX: Final = 8
_TRACE_ENDS: Final = {1, 2, 4, 8}


def find_trace_layout(
    elf: ElfImage, names: TraceNames, *, base: int = 0, structures: Structures | None = None
) -> TraceLayout:
    """Return where the trace is in a kernel that was loaded `base` bytes above its link addresses.

    `structures` saves reading the DWARF twice where the caller has it.
    """
    return _Search(elf, names, base, structures or Structures(elf)).run()


class _Search:
    """One search; collects what is missing."""

    def __init__(self, elf: ElfImage, names: TraceNames, base: int, structures: Structures) -> None:
        self._symbols = elf.symbols
        self._names = names
        self._base = base
        self._structures = structures
        self._missing: list[str] = []
        self._origins: dict[str, None] = {}

    def run(self) -> TraceLayout:
        """Return everything that was found."""
        names, tried = self._names, self._tried
        rings = tried(self._rings)
        providers = tried(lambda: self._registry(names.providers, names.provider_count))
        return TraceLayout(
            rings=rings,
            enabled_address=tried(lambda: self._integer(names.enabled, {_INDEX})),
            timestamp_hz_address=tried(lambda: self._integer(names.timestamp_hz, {_INDEX})),
            counter=tried(lambda: self._counter(rings)),
            counters=tried(lambda: self._registry(names.counters, names.counter_count)),
            named_counters=tuple(
                (name, address)
                for name in names.named_counters
                if (address := self._address(name)) is not None
            ),
            provider=tried(self._provider) if providers is not None else None,
            providers=providers,
            byte_trace=tried(self._byte_trace),
            lock_names=tried(lambda: self._strings(names.lock_names)),
            origin=" and ".join(self._origins),
            missing=self._without_repetition(),
        )

    def _without_repetition(self) -> tuple[str, ...]:
        """Return what is missing; of a kernel that has no trace at all, in one sentence."""
        names = (self._names.buffers, self._names.counters, self._names.providers)
        lines = [f"there is no symbol {name}" for name in names]
        if not set(lines) <= set(self._missing):
            return tuple(self._missing)
        one = f"there is no symbol {names[0]}, {names[1]} or {names[2]}: `hang.symbols` says what a trace is called"
        return (one, *(line for line in self._missing if line not in lines))

    def _tried(self, find: Callable[[], Found | None]) -> Found | None:
        try:
            return find()
        except PathError as error:
            if str(error) not in self._missing:
                self._missing.append(str(error))
            return None

    def _rings(self) -> RingLayout:
        name = self._names.buffers
        variable, symbol = self._structures.variable(name), self._symbols.find(name)
        if variable is None and symbol is None:
            raise PathError(f"there is no symbol {name}")
        try:
            if variable is not None and variable.type.size:
                rings, origin = _rings_by_type(variable, symbol, self._base), "DWARF"
            else:
                rings, origin = _rings_by_size(symbol, self._base), "symbol sizes"
        except PathError as error:
            raise PathError(f"{name}: {error}") from error
        self._origins[origin] = None
        return rings

    def _counter(self, rings: RingLayout | None) -> CounterLayout | None:
        known = [name for name in self._names.named_counters if self._address(name) is not None]
        variables = (self._structures.variable(name) for name in known)
        typed = next((one.type for one in variables if one is not None), None)
        typed = typed or self._pointee(self._names.counters)
        sizes = {symbol.size for name in known if (symbol := self._symbols.find(name)) is not None}
        if typed is None and not sizes:
            return None
        try:
            return _counter_by_type(typed) if typed is not None else _counter_by_size(sizes, rings)
        except PathError as error:
            raise PathError(f"counters: {error}") from error

    def _provider(self) -> ProviderLayout:
        name, typed = self._names.providers, self._pointee(self._names.providers)
        if typed is None or not typed.size:
            raise PathError(f"{name}: there is no DWARF that says what a provider looks like")
        try:
            return ProviderLayout(
                size=typed.size,
                name=_text_field(typed, "name"),
                number=_field(typed, "id"),
                enabled=_field(typed, "enabled"),
            )
        except PathError as error:
            raise PathError(f"{name}: {error}") from error

    def _registry(self, name: str, count: str | None = None) -> Registry:
        size = self._size(name)
        address = self._address(name)
        if address is None:
            raise PathError(f"there is no symbol {name}")
        if not size or size % POINTER_SIZE:
            raise PathError(f"{name}: {size} bytes are no array of pointers")
        return Registry(
            address=address,
            capacity=size // POINTER_SIZE,
            count_address=self._integer(count, {_INDEX}) if count is not None else None,
        )

    def _strings(self, name: str) -> Registry | None:
        return self._registry(name) if self._address(name) is not None else None

    def _byte_trace(self) -> ByteTraceLayout | None:
        name, index = self._names.byte_trace, self._names.byte_trace_index
        address, index_address = self._address(name), self._address(index)
        if address is None or index_address is None:
            return None
        capacity, index_size = self._size(name), self._size(index)
        if not capacity or index_size not in _TRACE_ENDS:
            raise PathError(f"{name}: {capacity} bytes, with an index of {index_size}")
        return ByteTraceLayout(
            address=address, capacity=capacity, index_address=index_address, index_size=index_size
        )

    def _integer(self, name: str, sizes: set[int]) -> int | None:
        """Return where an integer of one of the sizes is."""
        address, size = self._address(name), self._size(name)
        if address is None or size in sizes:
            return address
        wanted = " or ".join(map(str, sorted(sizes)))
        raise PathError(f"{name}: {size} bytes where {wanted} were expected")

    def _address(self, name: str) -> int | None:
        symbol = self._symbols.find(name)
        variable = self._structures.variable(name) if symbol is None else None
        found = symbol or variable
        return found.address + self._base if found is not None else None

    def _size(self, name: str) -> int:
        """Return a variable's size; 0 where nobody says it, or where symbol and DWARF differ."""
        symbol, variable = self._symbols.find(name), self._structures.variable(name)
        sizes = {symbol.size if symbol is not None else 0, variable.type.size if variable is not None else 0}
        known = sizes - {0}
        return known.pop() if len(known) == 1 else 0

    def _pointee(self, name: str) -> Type | None:
        """Return what an array's pointers point to."""
        variable = self._structures.variable(name)
        array = _array(variable.type) if variable is not None else None
        pointer = array.target.pointer() if array is not None and array.target is not None else None
        return pointer[1].target if pointer is not None else None


def _rings_by_type(variable: Variable, symbol: Symbol | None, base: int) -> RingLayout:
    """Read the layout off the members' names."""
    if symbol is not None and symbol.size not in (0, variable.type.size):
        raise PathError(f"its DWARF says {variable.type.size} bytes, its symbol {symbol.size}")
    array = _array(variable.type)
    ring = array.target if array is not None else variable.type
    cpus = array.count if array is not None else 1
    if ring is None or not cpus:
        raise PathError("it is no array of rings")
    (entries,), inner = follow(ring, "entries")
    events = _array(inner)
    event = events.target if events is not None else None
    if events is None or event is None or not events.count or not event.size:
        raise PathError("its entries are no array of events")
    layout = RingLayout(
        address=variable.address + base,
        stride=ring.size,
        cpus=cpus,
        capacity=events.count,
        entries=entries,
        write_index=_field(ring, "write_idx"),
        read_index=_optional(ring, "read_idx"),
        dropped=_optional(ring, "dropped"),
        event=EventLayout(
            size=event.size,
            timestamp=_field(event, "timestamp"),
            event_type=_field(event, "event_type"),
            cpu=_optional(event, "cpu_id"),
            flags=_optional(event, "flags"),
            payload=_field(event, "payload"),
        ),
    )
    if entries + layout.capacity * event.size > ring.size or layout.size > variable.type.size:
        raise PathError(
            f"{cpus} rings of {layout.capacity} events do not fit into {variable.type.size} bytes"
        )
    return layout


def _rings_by_size(symbol: Symbol | None, base: int) -> RingLayout:
    """Find the only numbers of CPUs and events that make the documented layout of this size."""
    if symbol is None or not symbol.size:
        raise PathError("no DWARF, and no symbol with a size")
    size, fitting = symbol.size, []
    for cpus in range(1, _CPU_LIMIT + 1):
        stride, rest = divmod(size, cpus)
        capacity = (stride - _CACHE_LINE) // _EVENT.size
        is_power = capacity >= _LEAST_CAPACITY and not capacity & (capacity - 1)
        if (
            not rest
            and stride % _CACHE_LINE == 0
            and is_power
            and stride == capacity * _EVENT.size + _CACHE_LINE
        ):
            fitting.append((cpus, stride, capacity))
    if len(fitting) != 1:
        ways = " or ".join(f"{cpus} of {capacity} events" for cpus, _, capacity in fitting)
        raise PathError(
            f"no DWARF, and {size} bytes "
            + (f"could be rings for {ways}" if ways else "are no rings that parity knows")
        )
    cpus, stride, capacity = fitting[0]
    end = capacity * _EVENT.size
    return RingLayout(
        address=symbol.address + base,
        stride=stride,
        cpus=cpus,
        capacity=capacity,
        entries=0,
        write_index=Field(offset=end, size=_INDEX),
        read_index=Field(offset=end + _INDEX, size=_INDEX),
        dropped=Field(offset=end + 2 * _INDEX, size=_INDEX),
        event=_EVENT,
    )


def _counter_by_type(counter: Type) -> CounterLayout:
    (offset,), inner = follow(counter, "per_cpu")
    array = _array(inner)
    slot = array.target if array is not None else None
    if array is None or slot is None or not array.count:
        raise PathError("per_cpu is no array")
    value = place_of(slot, "value" if "value" in slot.members else "")
    if len(value.offsets) != 1:
        raise PathError("per_cpu holds pointers")
    try:
        name = _text_field(counter, "name")
    except PathError:
        name = None
    return CounterLayout(
        size=counter.size,
        name=name,
        per_cpu=offset + value.offsets[0],
        per_cpu_stride=slot.size,
        value_size=value.size,
        cpus=array.count,
    )


def _counter_by_size(sizes: set[int], rings: RingLayout | None) -> CounterLayout:
    """Accept the documented counter: name and description, then 64 bytes a CPU from 64 on."""
    size = next(iter(sizes))
    cpus, rest = divmod(size - _CACHE_LINE, _CACHE_LINE)
    if len(sizes) != 1 or rest or not 0 < cpus <= _CPU_LIMIT:
        shown = ", ".join(map(str, sorted(sizes)))
        raise PathError(f"no DWARF, and {shown} bytes are no counters that parity knows")
    if rings is not None and rings.cpus != cpus:
        raise PathError(
            f"no DWARF, and {size} bytes are for {cpus} CPUs where the rings are for {rings.cpus}"
        )
    return CounterLayout(
        size=size,
        name=Field(offset=0, size=POINTER_SIZE),
        per_cpu=_CACHE_LINE,
        per_cpu_stride=_CACHE_LINE,
        value_size=_INDEX,
        cpus=cpus,
    )


def _array(at: Type) -> Type | None:
    """Return the array that a variable is, or that Rust's cells wrap."""
    found = at.array()
    return found[1] if found is not None and found[0] == 0 else None


def _field(structure: Type, name: str) -> Field:
    place = place_of(structure, name)
    if len(place.offsets) != 1:
        raise PathError(f"{name} is behind a pointer")
    return Field(offset=place.offsets[0], size=place.size)


def _optional(structure: Type, name: str) -> Field | None:
    return _field(structure, name) if name in structure.members else None


def _text_field(structure: Type, name: str) -> Field:
    """Return the pointer of a text whose length follows it, as Rust's `&str` has it."""
    offsets, text = follow(structure, name)
    members = sorted(text.members.values(), key=lambda member: member.offset)
    if (
        len(offsets) != 1
        or [member.offset for member in members] != [0, POINTER_SIZE]
        or members[0].type.kind is not Kind.POINTER
        or members[1].type.kind is not Kind.INTEGER
    ):
        raise PathError(f"{name} is no text with a length behind its address")
    return Field(offset=offsets[0], size=POINTER_SIZE)
