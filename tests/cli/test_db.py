from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.conftest import Make

pytestmark = pytest.mark.usefixtures("measured")

COMMANDS = (("db", "check"), ("db", "prune", "--keep", "1"), ("db", "vacuum"), ("baseline", "list"))


@pytest.fixture
def log(project: Path) -> Path:
    """The one log of the first run."""
    (file,) = (project / ".parity" / "logs").rglob("*/*")
    return file


def test_what_is_whole_is_as_wanted(parity: Callable[..., Result]) -> None:
    result = parity("db", "check")
    assert (result.exit_code, result.stdout) == (0, "all is whole\n")


def test_what_is_not_whole_is_said_and_fails(parity: Callable[..., Result], log: Path) -> None:
    log.write_bytes(b"altered")
    result = parity("db", "check")
    assert result.exit_code == 1
    assert result.stdout == (
        f"logs/{log.parent.name}/{log.name}: altered: its content is not what it was stored as"
        " (attempt 3 of fork_test)\n"
    )


def test_json_tells_each_finding(parity: Callable[..., Result], log: Path) -> None:
    log.unlink()
    (finding,) = json.loads(parity("db", "check", "--quick", "--json").stdout)["findings"]
    assert finding["problem"] == "missing (attempt 3 of fork_test)"


def add_runs(project: Path, make: Make, count: int) -> None:
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        for number in range(1, count + 1):
            campaign = repository.start_campaign(make.plan(minutes=60 * number))
            repository.add_attempt(
                campaign,
                make.attempt("dup_test", minutes=60 * number, transcript=f"{number}".encode()),
            )


def test_a_dry_run_names_the_runs_and_files_that_would_go(
    parity: Callable[..., Result], project: Path, make: Make
) -> None:
    add_runs(project, make, 4)
    result = parity("db", "prune", "--older-than", "1h", "--dry-run")
    first, *files, last = result.stdout.splitlines()
    assert first == "3 runs: 2, 3, 4"
    assert len(files) == 3
    assert last.startswith("would free 3 files")
    assert len(list((project / ".parity" / "logs").rglob("*/*"))) == 5


def test_pruning_says_what_went(parity: Callable[..., Result], project: Path, make: Make) -> None:
    add_runs(project, make, 4)
    lines = parity("db", "prune", "--keep", "2").stdout.splitlines()
    assert lines[0] == "2 runs: 2, 3"
    assert lines[-1] == "`parity db vacuum` gives back the room in the database itself"
    told = json.loads(parity("db", "prune", "--keep", "2", "--json").stdout)
    assert (told["runs"], told["logs"], told["files"], told["freed_bytes"]) == ([], 0, [], 0)


def test_nothing_that_can_go_is_said(parity: Callable[..., Result]) -> None:
    assert parity("db", "prune").stdout == "there is nothing that can go\n"


def test_an_age_that_is_none_is_refused(parity: Callable[..., Result]) -> None:
    error = parity("db", "prune", "--older-than", "soon").exception
    assert isinstance(error, UsageError)
    assert error.message == "'soon' is no age"


def test_vacuum_gives_room_back(parity: Callable[..., Result], project: Path, make: Make) -> None:
    add_runs(project, make, 3)
    with sqlite3.connect(project / ".parity" / "parity.db") as connection:
        connection.execute("CREATE TABLE large AS SELECT zeroblob(1000000)")
        connection.execute("DROP TABLE large")
    connection.close()
    told = json.loads(parity("db", "vacuum", "--json").stdout)
    assert told["bytes_after"] < told["bytes_before"] - 900_000
    assert parity("db", "vacuum").stdout.endswith("KiB now\n")
    assert parity("db", "check").exit_code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_before_the_first_run_every_command_says_so(
    parity: Callable[..., Result], project: Path, command: tuple[str, ...]
) -> None:
    (project / ".parity" / "parity.db").unlink()
    error = parity(*command).exception
    assert isinstance(error, UsageError)
    assert error.message == "nothing was run yet: there are no results"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "was written by a newer parity"),
        ("DROP TABLE alembic_version", "is a database of another program"),
    ],
)
def test_a_database_that_is_not_this_paritys_is_refused_unharmed(
    parity: Callable[..., Result], project: Path, command: tuple[str, ...], change: str, message: str
) -> None:
    file = project / ".parity" / "parity.db"
    connection = sqlite3.connect(file)
    connection.execute(change)
    connection.commit()
    connection.close()
    before = file.read_bytes()
    error = parity(*command).exception
    assert isinstance(error, DatabaseError)
    assert message in error.message
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_database_is_refused_unharmed(
    parity: Callable[..., Result], project: Path, command: tuple[str, ...]
) -> None:
    file = project / ".parity" / "parity.db"
    file.write_bytes(b"These are my notes. " * 100)
    error = parity(*command).exception
    assert isinstance(error, DatabaseError)
    assert "is damaged or no database" in error.message
    assert file.read_bytes() == b"These are my notes. " * 100
