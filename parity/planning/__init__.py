"""The plan that people keep: decisions, work items and log entries, as records and as text (docs/document.md).

Their words are theirs; whatever can be counted beside them (how far an item got, in which run it was done) is computed
elsewhere and never stands in an entry. No file is read in here: parity.flow.document.planning does that.
"""

from parity.planning.entry import format_entry, parse_entry
from parity.planning.model import (
    Decision,
    DecisionStatus,
    Entry,
    LogEntry,
    Place,
    Plan,
    Unblocks,
    WorkItem,
    WorkState,
)
from parity.planning.plan import build_plan

__all__ = [
    "Decision",
    "DecisionStatus",
    "Entry",
    "LogEntry",
    "Place",
    "Plan",
    "Unblocks",
    "WorkItem",
    "WorkState",
    "build_plan",
    "format_entry",
    "parse_entry",
]
