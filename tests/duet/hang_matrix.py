"""Every defect of duet on both architectures, diagnosed, against what each is: `python -m tests.duet.hang_matrix`.

Each cell is a real boot: the defect strikes, the run notices that nothing gets on, the guest is looked into, and the
verdict is compared. Nothing is told to the tool but the kernel's ELF file and parity.toml. Exit status: 0 every cell
is right, 1 some verdict is another, 2 no capture was taken.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db import open_repository
from parity.attempt import Isolation
from parity.campaign import Case
from parity.cli.progress import SilentObserver
from parity.configuration import load_configuration
from parity.diagnosis import Cause
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import run_campaign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.attempt import StoredAttempt

ROOT: Final = Path(__file__).parents[2]
ARCHITECTURES: Final = ("aarch64", "x86_64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A defect, the test that it strikes, and the verdict that is right."""

    name: str
    cause: Cause
    test: str = "cat_test"
    test_s: float = 3.0
    least_cpus: int = 1


DEFECTS: Final = (
    Defect(name="panic", cause=Cause.PANIC_PARKED),
    Defect(name="fault-parked", cause=Cause.PANIC_PARKED),
    Defect(name="fault-storm", cause=Cause.FAULT_STORM),
    Defect(name="self-deadlock", cause=Cause.SELF_DEADLOCK),
    Defect(name="abba", cause=Cause.LOCK_CYCLE, least_cpus=2),
    Defect(name="lock-leak", cause=Cause.LOCK_LEAKED),
    Defect(name="irq-off-loop", cause=Cause.INTERRUPTS_OFF_LOOP),
    Defect(name="timer-stopped", cause=Cause.TIMER_LOST),
    Defect(name="lost-wakeup", cause=Cause.LOST_WAKEUP, test="waitpid_test"),
    Defect(name="runnable-not-queued", cause=Cause.RUNNABLE_NOT_SCHEDULED),
    Defect(name="blocked-in-syscall", cause=Cause.BLOCKED_IN_SYSTEM_CALL),
    Defect(name="interrupt-storm", cause=Cause.INTERRUPT_STORM),
    Defect(name="polling-livelock", cause=Cause.POLLING_LIVELOCK),
    Defect(name="kernel-loop", cause=Cause.KERNEL_LOOP),
    Defect(name="user-spin", cause=Cause.USER_SPIN),
    Defect(name="slow", cause=Cause.SLOW, test="fs_large_file_test"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One boot of one defect."""

    defect: Defect
    arch: str
    attempt: StoredAttempt

    @property
    def found(self) -> str:
        """The verdict's cause; `no capture` where none was taken."""
        return self.attempt.hang.diagnosis.cause.value if self.attempt.hang is not None else "no capture"

    @property
    def is_right(self) -> bool:
        """Whether the verdict is the defect's."""
        return self.found == self.defect.cause.value


def run_defect(
    defect: Defect, arch: str, folder: Path, *, words: str = "", cpus: int = 4, blind: bool = False
) -> Cell:
    """Run one defect in a folder of its own; `words` go to the kernel's command line as well.

    `blind` hides the scheduler's and the locks' records, as with a kernel of which nobody described them.
    """
    folder.mkdir(parents=True)
    (folder / "kernel").symlink_to(ROOT / "kernel")
    text = (ROOT / "parity.toml").read_text(encoding="utf-8")
    append = f"defect={defect.name} {words}".strip()
    text = text.replace("[defaults]\n", f'[defaults]\nappend = "{append}"\nboot = {{ retries = 0 }}\n', 1)
    text = text.replace("quiet_s = 3", "quiet_s = 2").replace("cpus = 4", f"cpus = {cpus}")
    # The rules must find a dead kernel by themselves, not by what it printed.
    text = text.replace("panic = ['KERNEL PANIC: .*']", "panic = []")
    if blind:
        text = _without_tables(text, "[defaults.hang")
    (folder / "parity.toml").write_text(text, encoding="utf-8")
    configuration = load_configuration(folder / "parity.toml")
    order = Order(
        cases=(Case(target=arch, test=defect.test),),
        isolation=Isolation.BOOT,
        jobs=1,
        timeout_s=defect.test_s,
        build=False,
        always_inspect=True,
    )
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        summary = run_campaign(configuration, repository, order, SilentObserver())
        (attempt,) = repository.campaign_attempts(summary.number)
    return Cell(defect=defect, arch=arch, attempt=attempt)


def print_matrix(cells: Sequence[Cell]) -> None:
    """Write every cell, then the confusion matrix: what each is, down; what was said, across."""
    write = sys.stdout.write
    for cell in cells:
        hang = cell.attempt.hang
        verdict = hang.diagnosis if hang is not None else None
        times = f"{hang.took_s:4.1f} s, stopped {hang.pause_s * 1000:3.0f} ms" if hang is not None else ""
        mark = "ok   " if cell.is_right else "WRONG"
        confidence = verdict.confidence.value if verdict else ""
        write(f"{mark} {cell.arch:8} {cell.defect.name:20} {cell.found:26} {confidence:10} {times}\n")
        if verdict is not None:
            write(f"      {verdict.sentence}\n")
    counts = Counter((cell.defect.cause.value, cell.found) for cell in cells)
    columns = sorted({found for _wanted, found in counts})
    rows = sorted({wanted for wanted, _found in counts})
    letters = {name: chr(ord("A") + number) for number, name in enumerate(columns)}
    write("\nis \\ was called" + " " * 15 + "  ".join(f"{letters[name]:>2}" for name in columns) + "\n")
    for wanted in rows:
        numbers = "  ".join(f"{counts[wanted, name] or '.':>2}" for name in columns)
        write(f"{wanted:30}{numbers}\n")
    write("\n" + "  ".join(f"{letter} {name}" for name, letter in letters.items()) + "\n")
    right = sum(cell.is_right for cell in cells)
    sure = [cell for cell in cells if not cell.is_right and _is_sure(cell)]
    write(f"\n{right} of {len(cells)} right; {len(sure)} confidently wrong\n")


def _is_sure(cell: Cell) -> bool:
    return cell.attempt.hang is not None and cell.attempt.hang.diagnosis.confidence.is_proof


def _without_tables(text: str, start: str) -> str:
    """Return TOML text without the tables whose header begins like this."""
    kept, skipping = [], False
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            skipping = line.startswith(start)
        if not skipping:
            kept.append(line)
    return "".join(kept)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("defects", nargs="*", metavar="DEFECT", help="only these")
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES, help="only this architecture")
    parser.add_argument("--times", type=int, default=1, help="how often each")
    parser.add_argument(
        "--words", default="", help="further words of the kernel's command line, such as trace=off"
    )
    parser.add_argument("--cpus", type=int, default=4)
    parser.add_argument("--blind", action="store_true", help="without the scheduler's and the locks' records")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="leave captures and databases in this folder")
    arguments = parser.parse_args()
    subprocess.run(["make", "-s", "-C", str(ROOT / "kernel")], check=True)
    chosen = [
        defect
        for defect in DEFECTS
        if (not arguments.defects or defect.name in arguments.defects) and arguments.cpus >= defect.least_cpus
    ]
    base = arguments.keep or Path(tempfile.mkdtemp(prefix="hang-matrix-"))
    try:
        with ProcessPoolExecutor(arguments.jobs) as pool:  # a campaign owns its process's signals
            waiting = [
                pool.submit(
                    run_defect,
                    defect,
                    arch,
                    base / f"{defect.name}-{arch}-{number}",
                    words=arguments.words,
                    cpus=arguments.cpus,
                    blind=arguments.blind,
                )
                for number in range(arguments.times)
                for defect in chosen
                for arch in arguments.arch or ARCHITECTURES
            ]
            cells = [future.result() for future in waiting]
    finally:
        if arguments.keep is None:
            shutil.rmtree(base, ignore_errors=True)
    print_matrix(cells)
    if any(cell.attempt.hang is None for cell in cells):
        return 2
    return 0 if all(cell.is_right for cell in cells) else 1


if __name__ == "__main__":
    sys.exit(main())
