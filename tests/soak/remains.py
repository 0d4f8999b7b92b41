"""What a run may leave behind: processes that bear its mark, scratch folders, half-written captures, a torn database.

Processes are known by an environment variable that everything a run starts inherits, so that one which was handed to
another parent is found as well. Nothing is looked for by its name.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from runners.machine.scratch import scratch_root

MARK: Final = "PARITY_SOAK_MARK"
_HAS_ATTEMPTS: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'attempt'"
_GONE_S: Final = 5.0
"""How long what was started may take to notice that its owner is gone."""
_LOOK_S: Final = 0.02


def marked_processes(mark: str) -> dict[int, str]:
    """Return the living processes with this mark: their ids and the beginning of their command lines."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(folder.name)] = words[:120]
        except OSError:
            continue
    return found


def await_gone(mark: str, seconds: float = _GONE_S) -> list[str]:
    """Wait until no process has this mark; return those that stay.

    Two looks in a row must see none: in the middle of its exec a process has no environment.
    """
    end = time.monotonic() + seconds
    left: dict[int, str] = {}
    looks_without = 0
    while looks_without < 2 and time.monotonic() < end:
        left = marked_processes(mark)
        looks_without = 0 if left else looks_without + 1
        time.sleep(_LOOK_S)
    return [f"process {pid} is left: {words}" for pid, words in left.items()]


def scratch_folders(pid: int) -> list[str]:
    """Return what a process left in memory: its folders, and the sockets in them with them."""
    return [f"{folder} is left" for folder in scratch_root().glob(f"parity-{pid}-*")]


def stale_captures(captures: Path, began_at: float) -> list[str]:
    """Return captures that were being written before `began_at` (seconds since the epoch) and never were."""
    return [
        f"{folder} is left half-written"
        for folder in captures.glob(".writing-*")
        if folder.stat().st_mtime < began_at
    ]


def database_faults(file: Path, told: int, before: int) -> list[str]:
    """Check a results database: whole, and with at least `told` attempts more than the `before` that it had."""
    if not file.exists():
        return [f"{file} is not there"] if told else []
    try:
        with closing(sqlite3.connect(file, timeout=10)) as database:
            (sound,) = database.execute("PRAGMA integrity_check").fetchone()
            if not told and not database.execute(_HAS_ATTEMPTS).fetchone()[0]:
                return (
                    [] if sound == "ok" else [f"the database is damaged: {sound}"]
                )  # ended while it was made
            (held,) = database.execute("SELECT count(*) FROM attempt").fetchone()
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        return [f"the database does not open: {error}"]
    faults = [] if sound == "ok" else [f"the database is damaged: {sound}"]
    if orphans:
        faults.append(f"the database has {len(orphans)} rows that refer to nothing")
    if held - before < told:
        faults.append(f"{told} attempts were told finished, and the database has {held - before} of them")
    return faults


def count_attempts(file: Path) -> int:
    """Return how many attempts a results database has; 0 where there is none yet."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as database:
            return int(database.execute("SELECT count(*) FROM attempt").fetchone()[0])
    except sqlite3.Error:
        return 0
