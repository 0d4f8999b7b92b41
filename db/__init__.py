"""The results database and the log files beside it: SQLAlchemy and Alembic stay in here, records go in and out."""

from db.log_store import LogStore
from db.repository import Repository, open_repository

__all__ = ["LogStore", "Repository", "open_repository"]
