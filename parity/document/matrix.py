"""What of the kernel's sources each target has, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One row of `[[matrix]]`: what was found for each target."""

    name: str
    items: Mapping[str, tuple[str, ...]]
    """By target, each thing once, sorted."""
    same_names: bool
    """Whether a thing has the same name on every target, so that what is missing can be named."""
    files: int
    """How many files were looked at, over all targets."""

    def missing(self, reference: str, port: str) -> tuple[str, ...]:
        """Return what the reference has and the port has not; nothing where names do not tell."""
        if not self.same_names:
            return ()
        own = frozenset(self.items.get(port, ()))
        return tuple(item for item in self.items.get(reference, ()) if item not in own)

    def parity(self, reference: str, port: str) -> tuple[int, int] | None:
        """Return how many of the reference's things the port has, and how many those are; None of none.

        Where names differ between targets, as many as there are: more than the reference has is no more than all.
        """
        whole = len(self.items.get(reference, ()))
        if not whole:
            return None
        if self.same_names:
            return whole - len(self.missing(reference, port)), whole
        return min(whole, len(self.items.get(port, ()))), whole
