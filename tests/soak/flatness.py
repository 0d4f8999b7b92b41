"""Whether a process that runs campaign after campaign keeps its descriptors and its memory.

`python -m tests.soak.flatness FOLDER CAMPAIGNS TEST ...` runs them in this process and writes one JSON list: of every
campaign the descriptors, threads, children and KiB of memory that are held after it.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from db import open_repository
from parity.attempt import Isolation
from parity.cli.progress import SilentObserver
from parity.configuration import load_configuration
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import run_campaign
from parity.flow.campaign.selection import select_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

WARM_UP: Final = 10
"""Campaigns after which nothing may grow."""
_GROWTH_KIB: Final = 256
"""A campaign, on average: what the allocator's noise stays below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a process has at a moment."""

    descriptors: int
    threads: int
    children: int
    resident_kib: int

    @staticmethod
    def now() -> Held:
        """Look."""
        gc.collect()
        this = psutil.Process()
        return Held(
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            threads=threading.active_count(),
            children=len(this.children()),
            resident_kib=this.memory_info().rss // 1024,
        )


def run_campaigns(file: Path, campaigns: int, tests: Sequence[str] = ()) -> list[Held]:
    """Run so many snapshot campaigns with this parity.toml; return what was held after each."""
    configuration = load_configuration(file)
    order = Order(
        cases=select_cases(configuration, targets=tuple(configuration.targets), tests=tests),
        isolation=Isolation.SNAPSHOT,
        jobs=2,
        build=False,
    )
    held = []
    for _ in range(campaigns):
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            run_campaign(configuration, repository, order, SilentObserver())
        held.append(Held.now())
    return held


def find_growth(held: Sequence[Held], *, warm_up: int = WARM_UP) -> list[str]:
    """Return what grew after the warm-up."""
    settled = held[warm_up:]
    grown = [
        f"{name} grew from {min(counts)} to {max(counts)} over {len(settled)} campaigns"
        for name in ("descriptors", "threads", "children")
        if max(counts := [getattr(each, name) for each in settled]) > counts[0]
    ]
    third = max(1, len(settled) // 3)
    first, last = (
        statistics.median(each.resident_kib for each in part) for part in (settled[:third], settled[-third:])
    )
    growth = (last - first) / max(1, len(settled) - third)
    if growth > _GROWTH_KIB:
        grown.append(f"memory grew from {first:.0f} to {last:.0f} KiB, {growth:.0f} KiB a campaign")
    return grown


def main() -> None:
    """Run them and write what was held."""
    folder, campaigns, *tests = sys.argv[1:]
    held = run_campaigns(Path(folder) / "parity.toml", int(campaigns), tests)
    json.dump(
        [[each.descriptors, each.threads, each.children, each.resident_kib] for each in held], sys.stdout
    )


if __name__ == "__main__":
    main()
