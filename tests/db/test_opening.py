from __future__ import annotations

import hashlib
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from db import open_repository
from db.engine import for_writing, open_engine, parse_url
from db.models import Row
from db.schema import HEAD, alembic_configuration
from parity.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"


def database(root: Path) -> Path:
    return root / ".parity" / "parity.db"


def fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_relative_file_is_taken_from_the_folder_of_the_state_folder(tmp_path: Path) -> None:
    with open_repository(URL, tmp_path / ".parity"):
        assert database(tmp_path).is_file()


def test_the_state_folder_keeps_itself_out_of_git(tmp_path: Path) -> None:
    with open_repository(URL, tmp_path / ".parity"):
        assert (tmp_path / ".parity" / ".gitignore").read_text() == "*\n"


def test_reading_before_the_first_run_says_so_and_creates_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="nothing was run yet") as caught,
        open_repository(URL, tmp_path / ".parity", create=False),
    ):
        pass
    assert caught.value.hint == "start with: parity run"
    assert list(tmp_path.iterdir()) == []


def test_the_write_ahead_log_and_foreign_keys_are_on(tmp_path: Path) -> None:
    with (
        open_repository(URL, tmp_path / ".parity") as repository,
        repository.engine.connect() as connection,
    ):
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_the_migrations_make_exactly_the_tables_of_a_new_database(tmp_path: Path) -> None:
    migrated = open_engine(parse_url("sqlite:///migrated.db", root=tmp_path), busy_timeout_s=5)
    with for_writing(migrated).begin() as connection:
        command.upgrade(alembic_configuration(connection), "head")
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []
        as_migrated = describe_tables(connection)
    with open_repository(URL, tmp_path / ".parity") as repository, repository.engine.connect() as connection:
        assert describe_tables(connection) == as_migrated


def describe_tables(connection: Connection) -> dict[str, list[str]]:
    """Return the lines that each table and index is made with, in the order of the alphabet: columns have no order."""
    statements = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    assert len(statements) > 20
    return {
        name: sorted(line.strip() for line in re.split(r",\s*(?![^(]*\))", sql)) for name, sql in statements
    }


def test_the_revision_that_the_program_expects_is_the_newest_one() -> None:
    assert ScriptDirectory.from_config(alembic_configuration()).get_heads() == [HEAD]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        with open_repository(URL, tmp_path / ".parity"):
            pass
    before = fingerprint(database(tmp_path))
    with open_repository(URL, tmp_path / ".parity", create=False):
        pass
    assert fingerprint(database(tmp_path)) == before


def test_a_database_of_a_newer_parity_is_refused_unharmed(tmp_path: Path) -> None:
    with open_repository(URL, tmp_path / ".parity"):
        pass
    with sqlite3.connect(database(tmp_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = fingerprint(database(tmp_path))
    with (
        pytest.raises(DatabaseError, match="newer parity") as caught,
        open_repository(URL, tmp_path / ".parity"),
    ):
        pass
    assert caught.value.hint is not None
    assert "update parity" in caught.value.hint
    assert fingerprint(database(tmp_path)) == before


def test_another_programs_database_is_refused_unharmed(tmp_path: Path) -> None:
    file = tmp_path / "bookmarks.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = fingerprint(file)
    with (
        pytest.raises(DatabaseError, match="another program"),
        open_repository(f"sqlite:///{file}", tmp_path / ".parity"),
    ):
        pass
    assert fingerprint(file) == before


def test_a_file_that_is_no_database_is_refused_unharmed(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"These are my notes, not a database. " * 100)
    with (
        pytest.raises(DatabaseError, match="damaged or no database"),
        open_repository(f"sqlite:///{file}", tmp_path / ".parity"),
    ):
        pass
    assert file.read_bytes().startswith(b"These are my notes")


def test_a_locked_database_is_told_after_the_timeout(tmp_path: Path, make: Make) -> None:
    with open_repository(URL, tmp_path / ".parity", busy_timeout_s=0.1) as repository:
        other = sqlite3.connect(database(tmp_path), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked by another process"):
            repository.start_campaign(make.plan())
        other.close()


def test_a_read_only_database_is_told_when_it_is_written(tmp_path: Path, make: Make) -> None:
    with open_repository(URL, tmp_path / ".parity"):
        pass
    url = f"sqlite:///file:{database(tmp_path)}?mode=ro&uri=true"
    with (
        open_repository(url, tmp_path / ".parity") as repository,
        pytest.raises(DatabaseError, match="read-only"),
    ):
        repository.start_campaign(make.plan())


@pytest.mark.parametrize(
    ("url", "message"),
    [("results.db", "is no database URL"), ("nosuch://host/base", "no driver for 'nosuch'")],
)
def test_a_url_that_cannot_be_used_is_told(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message), open_repository(url, tmp_path / ".parity"):
        pass


def test_a_password_in_the_url_is_never_told(tmp_path: Path) -> None:
    url = "nosuch://me:hunter2@host/base"
    with pytest.raises(DatabaseError) as caught, open_repository(url, tmp_path / ".parity"):
        pass
    assert "hunter2" not in caught.value.message


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(DatabaseError, match="cannot make the folder"),
        open_repository(f"sqlite:///{tmp_path}/parity.db", tmp_path / "file" / ".parity"),
    ):
        pass
