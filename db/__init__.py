"""The results database and the log files beside it: SQLAlchemy and Alembic stay in here, records go in and out."""

from db.log_store import LogStore
from db.opening import open_repository
from db.repository import Repository

__all__ = ["LogStore", "Repository", "open_repository"]
