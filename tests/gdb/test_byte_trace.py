"""The older byte trace."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gdb.guest.memory import Block, RecordedMemory
from gdb.trace.byte_trace import ByteTrace, read_byte_trace
from gdb.trace.layout import ByteTraceLayout

LAYOUT = ByteTraceLayout(address=0x1000, capacity=256, index_address=0x2000, index_size=8)


def trace(buffer: bytes, index: int) -> ByteTrace | None:
    blocks = (
        Block(address=0x1000, content=buffer.ljust(256, b"\0")),
        Block(address=0x2000, content=index.to_bytes(8, "little")),
    )
    return read_byte_trace(RecordedMemory(blocks), LAYOUT)


def test_markers_are_read_up_to_the_index() -> None:
    found = trace(b"DDDENO1old", 7)
    assert found is not None
    assert (found.text, found.emitted, found.missing) == ("D D D E N O 1", 7, 0)


def test_a_full_trace_has_the_first_markers_and_says_how_many_came_later() -> None:
    found = trace(bytes(range(256)), 1000)
    assert found is not None
    assert (found.markers, found.missing) == (bytes(range(256)), 744)
    assert found.text.startswith("0x00 0x01")


def test_a_trace_that_cannot_be_read_is_none() -> None:
    assert read_byte_trace(RecordedMemory([]), LAYOUT) is None


@given(st.binary(max_size=64), *[st.integers(-5, 1 << 66)] * 4)
def test_any_memory_is_read_or_refused(
    content: bytes, address: int, capacity: int, index_address: int, index_size: int
) -> None:
    layout = ByteTraceLayout(
        address=address, capacity=capacity, index_address=index_address, index_size=index_size
    )
    found = read_byte_trace(RecordedMemory([Block(address=0, content=content)]), layout)
    assert found is None or found.text.isprintable()
