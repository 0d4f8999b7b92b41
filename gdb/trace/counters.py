"""A kernel's counters and trace providers, read from its registries.

Counters go on while tracing is off: two readings of them are the best sign of what gets on and what does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.guest.memory import read_integer
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gdb.guest.memory import Memory
    from gdb.trace.layout import CounterLayout, Field, ProviderLayout, Registry, TraceLayout

_POINTER_BYTES: Final = 8
_MOST_ENTRIES: Final = 256
"""A registry with more is taken for damaged, and read so far."""
_LONGEST_NAME: Final = 64
_LARGEST: Final = 1 << 16
"""Bytes of one structure; a layout that says more is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A counter and its value on each CPU."""

    name: str
    address: int
    per_cpu: tuple[int, ...]

    @property
    def total(self) -> int:
        """Over all CPUs."""
        return sum(self.per_cpu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A trace provider; `enabled` has a bit for each probe that is on."""

    name: str
    number: int
    enabled: int


def read_counters(memory: Memory, layout: TraceLayout, cpus: int) -> tuple[Counter, ...]:
    """Read the counters of the registry, then those with a symbol of their own that it lacks.

    `cpus` are the machine's; a counter has no more values than the kernel has slots. What cannot be read is left out.
    """
    shape = layout.counter
    if shape is None or not 0 < shape.size <= _LARGEST:
        return ()
    symbols = {address: symbol for symbol, address in layout.named_counters}
    addresses = dict.fromkeys([*_registered(memory, layout.counters), *symbols])
    found = (_read_counter(memory, shape, address, cpus, symbols) for address in addresses)
    return tuple(counter for counter in found if counter is not None)


def read_providers(memory: Memory, layout: TraceLayout) -> tuple[Provider, ...]:
    """Read the registered trace providers; those that cannot be read are left out."""
    if layout.provider is None:
        return ()
    addresses = dict.fromkeys(_registered(memory, layout.providers))
    found = (_read_provider(memory, layout.provider, address) for address in addresses)
    return tuple(provider for provider in found if provider is not None)


def _registered(memory: Memory, registry: Registry | None) -> Iterator[int]:
    """Yield the pointers of a registry that are not null."""
    if registry is None:
        return
    count = min(registry.capacity, _MOST_ENTRIES)
    if registry.count_address is not None:
        told = read_integer(memory, registry.count_address, 8)
        count = count if told is None else min(count, told)
    for index in range(count):
        pointer = read_integer(memory, registry.address + index * _POINTER_BYTES, _POINTER_BYTES)
        if pointer:
            yield pointer


def _read_counter(
    memory: Memory, shape: CounterLayout, address: int, cpus: int, symbols: Mapping[int, str]
) -> Counter | None:
    raw = memory.read(address, shape.size)
    if raw is None:
        return None
    values = []
    for cpu in range(max(0, min(cpus, shape.cpus, _LARGEST))):
        value = _integer(raw, shape.per_cpu + cpu * shape.per_cpu_stride, shape.value_size)
        if value is None:
            break
        values.append(value)
    name = symbols.get(address) or (_read_name(memory, raw, shape.name) if shape.name else None)
    return Counter(name=name or f"counter at {address:#x}", address=address, per_cpu=tuple(values))


def _read_provider(memory: Memory, shape: ProviderLayout, address: int) -> Provider | None:
    raw = memory.read(address, shape.size) if 0 < shape.size <= _LARGEST else None
    if raw is None:
        return None
    number = _integer(raw, shape.number.offset, shape.number.size)
    enabled = _integer(raw, shape.enabled.offset, shape.enabled.size)
    if number is None or enabled is None:
        return None
    name = _read_name(memory, raw, shape.name)
    return Provider(name=name or f"provider {number:#04x}", number=number, enabled=enabled)


def _read_name(memory: Memory, raw: bytes, field: Field) -> str | None:
    """Return the text that a pointer and a length in a structure lead to, made printable."""
    pointer = _integer(raw, field.offset, field.size)
    length = _integer(raw, field.offset + field.size, field.size)
    if not pointer or not length:
        return None
    text = memory.read(pointer, min(length, _LONGEST_NAME))
    return None if text is None else printable_line(text.decode("utf-8", "backslashreplace"))


def _integer(raw: bytes, offset: int, size: int) -> int | None:
    if offset < 0 or size <= 0 or offset + size > len(raw):
        return None
    return int.from_bytes(raw[offset : offset + size], "little")
