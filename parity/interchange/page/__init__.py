"""Parity pages that people keep by hand: what they say, and what they say against themselves (docs/exchange.md).

`outline` makes structure of Markdown, `words` knows the words and numbers, `lists`, `totals` and `plan` each find one
kind of thing, `reading` puts them together, and the two modules of contradictions compare what was found.
"""

from parity.interchange.page.contradictions import find_contradictions
from parity.interchange.page.reading import parse_page
from parity.interchange.page.record import Contradiction, Finding, Page

__all__ = ["Contradiction", "Finding", "Page", "find_contradictions", "parse_page"]
