"""Which form the tables have, making them, and bringing an older database up to this program's.

A new database gets the models' tables at once; the migrations lead to the same. They are part of the package and run
from here; nobody needs an alembic.ini. Alembic itself is imported only where there is something to migrate: that takes
a tenth of a second and 14 MiB.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from db.engine import display_name, for_writing
from db.models import Row
from parity.errors import DatabaseError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

HEAD: Final = "0005"
"""The newest revision in db/migrations/versions."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the revision, as it makes it itself (`alembic.runtime.migration`, Alembic 1.20)."""


class SchemaState(Enum):
    """How a database's tables stand against this program's."""

    EMPTY = "empty"
    CURRENT = "current"
    OLD = "old"
    NEWER = "newer"
    FOREIGN = "foreign"
    """It has tables, but none of parity's."""


def read_schema_state(connection: Connection) -> tuple[SchemaState, str | None]:
    """Return the state of the tables and the revision that the database says it has."""
    tables = set(inspect(connection).get_table_names())
    if _VERSION.name not in tables:
        return (SchemaState.FOREIGN if tables else SchemaState.EMPTY), None
    revision = connection.execute(select(_VERSION.c.version_num)).scalar()
    if revision is None:
        return (SchemaState.FOREIGN if tables != {_VERSION.name} else SchemaState.EMPTY), None
    if revision == HEAD:
        return SchemaState.CURRENT, revision
    return (SchemaState.OLD if revision in _known_revisions() else SchemaState.NEWER), str(revision)


def upgrade_schema(engine: Engine) -> None:
    """Create or migrate the tables, in one transaction; raise `DatabaseError` where that cannot be.

    Two processes may arrive here at once: the second waits, and then finds nothing left to do.
    """
    with for_writing(engine).begin() as connection:
        state, revision = read_schema_state(connection)
        refuse_unusable(state, revision, display_name(engine.url))
        if state is SchemaState.CURRENT:
            return
        if state is SchemaState.EMPTY:
            _create_tables(connection)
        else:
            from alembic import command  # noqa: PLC0415 - slow to import, and rarely needed

            command.upgrade(alembic_configuration(connection), "head")


def refuse_unusable(state: SchemaState, revision: str | None, name: str) -> None:
    """Raise `DatabaseError` for a database of a newer parity or of another program."""
    if state is SchemaState.NEWER:
        raise DatabaseError(
            f"{name} was written by a newer parity (revision {revision}, this one knows up to {HEAD})",
            hint="update parity; nothing was changed",
        )
    if state is SchemaState.FOREIGN:
        raise DatabaseError(
            f"{name} is a database of another program: it has tables, but not parity's",
            hint="set results.database to a file of its own; nothing was changed",
        )


def alembic_configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the shipped migrations, on an open connection."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, and rarely needed

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _create_tables(connection: Connection) -> None:
    Row.metadata.create_all(connection)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(_VERSION.insert().values(version_num=HEAD))


def _known_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and rarely needed

    scripts = ScriptDirectory.from_config(alembic_configuration())
    return frozenset(script.revision for script in scripts.walk_revisions())
