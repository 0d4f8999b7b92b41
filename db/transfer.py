"""Whole runs out of the database and into another one: rows to `parity.interchange.run_json` and back.

A run keeps its number and its attempts' where they are free, so that documents on two machines agree. Only on
SQLite: elsewhere the database counts by itself, and would give a number again that was given by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from db.chunks import chunks
from db.hangs import hang_record, stored_folder
from db.models import (
    AttemptRow,
    BaselineRow,
    BootFailureRow,
    CampaignRow,
    HangRow,
    LogRow,
    PlannedCaseRow,
    ReportedTotalRow,
    TargetFactsRow,
)
from parity.errors import DatabaseError, UsageError
from parity.interchange.run_json import (
    Run,
    RunAttempt,
    RunBaseline,
    RunBootFailure,
    RunCase,
    RunFacts,
    RunHang,
    RunLog,
    RunTotal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel
    from sqlalchemy.orm import Session
    from sqlalchemy.orm.interfaces import ORMOption

    from db.models import Row
    from db.repository import Repository

_SEPARATE: Final = {"number", "cases", "facts", "attempts", "boot_failures", "totals", "baselines"}
"""What of a run is not in the campaign's own row."""

_Part = TypeVar("_Part", bound="BaseModel")
_Row = TypeVar(
    "_Row", TargetFactsRow, PlannedCaseRow, AttemptRow, BootFailureRow, ReportedTotalRow, BaselineRow
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a run that was to be added."""

    number: int
    is_new: bool
    attempts: int
    """How many it has here."""


def read_run(repository: Repository, number: int, capture_name: Callable[[Path], str]) -> Run:
    """Return a run with all that belongs to it; `capture_name` says what a capture's folder is called in the file.

    Raises `UsageError` where there is no such run, or where it is under way.
    """

    def parts(row: AttemptRow | BootFailureRow) -> dict[str, Any]:
        hang = hang_record(row.hang, repository.state_folder)
        told = row.hang and _record(RunHang, row.hang, capture=capture_name(hang.folder) if hang else "")
        return {"logs": tuple(_record(RunLog, log) for log in row.logs), "hang": told}

    with repository.reading() as session:
        run = session.get(CampaignRow, number)
        if run is None:
            raise UsageError(f"there is no run {number}")
        if repository.locks.is_held(run.identity):
            raise UsageError(f"run {number} is still under way", hint="export it once it is over")
        facts = _rows(session, TargetFactsRow, number, TargetFactsRow.id)
        places = {row.id: place for place, row in enumerate(facts)}
        owners = (joinedload(AttemptRow.hang), selectinload(AttemptRow.logs))
        boot_owners = (joinedload(BootFailureRow.hang), selectinload(BootFailureRow.logs))
        return _record(
            Run,
            run,
            cases=tuple(
                _record(RunCase, row)
                for row in _rows(session, PlannedCaseRow, number, PlannedCaseRow.position)
            ),
            facts=tuple(_record(RunFacts, row) for row in facts),
            attempts=tuple(
                _record(
                    RunAttempt,
                    row,
                    number=row.id,
                    facts=None if row.facts is None else places[row.facts],
                    **parts(row),
                )
                for row in _rows(session, AttemptRow, number, AttemptRow.id, *owners)
            ),
            boot_failures=tuple(
                _record(RunBootFailure, row, **parts(row))
                for row in _rows(session, BootFailureRow, number, BootFailureRow.id, *boot_owners)
            ),
            totals=tuple(
                _record(RunTotal, row)
                for row in _rows(session, ReportedTotalRow, number, ReportedTotalRow.target)
            ),
            baselines=tuple(
                _record(RunBaseline, row) for row in _rows(session, BaselineRow, number, BaselineRow.name)
            ),
        )


def add_run(repository: Repository, run: Run, captures: Mapping[str, Path], *, source: str) -> Added:
    """Add a run whose logs are stored already, whole or not at all; one that is known by its identity stays as it is.

    `captures` says where the captures are by now. `source` names the file that it comes from.
    """
    folders = {name: stored_folder(folder, repository.state_folder) for name, folder in captures.items()}
    with repository.writing() as session:
        known = session.scalar(select(CampaignRow).where(CampaignRow.identity == run.identity))
        if known is not None:
            attempts = session.scalar(select(func.count()).where(AttemptRow.campaign == known.number)) or 0
            return Added(number=known.number, is_new=False, attempts=attempts)
        by_hand = repository.engine.dialect.name == "sqlite"
        row = CampaignRow(
            number=run.number if by_hand and session.get(CampaignRow, run.number) is None else None,
            **run.model_dump(exclude=_SEPARATE | {"source"}),
            source=run.source or source,
        )
        session.add(row)
        session.flush()
        facts = [TargetFactsRow(campaign=row.number, **each.model_dump()) for each in run.facts]
        session.add_all(facts)
        session.flush()
        session.add_all(
            PlannedCaseRow(campaign=row.number, position=position, **case.model_dump())
            for position, case in enumerate(run.cases)
        )
        session.add_all(ReportedTotalRow(campaign=row.number, **total.model_dump()) for total in run.totals)
        keeps = by_hand and _all_free(session, [attempt.number for attempt in run.attempts])
        for attempt in run.attempts:
            owner = AttemptRow(
                id=attempt.number if keeps else None,
                campaign=row.number,
                facts=None if attempt.facts is None else facts[attempt.facts].id,
                **attempt.model_dump(exclude={"number", "facts", "logs", "hang"}),
            )
            _attach(session, owner, attempt, folders)
        for failure in run.boot_failures:
            boot = BootFailureRow(campaign=row.number, **failure.model_dump(exclude={"logs", "hang"}))
            _attach(session, boot, failure, folders)
        return Added(number=row.number, is_new=True, attempts=len(run.attempts))


def _attach(
    session: Session,
    owner: AttemptRow | BootFailureRow,
    part: RunAttempt | RunBootFailure,
    folders: Mapping[str, str],
) -> None:
    owner.logs = [LogRow(**log.model_dump()) for log in part.logs]
    if part.hang is not None:
        owner.hang = HangRow(folder=folders[part.hang.capture], **part.hang.model_dump(exclude={"capture"}))
    session.add(owner)


def _all_free(session: Session, numbers: Sequence[int]) -> bool:
    """Whether no attempt has any of the numbers."""
    return not any(
        session.scalar(select(AttemptRow.id).where(AttemptRow.id.in_(chunk)).limit(1))
        for chunk in chunks(numbers)
    )


def _rows(
    session: Session, table: type[_Row], campaign: int, order: Any, *options: ORMOption
) -> Sequence[_Row]:
    statement = select(table).where(table.campaign == campaign).order_by(order).options(*options)
    return session.scalars(statement).all()


def _record(part: type[_Part], row: Row, **separate: object) -> _Part:
    """Return the part that a row is, field by field; `separate` are those that the row does not have."""
    told = {name: getattr(row, name) for name in part.model_fields if name not in separate}
    try:
        return part.model_validate(told | separate)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, (row.__tablename__, *first["loc"])))
        raise DatabaseError(
            f"the database holds what no parity writes: {where}: {first['msg']}",
            hint="look with: parity db check",
        ) from error
