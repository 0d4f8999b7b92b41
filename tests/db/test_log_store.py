from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import LogStore
from parity.errors import DatabaseError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_log_is_found_by_its_content(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    stored = store.put(b"duet> ")
    assert stored.sha256 == hashlib.sha256(b"duet> ").hexdigest()
    assert store.path(stored.sha256) == tmp_path / stored.sha256[:2] / stored.sha256
    assert store.read(stored.sha256) == b"duet> "


def test_a_log_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    assert store.path(store.put(b"secret").sha256).stat().st_mode & 0o777 == 0o600


def test_equal_logs_are_kept_once_and_nothing_else_is_left(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.put(b"same")
    store.put(b"same")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_log_that_was_removed_by_hand_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot be read"):
        LogStore(tmp_path).read("0" * 64)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file is in the way")
    with pytest.raises(DatabaseError, match="cannot store a log"):
        LogStore(tmp_path / "logs").put(b"x")


def test_the_tail_of_a_long_log_does_not_need_the_whole(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    stored = store.put(b"".join(b"line %d\n" % number for number in range(500_000)))
    assert store.read_tail(stored.sha256, lines=2) == b"line 499998\nline 499999\n"


def test_the_tail_of_one_endless_line_is_bounded(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    stored = store.put(b"x" * 100_000)
    assert len(store.read_tail(stored.sha256, lines=5, limit_bytes=1000)) == 1000


@settings(max_examples=50)
@given(content=st.lists(st.sampled_from([b"a", b"\n", b"bc\n"])).map(b"".join), lines=st.integers(0, 5))
def test_the_tail_is_the_last_lines(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, lines: int
) -> None:
    store = LogStore(tmp_path_factory.mktemp("logs"))
    kept = content.splitlines(keepends=True)
    expected = b"".join(kept[-lines:]) if lines else b""
    assert store.read_tail(store.put(content).sha256, lines=lines) == expected
