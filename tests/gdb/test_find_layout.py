"""Where the trace lies: by DWARF, by symbol sizes, and when to refuse."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.kernel_file.elf_image import ElfImage, read_elf
from gdb.trace.find_layout import find_trace_layout
from gdb.trace.layout import EventLayout, Field, RingLayout, TraceLayout
from parity.configuration import TraceNames
from tests.support.compiled import ARCHITECTURES, compile_c
from tests.support.elf_writer import LABEL, X86_64, WrittenSegment, WrittenSymbol, write_elf

ROOT = Path(__file__).parents[2]
NAMES = TraceNames()
EVENT = EventLayout(
    size=16,
    timestamp=Field(offset=0, size=8),
    event_type=Field(offset=8, size=2),
    cpu=Field(offset=10, size=1),
    flags=Field(offset=11, size=1),
    payload=Field(offset=12, size=4),
)


def rings_at(address: int, cpus: int, capacity: int = 1024) -> RingLayout:
    end = 16 * capacity
    return RingLayout(
        address=address,
        stride=end + 64,
        cpus=cpus,
        capacity=capacity,
        entries=0,
        write_index=Field(offset=end, size=8),
        read_index=Field(offset=end + 8, size=8),
        dropped=Field(offset=end + 16, size=8),
        event=EVENT,
    )


def written(*symbols: WrittenSymbol, base: int = 0, is_position_independent: bool = False) -> TraceLayout:
    content = write_elf(
        symbols=symbols,
        segments=[WrittenSegment(address=0x1000, memory_size=1 << 24)],
        machine=X86_64,
        is_position_independent=is_position_independent,
    )
    return find_trace_layout(ElfImage(io.BytesIO(content), name="kernel.elf"), NAMES, base=base)


def compiled(source: str, arch: str = "aarch64") -> TraceLayout:
    return find_trace_layout(ElfImage(io.BytesIO(compile_c(source, arch=arch)), name="kernel.elf"), NAMES)


def rings(size: int, address: int = 0x2000, name: str = "TRACE_BUFFERS") -> WrittenSymbol:
    return WrittenSymbol(name=name, address=address, size=size)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_sample_kernel_s_layout_is_found_exactly(arch: str) -> None:
    file = ROOT / "kernel" / "build" / arch / "duet.elf"
    if not file.exists():
        pytest.skip("the sample kernel is not built: make -C kernel")
    image = read_elf(file)
    layout = find_trace_layout(image, NAMES)

    def address(name: str) -> int:
        symbol = image.symbols.find(name)
        assert symbol is not None
        return symbol.address

    assert layout.rings == rings_at(address("TRACE_BUFFERS"), 16)
    assert layout.enabled_address == address("TRACE_ENABLED")
    assert layout.timestamp_hz_address == address("TRACE_TIMESTAMP_HZ")
    assert layout.counter is not None
    assert (layout.counter.size, layout.counter.per_cpu, layout.counter.cpus) == (1088, 64, 16)
    assert (layout.counter.per_cpu_stride, layout.counter.value_size) == (64, 8)
    assert layout.counter.name == Field(offset=0, size=8)
    assert layout.counters is not None
    assert (layout.counters.capacity, layout.counters.count_address) == (9, address("TRACE_COUNTER_COUNT"))
    assert ("SYSCALL_TOTAL", address("SYSCALL_TOTAL")) in layout.named_counters
    assert layout.provider is not None
    assert (layout.provider.number, layout.provider.enabled) == (
        Field(offset=16, size=1),
        Field(offset=24, size=8),
    )
    assert layout.providers is not None
    assert (layout.providers.address, layout.providers.capacity) == (address("TRACE_PROVIDERS"), 16)
    assert layout.lock_names is not None
    assert layout.lock_names.capacity == 128
    assert (layout.origin, layout.missing) == ("DWARF", ())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_kernel_with_other_sizes_and_offsets_is_read_off_its_members(arch: str) -> None:
    layout = compiled(
        """
struct atomic { struct { unsigned long v; } cell; };
struct event { unsigned payload; unsigned short event_type; unsigned long timestamp; };
struct ring { struct atomic write_idx; char pad[56]; struct { struct event events[48]; } entries; };
struct { struct ring all[3]; } TRACE_BUFFERS;
""",
        arch,
    )
    assert layout.rings is not None
    assert (layout.rings.cpus, layout.rings.capacity, layout.rings.stride) == (3, 48, 64 + 48 * 16)
    assert (layout.rings.write_index, layout.rings.entries) == (Field(offset=0, size=8), 64)
    assert (layout.rings.read_index, layout.rings.dropped) == (None, None)
    event = layout.rings.event
    assert (event.payload, event.timestamp) == (Field(offset=0, size=4), Field(offset=8, size=8))
    assert (event.cpu, event.flags) == (None, None)


def test_one_ring_that_is_no_array_is_one_cpu_s() -> None:
    layout = compiled(
        "struct { struct { unsigned long timestamp; unsigned event_type, payload; } entries[8];"
        " unsigned write_idx; } TRACE_BUFFERS;\n"
    )
    assert layout.rings is not None
    assert (layout.rings.cpus, layout.rings.capacity) == (1, 8)
    assert layout.rings.write_index.size == 4


def test_members_of_other_names_are_refused_by_name() -> None:
    layout = compiled("struct { long entries[8]; long head; } TRACE_BUFFERS[4];\n")
    assert layout.rings is None
    assert any("TRACE_BUFFERS: " in reason and "write_idx" in reason for reason in layout.missing)


def test_dwarf_that_contradicts_the_symbol_is_refused() -> None:
    content = compile_c(
        "struct { struct { long timestamp; int event_type, payload; } entries[8]; long write_idx; } TRACE_BUFFERS[2];\n"
    )
    image = ElfImage(io.BytesIO(content), name="kernel.elf")
    symbol = image.symbols.find("TRACE_BUFFERS")
    assert symbol is not None
    row = symbol.address.to_bytes(8, "little") + symbol.size.to_bytes(8, "little")
    assert content.count(row) == 1
    changed = content.replace(row, row[:8] + (symbol.size * 2).to_bytes(8, "little"))
    layout = find_trace_layout(ElfImage(io.BytesIO(changed), name="kernel.elf"), NAMES)
    assert layout.rings is None
    assert layout.missing[0] == "TRACE_BUFFERS: its DWARF says 272 bytes, its symbol 544"


@pytest.mark.parametrize("cpus", [1, 2, 3, 4, 8, 16, 32, 64])
def test_without_dwarf_the_documented_layout_is_taken_where_the_size_proves_it(cpus: int) -> None:
    layout = written(rings(cpus * 16448))
    assert layout.rings == rings_at(0x2000, cpus)
    assert layout.origin == "symbol sizes"


def test_a_position_independent_kernel_s_addresses_are_those_where_it_runs() -> None:
    base = 0x10000000000
    layout = written(
        rings(16 * 16448), rings(8, 0x900000, "TRACE_ENABLED"), base=base, is_position_independent=True
    )
    assert layout.rings == rings_at(base + 0x2000, 16)
    assert layout.enabled_address == base + 0x900000


@pytest.mark.parametrize("size", [0, 1, 63, 64, 16448 + 1, 16 * 16448 - 64, 17 * 100])
def test_a_size_that_proves_nothing_is_refused(size: int) -> None:
    layout = written(rings(size))
    assert layout.rings is None
    assert layout.missing[0].startswith("TRACE_BUFFERS: no DWARF, and ")


def test_a_size_that_fits_two_layouts_is_refused() -> None:
    layout = written(rings(64 * 17 * 33))
    assert layout.rings is None
    assert "could be rings for 17 of 128 events or 33 of 64 events" in layout.missing[0]


def test_a_mangled_rust_name_is_found_by_its_end() -> None:
    mangled = "_ZN6kernel5trace13TRACE_BUFFERS17h0123456789abcdefE"
    assert written(rings(16448, name=mangled)).rings == rings_at(0x2000, 1)


def test_counters_without_dwarf_are_taken_where_their_sizes_agree_with_the_rings() -> None:
    counters = [rings(1088, 0x800000, "SYSCALL_TOTAL"), rings(1088, 0x800440, "IRQ_TOTAL")]
    layout = written(rings(16 * 16448), *counters)
    assert layout.counter is not None
    assert (layout.counter.size, layout.counter.cpus, layout.counter.per_cpu) == (1088, 16, 64)
    assert layout.named_counters == (("SYSCALL_TOTAL", 0x800000), ("IRQ_TOTAL", 0x800440))


@pytest.mark.parametrize("sizes", [(0, 0), (1088, 1024), (100, 100), (576, 576)])
def test_counters_of_sizes_that_contradict_one_another_are_refused(sizes: tuple[int, int]) -> None:
    first, second = sizes
    counters = [rings(first, 0x800000, "SYSCALL_TOTAL"), rings(second, 0x800440, "IRQ_TOTAL")]
    layout = written(rings(16 * 16448), *counters)
    assert layout.counter is None
    assert any(reason.startswith("counters: no DWARF") for reason in layout.missing)


def test_the_byte_trace_is_found_by_its_symbols() -> None:
    layout = written(rings(256, 0x3000, "EXEC_TRACE_BUF"), rings(8, 0x4000, "EXEC_TRACE_IDX"))
    assert layout.byte_trace is not None
    assert (layout.byte_trace.address, layout.byte_trace.capacity) == (0x3000, 256)
    assert (layout.byte_trace.index_address, layout.byte_trace.index_size) == (0x4000, 8)


def test_a_kernel_without_a_trace_lacks_it_by_name() -> None:
    layout = written(WrittenSymbol(name="main", address=0x1000, size=4, kind=LABEL))
    assert (layout.rings, layout.counter, layout.byte_trace, layout.origin) == (None, None, None, "")
    assert layout.missing == (
        (
            "there is no symbol TRACE_BUFFERS, TRACE_COUNTERS or TRACE_PROVIDERS: "
            "`hang.symbols` says what a trace is called"
        ),
    )


def test_a_switch_of_another_size_is_refused() -> None:
    layout = written(rings(1, 0x3000, "TRACE_ENABLED"))
    assert layout.enabled_address is None
    assert "TRACE_ENABLED: 1 bytes where 8 were expected" in layout.missing


@given(size=st.one_of(st.integers(0, 1 << 24), st.integers(1, 70).map(lambda n: n * 16448)))
def test_any_size_is_refused_or_divided_without_a_rest(size: int) -> None:
    found = written(rings(size)).rings
    if found is not None:
        assert found.size == size
        assert found.stride == 16 * found.capacity + 64
