from __future__ import annotations

import itertools
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from gdb.guest.memory import Block, RecordedMemory, Recorder, read_integer, read_text

SPACE: Final = 64
BLOCKS: Final = st.lists(
    st.builds(
        lambda address, content: Block(address=address, content=content),
        st.integers(0, SPACE - 1),
        st.binary(max_size=16),
    ),
    max_size=12,
)


class Model:
    """Memory as a plain array: what was written last is there, and each byte knows whether it is."""

    def __init__(self, blocks: list[Block]) -> None:
        self.content = bytearray(SPACE + 32)
        self.is_there = [False] * len(self.content)
        for block in blocks:
            for offset, byte in enumerate(block.content):
                self.content[block.address + offset] = byte
                self.is_there[block.address + offset] = True

    def read(self, address: int, size: int) -> bytes | None:
        """Return the bytes where all are there."""
        if address < 0 or size < 0 or address + size > len(self.content):
            return None
        span = slice(address, address + size)
        return bytes(self.content[span]) if all(self.is_there[span]) else None


@given(BLOCKS, st.integers(-2, SPACE + 20), st.integers(-2, 40))
def test_recorded_memory_reads_as_plain_memory_does(blocks: list[Block], address: int, size: int) -> None:
    found = RecordedMemory(blocks).read(address, size)
    if size > 0:
        assert found == Model(blocks).read(address, size)
    else:
        assert found in (None, b"")


@given(BLOCKS)
def test_recorded_blocks_are_in_order_and_none_touches_another(blocks: list[Block]) -> None:
    kept = RecordedMemory(blocks).blocks
    assert all(block.content for block in kept)
    for one, other in itertools.pairwise(kept):
        assert one.address + len(one.content) < other.address
    assert RecordedMemory(kept).blocks == kept


@given(BLOCKS, st.lists(st.tuples(st.integers(0, SPACE), st.integers(0, 24)), max_size=10))
def test_a_recorder_reads_the_same_and_its_record_reads_the_same_again(
    blocks: list[Block], reads: list[tuple[int, int]]
) -> None:
    memory = RecordedMemory(blocks)
    recorder = Recorder(memory)
    answers = [recorder.read(*read) for read in reads]
    assert answers == [memory.read(*read) for read in reads]
    replay = RecordedMemory(recorder.blocks)
    for (address, size), answer in zip(reads, answers, strict=True):
        if size:
            assert replay.read(address, size) == answer


@given(st.integers(-(1 << 63), (1 << 64) - 1), st.sampled_from([1, 2, 4, 8]))
def test_an_integer_is_read_little_endian(value: int, size: int) -> None:
    raw = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    memory = RecordedMemory([Block(address=0x1000, content=raw)])
    unsigned = read_integer(memory, 0x1000, size)
    signed = read_integer(memory, 0x1000, size, signed=True)
    assert unsigned == int.from_bytes(raw, "little")
    assert signed is not None
    assert (signed - value) % (1 << 8 * size) == 0
    assert read_integer(memory, 0x1001, size) is None


@given(st.binary(max_size=80), st.integers(1, 64))
def test_text_ends_with_its_zero_byte_its_limit_or_its_memory(content: bytes, limit: int) -> None:
    found = read_text(RecordedMemory([Block(address=8, content=content)]), 8, limit=limit)
    expected = content.split(b"\0", 1)[0][:limit].decode("utf-8", "backslashreplace")
    if not content:
        assert found is None
    elif 0 in content[:limit]:
        assert found == expected
    else:
        assert found is not None
        assert expected.startswith(found) or found.startswith(expected[:limit])
