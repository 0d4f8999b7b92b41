"""Databases that older parities wrote, kept as SQL in corpus/, opened by this one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.campaign import CampaignState
from parity.outcome import Outcome

if TYPE_CHECKING:
    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"
CORPUS = Path(__file__).parent / "corpus"

ORDER_OF_OLD = (None, "never", 0)
"""Seed, stop rule and endlessness of a campaign from before these were told."""

Content = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state folder whose database is of revision 0001, with a row in every table."""
    state_folder = tmp_path / ".parity"
    state_folder.mkdir()
    connection = sqlite3.connect(state_folder / "parity.db")
    connection.executescript((CORPUS / "revision-0001.sql").read_text())
    connection.close()
    return state_folder


def read_content(state_folder: Path) -> Content:
    connection = sqlite3.connect(state_folder / "parity.db")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    content = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in names}  # noqa: S608
    connection.close()
    return content


def test_migrating_keeps_every_row_as_it_was(old: Path) -> None:
    before = read_content(old)
    with open_repository(URL, old):
        pass
    after = read_content(old)
    assert all(before[name] for name in before)
    campaigns = [(*row, *ORDER_OF_OLD) for row in before["campaign"]]
    assert {name: after[name] for name in before} == before | {
        "alembic_version": after["alembic_version"],
        "campaign": campaigns,
    }
    assert {name: after[name] for name in after.keys() - before.keys()} == {"hang": []}


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
