"""How long reading takes when much is remembered: 1,000 runs of 160 attempts.

    python -m tests.bench.database [--runs N] [--keep FOLDER]

Makes a database, then prints for each question the seconds that it took and how many of them this process computed:
on a busy host the second figure is the one to go by. Each is wanted below a second.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert

from db import open_repository
from db.models import AttemptRow, CampaignRow, HangRow, LogRow, TargetFactsRow
from parity.configuration import load_configuration
from parity.flow.document.report import make_report
from parity.flow.results.compare import compare
from parity.flow.results.gate import hold_gate
from parity.flow.results.status import read_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from db import Repository
    from db.models import Row
    from parity.configuration import Configuration

TARGETS: Final = ("aarch64", "x86_64")
TESTS: Final = tuple(f"test_{number:02}" for number in range(80))
START: Final = datetime(2023, 1, 1, tzinfo=UTC)
EVIDENCE: Final = "tests/fork_test.c:36: socketpair(AF_UNIX, SOCK_STREAM, 0, pair): -1, errno 38 (ENOSYS)"
RUNS_OF_AN_IMAGE: Final = 5
WANTED_S: Final = 1.0

TOML: Final = """
[kernel]
name = "bench"
port = "aarch64"
reference = "x86_64"

[tests]
names = [{names}]

[defaults]
machine = "virt"
kernel = "bench.elf"
delivery = {{ kind = "shell", prompt = "bench> $" }}

[target.aarch64]
arch = "aarch64"

[target.x86_64]
arch = "x86_64"
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a user or a flow asks."""

    name: str
    ask: Callable[[Configuration, Repository], object]


def as_of_the_middle(_configuration: Configuration, repository: Repository) -> object:
    """Ask how everything stood half the runs ago."""
    campaigns = repository.campaigns()
    return repository.attempts_as_of(campaigns[len(campaigns) // 2].number)


def changes_between(_configuration: Configuration, repository: Repository) -> object:
    """Ask what a comparison of the first run with the last one asks."""
    newest, *_, first = repository.campaigns()
    return repository.attempts_as_of(first.number), repository.attempts_as_of(newest.number)


QUESTIONS: Final = (
    Question("status", read_status),
    Question("report", make_report),
    Question("compare", compare),
    Question(
        "gate", lambda configuration, repository: hold_gate(configuration, repository, today=START.date())
    ),
    Question("campaigns", lambda _, repository: repository.campaigns()),
    Question("newest attempts", lambda _, repository: repository.newest_attempts()),
    Question("first attempts", lambda _, repository: repository.first_attempts()),
    Question("unstable attempts", lambda _, repository: repository.unstable_attempts()),
    Question("changes of passes", lambda _, repository: repository.pass_changes()),
    Question("as of half the runs ago", as_of_the_middle),
    Question("as of the first and the last run", changes_between),
    Question("expected durations", lambda _, repository: repository.expected_durations()),
    Question("attempts of one test", lambda _, repository: repository.attempts_of(TESTS[0])),
    Question("known tests", lambda _, repository: repository.known_tests()),
)


def fill(connection: Connection, runs: int) -> None:
    """Make runs a day apart: most tests pass, some begin to on the way, some hang, a few are unsteady."""
    chance = random.Random(6)  # noqa: S311 - the same database every time
    fixed_in = {(target, test): chance.randrange(-4 * runs, runs) for target in TARGETS for test in TESTS}
    for run in range(1, runs + 1):
        add_run(connection, run, fixed_in, chance)


def add_run(
    connection: Connection, run: int, fixed_in: dict[tuple[str, str], int], chance: random.Random
) -> None:
    """Make one run with an attempt of each test on each target."""
    started = START + timedelta(days=run)
    image = run // RUNS_OF_AN_IMAGE
    add(
        connection,
        CampaignRow,
        number=run,
        identity=f"{run:032x}",
        kernel="bench",
        state="finished",
        started_at=started,
        finished_at=started + timedelta(hours=1),
        isolation="boot",
        arguments=["run"],
        planned=len(fixed_in),
        revision_commit=f"{image:040x}",
        revision_described=f"{image:07x}",
        revision_dirty=False,
    )
    for place, target in enumerate(TARGETS):
        add(
            connection,
            TargetFactsRow,
            id=2 * run + place,
            campaign=run,
            target=target,
            arch=target,
            qemu_version="QEMU emulator version 9.2.0",
            accelerator="tcg",
            command_line=f"qemu-system-{target}",
            image_sha256=f"{image:064x}",
        )
    attempts, logs, hangs = [], [], []
    for place, ((target, test), fixed) in enumerate(fixed_in.items()):
        number = (run - 1) * len(fixed_in) + place + 1
        passed = run >= fixed and chance.random() > 0.001
        stuck = not passed and place % 4 == 0
        attempts.append(
            {
                "id": number,
                "campaign": run,
                "facts": 2 * run + TARGETS.index(target),
                "target": target,
                "test": test,
                "outcome": "pass" if passed else "hang" if stuck else "fail",
                "evidence": ["the test exited with status 0" if passed else EVIDENCE],
                "exit_status": 0 if passed else 1,
                "error_number": None if passed or stuck else 38,
                "nonce": f"{number:08x}",
                "isolation": "boot",
                "started_at": started + timedelta(seconds=10 * place),
                "duration_s": 1.5,
            }
        )
        logs += [
            {
                "attempt": number,
                "kind": kind,
                "port": "console",
                "sha256": f"{number:063x}{kind[0]}"[-64:],
                "size_bytes": 4096,
            }
            for kind in ("raw", "transcript")
        ]
        if stuck:
            hangs.append(
                {
                    "attempt": number,
                    "folder": f"captures/{number}",
                    "cause": "lock-leaked",
                    "confidence": "high",
                    "sentence": "CPU 1 spins on root_lock, which nobody holds",
                    "evidence": [EVIDENCE] * 5,
                    "subject": f"lock_{place % 5}",
                    "signature": f"lock-leaked | lock_{place % 5}",
                    "frames": ["root_fs", "sys_open"],
                    "runners_up": [],
                    "missing": [],
                    "pause_s": 0.1,
                    "took_s": 1.0,
                }
            )
    connection.execute(insert(AttemptRow), attempts)
    connection.execute(insert(LogRow), logs)
    if hangs:
        connection.execute(insert(HangRow), hangs)


def add(connection: Connection, table: type[Row], **values: Any) -> None:
    """Insert one row."""
    connection.execute(insert(table), [values])


@contextmanager
def prepared(runs: int, keep: Path | None) -> Iterator[tuple[Configuration, Repository]]:
    """Give a configuration and a filled repository, in a folder that is kept or removed."""
    folder = keep or Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        folder.mkdir(exist_ok=True)
        file = folder / "parity.toml"
        file.write_text(TOML.format(names=", ".join(f'"{test}"' for test in TESTS)))
        configuration = load_configuration(file)
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            if not repository.campaigns():
                with repository.engine.begin() as connection:
                    fill(connection, runs)
            yield configuration, repository
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Make the database, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make it there, and use it again")
    arguments = parser.parse_args()
    write = sys.stdout.write
    with prepared(arguments.runs, arguments.keep) as (configuration, repository):
        size = (configuration.state_folder / "parity.db").stat().st_size
        write(f"{arguments.runs} runs of {len(TARGETS) * len(TESTS)} attempts, {size / 2**20:.0f} MiB\n\n")
        write(f"{'question':34}{'seconds':>9}{'computed':>10}\n")
        for question in QUESTIONS:
            wall, computed = time.perf_counter(), time.process_time()
            question.ask(configuration, repository)
            wall, computed = time.perf_counter() - wall, time.process_time() - computed
            late = "" if computed < WANTED_S else "   too slow"
            write(f"{question.name:34}{wall:9.3f}{computed:10.3f}{late}\n")


if __name__ == "__main__":
    main()
