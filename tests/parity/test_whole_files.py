"""What is written is there whole or not at all."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from parity.errors import HarnessError, UsageError
from parity.whole_files import new_file, new_folder, sweep_unfinished, write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("old")
    page.chmod(0o640)
    write_text("new\n", page)
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
    assert (page.read_bytes(), page.stat().st_mode & 0o777) == (b"new\n", 0o640)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_text("new\n", tmp_path / "no such folder" / "page.md")


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    with new_file(tmp_path / "file", private=True) as stream:
        stream.write(b"secret")
    assert ((tmp_path / "file").read_bytes(), (tmp_path / "file").stat().st_mode & 0o777) == (
        b"secret",
        0o600,
    )


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), new_file(tmp_path / "file") as stream:  # noqa: PT012 - the second raises in the first
        stream.write(b"half of the n")
        raise KeyboardInterrupt
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"old")]


def test_a_folder_gets_its_name_only_when_all_is_in_it(tmp_path: Path) -> None:
    with new_folder(tmp_path / "captures", "one") as new:
        assert new.path.name.startswith(".writing-")
        (new.path / "file").touch()
    assert new.path == tmp_path / "captures" / "one"
    assert [entry.name for entry in new.path.parent.iterdir()] == ["one"]


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    for wanted in ("one", "one-2", "one-3"):
        with new_folder(tmp_path, "one") as new:
            pass
        assert new.path.name == wanted


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_was_not_finished_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), new_folder(tmp_path, "one") as new:  # noqa: PT012 - the second raises in the first
        (new.path / "file").touch()
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "captures").touch()
    with pytest.raises(HarnessError, match=r"cannot make a folder .*captures: File exists"):
        new_folder(tmp_path / "captures", "one").__enter__()


def test_a_name_that_no_folder_can_have_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="File name too long"), new_folder(tmp_path, "x" * 300):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_half_written_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, own = tmp_path / f".writing-{dead.pid}-abc", tmp_path / f".writing-{os.getpid()}-abc"
    other, whole = tmp_path / ".writing-abc", tmp_path / "20261102-120000-aarch64-cat_test-abcdef"
    for folder in (left, own, other, whole):
        folder.mkdir()
    assert sweep_unfinished(tmp_path) == (left,)
    assert sorted(tmp_path.iterdir()) == sorted((own, other, whole))


def test_sweeping_where_nothing_was_captured_yet_does_nothing(tmp_path: Path) -> None:
    assert sweep_unfinished(tmp_path / "captures") == ()
