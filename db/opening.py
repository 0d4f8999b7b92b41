"""Opening the results database: found, looked at before anything is touched, and brought into this program's form."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from db.campaign_lock import CampaignLocks
from db.engine import (
    display_name,
    explained_errors,
    open_engine,
    parse_url,
    sqlite_file,
    use_write_ahead_log,
)
from db.file_guard import FileGuard
from db.log_store import LogStore
from db.repository import Repository
from db.schema import SchemaState, read_schema_state, refuse_unusable, upgrade_schema
from parity.errors import DatabaseError, UsageError
from parity.shortage import shortage_hint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import URL, Engine


@contextmanager
def open_repository(
    url: str, state_folder: Path, *, create: bool = True, busy_timeout_s: float = 30.0
) -> Iterator[Repository]:
    """Open the results database at an SQLAlchemy URL, migrated to this program's form; logs go to `state_folder`.

    A relative SQLite file is taken from the folder that holds `state_folder`. Without `create`, a database that
    is not there yet is a `UsageError`. Raises `DatabaseError` where it cannot be used; nothing is then changed.
    """
    parsed = parse_url(url, root=state_folder.parent)
    engine = open_engine(parsed, busy_timeout_s=busy_timeout_s)
    locks = CampaignLocks(state_folder / "locks")
    try:
        with explained_errors(parsed):
            _prepare(engine, parsed, state_folder, create=create)
        yield Repository(
            engine=engine,
            state_folder=state_folder,
            logs=LogStore(state_folder / "logs"),
            locks=locks,
            files=FileGuard(state_folder / "locks" / "files"),
        )
    finally:
        locks.release_all()
        engine.dispose()


def _prepare(engine: Engine, url: URL, state_folder: Path, *, create: bool) -> None:
    """Bring the database into this program's form, having looked before touching anything."""
    file = sqlite_file(url)
    state, revision = SchemaState.EMPTY, None
    if file is None or file.exists():
        with engine.connect() as connection:
            state, revision = read_schema_state(connection)
    refuse_unusable(state, revision, display_name(url))
    if state is SchemaState.EMPTY and not create:
        raise UsageError("nothing was run yet: there are no results", hint="start with: parity run")
    if create:
        _make_folders(state_folder, file)
    if state is not SchemaState.CURRENT:
        upgrade_schema(engine)
        use_write_ahead_log(engine)


def _make_folders(state_folder: Path, file: Path | None) -> None:
    try:
        if not state_folder.exists():
            state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # People who track their kernel in Git should not have to think of this folder.
            (state_folder / ".gitignore").write_text("*\n", encoding="ascii")
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"cannot make the folder {state_folder}: {error.strerror}",
            hint=shortage_hint(error) or "results are kept beside parity.toml",
        ) from error
