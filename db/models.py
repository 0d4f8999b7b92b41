"""The tables, as SQLAlchemy maps them; db/migrations holds how they came to be.

    campaign ─┬─ planned_case      what it set out to do
              ├─ target_facts      what each target was; a changed image makes another row
              ├─ reported_total    what an imported page says that it came to
              ├─ baseline          a name for it
              ├─ attempt ──────┬─ log     one execution of one test on one target
              └─ boot_failure ─┴─ hang    one boot that did not come up

Enums are stored by value. `log` names files by content (log_store.py) and `hang` a capture's folder; neither holds
content itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

if TYPE_CHECKING:
    from sqlalchemy import Dialect

NAME_LENGTH: Final = 255
"""SQLite ignores it; other databases index no endless text."""
_ONE_OWNER: Final = "(attempt IS NULL) <> (boot_failure IS NULL)"
"""Its constraints bear their tables' names twice, as the migrations have made them from the beginning."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: stored in UTC without a zone, which every database can do, and aware in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC; a naive time is a mistake of the caller's."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class Row(DeclarativeBase):
    """What all tables share: constraints have names, so that a migration can find them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double()}


class CampaignRow(Row):
    """One invocation over a set of tests and targets."""

    __tablename__ = "campaign"
    # A number is never given twice, not even after the newest campaign was pruned.
    __table_args__ = (UniqueConstraint("identity"), Index(None, "started_at"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(String(32))
    """The same on every machine that the campaign's results travel to."""
    kernel: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    isolation: Mapped[str] = mapped_column(String(16))
    arguments: Mapped[list[str]] = mapped_column(JSON)
    timeout_s: Mapped[float | None]
    planned: Mapped[int]
    """How many cases it planned, each counted once."""
    seed: Mapped[int | None] = mapped_column(BigInteger)
    """What shuffled the order."""
    stop_rule: Mapped[str] = mapped_column(String(16), server_default="never")
    endless: Mapped[bool] = mapped_column(server_default=false())
    boot_retries: Mapped[int | None]
    boot_failures_in_a_row: Mapped[int] = mapped_column(server_default="2")
    revision_commit: Mapped[str | None] = mapped_column(String(64))
    revision_described: Mapped[str | None] = mapped_column(Text)
    revision_dirty: Mapped[bool | None]
    origin: Mapped[str] = mapped_column(String(16), server_default="measured")
    source: Mapped[str] = mapped_column(Text, server_default="")
    """The name of the file that it was imported from."""


class PlannedCaseRow(Row):
    """One attempt of one test on one target that a campaign set out to make, in its order."""

    __tablename__ = "planned_case"

    campaign: Mapped[int] = mapped_column(
        ForeignKey("campaign.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    target: Mapped[str] = mapped_column(String(NAME_LENGTH))
    test: Mapped[str] = mapped_column(String(NAME_LENGTH))


class TargetFactsRow(Row):
    """What a target was while some of a campaign's attempts ran."""

    __tablename__ = "target_facts"
    __table_args__ = (Index(None, "campaign", "target"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign: Mapped[int] = mapped_column(ForeignKey("campaign.number", ondelete="CASCADE"))
    target: Mapped[str] = mapped_column(String(NAME_LENGTH))
    arch: Mapped[str] = mapped_column(String(32))
    qemu_version: Mapped[str] = mapped_column(Text)
    accelerator: Mapped[str] = mapped_column(String(32))
    command_line: Mapped[str] = mapped_column(Text)
    image_sha256: Mapped[str] = mapped_column(String(64))
    inputs_sha256: Mapped[str | None] = mapped_column(String(64))
    build_id: Mapped[str | None] = mapped_column(String(128))


class ReportedTotalRow(Row):
    """What an imported page says that a campaign came to on a target."""

    __tablename__ = "reported_total"

    campaign: Mapped[int] = mapped_column(
        ForeignKey("campaign.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    target: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    passed: Mapped[int]
    total: Mapped[int]


class BaselineRow(Row):
    """A campaign that later ones are compared with, under a name; it cannot be deleted while it has one."""

    __tablename__ = "baseline"
    __table_args__ = (Index(None, "campaign"),)

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    campaign: Mapped[int] = mapped_column(ForeignKey("campaign.number"))
    pinned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text)


class AttemptRow(Row):
    """One execution of one test on one target."""

    __tablename__ = "attempt"
    __table_args__ = (
        # With outcome and campaign, how results went on is read from the index alone.
        Index("ix_attempt_by_test", "test", "target", "started_at", "id", "outcome", "campaign"),
        Index("ix_attempt_by_campaign", "campaign", "target", "test", "started_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign: Mapped[int] = mapped_column(ForeignKey("campaign.number", ondelete="CASCADE"))
    facts: Mapped[int | None] = mapped_column(ForeignKey("target_facts.id", ondelete="SET NULL"), index=True)
    """What the target was; none where the attempt ended before that was known."""
    target: Mapped[str] = mapped_column(String(NAME_LENGTH))
    test: Mapped[str] = mapped_column(String(NAME_LENGTH))
    outcome: Mapped[str] = mapped_column(String(16))
    evidence: Mapped[list[str]] = mapped_column(JSON)
    exit_status: Mapped[int | None]
    signal: Mapped[int | None]
    error_number: Mapped[int | None]
    nonce: Mapped[str] = mapped_column(String(64))
    isolation: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    duration_s: Mapped[float]
    boot_s: Mapped[float | None]
    logs: Mapped[list[LogRow]] = relationship(order_by="LogRow.id", lazy="raise", cascade="all")
    hang: Mapped[HangRow | None] = relationship(lazy="raise", cascade="all")


class BootFailureRow(Row):
    """One boot that did not come up."""

    __tablename__ = "boot_failure"
    __table_args__ = (Index(None, "campaign"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign: Mapped[int] = mapped_column(ForeignKey("campaign.number", ondelete="CASCADE"))
    target: Mapped[str] = mapped_column(String(NAME_LENGTH))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    duration_s: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    logs: Mapped[list[LogRow]] = relationship(order_by="LogRow.id", lazy="raise", cascade="all")
    hang: Mapped[HangRow | None] = relationship(lazy="raise", cascade="all")


class LogRow(Row):
    """A stored file, and whose it is."""

    __tablename__ = "log"
    __table_args__ = (
        CheckConstraint(_ONE_OWNER, name="ck_log_one_owner"),
        Index(None, "attempt"),
        Index(None, "boot_failure"),
        Index(None, "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int | None] = mapped_column(ForeignKey("attempt.id", ondelete="CASCADE"))
    boot_failure: Mapped[int | None] = mapped_column(ForeignKey("boot_failure.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    port: Mapped[str] = mapped_column(String(NAME_LENGTH))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]


class HangRow(Row):
    """What was captured of a kernel that got no further, what it proves, and whose it is."""

    __tablename__ = "hang"
    __table_args__ = (
        CheckConstraint(_ONE_OWNER, name="ck_hang_one_owner"),
        Index(None, "attempt", unique=True),
        Index(None, "boot_failure", unique=True),
        Index(None, "signature"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int | None] = mapped_column(ForeignKey("attempt.id", ondelete="CASCADE"))
    boot_failure: Mapped[int | None] = mapped_column(ForeignKey("boot_failure.id", ondelete="CASCADE"))
    folder: Mapped[str] = mapped_column(Text)
    """The capture; relative where it is in the state folder, so that the two can move together."""
    cause: Mapped[str] = mapped_column(String(64))
    confidence: Mapped[str] = mapped_column(String(16))
    sentence: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[str]] = mapped_column(JSON)
    subject: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """What hangs of one cause share (`parity.hangs.cause_key`), shortened to what can be indexed."""
    frames: Mapped[list[str]] = mapped_column(JSON)
    runners_up: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    missing: Mapped[list[str]] = mapped_column(JSON)
    pause_s: Mapped[float]
    took_s: Mapped[float]
