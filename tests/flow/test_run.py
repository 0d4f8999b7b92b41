"""Whole campaigns on real machines: every way a guest of either architecture misbehaves, and what is made of it."""

from __future__ import annotations

from typing import Final

import pytest

from parity.attempt import Isolation
from parity.outcome import Outcome
from tests.support.lab import ARCHITECTURES, Lab, outcomes

pytestmark = pytest.mark.qemu

SCENARIOS: Final = {
    "pass": Outcome.PASS,
    "fail": Outcome.FAIL,
    "skip": Outcome.SKIP,
    "fail_exit_zero": Outcome.FAIL,
    "pass_exit_one": Outcome.FAIL,
    "negative": Outcome.FAIL,
    "large": Outcome.FAIL,
    "silent": Outcome.FAIL,
    "other_marker": Outcome.FAIL,
    "child_exit": Outcome.FAIL,
    "breadcrumbs": Outcome.PASS,
    "forged_end": Outcome.FAIL,
    "forged_own_end": Outcome.FAIL,
    "binary": Outcome.PASS,
    "panic": Outcome.CRASH,
    "panic_after_end": Outcome.CRASH,
    "hang": Outcome.HANG,
    "spin": Outcome.TIMEOUT,
    "chatter": Outcome.TIMEOUT,
    "reset": Outcome.CRASH,
    "power_off": Outcome.CRASH,
    "flood": Outcome.PASS,
    "no_such": Outcome.NOT_RUN,
}
"""What each scenario of tests/guest/guest.c is judged to be."""

SLOW: Final = """
[test.spin]
budget_s = 1
[test.chatter]
budget_s = 1
"""


@pytest.mark.parametrize("isolation", [Isolation.SNAPSHOT, Isolation.BOOT, Isolation.SHARED])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_scenario_is_judged_as_it_should(lab: Lab, architecture: str, isolation: Isolation) -> None:
    configuration = lab.write(*SCENARIOS, architectures=[architecture], more=SLOW)
    summary = lab.run(configuration, isolation=isolation)
    assert outcomes(summary) == {(architecture, test): outcome for test, outcome in SCENARIOS.items()}
    assert summary.left == 0


def test_a_guest_that_polls_at_its_prompt_is_read_on_for_longer(lab: Lab) -> None:
    configuration = lab.write("pass", "skip", "fail", architectures=["x86_64"])
    attempts = lab.run(configuration, isolation=Isolation.SHARED).attempts
    ends = [attempt.started_at.timestamp() + attempt.duration_s for attempt in attempts]
    assert all(
        after.started_at.timestamp() - end > 0.15 for end, after in zip(ends, attempts[1:], strict=False)
    )
