"""Questions about tests, such as `aarch64:fail and x86_64:pass`: read (reader), answered on standings (model, words).

Nothing here knows where standings come from: `parity.flow.results.status` asks the database.
"""

from parity.query.model import Background, Query
from parity.query.reader import parse_query
from parity.query.words import complete_words

__all__ = ["Background", "Query", "complete_words", "parse_query"]
