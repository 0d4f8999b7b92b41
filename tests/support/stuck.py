"""A project with one run in which duet got stuck, captured for real: made once for all of pytest's processes."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from gdb.captures.capture_folder import CAPTURE_FILE
from tests.duet.hang_matrix import DEFECTS, run_defect
from tests.support.duet import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

DEFECT: Final = next(defect for defect in DEFECTS if defect.name == "self-deadlock")
ARCH: Final = "aarch64"
HOSTILE: Final = "evil\x1b[2J\x07\u202e\rname"
"""Clears a terminal, rings, reverses, hides."""
HARMFUL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """The project's folder; to be read only."""

    folder: Path

    @property
    def file(self) -> Path:
        """Its parity.toml."""
        return self.folder / "parity.toml"

    @property
    def capture(self) -> Path:
        """Its one capture."""
        (found,) = (self.folder / ".parity" / "captures").iterdir()
        return found

    def copy_capture(self, folder: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
        """Return a copy of the capture, changed."""
        copied = Path(shutil.copytree(self.capture, folder / "copy"))
        found = json.loads((copied / CAPTURE_FILE).read_text())
        edit(found)
        (copied / CAPTURE_FILE).write_text(json.dumps(found))
        return copied


def make_hostile(found: dict[str, Any]) -> None:
    """Put hostile text wherever a capture has the guest's or its files' words."""
    found["subject"] |= {"test": HOSTILE, "target": HOSTILE, "taken_at": HOSTILE, "console_tail": [HOSTILE]}
    for thread in found["threads"]:
        thread |= {"name": HOSTILE, "state": HOSTILE, "waits_for": HOSTILE}
    for lock in found["locks"]:
        lock |= {"name": HOSTILE, "symbol": HOSTILE}
    for state in found["cpus"]:
        for frame in state["frames"]:
            frame |= {"function": HOSTILE, "file": HOSTILE, "line": 1}
    found["places"] = dict.fromkeys(found["places"], HOSTILE)
    found["lock_names"] = [HOSTILE] * len(found["lock_names"])
    for provider in found["providers"]:
        provider["name"] = HOSTILE
    for counter in found["counters"]:
        counter["name"] = HOSTILE
    found["missing"] = [HOSTILE]
    found["qemu_states"] = [HOSTILE, HOSTILE]


@pytest.fixture(scope="session")
def stuck(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Stuck:  # noqa: ARG001 - it is built
    """Boot once, get stuck, and be looked into."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "stuck.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "stuck" / "done").exists():
            cell = run_defect(DEFECT, ARCH, shared / "stuck")
            assert cell.is_right, cell.attempt.hang
            (shared / "stuck" / "done").touch()
    return Stuck(folder=shared / "stuck")


def parity(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process: what a user sees of an error."""
    return subprocess.run(
        [sys.executable, "-m", "parity", "--config", str(file), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
