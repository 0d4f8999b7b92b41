"""Where results are kept: the database, the folders beside it, and how both are written together."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from db.engine import explained_errors, for_writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from db.campaign_lock import CampaignLocks
    from db.file_guard import FileGuard
    from db.log_store import LogStore
    from parity.attempt import Log


@dataclass(frozen=True, slots=True)
class Store:
    """The database and what is beside it; what they hold, repository.py knows."""

    engine: Engine
    state_folder: Path
    """What captures' folders are relative to."""
    logs: LogStore
    locks: CampaignLocks
    files: FileGuard

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give this package a session whose changes are kept whole or not at all."""
        with explained_errors(self.engine.url), Session(for_writing(self.engine)) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give this package a session that changes nothing."""
        with explained_errors(self.engine.url), Session(self.engine) as session:
            yield session

    @contextmanager
    def _storing(self, logs: Iterable[Log]) -> Iterator[tuple[Session, list[dict[str, Any]]]]:
        """Store the logs, then begin to write the rows that name them; nobody sweeps files meanwhile.

        Gives what the logs' rows hold, by column, all but their owner.
        """
        with self.files.storing():
            stored = self._store(logs)
            with self.writing() as session:
                yield session, stored

    def _store(self, logs: Iterable[Log]) -> list[dict[str, Any]]:
        rows = []
        for log in logs:
            file = self.logs.put(log.content)
            row = {"kind": log.kind.value, "port": log.port}
            rows.append(row | {"sha256": file.sha256, "size_bytes": file.size_bytes})
        return rows
