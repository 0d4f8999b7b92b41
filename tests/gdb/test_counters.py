"""Counters and providers read from registries, sound and damaged."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.guest.memory import Block, RecordedMemory
from gdb.trace.counters import Counter, Provider, read_counters, read_providers
from gdb.trace.layout import CounterLayout, Field, ProviderLayout, Registry, TraceLayout

LAYOUT = TraceLayout(
    counter=CounterLayout(
        size=1088, name=Field(offset=0, size=8), per_cpu=64, per_cpu_stride=64, value_size=8, cpus=16
    ),
    counters=Registry(address=0x1000, capacity=4, count_address=0x1100),
    provider=ProviderLayout(
        size=32,
        name=Field(offset=0, size=8),
        number=Field(offset=16, size=1),
        enabled=Field(offset=24, size=8),
    ),
    providers=Registry(address=0x1200, capacity=16, count_address=0x1300),
)


def u64(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "little") for number in numbers)


def counter(name: tuple[int, int], values: tuple[int, ...]) -> bytes:
    return (u64(*name).ljust(64, b"\0") + b"".join(u64(value).ljust(64, b"\0") for value in values)).ljust(
        1088, b"\0"
    )


def memory(*blocks: tuple[int, bytes]) -> RecordedMemory:
    return RecordedMemory(Block(address=address, content=content) for address, content in blocks)


SOUND = (
    (0x1000, u64(0x2000, 0, 0x3000, 0xDEAD)),
    (0x1100, u64(3)),
    (0x2000, counter((0x5000, 5), (7, 8))),
    (0x3000, counter((0x9999, 5), (1,))),
    (0x4000, counter((0, 0), (5,))),
    (0x5000, b"TICKSgarbage"),
)


def test_counters_are_read_through_their_registry_with_a_value_for_each_cpu() -> None:
    counters = read_counters(memory(*SOUND), LAYOUT, 2)
    assert counters == (
        Counter(name="TICKS", address=0x2000, per_cpu=(7, 8)),
        Counter(name="counter at 0x3000", address=0x3000, per_cpu=(1, 0)),
    )
    assert counters[0].total == 15


def test_counters_with_a_symbol_are_named_by_it_and_read_without_a_registry() -> None:
    layout = replace(LAYOUT, named_counters=(("SYSCALL_TOTAL", 0x4000), ("TIMER_TICK_TOTAL", 0x2000)))
    assert [c.name for c in read_counters(memory(*SOUND), layout, 1)] == [
        "TIMER_TICK_TOTAL",
        "counter at 0x3000",
        "SYSCALL_TOTAL",
    ]
    assert [c.name for c in read_counters(memory(*SOUND), replace(layout, counters=None), 1)] == [
        "SYSCALL_TOTAL",
        "TIMER_TICK_TOTAL",
    ]


def test_a_count_that_is_too_large_is_bounded_by_the_registry() -> None:
    blocks = memory(*SOUND, (0x1100, u64(1 << 60)))
    assert [c.address for c in read_counters(blocks, LAYOUT, 1)] == [0x2000, 0x3000]


def test_more_cpus_than_slots_give_as_many_values_as_there_are_slots() -> None:
    assert len(read_counters(memory(*SOUND), LAYOUT, 1000)[0].per_cpu) == 16


def test_providers_are_read_with_their_probes() -> None:
    blocks = memory(
        (0x1200, u64(0x2000, 0x3000)),
        (0x1300, u64(2)),
        (0x2000, u64(0x5000, 4, 0x03, 0xFF)),
        (0x3000, u64(0, 0, 0xFF, 0)),
        (0x5000, b"lock\x1b"),
    )
    assert read_providers(blocks, LAYOUT) == (
        Provider(name="lock", number=3, enabled=0xFF),
        Provider(name="provider 0xff", number=255, enabled=0),
    )


def test_a_kernel_without_registries_has_neither() -> None:
    assert read_counters(memory(), TraceLayout(), 4) == ()
    assert read_providers(memory(), TraceLayout()) == ()
    assert read_counters(memory(), LAYOUT, 4) == ()


NUMBERS = st.integers(-8, 80) | st.integers(0, 1 << 70)
FIELDS = st.builds(Field, offset=NUMBERS, size=NUMBERS)
REGISTRIES = st.builds(Registry, address=NUMBERS, capacity=NUMBERS, count_address=st.none() | NUMBERS)


@settings(max_examples=200, deadline=None)
@given(
    content=st.binary(max_size=300),
    cpus=NUMBERS,
    layout=st.builds(
        TraceLayout,
        counter=st.builds(
            CounterLayout,
            size=NUMBERS,
            name=st.none() | FIELDS,
            per_cpu=NUMBERS,
            per_cpu_stride=NUMBERS,
            value_size=NUMBERS,
            cpus=NUMBERS,
        ),
        counters=REGISTRIES,
        provider=st.builds(ProviderLayout, size=NUMBERS, name=FIELDS, number=FIELDS, enabled=FIELDS),
        providers=REGISTRIES,
        named_counters=st.just((("A", 0), ("B", 40))),
    ),
)
def test_any_memory_under_any_layout_is_read_or_left_out(
    content: bytes, cpus: int, layout: TraceLayout
) -> None:
    blocks = memory((0, content))
    assert all(len(counter.per_cpu) <= 65536 for counter in read_counters(blocks, layout, cpus))
    assert all(provider.name.isprintable() for provider in read_providers(blocks, layout))
