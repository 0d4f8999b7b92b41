"""A run as it is exported: a pass, a skip, failures of several kinds, an unsteady test, one never reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parity.attempt import Isolation, StoredAttempt, Verdict
from parity.campaign import CampaignState, Case, Revision, StoredCampaign
from parity.interchange.results import CaseResult, RunResults
from parity.outcome import Outcome

if TYPE_CHECKING:
    from tests.conftest import Make

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
REVISION = Revision(commit="c0ffee" + "0" * 34, described="c0ffee0", dirty=False)


def run_record(number: int = 7) -> StoredCampaign:
    return StoredCampaign(
        number=number,
        identity="ab" * 16,
        kernel="duet",
        state=CampaignState.FINISHED,
        started_at=NOON,
        finished_at=NOON,
        isolation=Isolation.BOOT,
        revision=REVISION,
        arguments=("run",),
        timeout_s=None,
        planned=6,
    )


def attempt_record(
    number: int,
    test: str,
    outcome: Outcome = Outcome.PASS,
    *evidence: str,
    target: str = "aarch64",
    error_number: int | None = None,
) -> StoredAttempt:
    return StoredAttempt(
        id=number,
        campaign=7,
        target=target,
        test=test,
        verdict=Verdict(
            outcome=outcome, evidence=evidence or ("the test said so",), error_number=error_number
        ),
        nonce="n0nce",
        isolation=Isolation.BOOT,
        started_at=NOON,
        duration_s=1.25,
        boot_s=None,
        fingerprint="ab" * 32,
    )


def case_result(*attempts: StoredAttempt, before: Outcome | None = None, expected: str = "") -> CaseResult:
    return CaseResult(
        target=attempts[0].target,
        test=attempts[0].test,
        attempts=attempts,
        before=None if before is None else attempt_record(1, attempts[0].test, before),
        expected=expected,
    )


def run_results(*cases: CaseResult, unreached: tuple[Case, ...] = ()) -> RunResults:
    return RunResults(
        run=run_record(),
        before=replace(run_record(6), identity="cd" * 16),
        facts={},
        cases=cases,
        unreached=unreached,
        reported={},
        transcripts={},
    )


@pytest.fixture
def results(make: Make) -> RunResults:
    """A run with everything in it."""
    hung = replace(
        attempt_record(14, "pipe_test", Outcome.HANG, "no output for 3 s"),
        hang=make.hang(Path("captures/1")),
    )
    made = run_results(
        case_result(attempt_record(11, "dup_test"), before=Outcome.FAIL),
        case_result(attempt_record(12, "tty_test", Outcome.SKIP, "tty_test: SKIP: no terminal # here")),
        case_result(
            attempt_record(13, "fork_test", Outcome.CRASH, "KERNEL PANIC: frames <0> \\ & ]]>"),
            before=Outcome.PASS,
        ),
        case_result(hung, before=Outcome.HANG, expected="the lock is being rewritten"),
        case_result(
            attempt_record(15, "wc_test", Outcome.FAIL, "wc_test: FAIL: errno 38 (ENOSYS)", error_number=38),
            attempt_record(16, "wc_test"),
            before=Outcome.PASS,
        ),
        case_result(attempt_record(17, "dup_test", target="x86_64")),
        unreached=(Case(target="x86_64", test="fork_test"),),
    )
    return replace(
        made,
        facts={"aarch64": make.facts()},
        transcripts={13: ("one", "two\\x1b[2J"), 15: ("wc: -1",)},
    )
