"""What Alembic runs around the migrations: on the connection that db.schema hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from db.models import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,  # SQLite alters a column by copying the table
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
