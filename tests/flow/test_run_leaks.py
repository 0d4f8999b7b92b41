"""Runs that are struck by signals leave nothing behind, and a process that goes on running campaigns does not grow."""

from __future__ import annotations

import random
import secrets
import subprocess
import time
from signal import SIGSTOP
from typing import TYPE_CHECKING

import pytest

from tests.soak.flatness import Held, find_growth, run_campaigns
from tests.soak.remains import MARK, await_gone, marked_processes, scratch_folders, stale_captures
from tests.soak.strike import STRIKES, TOOL
from tests.soak.trial import try_run

if TYPE_CHECKING:
    from tests.soak.strike import Strike
    from tests.support.lab import Lab

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(120)]

ON_TOOL_AND_QEMU = [strike for strike in STRIKES if strike.whom != "gdb" and strike.signal != SIGSTOP]
MOMENTS_S = (0.7, 1.3, 1.3, 0.7, 1.3)
"""While machines boot, and while a test does not end."""
CHOICE = random.Random(11)  # noqa: S311 - no secret


def held(descriptors: int = 9, kib: int = 60_000) -> Held:
    return Held(descriptors=descriptors, threads=1, children=0, resident_kib=kib)


@pytest.mark.parametrize(("strike", "after_s"), list(zip(ON_TOOL_AND_QEMU, MOMENTS_S, strict=True)), ids=str)
def test_a_struck_run_leaves_nothing_and_the_next_one_works(lab: Lab, strike: Strike, after_s: float) -> None:
    lab.write("pass", "chatter", test_s=1, architectures=["x86_64"])
    struck = try_run(lab.folder, ["run"], strike=strike, after_s=after_s, choice=CHOICE, limit_s=40)
    assert struck.faults == (), struck.output
    after = try_run(lab.folder, ["run", "pass"], choice=CHOICE, limit_s=40)
    assert (after.status, after.told, after.faults) == (0, 1, ()), after.output
    if strike.whom == TOOL:
        assert scratch_folders(struck.pid) == []


def test_a_run_that_was_interrupted_is_gone_on_with(lab: Lab) -> None:
    # The guest that chatters is still at it when the signal comes, however quick or slow the host is.
    lab.write("pass", "chatter", "skip", test_s=8, architectures=["x86_64"])
    interrupt = next(s for s in STRIKES if str(s) == "SIGINT to tool")
    struck = try_run(lab.folder, ["run"], strike=interrupt, after_s=4, choice=CHOICE)
    assert struck.status == 130, struck.output
    resumed = try_run(lab.folder, ["run", "--resume"], choice=CHOICE)
    assert resumed.faults == (), resumed.output
    assert struck.told + resumed.told == 3


def test_many_campaigns_in_one_process_keep_its_descriptors(lab: Lab) -> None:
    lab.write("pass", "skip", architectures=["x86_64"])
    assert find_growth(run_campaigns(lab.file, 15), warm_up=5) == []


def test_growth_is_noticed() -> None:
    assert find_growth([held()] * 20) == []
    assert (
        "descriptors grew from 10 to 18" in find_growth([held(descriptors=max(9, n)) for n in range(19)])[0]
    )
    assert "memory grew" in find_growth([held(kib=60_000 + 1000 * n) for n in range(20)])[0]


def test_a_process_that_was_handed_to_another_parent_is_found_by_its_mark() -> None:
    mark = secrets.token_hex(8)
    subprocess.run(
        ["sh", "-c", "sleep 3 >/dev/null 2>&1 &"], env={MARK: mark, "PATH": "/bin:/usr/bin"}, check=True
    )
    end = time.monotonic() + 3
    while not any(words.startswith("sleep 3") for words in marked_processes(mark).values()):
        assert time.monotonic() < end  # until its exec it is a shell still
    assert "sleep 3" in await_gone(mark, 0.1)[0]
    assert await_gone(mark, 10) == []


def test_a_half_written_capture_of_an_earlier_run_is_found(lab: Lab) -> None:
    (lab.folder / ".writing-abc").mkdir()
    assert len(stale_captures(lab.folder, time.time() + 1)) == 1
    assert stale_captures(lab.folder, time.time() - 60) == []
