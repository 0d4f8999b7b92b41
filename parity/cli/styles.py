"""The colour of each verdict, the same wherever it is shown."""

from __future__ import annotations

from typing import Final

from parity.outcome import Outcome, PairState

OUTCOME_STYLES: Final = {
    Outcome.PASS: "green",
    Outcome.SKIP: "cyan",
    Outcome.FAIL: "red",
    Outcome.CRASH: "bold red",
    Outcome.HANG: "bold magenta",
    Outcome.TIMEOUT: "magenta",
    Outcome.BOOT_FAILURE: "bold red",
    Outcome.BUILD_FAILURE: "bold red",
    Outcome.ERROR: "bold yellow",
    Outcome.NOT_RUN: "yellow",
}

PAIR_STYLES: Final = {
    PairState.PARITY: "green",
    PairState.GAP: "bold red",
    PairState.REVERSE_GAP: "magenta",
    PairState.BOTH_FAIL: "red",
    PairState.NOT_APPLICABLE: "dim",
    PairState.UNMEASURED: "dim",
    PairState.TEST_FAULT: "yellow",
}
