"""Numbers and their nouns, as people say them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return the number with its noun in the right form: `1 entry`, `2 entries`, `3 tests`."""
    if number == 1:
        return f"1 {noun}"
    consonant_y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{number} {noun[:-1]}ies" if consonant_y else f"{number} {noun}s"
