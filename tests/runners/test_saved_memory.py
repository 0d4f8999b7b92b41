import itertools
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.snapshots.saved_memory import SavedMemory, gaps_between, merge_spans, open_memory, used_spans

PAGE = mmap.PAGESIZE
PAGES = 3000
"""More than one chunk of the copy."""

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has memory files")


@pytest.fixture
def memory() -> Iterator[int]:
    """A file as QEMU makes it for memory that it shares."""
    descriptor = os.memfd_create("memory-backend-memfd")
    os.ftruncate(descriptor, PAGES * PAGE)
    yield descriptor
    os.close(descriptor)


def _saved(memory: int) -> SavedMemory:
    return SavedMemory(os.dup(memory))


def _content(memory: int) -> bytes:
    return os.pread(memory, PAGES * PAGE, 0)


def test_memory_becomes_what_it_was(memory: int) -> None:
    os.pwrite(memory, b"kernel", 5 * PAGE + 3)
    os.pwrite(memory, b"x" * 3 * PAGE, 1023 * PAGE)  # over the border of two chunks
    before = _content(memory)
    saved = _saved(memory)
    saved.save()
    os.pwrite(memory, b"y" * PAGES * PAGE, 0)
    saved.put_back()
    assert _content(memory) == before
    saved.close()


def test_a_second_save_forgets_the_first(memory: int) -> None:
    saved = _saved(memory)
    os.pwrite(memory, b"first", 0)
    saved.save()
    os.pwrite(memory, bytes(PAGE), 0)
    os.pwrite(memory, b"second", 7 * PAGE)
    before = _content(memory)
    saved.save()
    os.pwrite(memory, b"gone", 0)
    saved.put_back()
    assert _content(memory) == before
    saved.close()


def test_another_memory_becomes_what_was_saved_and_goes_back_to_it(memory: int) -> None:
    os.pwrite(memory, b"kernel", 5 * PAGE + 3)
    before = _content(memory)
    saved, other = _saved(memory), os.memfd_create("memory-backend-memfd")
    os.ftruncate(other, PAGES * PAGE)
    os.pwrite(other, b"firmware", 9 * PAGE)
    saved.save()
    assert saved.used_bytes == PAGE
    adopted = _saved(other)
    adopted.adopt(saved)
    saved.close()
    assert _content(other) == before
    os.pwrite(other, b"x" * PAGE, 5 * PAGE)
    adopted.put_back()
    assert _content(other) == before
    adopted.close()
    os.close(other)


def test_going_back_gives_the_host_back_what_was_empty(memory: int) -> None:
    os.pwrite(memory, b"kernel", 0)
    saved = _saved(memory)
    saved.save()
    os.pwrite(memory, b"y" * PAGES * PAGE, 0)
    saved.put_back()
    assert os.fstat(memory).st_blocks * 512 == PAGE
    saved.close()


def test_saving_allocates_nothing_where_nobody_wrote(memory: int) -> None:
    os.pwrite(memory, b"kernel", 0)
    saved = _saved(memory)
    saved.save()
    assert os.fstat(memory).st_blocks * 512 == PAGE
    saved.close()


def test_memory_that_holds_nothing_can_be_saved(memory: int) -> None:
    saved = _saved(memory)
    saved.save()
    os.pwrite(memory, b"later", 0)
    saved.put_back()
    assert not any(_content(memory))
    saved.close()


def test_the_memory_that_a_process_shares_is_found(memory: int) -> None:
    os.pwrite(memory, b"kernel", 0)
    found = open_memory(os.getpid())
    assert found is not None
    found.save()
    os.pwrite(memory, b"KERNEL", 0)
    found.put_back()
    assert os.pread(memory, 6, 0) == b"kernel"
    found.close()


def test_two_such_files_are_one_too_many(memory: int) -> None:
    another = os.dup(memory)
    try:
        assert open_memory(os.getpid()) is None
    finally:
        os.close(another)


def test_a_process_that_shares_none_has_none() -> None:
    assert open_memory(os.getpid()) is None


def test_a_process_that_is_gone_has_none() -> None:
    assert open_memory(2**22 + 1) is None


def test_nothing_stays_open(memory: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    saved = _saved(memory)
    saved.save()
    saved.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@given(st.lists(st.booleans(), max_size=40))
def test_used_pages_are_those_that_hold_anything(used: list[bool]) -> None:
    content = b"".join((b"\0" * (PAGE - 1) + b"\1") if page else bytes(PAGE) for page in used)
    covered = {page for begin, end in used_spans(content) for page in range(begin // PAGE, end // PAGE)}
    assert covered == {page for page, is_used in enumerate(used) if is_used}


@given(st.sets(st.integers(0, 30)), st.integers(0, 40))
def test_spans_and_the_gaps_between_them_are_the_whole_in_order(places: set[int], size: int) -> None:
    spans = list(merge_spans((place, place + 1) for place in sorted(places) if place < size))
    pieces = sorted([*spans, *gaps_between(spans, size)])
    assert [place for begin, end in pieces for place in range(begin, end)] == list(range(size))


@given(st.sets(st.integers(0, 30)))
def test_merged_spans_never_touch(places: set[int]) -> None:
    spans = list(merge_spans((place, place + 1) for place in sorted(places)))
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
