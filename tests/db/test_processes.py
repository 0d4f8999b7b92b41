"""Several processes on one database, one of them killed: real processes, no simulation."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from db import open_repository
from parity.campaign import CampaignState
from parity.flow.results.maintenance import check_results

if TYPE_CHECKING:
    from tests.conftest import Make

ROOT = Path(__file__).parents[2]
URL = "sqlite:///.parity/parity.db"

WRITER = """
import sys
from pathlib import Path
from db import open_repository
from tests.conftest import Make

make, count = Make(), int(sys.argv[2])
with open_repository("sqlite:///.parity/parity.db", Path(sys.argv[1])) as repository:
    campaign = repository.start_campaign(make.plan(*[("aarch64", f"test{n}") for n in range(count)]))
    repository.add_target(campaign, make.facts())
    for n in range(count):
        attempt = make.attempt(f"test{n}", minutes=n, transcript=f"{campaign} {n}".encode() * 1000)
        print(repository.add_attempt(campaign, attempt), flush=True)
"""


IMPORTER = """
import sys
from pathlib import Path
from db import open_repository
from parity.campaign import Baseline, ImportedCampaign, Origin
from tests.conftest import Make

make, count = Make(), int(sys.argv[2])
with open_repository("sqlite:///.parity/parity.db", Path(sys.argv[1])) as repository:
    for n in range(count):
        attempt = make.attempt(f"test{n}", minutes=-n, transcript=f"imported {n}".encode())
        number, is_new = repository.add_imported(
            ImportedCampaign(
                identity=f"{n:032x}", kernel="duet", origin=Origin.TAP, source="results.tap",
                started_at=make.moment(-n), attempts=(attempt,),
            )
        )
        print(is_new, flush=True)
        repository.pin_baseline(Baseline(name=f"b{n}", campaign=number, pinned_at=make.moment()))
"""

PRUNER = """
import sys
from pathlib import Path
from db import open_repository
from parity.flow.results.maintenance import PruneOrder, prune_results
from tests.conftest import Make

order = PruneOrder(keep=1, failures=True)
with open_repository("sqlite:///.parity/parity.db", Path(sys.argv[1])) as repository:
    for n in range(int(sys.argv[2])):
        prune_results(repository, order, now=Make().moment(60 * 24 * 365))
"""


def start_writer(state_folder: Path, count: int) -> subprocess.Popen[str]:
    return start(WRITER, state_folder, count)


def start(program: str, state_folder: Path, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(state_folder), str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_start_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path / ".parity", 100) for _ in range(2)]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, "")
    with open_repository(URL, tmp_path / ".parity") as repository:
        assert [len(repository.campaign_attempts(campaign)) for campaign in (1, 2)] == [100, 100]


def test_writing_importing_pruning_and_pinning_at_once_lose_nothing(tmp_path: Path, make: Make) -> None:
    state_folder = tmp_path / ".parity"
    writers = [start_writer(state_folder, 50) for _ in range(2)]
    importer = start(IMPORTER, state_folder, 15)
    pruner = start(PRUNER, state_folder, 15)
    for process in (*writers, importer, pruner):
        _, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (0, "")
    with open_repository(URL, state_folder) as repository:
        campaigns = {campaign.number: campaign.source for campaign in repository.campaigns()}
        measured = [number for number, source in campaigns.items() if not source]
        assert [len(repository.campaign_attempts(number)) for number in measured] == [50, 50]
        assert len(campaigns) == 2 + 15
        assert len(repository.baselines()) == 15
        assert check_results(repository, now=make.moment()) == ()


def test_what_comes_twice_at_once_is_recorded_once(tmp_path: Path) -> None:
    importers = [start(IMPORTER, tmp_path / ".parity", 15) for _ in range(3)]
    told = [importer.communicate(timeout=100) for importer in importers]
    assert [errors for _, errors in told] == [""] * 3
    lines = [line for output, _ in told for line in output.splitlines()]
    assert (lines.count("True"), lines.count("False")) == (15, 30)
    with open_repository(URL, tmp_path / ".parity") as repository:
        assert len(repository.campaigns()) == 15


def test_killing_a_writer_leaves_the_database_whole_with_all_finished_attempts(
    tmp_path: Path, make: Make
) -> None:
    writer = start_writer(tmp_path / ".parity", 2_000)
    assert writer.stdout is not None
    finished = [int(writer.stdout.readline()) for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate(timeout=30)
    finished += map(int, rest.splitlines())

    with sqlite3.connect(tmp_path / ".parity" / "parity.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with open_repository(URL, tmp_path / ".parity") as repository:
        kept = {attempt.id for attempt in repository.campaign_attempts(1)}
        assert set(finished) <= kept
        for number in kept:
            (log,) = repository.logs_of(number)
            assert len(repository.logs.read(log.sha256)) == log.size_bytes

        resumable = repository.resumable_campaign()
        assert resumable is not None
        assert resumable.state is CampaignState.RUNNING
        repository.resume_campaign(resumable.number)
        assert len(repository.remaining_cases(resumable.number)) == 2_000 - len(kept)
        repository.add_attempt(resumable.number, make.attempt("test1999"))
