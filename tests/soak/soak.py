"""Run after run, each struck by a signal at a random moment, until something is left behind: `make soak`.

    python -m tests.soak.soak [--attempts N] [--seed S] [--minutes M] [--campaigns N]

Each run is `parity run` on duet in a folder of its own, on both architectures, with defects that hang among its
targets. After each one, nothing of it may be left, the database holds what was told, and the next run works. Then one
process runs many campaigns, and may not grow. Exit status: 0 nothing leaked, 1 something did, and it is told.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.soak.flatness import WARM_UP, Held, find_growth
from tests.soak.remains import scratch_folders
from tests.soak.strike import STRIKES, TOOL
from tests.soak.trial import ROOT, Outcome, try_run

if TYPE_CHECKING:
    from tests.soak.strike import Strike

TESTS: Final = ("cat_test", "true_test", "false_test")
_STUCK: Final = """
[target.stuck-aarch64]
arch = "aarch64"
machine = "virt,gic-version=3"
cpu = "cortex-a72"
kernel = "kernel/build/aarch64/duet.img"
append = "defect=lock-leak"

[target.stuck-x86_64]
arch = "x86_64"
machine = "q35"
cpu = "qemu64"
kernel = "kernel/build/x86_64/duet.elf"
append = "defect=runnable-not-queued"
"""
_HEALTHY: Final = ("aarch64", "x86_64")
_ALL: Final = (*_HEALTHY, "stuck-aarch64", "stuck-x86_64")
_RUN_S: Final = 14.0
"""Strikes come this long after a run's begin at the latest."""


def lay_out(folder: Path) -> Path:
    """Make a folder with duet and its parity.toml, two targets with defects added, silences short."""
    (folder / "kernel").symlink_to(ROOT / "kernel")
    text = (ROOT / "parity.toml").read_text(encoding="utf-8")
    text = text[: text.index("# The same programs on the host's")]
    text = text.replace("quiet_s = 3", "quiet_s = 1")
    (folder / "parity.toml").write_text(text + _STUCK, encoding="utf-8")
    return folder


class Soak:
    """The runs so far, and what was found."""

    def __init__(self, folder: Path, choice: random.Random) -> None:
        self._folder = folder
        self._choice = choice
        self._strikes: list[Strike] = []
        """What is still to come before each kind comes again."""
        self.runs = self.attempts = 0
        self.sent: Counter[str] = Counter()
        self.faults: list[str] = []

    def step(self) -> None:
        """Make one struck run, then see that the next one works."""
        if not self._strikes:
            self._strikes = self._choice.sample(STRIKES, len(STRIKES))
        strike = self._strikes.pop()
        arguments = ["run", *TESTS, "--no-build", "--jobs", "2", "--timeout", "4"]
        arguments += ["--isolation", self._choice.choice(("snapshot", "snapshot", "boot"))]
        for target in _ALL:
            arguments += ["--target", target]
        after_s = self._choice.uniform(0.0, _RUN_S)
        outcome = try_run(self._folder, arguments, strike=strike, after_s=after_s, choice=self._choice)
        if outcome.sent:
            self.sent[str(strike)] += 1
        self._note(outcome, f"{strike if outcome.sent else 'no signal'} after {after_s:.2f} s")
        self._follow(outcome, resume=outcome.status in (130, 143, -9) and self._choice.random() < 0.5)
        if strike.whom == TOOL and outcome.status == -9:
            self.faults += [
                f"run {self.runs}: {left} after the next one" for left in scratch_folders(outcome.pid)
            ]

    def _follow(self, struck: Outcome, *, resume: bool) -> None:
        """Go on with what was left, or run one test anew."""
        words = ["--resume", "--jobs", "2"] if resume else ["true_test", "--no-build", "--target", "x86_64"]
        outcome = try_run(self._folder, ["run", *words], choice=self._choice)
        nothing_left = resume and outcome.status == 2 and "unfinished run" in outcome.output
        self._note(outcome, f"the run after status {struck.status}", forgiven=nothing_left)
        if not nothing_left and not outcome.told and not (resume and "nothing left" in outcome.output):
            self.faults.append(f"run {self.runs}: it made no attempt: {outcome.output[-500:]}")

    def _note(self, outcome: Outcome, what: str, *, forgiven: bool = False) -> None:
        self.runs += 1
        self.attempts += outcome.told
        found = [f for f in outcome.faults if not (forgiven and "status 2" in f)]
        sys.stdout.write(
            f"run {self.runs:4}: {what}: status {outcome.status}, {outcome.told} attempts, {outcome.seconds:.1f} s\n"
        )
        for fault in found:
            sys.stdout.write(f"  FAULT: {fault}\n")
        if found:
            sys.stdout.write("".join(f"    | {line}\n" for line in outcome.output.splitlines()[-8:]))
        sys.stdout.flush()
        self.faults += [f"run {self.runs} ({what}): {fault}" for fault in found]


def measure_growth(folder: Path, campaigns: int) -> list[str]:
    """Run so many campaigns in one process; return what grew."""
    tests = ["true_test", "false_test"]
    command = [sys.executable, "-m", "tests.soak.flatness", str(folder), str(campaigns), *tests]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    held = [
        Held(descriptors=d, threads=t, children=c, resident_kib=r) for d, t, c, r in json.loads(done.stdout)
    ]
    sys.stdout.write(
        f"one process, {campaigns} campaigns: descriptors {held[WARM_UP].descriptors} -> {held[-1].descriptors}, "
        f"memory {held[WARM_UP].resident_kib} -> {held[-1].resident_kib} KiB\n"
    )
    return find_growth(held)


def main() -> int:
    """Soak, and say what leaked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--attempts", type=int, default=1000, help="end after so many attempts")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after so long at the latest")
    parser.add_argument("--seed", type=int, default=None, help="repeat the signals of an earlier soak")
    parser.add_argument("--campaigns", type=int, default=30, help="campaigns of the one long-lived process")
    wanted = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if wanted.seed is None else wanted.seed
    sys.stdout.write(f"seed {seed}\n")
    subprocess.run(["make", "-s", "-C", str(ROOT / "kernel")], check=True)
    end = time.monotonic() + 60 * wanted.minutes
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        soak = Soak(lay_out(Path(name)), random.Random(seed))  # noqa: S311 - no secret
        while soak.attempts < wanted.attempts and time.monotonic() < end:
            soak.step()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = lay_out(Path(name))
        text = (folder / "parity.toml").read_text(encoding="utf-8").replace(_STUCK, "")
        (folder / "parity.toml").write_text(text, encoding="utf-8")
        soak.faults += measure_growth(folder, max(wanted.campaigns, WARM_UP + 3)) if wanted.campaigns else []
    signals = ", ".join(f"{count} {what}" for what, count in sorted(soak.sent.items())) or "none"
    sys.stdout.write(
        f"{soak.runs} runs, {soak.attempts} attempts; signals: {signals}; {len(soak.faults)} faults\n"
    )
    sys.stdout.writelines(f"LEAKED: {fault}\n" for fault in soak.faults)
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
