"""duet's tests while other work keeps every host CPU busy: `python -m tests.duet.healthy_under_load`.

Nothing is wrong with the guest, it only gets less of the host than it could use. No attempt may be called a hang, and
none may be looked into. Exit status: 0 none was, 1 some was, 2 a test did not end as it does on an idle host.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runners.processes.process import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[2]
ARCHITECTURES: Final = ("aarch64", "x86_64")
_USUAL: Final = ("pass", "skip", "fail")
"""How a test ends that got to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One campaign on a busy host."""

    attempts: tuple[dict[str, Any], ...]
    captures: tuple[Path, ...]
    took_s: float

    @property
    def looked_into(self) -> tuple[dict[str, Any], ...]:
        """Attempts that were called a hang or have a capture."""
        return tuple(found for found in self.attempts if found["hang"] or found["outcome"] == "hang")

    @property
    def unusual(self) -> tuple[dict[str, Any], ...]:
        """Attempts that did not get to an end of their own."""
        return tuple(found for found in self.attempts if found["outcome"] not in _USUAL)


@contextlib.contextmanager
def busy_host(processes: int) -> Iterator[None]:
    """Keep so many host CPUs busy at normal priority."""
    with contextlib.ExitStack() as stack:
        for _ in range(processes):
            stack.enter_context(
                ChildProcess(
                    (sys.executable, "-I", "-S", "-c", "while True: pass"),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield


def run_loaded(
    folder: Path,
    tests: Sequence[str] = (),
    *,
    architectures: Sequence[str] = ARCHITECTURES,
    processes: int | None = None,
) -> Loaded:
    """Run tests (all, where none is named) in a folder of their own, the host's CPUs busy meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel").symlink_to(ROOT / "kernel")
    shutil.copyfile(ROOT / "parity.toml", folder / "parity.toml")
    targets = [word for arch in architectures for word in ("--target", arch)]
    command = [sys.executable, "-m", "parity", "run", "--no-build", "--json", *tests, *targets]
    began = time.monotonic()
    with busy_host(processes or os.cpu_count() or 2):
        finished = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    if finished.returncode not in (0, 1):
        raise RuntimeError(finished.stderr)
    return Loaded(
        attempts=tuple(json.loads(finished.stdout)["attempts"]),
        captures=tuple((folder / ".parity" / "captures").glob("*")),
        took_s=time.monotonic() - began,
    )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tests", nargs="*", metavar="TEST", help="only these")
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES, help="only this architecture")
    parser.add_argument("--processes", type=int, help="how many busy ones; as many as the host has CPUs")
    arguments = parser.parse_args()
    subprocess.run(["make", "-s", "-C", str(ROOT / "kernel")], check=True)
    with tempfile.TemporaryDirectory(prefix="parity-loaded-") as folder:
        found = run_loaded(
            Path(folder) / "run",
            arguments.tests,
            architectures=arguments.arch or ARCHITECTURES,
            processes=arguments.processes,
        )
        _print(found)
    if found.looked_into or found.captures:
        return 1
    return 2 if found.unusual else 0


def _print(found: Loaded) -> None:
    write = sys.stdout.write
    counts = Counter((attempt["target"], attempt["outcome"]) for attempt in found.attempts)
    for (target, outcome), count in sorted(counts.items()):
        write(f"{target:10} {outcome:8} {count}\n")
    for attempt in (*found.looked_into, *found.unusual):
        write(f"{attempt['test']} on {attempt['target']}: {attempt['outcome']}: {attempt['evidence'][0]}\n")
    slowest = max(found.attempts, key=lambda attempt: attempt["duration_s"])
    write(f"slowest: {slowest['test']} on {slowest['target']}, {slowest['duration_s']:.1f} s\n")
    write(
        f"{len(found.attempts)} attempts in {found.took_s:.0f} s: {len(found.looked_into)} called a hang or "
        f"looked into, {len(found.captures)} captures\n"
    )


if __name__ == "__main__":
    sys.exit(main())
