"""Closed sets of verdicts: how one attempt ended, and how a test stands on two targets."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(StrEnum):
    """How one execution of one test on one target ended."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    CRASH = "crash"
    """The kernel panicked or took a fatal fault."""
    HANG = "hang"
    """No progress until the no-progress limit."""
    TIMEOUT = "timeout"
    """Still making progress when the budget ended."""
    SKIP = "skip"
    BOOT_FAILURE = "boot-failure"
    BUILD_FAILURE = "build-failure"
    ERROR = "error"
    """The harness's own failure: says nothing about the kernel."""
    NOT_RUN = "not-run"

    @property
    def is_measured(self) -> bool:
        """Whether the attempt says anything about the kernel."""
        return self not in (Outcome.ERROR, Outcome.NOT_RUN)

    @property
    def is_wanted(self) -> bool:
        """Whether it leaves nothing to do: a pass, or a skip with its reason."""
        return self in (Outcome.PASS, Outcome.SKIP)

    @property
    def is_test_fault(self) -> bool:
        """Whether it shows, on a kernel that is known to be right, that the test itself is wrong."""
        return self in (Outcome.FAIL, Outcome.CRASH, Outcome.HANG, Outcome.TIMEOUT)


class PairState(StrEnum):
    """How one test stands on the port against the reference."""

    PARITY = "parity"
    GAP = "gap"
    REVERSE_GAP = "reverse-gap"
    BOTH_FAIL = "both-fail"
    NOT_APPLICABLE = "not-applicable"
    UNMEASURED = "unmeasured"
    TEST_FAULT = "test-fault"
    """It fails on Linux too, so it says nothing about either kernel."""


def pair_state(
    reference: Outcome | None,
    port: Outcome | None,
    *,
    on_linux: Iterable[Outcome] = (),
    applicable: bool = True,
) -> PairState:
    """Compare a test's newest outcomes on the reference and the port; None is "never attempted".

    `on_linux` are those on hosts' own Linux: a test that fails there is wrong itself, whatever else it does.
    `applicable` says whether it is meant for both.
    """
    if any(outcome.is_test_fault for outcome in on_linux):
        return PairState.TEST_FAULT
    if not applicable:
        return PairState.NOT_APPLICABLE
    if reference is None or port is None or not (reference.is_measured and port.is_measured):
        return PairState.UNMEASURED
    if Outcome.SKIP in (reference, port):
        return PairState.NOT_APPLICABLE
    return _COMPARED[reference is Outcome.PASS, port is Outcome.PASS]


_COMPARED: Final = {
    (True, True): PairState.PARITY,
    (True, False): PairState.GAP,
    (False, True): PairState.REVERSE_GAP,
    (False, False): PairState.BOTH_FAIL,
}
"""By whether the test passes on the reference and on the port."""
