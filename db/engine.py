"""Connections to the results database: SQLite made safe for several writers, any other URL as it is.

On SQLite: write-ahead log (readers never wait for a writer), foreign keys checked, and every transaction that
will write begins with BEGIN IMMEDIATE. A transaction that began by reading and then writes cannot wait for
another writer: SQLite fails it at once, whatever the busy timeout. `synchronous=NORMAL` loses nothing when
this process is killed; the log is then still in the kernel's page cache. A power cut may cost the last
transactions, never the database (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    NoSuchModuleError,
    OperationalError,
)

from parity.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

_WRITES: Final = "parity_writes"


def parse_url(text: str, *, root: Path) -> URL:
    """Return the database's URL, a relative SQLite file taken from `root`; raise `DatabaseError`."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise DatabaseError(
            f"{text!r} is no database URL", hint="results.database takes a form such as sqlite:///results.db"
        ) from None
    file = sqlite_file(url)
    if file is None or file.is_absolute() or url.query.get("uri"):
        return url
    return url.set(database=str(root / file))


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite URL; None for another database and for one in memory."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database.removeprefix("file:"))


def display_name(url: URL) -> str:
    """Return what to call the database in a message: its file, or its URL without the password."""
    return str(sqlite_file(url) or url.render_as_string(hide_password=True))


def open_engine(url: URL, *, busy_timeout_s: float) -> Engine:
    """Make the engine; connects to nothing yet. Raises `DatabaseError` for a driver that is not installed."""
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, connect_args={"timeout": busy_timeout_s} if sqlite else {})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseError(
            f"no driver for {url.drivername!r}: {error}",
            hint="install it beside parity, or use sqlite:///...",
        ) from error
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def for_writing(engine: Engine) -> Engine:
    """Return the same engine with transactions that take the write lock when they begin."""
    return engine.execution_options(**{_WRITES: True})


def use_write_ahead_log(engine: Engine) -> None:
    """Switch a SQLite file to the write-ahead log; it stays so for every later connection."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 begins transactions by itself, late and deferred, and not before DDL. _begin does instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def explained_errors(url: URL) -> Iterator[None]:
    """Turn what the database driver raises for the outside world's faults into `DatabaseError`.

    A broken constraint is a fault of this program's and stays what it is.
    """
    try:
        yield
    except OperationalError as error:
        raise _explain(error, url) from error
    except exc.DatabaseError as error:
        if type(error) is not exc.DatabaseError:
            raise
        raise _explain(error, url) from error


def _explain(error: exc.DatabaseError, url: URL) -> DatabaseError:
    name = display_name(url)
    code = getattr(error.orig, "sqlite_errorcode", None)
    match code & 0xFF if code is not None else None:  # the primary code
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseError(
                f"{name} is locked by another process", hint="wait until the other run or reader is done"
            )
        case sqlite3.SQLITE_READONLY:
            return DatabaseError(
                f"{name} cannot be written: it is read-only",
                hint="check who owns the file and its folder, or set results.database to another place",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseError(
                f"{name} is damaged or no database: {error.orig}",
                hint="nothing was changed; move the file away to start afresh, or restore a copy",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return DatabaseError(
                f"{name} cannot be opened", hint="check that its folder exists and may be written"
            )
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_FULL:
            return DatabaseError(f"{name} cannot be written: {error.orig}", hint="is the disk full?")
        case _:
            return DatabaseError(f"{name} cannot be used: {error.orig}")
