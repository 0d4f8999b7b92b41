"""An observer that says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.flow.run import Order
    from parity.flow.work import Event


class Quiet:
    """Says nothing."""

    def building(self, target: str, command: Sequence[str]) -> None:
        """Say nothing."""

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """Say nothing."""

    def happened(self, event: Event | None) -> None:
        """Say nothing."""
