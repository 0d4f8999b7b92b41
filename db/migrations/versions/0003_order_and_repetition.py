"""In which order a campaign ran its cases, how often, and what ends it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaign", sa.Column("seed", sa.BigInteger(), nullable=True))
    op.add_column(
        "campaign", sa.Column("stop_rule", sa.String(length=16), server_default="never", nullable=False)
    )
    op.add_column("campaign", sa.Column("endless", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    for column in ("endless", "stop_rule", "seed"):
        op.drop_column("campaign", column)
