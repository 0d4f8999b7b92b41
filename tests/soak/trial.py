"""One run of parity in a folder of its own, struck by a signal, and what it left behind."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.soak.remains import (
    MARK,
    await_gone,
    count_attempts,
    database_faults,
    marked_processes,
    scratch_folders,
    stale_captures,
)
from tests.soak.strike import TOOL, send

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.soak.strike import Strike

ROOT: Final = Path(__file__).parents[2]
_POLL_S: Final = 0.02
_EXPECTED: Final = (0, 1, 3, 130, 143)
_FINISHED: Final = re.compile(r"^\S+ +\S+ +[a-z][a-z ]*[a-z] +\d+\.\d+ s(?! so far)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a trial went."""

    pid: int
    status: int
    sent: bool
    """Whether the strike had somebody to hit."""
    told: int
    """Attempts that were told finished."""
    seconds: float
    output: str
    faults: tuple[str, ...]


def try_run(
    folder: Path,
    arguments: Sequence[str],
    *,
    strike: Strike | None = None,
    after_s: float = 0.0,
    choice: random.Random,
    limit_s: float = 120.0,
) -> Outcome:
    """Run `parity` with these arguments, strike once after so long (or when there is whom to strike), and look.

    What is left once nothing but a scratch folder may be left is ended here, by its id.
    """
    mark, database = secrets.token_hex(8), folder / ".parity" / "parity.db"
    before, began_at, began = count_attempts(database), time.time(), time.monotonic()
    output = folder / "output.txt"
    with output.open("wb") as stream:
        tool = subprocess.Popen(
            [sys.executable, "-u", "-m", "parity", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), MARK: mark, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sent = _watch(tool, strike, after_s, choice, limit_s)
        faults = [] if tool.poll() is not None else [f"it still runs after {limit_s:.0f} s"]
        if faults:
            tool.kill()
        status = tool.wait()
    seconds = time.monotonic() - began
    faults += await_gone(mark)
    _end(marked_processes(mark))
    text = output.read_text(errors="replace")
    told = len(_FINISHED.findall(text))
    killed = strike is not None and strike.whom == TOOL and status == -strike.signal
    if status not in _EXPECTED and not killed:
        faults.append(f"it ended with status {status}")
    # A signal that comes while Python itself starts is Python's to tell, before any line of parity's runs.
    starting = killed and "KeyboardInterrupt" in text and not told and "/parity/cli/" not in text
    if ("Traceback" in text and not starting) or "internal error" in text:
        faults.append("it shows a traceback or an internal error")
    faults += database_faults(database, told, before)
    faults += stale_captures(folder / ".parity" / "captures", began_at)
    faults += [] if killed else scratch_folders(tool.pid)
    return Outcome(
        pid=tool.pid,
        status=status,
        sent=sent,
        told=told,
        seconds=seconds,
        output=text,
        faults=tuple(faults),
    )


def _watch(
    tool: subprocess.Popen[bytes],
    strike: Strike | None,
    after_s: float,
    choice: random.Random,
    limit_s: float,
) -> bool:
    """Wait for the end, at most so long; return whether the strike was sent."""
    began, sent = time.monotonic(), False
    while tool.poll() is None and (passed := time.monotonic() - began) < limit_s:
        if strike is not None and not sent and passed >= after_s:
            sent = send(strike, tool.pid, choice)
        time.sleep(_POLL_S)
    return sent


def _end(left: dict[int, str]) -> None:
    for pid in left:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
