"""Folders of the living stay, folders of the dead go."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from runners.machine.scratch import machine_folder, open_scratch, sweep

if TYPE_CHECKING:
    from pathlib import Path


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_a_scratch_folder_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with open_scratch(tmp_path) as scratch, machine_folder(scratch) as folder:
        (folder / "console.log").write_bytes(b"x")
        assert scratch.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_folders_of_the_dead_are_swept_with_and_without_a_lock(tmp_path: Path) -> None:
    locked, bare = tmp_path / f"parity-{dead_pid()}-a", tmp_path / f"parity-{dead_pid()}-b"
    for folder in (locked, bare):
        folder.mkdir()
    (locked / "lock").touch()
    assert set(sweep(tmp_path)) == {locked, bare}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_owner_has_not_locked_it_yet_stays(tmp_path: Path) -> None:
    fresh = tmp_path / f"parity-{os.getpid()}-x"
    fresh.mkdir()
    assert sweep(tmp_path) == ()
    (fresh / "lock").touch()
    assert sweep(tmp_path) == ()


def test_a_folder_that_somebody_holds_stays(tmp_path: Path) -> None:
    with open_scratch(tmp_path) as scratch:
        foreign = tmp_path / f"parity-{dead_pid()}-y"  # as a process of another container would be seen
        foreign.mkdir()
        (foreign / "lock").hardlink_to(scratch / "lock")
        assert sweep(tmp_path) == ()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("parity-notes", "parity-", "other"):
        (tmp_path / name).mkdir()
    assert sweep(tmp_path) == ()
