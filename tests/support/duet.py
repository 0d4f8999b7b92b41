"""duet as a fresh clone has it: built once for all tests and workers, run through the command line."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One `parity run --json`."""

    status: int
    attempts: list[dict[str, Any]]

    def outcomes(self, target: str) -> dict[str, str]:
        """Return each test's outcome on a target."""
        return {found["test"]: found["outcome"] for found in self.attempts if found["target"] == target}

    def evidence(self, target: str, test: str) -> str:
        """Return the deciding sentence."""
        return str(
            next(a["evidence"][0] for a in self.attempts if (a["target"], a["test"]) == (target, test))
        )


@pytest.fixture(scope="session")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the sample kernel, built."""
    lock = tmp_path_factory.getbasetemp().parent / "duet.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run(
            ["make", "-s", "-C", str(ROOT / "kernel")], check=True, capture_output=True, timeout=600
        )
    return ROOT / "kernel"


@pytest.fixture(name="run")
def run_duet(kernel: Path, tmp_path: Path) -> Callable[..., Campaign]:
    """Run parity on duet in a folder of its own, with further text at the end of parity.toml."""
    (tmp_path / "kernel").symlink_to(kernel)

    def run_parity(*arguments: str, edit: Callable[[str], str] = str, timeout_s: float = 300) -> Campaign:
        (tmp_path / "parity.toml").write_text(edit((ROOT / "parity.toml").read_text()))
        command = [sys.executable, "-m", "parity", "run", "--no-build", "--json", *arguments]
        finished = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert finished.returncode in (0, 1), finished.stderr
        return Campaign(status=finished.returncode, attempts=json.loads(finished.stdout)["attempts"])

    return run_parity
