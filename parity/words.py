"""Numbers and their nouns, as people say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def counted(number: int, noun: str) -> str:
    """Return the number with its noun in the right form: `1 entry`, `2 entries`, `3 tests`."""
    if number == 1:
        return f"1 {noun}"
    consonant_y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{number} {noun[:-1]}ies" if consonant_y else f"{number} {noun}s"


def first_few(names: Collection[str], most: int) -> str:
    """Return as many names as one can read, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(list(names)[:most])}{more}"
