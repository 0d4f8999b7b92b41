"""What isolation costs on the sample kernel, in one run and as ratios: `make bench`.

    python -m tests.bench.isolation [--quick]

Every figure is measured here and now, one campaign after another, on duet's 80 tests on aarch64 and x86-64 under TCG.
*Cost* of a test is the time from its handing over to the next one's on a single machine, less the time from its own
handing over to its end: restore or boot, drain, judgement, database.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from parity.attempt import Isolation
from parity.configuration import load_configuration
from parity.flow.campaign.interrupt import Interrupt
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import make_rig
from parity.flow.campaign.selection import select_cases
from runners.machine.boot import BootListener, boot
from runners.machine.scratch import open_scratch
from tests.bench.plain_loop import run_plain_loop

ROOT: Final = Path(__file__).parents[2]
TARGETS: Final = ("aarch64", "x86_64")
ISOLATIONS: Final = ("snapshot", "boot", "shared")
RESTORES: Final = 40


def run_campaign_apart(folder: Path, isolation: str, jobs: int, targets: tuple[str, ...]) -> dict[str, Any]:
    """Run a campaign in a process of its own, its modules compiled as anywhere, and return what it measured."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "tests.bench.one_campaign", str(folder), isolation, str(jobs), *targets]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def costs_ms(attempts: list[dict[str, Any]]) -> list[float]:
    """Return the cost of each attempt of one machine but the last."""
    ordered = sorted(attempts, key=lambda attempt: float(attempt["started_s"]))
    return [
        1000 * (after["started_s"] - before["started_s"] - before["duration_s"])
        for before, after in itertools.pairwise(ordered)
    ]


def measure_snapshots(folder: Path, target: str) -> tuple[float, float]:
    """Return the milliseconds that saving takes, and the median of many restores."""
    configuration = load_configuration(folder / "parity.toml")
    cases = select_cases(configuration, targets=[target], tests=["true_test"])
    order = Order(cases=cases, isolation=Isolation.SNAPSHOT, build=False)
    with open_scratch() as scratch:
        rig = make_rig(configuration, target, order, scratch, Interrupt())
        delivery = rig.target.delivery
        prompt = delivery.prompt  # type: ignore[union-attr]
        booted = boot(rig, rig.fields("true_test"), ready=prompt, listener=BootListener())
        try:
            saves: list[float] = []
            restores: list[float] = []
            for times, step, count in (
                (saves, booted.machine.save, 3),
                (restores, booted.machine.restore, RESTORES),
            ):
                for _ in range(count):
                    began = time.monotonic()
                    step()
                    times.append(1000 * (time.monotonic() - began))
            return statistics.median(saves), statistics.median(restores)
        finally:
            booted.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="leave out the plain loop")
    quick = parser.parse_args().quick
    subprocess.run(["make", "-s", "-C", str(ROOT / "kernel")], check=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        (folder / "kernel").symlink_to(ROOT / "kernel")
        shutil.copyfile(ROOT / "parity.toml", folder / "parity.toml")
        print_table(folder, quick=quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def print_table(folder: Path, *, quick: bool) -> None:
    """Write the table, in Markdown, as the README has it."""
    write = sys.stdout.write
    load = os.getloadavg()[0]
    write(f"{os.cpu_count()} host cores, load {load:.1f} at the start, TCG, {len(TARGETS)} x 80 tests\n\n")
    for target in TARGETS:
        save_ms, restore_ms = measure_snapshots(folder, target)
        write(f"{target}: save {save_ms:.0f} ms, restore {restore_ms:.0f} ms (median of {RESTORES})\n")
    write("\n| isolation | cost of a test, median | 160 attempts | its own CPU / QEMU's | memory |\n")
    write("|---|---:|---:|---:|---:|\n")
    walls: dict[str, float] = {}
    outcomes: dict[str, dict[tuple[str, str], str]] = {}
    for isolation in ISOLATIONS:
        alone = [
            cost
            for target in TARGETS
            for cost in costs_ms(run_campaign_apart(folder, isolation, 1, (target,))["attempts"])
        ]
        whole = run_campaign_apart(folder, isolation, 0, TARGETS)
        walls[isolation] = whole["wall_s"]
        outcomes[isolation] = {(a["target"], a["test"]): a["outcome"] for a in whole["attempts"]}
        share = whole["own_cpu_s"] / whole["started_cpu_s"]
        write(
            f"| {isolation} | {statistics.median(alone):.0f} ms | {whole['wall_s']:.1f} s | "
            f"{share:.0%} | {whole['memory_mib']:.0f} MiB |\n"
        )
        sys.stdout.flush()
    alike = outcomes["snapshot"] == outcomes["boot"]
    write(f"\nsnapshot and boot: outcomes {'equal in all cases' if alike else 'DIFFER'}\n")
    if not quick:
        configuration = load_configuration(folder / "parity.toml")
        order = Order(
            cases=select_cases(configuration, targets=TARGETS), isolation=Isolation.BOOT, build=False
        )
        plain_s, ended = run_plain_loop(configuration, order)
        write(
            f"plain pexpect loop, a boot for each test: {plain_s:.1f} s ({ended} of {len(order.cases)} ended)\n"
        )
        for isolation, wall_s in walls.items():
            write(f"  {isolation}: {plain_s / wall_s:.1f} times as fast\n")


if __name__ == "__main__":
    main()
