"""Long lists in parts that every database takes in one statement. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_ONCE: Final = 500


def chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the values in order, some hundreds at a time."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
