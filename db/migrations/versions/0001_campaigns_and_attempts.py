"""Campaigns, what they planned, what each target was, attempts, failed boots and their logs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(length=32), nullable=False),
        sa.Column("kernel", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("isolation", sa.String(length=16), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("timeout_s", sa.Double(), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("revision_commit", sa.String(length=64), nullable=True),
        sa.Column("revision_described", sa.Text(), nullable=True),
        sa.Column("revision_dirty", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_campaign"),
        sa.UniqueConstraint("identity", name="uq_campaign_identity"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_campaign_started_at", "campaign", ["started_at"], unique=False)
    op.create_table(
        "boot_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaign.number"], name="fk_boot_failure_campaign", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_boot_failure"),
    )
    op.create_index("ix_boot_failure_campaign", "boot_failure", ["campaign"], unique=False)
    op.create_table(
        "planned_case",
        sa.Column("campaign", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("test", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaign.number"], name="fk_planned_case_campaign", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign", "position", name="pk_planned_case"),
    )
    op.create_table(
        "target_facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("arch", sa.String(length=32), nullable=False),
        sa.Column("qemu_version", sa.Text(), nullable=False),
        sa.Column("accelerator", sa.String(length=32), nullable=False),
        sa.Column("command_line", sa.Text(), nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("inputs_sha256", sa.String(length=64), nullable=True),
        sa.Column("build_id", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaign.number"], name="fk_target_facts_campaign", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_target_facts"),
    )
    op.create_index("ix_target_facts_campaign_target", "target_facts", ["campaign", "target"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Integer(), nullable=True),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("test", sa.String(length=255), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("exit_status", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("error_number", sa.Integer(), nullable=True),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("isolation", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("boot_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaign.number"], name="fk_attempt_campaign", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["facts"], ["target_facts.id"], name="fk_attempt_facts", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_attempt_by_campaign", "attempt", ["campaign", "target", "test", "started_at", "id"], unique=False
    )
    op.create_index("ix_attempt_by_test", "attempt", ["test", "target", "started_at", "id"], unique=False)
    op.create_index("ix_attempt_facts", "attempt", ["facts"], unique=False)
    op.create_table(
        "log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("boot_failure", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("port", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.CheckConstraint("(attempt IS NULL) <> (boot_failure IS NULL)", name="ck_log_one_owner"),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_log_attempt", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["boot_failure"], ["boot_failure.id"], name="fk_log_boot_failure", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_log"),
    )
    op.create_index("ix_log_attempt", "log", ["attempt"], unique=False)
    op.create_index("ix_log_boot_failure", "log", ["boot_failure"], unique=False)
    op.create_index("ix_log_sha256", "log", ["sha256"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_log_sha256", table_name="log")
    op.drop_index("ix_log_boot_failure", table_name="log")
    op.drop_index("ix_log_attempt", table_name="log")
    op.drop_table("log")
    op.drop_index("ix_attempt_facts", table_name="attempt")
    op.drop_index("ix_attempt_by_test", table_name="attempt")
    op.drop_index("ix_attempt_by_campaign", table_name="attempt")
    op.drop_table("attempt")
    op.drop_index("ix_target_facts_campaign_target", table_name="target_facts")
    op.drop_table("target_facts")
    op.drop_table("planned_case")
    op.drop_index("ix_boot_failure_campaign", table_name="boot_failure")
    op.drop_table("boot_failure")
    op.drop_index("ix_campaign_started_at", table_name="campaign")
    op.drop_table("campaign")
