"""What `arm64-parity.md` says, as records: built from what the database holds, by nothing but computation.

templates/arm64-parity.md.j2 has the words. No clock, no file, no SQL in here: the same history gives the same
document, byte for byte.
"""

from parity.document.history import History
from parity.document.last_run import format_duration
from parity.document.page import Document, build_document
from parity.document.progress import TargetChanges
from parity.document.trend import draw_chart
from parity.document.work import named_failures

__all__ = [
    "Document",
    "History",
    "TargetChanges",
    "build_document",
    "draw_chart",
    "format_duration",
    "named_failures",
]
