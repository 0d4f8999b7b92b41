"""Closed sets of verdicts: how one attempt ended, and how a test stands on two targets."""

from __future__ import annotations

from enum import StrEnum


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


class PairState(StrEnum):
    """How one test stands on the port against the reference."""

    PARITY = "parity"
    GAP = "gap"
    REVERSE_GAP = "reverse-gap"
    BOTH_FAIL = "both-fail"
    NOT_APPLICABLE = "not-applicable"
    UNMEASURED = "unmeasured"


def pair_state(reference: Outcome | None, port: Outcome | None) -> PairState:
    """Compare a test's newest outcomes on the reference and the port; None is "never attempted"."""
    if reference is None or port is None or not (reference.is_measured and port.is_measured):
        return PairState.UNMEASURED
    if Outcome.SKIP in (reference, port):
        return PairState.NOT_APPLICABLE
    match (reference is Outcome.PASS, port is Outcome.PASS):
        case (True, True):
            return PairState.PARITY
        case (True, False):
            return PairState.GAP
        case (False, True):
            return PairState.REVERSE_GAP
        case _:
            return PairState.BOTH_FAIL
