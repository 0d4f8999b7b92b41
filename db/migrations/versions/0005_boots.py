"""How patient a campaign was with boots that fail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaign", sa.Column("boot_retries", sa.Integer(), nullable=True))
    op.add_column(
        "campaign", sa.Column("boot_failures_in_a_row", sa.Integer(), server_default="2", nullable=False)
    )


def downgrade() -> None:
    for column in ("boot_failures_in_a_row", "boot_retries"):
        op.drop_column("campaign", column)
