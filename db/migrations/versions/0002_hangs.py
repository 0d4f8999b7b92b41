"""What was captured of attempts and boots that got no further, and what it proves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hang",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("boot_failure", sa.Integer(), nullable=True),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.String(length=16), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=255), nullable=False),
        sa.Column("frames", sa.JSON(), nullable=False),
        sa.Column("runners_up", sa.JSON(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("pause_s", sa.Double(), nullable=False),
        sa.Column("took_s", sa.Double(), nullable=False),
        sa.CheckConstraint("(attempt IS NULL) <> (boot_failure IS NULL)", name="ck_hang_one_owner"),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_hang_attempt", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["boot_failure"], ["boot_failure.id"], name="fk_hang_boot_failure", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_hang"),
    )
    op.create_index("ix_hang_attempt", "hang", ["attempt"], unique=True)
    op.create_index("ix_hang_boot_failure", "hang", ["boot_failure"], unique=True)
    op.create_index("ix_hang_signature", "hang", ["signature"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_hang_signature", table_name="hang")
    op.drop_index("ix_hang_boot_failure", table_name="hang")
    op.drop_index("ix_hang_attempt", table_name="hang")
    op.drop_table("hang")
