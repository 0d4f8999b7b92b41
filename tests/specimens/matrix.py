"""Small kernels that nobody described to parity, each stuck in its own way: `python -m tests.specimens.matrix`.

Each is built by clang and lld, booted, looked into and diagnosed, and what was said is held against what is so. None
has a scheduler or a counter; most have no trace and no debug information. Exit status: 0 every verdict is among those
wanted, 1 some is not.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
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
    from parity.diagnosis import Diagnosis

FOLDER: Final = Path(__file__).parent
ARCHITECTURES: Final = ("aarch64", "x86_64")
MACHINES: Final = {"aarch64": ("virt,gic-version={gic}", "cortex-a72"), "x86_64": ("q35", "qemu64")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One image, and what may be said of it."""

    name: str
    wanted: tuple[Cause, ...]
    """The right verdict first, then those that are as good; empty where no guest is left to look into."""
    words: tuple[str, ...] = ()
    """What the diagnosis must bear somewhere: a function, a lock, a system call."""
    cpus: int = 1
    gic: int = 2
    image: str = "{test}.elf"
    symbols: str = ""
    """The file that has them, where it is not the image."""
    believes_base: bool = False
    """Whether parity.toml says how the kernel tells where it was loaded."""
    architectures: tuple[str, ...] = ARCHITECTURES


SPECIMENS: Final = (
    Specimen(name="prompt", wanted=(Cause.WAIT_WITH_INTERRUPTS_OFF,), words=("console_read",)),
    Specimen(name="reset", wanted=()),
    Specimen(name="fault", wanted=(Cause.PANIC_PARKED,)),
    Specimen(name="loop", wanted=(Cause.INTERRUPTS_OFF_LOOP,), words=("device_reset",)),
    Specimen(name="stripped", wanted=(Cause.INTERRUPTS_OFF_LOOP,), words=("`symbols` in parity.toml",)),
    Specimen(name="early", wanted=(Cause.INTERRUPTS_OFF_LOOP, Cause.UNKNOWN), words=("device_reset",)),
    Specimen(
        name="flat",
        wanted=(Cause.INTERRUPTS_OFF_LOOP,),
        words=("names one that has them",),
        image="flat.img",
        architectures=("aarch64",),
    ),
    Specimen(
        name="astray",
        wanted=(Cause.INTERRUPTS_OFF_LOOP,),
        words=("was loaded elsewhere",),
        image="flat.img",
        symbols="loop.elf",
        architectures=("aarch64",),
    ),
    Specimen(name="rust", wanted=(Cause.LOCK_LEAKED,), words=("root_fs", "ROOT_FS"), cpus=4),
    Specimen(name="parked", wanted=(Cause.LOCK_LEAKED,), words=("root_fs", "ROOT_FS"), cpus=4),
    *(
        Specimen(name=name, wanted=(Cause.LOCK_LEAKED,), words=("read_inode", "root_fs"))
        for name in ("inlined", "inlined-bare", "inlined-ticket")
    ),
    Specimen(
        name="cxx", wanted=(Cause.LOCK_LEAKED,), words=("in Kernel::FileSystem::read_inode,", "Kernel::root")
    ),
    Specimen(name="user", wanted=(Cause.USER_SPIN,), cpus=4),
    Specimen(
        name="ring",
        wanted=(Cause.BLOCKED_IN_SYSTEM_CALL,),
        words=("SYSCALL_ENTRY of read",),
        symbols="ring.sym",
        believes_base=True,
    ),
    Specimen(
        name="moved",
        wanted=(Cause.BLOCKED_IN_SYSTEM_CALL,),
        words=("SYSCALL_ENTRY of read",),
        symbols="moved.sym",
    ),
    Specimen(
        name="copied",
        wanted=(Cause.BLOCKED_IN_SYSTEM_CALL,),
        words=("SYSCALL_ENTRY of read",),
        symbols="copied.sym",
    ),
    Specimen(
        name="outside",
        wanted=(Cause.USER_SPIN,),
        cpus=4,
        symbols="outside.sym",
        architectures=("x86_64",),
    ),
    Specimen(
        name="baseless", wanted=(Cause.UNKNOWN,), words=("hang.base",), image="ring.elf", symbols="ring.sym"
    ),
    Specimen(name="bytes", wanted=(Cause.LOCK_LEAKED, Cause.INTERRUPTS_OFF_LOOP), words=("ext2_write",)),
    Specimen(name="ticket", wanted=(Cause.LOCK_LEAKED,), words=("big_lock",), cpus=16, gic=3),
    *(
        Specimen(name=f"{kind}-{level}", wanted=(Cause.SELF_DEADLOCK,), words=("queue_lock", "queue_drain"))
        for kind in ("dwarf4", "dwarf5", "bare")
        for level in ("O0", "O2")
    ),
)

_BASE: Final = "hang = { base = 'virtual_address_offset: (?P<base>0x[0-9a-f]+)' }"
_FILE: Final = """
[kernel]
name = "specimen"

[tests]
names = ["{name}"]

[target.{arch}]
arch = "{arch}"
machine = "{machine}"
cpu = "{cpu}"
cpus = {cpus}
memory_mib = 64
kernel = "{images}/{arch}/{image}"
{symbols}
{base}
boot = {{ retries = 0 }}
delivery = {{ kind = "{delivery}" }}
budget = {{ boot_s = 5, test_s = 1, quiet_s = 1 }}
verdict = {{ pass = ['no specimen prints this'] }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One boot of one specimen."""

    specimen: Specimen
    arch: str
    attempt: StoredAttempt

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What was concluded."""
        return self.attempt.hang.diagnosis if self.attempt.hang is not None else None

    @property
    def text(self) -> str:
        """Everything that a reader is told."""
        found = self.diagnosis
        return "" if found is None else "\n".join((found.sentence, *found.evidence, *found.missing))

    @property
    def is_right(self) -> bool:
        """Whether the verdict is one of those wanted."""
        found = self.diagnosis
        return found.cause in self.specimen.wanted if found is not None else not self.specimen.wanted

    @property
    def is_confidently_wrong(self) -> bool:
        """Whether it is wrong, and said with the confidence of a proof."""
        return not self.is_right and self.diagnosis is not None and self.diagnosis.confidence.is_proof

    @property
    def unsaid(self) -> tuple[str, ...]:
        """The words that it should bear and does not."""
        return tuple(word for word in self.specimen.words if word not in self.text)


def build_specimens(folder: Path) -> None:
    """Build every image into a folder. Raises `CalledProcessError`."""
    subprocess.run(["make", "-s", "-j2", "-C", str(FOLDER), f"OUT={folder}"], check=True)


def run_specimen(specimen: Specimen, arch: str, folder: Path, *, images: Path) -> Cell:
    """Boot one specimen in a folder of its own, and have it diagnosed."""
    folder.mkdir(parents=True)
    machine, cpu = MACHINES[arch]
    text = _FILE.format(
        name=specimen.name,
        arch=arch,
        machine=machine.format(gic=specimen.gic),
        cpu=cpu,
        cpus=specimen.cpus,
        images=images,
        image=specimen.image,
        delivery="image" if "{test}" in specimen.image else "boot-arg",
        symbols=f'symbols = "{images}/{arch}/{specimen.symbols}"' if specimen.symbols else "",
        base=_BASE if specimen.believes_base else "",
    )
    (folder / "parity.toml").write_text(text, encoding="utf-8")
    configuration = load_configuration(folder / "parity.toml")
    order = Order(
        cases=(Case(target=arch, test=specimen.name),),
        isolation=Isolation.BOOT,
        jobs=1,
        build=False,
        always_inspect=True,
    )
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        summary = run_campaign(configuration, repository, order, SilentObserver())
        (attempt,) = repository.campaign_attempts(summary.number)
    return Cell(specimen=specimen, arch=arch, attempt=attempt)


def print_cells(cells: Sequence[Cell], *, everything: bool) -> None:
    """Write a line and a sentence for each cell; `everything` adds the evidence and what was missing."""
    write = sys.stdout.write
    for cell in cells:
        found, attempt = cell.diagnosis, cell.attempt
        mark = "ok   " if cell.is_right else "WRONG" if cell.is_confidently_wrong else "other"
        said = f"{found.cause} ({found.confidence})" if found else "not looked into"
        times = f"{attempt.hang.took_s:.1f} s" if attempt.hang is not None else ""
        write(f"{mark} {cell.arch:8} {cell.specimen.name:10} {attempt.verdict.outcome:8} {said}  {times}\n")
        if found is None:
            continue
        write(f"      {found.sentence}\n")
        if cell.unsaid:
            write(f"      does not say: {', '.join(cell.unsaid)}\n")
        if everything:
            for words, lines in (("evidence", found.evidence), ("missing", found.missing)):
                for line in lines:
                    write(f"        {words}: {line}\n")
            for other in found.runners_up:
                write(f"        also: {other.cause} ({other.confidence}): {other.sentence}\n")
    sure = sum(cell.is_confidently_wrong for cell in cells)
    right = sum(cell.is_right for cell in cells)
    write(f"\n{right} of {len(cells)} right; {sure} confidently wrong\n")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("specimens", nargs="*", metavar="SPECIMEN", help="only these")
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES, help="only this architecture")
    parser.add_argument("--all", action="store_true", help="show the evidence and what was missing as well")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="leave images, captures and databases in this folder")
    arguments = parser.parse_args()
    base = arguments.keep or Path(tempfile.mkdtemp(prefix="specimens-"))
    try:
        images = base.absolute() / "images"
        build_specimens(images)
        with ProcessPoolExecutor(arguments.jobs) as pool:  # a campaign owns its process's signals
            waiting = [
                pool.submit(run_specimen, specimen, arch, base / f"{specimen.name}-{arch}", images=images)
                for specimen in SPECIMENS
                if not arguments.specimens or specimen.name in arguments.specimens
                for arch in specimen.architectures
                if not arguments.arch or arch in arguments.arch
            ]
            cells = [future.result() for future in waiting]
    finally:
        if arguments.keep is None:
            shutil.rmtree(base, ignore_errors=True)
    print_cells(cells, everything=arguments.all)
    return 0 if all(cell.is_right for cell in cells) else 1


if __name__ == "__main__":
    sys.exit(main())
