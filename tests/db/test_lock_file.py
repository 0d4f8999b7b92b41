from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from db.campaign_lock import CampaignLocks
from db.file_guard import FileGuard
from db.lock_file import open_lock_file
from parity.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def no_descriptors() -> Iterator[None]:
    """A process that may open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_lock_file_is_made_with_its_folder_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "locks" / "one"
    os.close(open_lock_file(file))
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent)] == [0o600, 0o700]


def test_one_that_is_not_there_is_not_made_where_that_is_not_wanted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_lock_file(tmp_path / "one", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("in the way")
    with pytest.raises(DatabaseError, match=f"{tmp_path}/locks/.* cannot be locked") as caught:
        CampaignLocks(tmp_path / "locks").take("one")
    assert "who owns the folder" in (caught.value.hint or "")


def test_too_few_descriptors_for_a_lock_are_named_with_what_to_do(tmp_path: Path) -> None:
    with no_descriptors(), pytest.raises(DatabaseError, match="Too many open files") as taken:
        CampaignLocks(tmp_path).take("one")
    with (
        no_descriptors(),
        pytest.raises(DatabaseError, match="Too many open files") as stored,
        FileGuard(tmp_path / "files").storing(),
    ):
        pass
    assert all("ulimit -n" in (error.value.hint or "") for error in (taken, stored))
