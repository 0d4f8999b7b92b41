"""How each way of taking a test proves that it began and ended: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from parity.configuration import BootArgumentDelivery, ImageDelivery, ProcessDelivery, ShellDelivery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parity.configuration import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How this way of taking a test proves begin and end, on top of the kernel's verdict rules."""

    begin: Pattern | None = None
    end: Pattern | None = None
    unknown: Pattern | None = None
    """What the shell answers when there is no such program."""
    tests: frozenset[str] = frozenset()
    """All tests' names: those that end like this one's make its markers ambiguous behind breadcrumbs."""
    exit_ends: bool = False
    """Whether QEMU's own end, as `exit_codes` or a guest's power-off, ends the test properly."""


def make_proof(
    delivery: ShellDelivery | BootArgumentDelivery | ImageDelivery | ProcessDelivery, tests: Iterable[str]
) -> Proof:
    """Return what a single test's attempt has to show under this delivery."""
    match delivery:
        case ShellDelivery(begin=begin, end=end, unknown=unknown):
            return Proof(begin=begin, end=end, unknown=unknown, tests=frozenset(tests))
        case BootArgumentDelivery(begin=begin, end=end) | ImageDelivery(begin=begin, end=end):
            return Proof(begin=begin, end=end, tests=frozenset(tests), exit_ends=True)
        case ProcessDelivery():
            return Proof(tests=frozenset(tests))  # the host itself waits for the test's process
        case other:
            assert_never(other)
