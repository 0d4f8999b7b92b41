"""A folder with a parity.toml for the misbehaving guest (tests/guest), and campaigns run in it for real."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from db import open_repository
from parity.attempt import Isolation
from parity.configuration import load_configuration
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import resumed_order, run_campaign
from parity.flow.campaign.selection import select_cases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parity.attempt import BootFailure
    from parity.configuration import Configuration
    from parity.flow.campaign.run import Summary
    from parity.flow.campaign.work import Event
    from parity.outcome import Outcome

ROOT: Final = Path(__file__).parents[2]
ARCHITECTURES: Final = ("aarch64", "x86_64")
MACHINES: Final = {"aarch64": ("virt", "cortex-a72"), "x86_64": ("q35", "qemu64")}

SHELL: Final = r"""
kind = "shell"
prompt = '^> $'
run = ["run {nonce} {path}"]
begin = '^\[begin {nonce} {path}\]$'
end = '^\[end {nonce} (?:exit (?P<status>-?\d+)|signal (?P<signal>\d+))\]$'
unknown = '^Unknown command: .*'
"""

_FILE: Final = r"""
[kernel]
name = "guest"

[tests]
names = [{names}]

[defaults]
memory_mib = 32
kernel = "{kernel}"
append = "{append}"
{defaults}

[defaults.delivery]
{delivery}

[defaults.verdict]
pass = ['{{test}}: PASS']
fail = ['{{test}}: FAIL.*']
skip = ['{{test}}: SKIP.*']
skip_status = [77]
panic = ['KERNEL PANIC: .*']
{verdict}

[defaults.budget]
boot_s = {boot_s}
test_s = {test_s}
quiet_s = 1
{budget}

{targets}
{more}
"""

_TARGET: Final = """
[target.{arch}]
arch = "{arch}"
machine = "{machine}"
cpu = "{cpu}"
arguments = ["-nic", "none"{arguments}]
{more}
"""


@pytest.fixture(scope="session")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the guest's images, built once for all of pytest's processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "guest"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            ["make", "-C", str(ROOT / "tests" / "guest"), f"OUT={folder}"], check=True, capture_output=True
        )
    return folder


@dataclass
class Watcher:
    """An observer that remembers what it was told, and may act on it."""

    events: list[Event] = field(default_factory=list)
    boot_failures: list[BootFailure] = field(default_factory=list)

    def building(self, target: str, command: Sequence[str]) -> None:
        """Not looked at."""

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """Not looked at."""

    def happened(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)


class Lab:
    """Writes parity.toml in `folder`, and runs campaigns with a database of their own there."""

    def __init__(self, folder: Path, guest: Path) -> None:
        self.folder = folder
        self.guest = guest
        self.watcher = Watcher()
        self.started: list[subprocess.Popen[str]] = []

    @property
    def file(self) -> Path:
        return self.folder / "parity.toml"

    def write(
        self,
        *tests: str,
        architectures: Sequence[str] = ARCHITECTURES,
        kernel: str | None = None,
        append: str = "",
        defaults: str = "",
        delivery: str = SHELL,
        verdict: str = "",
        budget: str = "",
        boot_s: float = 10,
        test_s: float = 20,
        machines: dict[str, tuple[str, str]] | None = None,
        arguments: str = "",
        target: str = "",
        more: str = "",
    ) -> Configuration:
        """Write the file and load it; `defaults` and the like are lines put into its tables."""
        targets = "".join(
            _TARGET.format(
                arch=arch,
                machine=(machines or MACHINES)[arch][0],
                cpu=(machines or MACHINES)[arch][1],
                arguments=arguments,
                more=target,
            )
            for arch in architectures
        )
        self.file.write_text(
            _FILE.format(
                names=", ".join(f'"{test}"' for test in tests),
                kernel=kernel or f"{self.guest}/guest-{{arch}}.elf",
                append=append,
                defaults=defaults,
                delivery=delivery,
                verdict=verdict,
                budget=budget,
                boot_s=boot_s,
                test_s=test_s,
                targets=targets,
                more=more,
            )
        )
        return load_configuration(self.file)

    def run(
        self,
        configuration: Configuration,
        *,
        isolation: Isolation = Isolation.BOOT,
        jobs: int = 1,
        resume: bool = False,
        watcher: Watcher | None = None,
    ) -> Summary:
        """Run every test on every target."""
        order = Order(
            cases=select_cases(configuration, targets=tuple(configuration.targets)),
            isolation=isolation,
            jobs=jobs,
        )
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            if resume:
                order = resumed_order(configuration, repository, order)
            return run_campaign(configuration, repository, order, watcher or self.watcher)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command line in this folder, as a user would; what still runs ends with the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "parity", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what was started and is still there."""
        for process in self.started:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def outcomes(summary: Summary) -> dict[tuple[str, str], Outcome]:
    """Return each attempt's outcome by (target, test)."""
    return {(attempt.target, attempt.test): attempt.verdict.outcome for attempt in summary.attempts}


def evidence(summary: Summary) -> str:
    """Return what decided over the one attempt there is."""
    (attempt,) = summary.attempts
    return attempt.verdict.evidence[0]


@pytest.fixture
def lab(tmp_path: Path, guest: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path, guest)
    yield lab
    lab.close()
