"""Databases that cannot be written or are in use, and what looks after them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from db.maintenance import check_database, prune, vacuum
from db.transfer import add_run, read_run
from parity.campaign import Baseline, CampaignState, ImportedCampaign, Origin
from parity.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db import Repository
    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"


def pin(repository: Repository, make: Make) -> None:
    repository.pin_baseline(Baseline(name="default", campaign=1, pinned_at=make.moment()))


def take_in(repository: Repository, make: Make) -> None:
    repository.add_imported(
        ImportedCampaign(
            identity="ab" * 16,
            kernel="duet",
            origin=Origin.TAP,
            source="results.tap",
            started_at=make.moment(),
            attempts=(),
        )
    )


def add_again(repository: Repository, _make: Make) -> None:
    run = read_run(repository, 1, lambda folder: folder.name)
    add_run(repository, run.model_copy(update={"identity": "cd" * 16}), {}, source="runs.parity")


def prune_all(repository: Repository, _make: Make) -> None:
    prune(repository, [1], kept_attempts=[], failures=True, dry_run=False)


def give_back(repository: Repository, _make: Make) -> None:
    vacuum(repository)


WRITES = [pin, take_in, add_again, prune_all, give_back]


@pytest.fixture
def state_folder(tmp_path: Path, make: Make) -> Path:
    """A folder with a database of one finished run."""
    with open_repository(URL, tmp_path / ".parity") as repository:
        campaign = repository.start_campaign(make.plan())
        repository.add_attempt(campaign, make.attempt())
        repository.finish_campaign(campaign, CampaignState.FINISHED, make.moment(1))
    return tmp_path / ".parity"


@pytest.fixture
def holder(state_folder: Path) -> Iterator[sqlite3.Connection]:
    """Another process that writes and does not end."""
    with closing(sqlite3.connect(state_folder / "parity.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.usefixtures("holder")
def test_a_locked_database_is_told_and_stays_as_it_is(
    state_folder: Path, make: Make, write: Callable[[Repository, Make], None]
) -> None:
    with open_repository(URL, state_folder, busy_timeout_s=0.1) as repository:
        with pytest.raises(DatabaseError, match="locked by another process"):
            write(repository, make)
        assert [campaign.number for campaign in repository.campaigns()] == [1]


@pytest.mark.usefixtures("holder")
def test_a_database_is_checked_while_another_process_writes(state_folder: Path) -> None:
    with open_repository(URL, state_folder, busy_timeout_s=0.1) as repository:
        assert check_database(repository) == ()


@pytest.mark.parametrize("write", WRITES)
def test_a_read_only_database_is_told_and_stays_as_it_is(
    state_folder: Path, make: Make, write: Callable[[Repository, Make], None]
) -> None:
    before = (state_folder / "parity.db").read_bytes()
    url = f"sqlite:///file:{state_folder / 'parity.db'}?mode=ro&uri=true"
    with open_repository(url, state_folder) as repository, pytest.raises(DatabaseError, match="read-only"):
        write(repository, make)
    assert (state_folder / "parity.db").read_bytes() == before


def test_a_read_only_database_is_checked(state_folder: Path) -> None:
    url = f"sqlite:///file:{state_folder / 'parity.db'}?mode=ro&uri=true"
    with open_repository(url, state_folder) as repository:
        assert check_database(repository) == ()


def test_an_old_database_that_cannot_be_written_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    file, state_folder = tmp_path / "old.db", tmp_path / ".parity"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((Path(__file__).parent / "corpus" / "revision-0003.sql").read_text())
    before = file.read_bytes()
    with (
        pytest.raises(DatabaseError, match="read-only"),
        open_repository(f"sqlite:///file:{file}?mode=ro&uri=true", state_folder),
    ):
        pass
    assert file.read_bytes() == before


def test_a_folder_in_which_nothing_can_be_locked_is_told(tmp_path: Path, make: Make) -> None:
    with open_repository(URL, tmp_path / ".parity") as repository:
        (tmp_path / ".parity" / "locks").write_text("in the way")
        with pytest.raises(DatabaseError, match="cannot be locked"):
            repository.add_attempt(1, make.attempt())


def test_a_vacuum_for_which_the_disk_has_no_room_is_not_begun(state_folder: Path) -> None:
    with (
        open_repository(URL, state_folder) as repository,
        pytest.raises(DatabaseError, match="has 10 bytes left"),
    ):
        vacuum(repository, measure_free=lambda _folder: 10)


def test_what_the_database_holds_and_no_parity_writes_is_told_when_it_is_exported(
    state_folder: Path,
) -> None:
    with closing(sqlite3.connect(state_folder / "parity.db")) as connection:
        connection.execute("UPDATE attempt SET outcome = 'glorious'")
        connection.commit()
    with (
        open_repository(URL, state_folder) as repository,
        pytest.raises(DatabaseError, match=r"attempt\.outcome"),
    ):
        read_run(repository, 1, lambda folder: folder.name)
