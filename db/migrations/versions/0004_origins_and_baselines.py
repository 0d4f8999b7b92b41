"""Where a campaign's results come from, what an imported page says they came to, and baselines by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "campaign", sa.Column("origin", sa.String(length=16), server_default="measured", nullable=False)
    )
    op.add_column("campaign", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "reported_total",
        sa.Column("campaign", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaign.number"], name="fk_reported_total_campaign", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign", "target", name="pk_reported_total"),
    )
    op.create_table(
        "baseline",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("pinned_at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        # No cascade: what is pinned is not deleted.
        sa.ForeignKeyConstraint(["campaign"], ["campaign.number"], name="fk_baseline_campaign"),
        sa.PrimaryKeyConstraint("name", name="pk_baseline"),
    )
    op.create_index("ix_baseline_campaign", "baseline", ["campaign"], unique=False)
    # With outcome and campaign in it, how the results went on is read from the index alone.
    op.drop_index("ix_attempt_by_test", table_name="attempt")
    op.create_index(
        "ix_attempt_by_test",
        "attempt",
        ["test", "target", "started_at", "id", "outcome", "campaign"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_attempt_by_test", table_name="attempt")
    op.create_index("ix_attempt_by_test", "attempt", ["test", "target", "started_at", "id"], unique=False)
    op.drop_index("ix_baseline_campaign", table_name="baseline")
    op.drop_table("baseline")
    op.drop_table("reported_total")
    for column in ("source", "origin"):
        op.drop_column("campaign", column)
