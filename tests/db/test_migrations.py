"""Databases that older parities wrote, kept as SQL in corpus/, opened by this one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from db import open_repository
from db.models import Row
from db.schema import HEAD
from parity.campaign import CampaignState, Origin
from parity.outcome import Outcome

if TYPE_CHECKING:
    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"
CORPUS = Path(__file__).parent / "corpus"

SINCE = {
    "seed": None,
    "stop_rule": "never",
    "endless": 0,
    "origin": "measured",
    "source": "",
    "boot_retries": None,
    "boot_failures_in_a_row": 2,
}
"""What a campaign of before these columns says in them."""

Content = dict[str, list[dict[str, object]]]


def restore(revision: str, root: Path) -> Path:
    """Return a state folder whose database is of a revision, with a row in every table."""
    state_folder = root / ".parity"
    state_folder.mkdir()
    connection = sqlite3.connect(state_folder / "parity.db")
    connection.executescript((CORPUS / f"revision-{revision}.sql").read_text())
    connection.close()
    return state_folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state folder whose database is of revision 0001."""
    return restore("0001", tmp_path)


def read_content(state_folder: Path) -> Content:
    connection = sqlite3.connect(state_folder / "parity.db")
    connection.row_factory = sqlite3.Row
    names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    content = {
        name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1")]  # noqa: S608
        for name in names
    }
    connection.close()
    return content


@pytest.mark.parametrize("revision", ["0001", "0003"])
def test_migrating_keeps_every_row_as_it_was(tmp_path: Path, revision: str) -> None:
    old = restore(revision, tmp_path)
    before = read_content(old)
    with open_repository(URL, old):
        pass
    after = read_content(old)
    assert all(before[name] for name in before)
    assert after.pop("alembic_version") == [{"version_num": HEAD}]
    del before["alembic_version"]
    before["campaign"] = [SINCE | row for row in before["campaign"]]
    assert {name: after[name] for name in before} == before
    assert all(after[name] == [] for name in after.keys() - before.keys())


@pytest.mark.parametrize("revision", ["0001", "0003"])
def test_a_migrated_database_has_exactly_the_tables_of_a_new_one(tmp_path: Path, revision: str) -> None:
    old = restore(revision, tmp_path)
    with open_repository(URL, old) as repository, repository.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []


def test_what_was_measured_before_origins_were_told_is_measured(old: Path) -> None:
    with open_repository(URL, old) as repository:
        (campaign,) = repository.campaigns()
        assert (campaign.origin, campaign.source) == (Origin.MEASURED, "")
        assert (repository.baselines(), dict(repository.reported_totals())) == ((), {})


def test_what_was_kept_reads_as_results_without_hangs(old: Path) -> None:
    with open_repository(URL, old, create=False) as repository:
        (campaign,) = repository.campaigns()
        (failure,) = repository.boot_failures(campaign.number)
        attempts = repository.campaign_attempts(campaign.number)
        assert campaign.state is CampaignState.FINISHED
        assert [(attempt.test, attempt.verdict.outcome, attempt.hang) for attempt in attempts] == [
            ("fork_test", Outcome.HANG, None),
            ("dup_test", Outcome.PASS, None),
        ]
        assert (failure.reason, failure.hang, len(failure.logs)) == ("no prompt within 20 s", None, 1)
        assert [len(repository.logs_of(attempt.id)) for attempt in attempts] == [1, 0]


def test_a_migrated_database_takes_hangs(old: Path, make: Make) -> None:
    with open_repository(URL, old) as repository:
        hang = make.hang(old / "captures" / "1")
        number = repository.add_attempt(1, make.attempt(outcome=Outcome.HANG, minutes=9, hang=hang))
        assert repository.attempt(number).hang == hang
