from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.campaign import Revision
from parity.errors import UnknownNameError, UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.conftest import Make


@pytest.fixture
def story(measured: Path, make: Make) -> Path:
    """fork_test on aarch64: a crash in run 1, then passes, then two hangs on another image, then a pass there."""
    with open_repository("sqlite:///.parity/parity.db", measured / ".parity") as repository:
        for hour, (outcome, image) in enumerate(
            (
                (Outcome.PASS, "ab"),
                (Outcome.HANG, "cd"),
                (Outcome.HANG, "cd"),
                (Outcome.PASS, "cd"),
            ),
            1,
        ):
            revision = Revision(commit=f"{hour}" * 40, described=f"{hour}" * 7, dirty=hour == 3)
            campaign = repository.start_campaign(replace(make.plan(minutes=60 * hour), revision=revision))
            repository.add_target(campaign, make.facts("aarch64", image=image * 32))
            repository.add_attempt(campaign, make.attempt(outcome=outcome, minutes=60 * hour))
    return measured


@pytest.mark.usefixtures("story")
def test_it_tells_since_when_and_where_it_was_otherwise(parity: Callable[..., Result]) -> None:
    third = "run 3 (2026-11-02 14:00 UTC, kernel 2222222)"
    fourth = "run 4 (2026-11-02 15:00 UTC, kernel 3333333 with changes)"
    assert parity("history", "fork_test").stdout.splitlines() == [
        "aarch64: passes since run 5 (2026-11-02 16:00 UTC, kernel 4444444), 1 attempt",
        f"  last failed from {third} to {fourth}: hang",
        "  flaky: on the image booted last 2 of 3 failed: 66.7 % (95 % confidence: 20.8 % to 93.9 %)",
        "  C.HH.  (5 attempts)",
        "x86_64: passes since run 1 (2026-11-02 12:01 UTC, kernel c0ffee0), 1 attempt",
        "  .  (1 attempt)",
        ". pass  C crash  H hang",
    ]


@pytest.mark.usefixtures("story")
def test_json_has_the_same_for_programs(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("history", "fork_test", "--target", "aarch64", "--json").stdout)
    (found,) = told["targets"]
    assert (found["state"], found["since"]["run"], found["line"]) == ("passes", 5, "C.HH.")
    assert (found["first_failing"]["run"], found["last_failing"]["run"]) == (3, 4)
    assert found["last_failing"]["revision"] == "3" * 40
    assert (found["flaky"], found["flaky_images"]) == (True, 2)
    assert (found["failures_on_newest_image"], found["attempts_on_newest_image"]) == (2, 3)
    assert [one["state"] for one in found["stretches"]] == ["fails", "passes", "fails", "passes"]


@pytest.mark.usefixtures("measured")
def test_a_test_that_was_never_run_says_how_to_run_it(parity: Callable[..., Result]) -> None:
    error = parity("history", "pty_test").exception
    assert isinstance(error, UsageError)
    assert error.hint == "parity run pty_test"


@pytest.mark.usefixtures("measured")
def test_a_misspelt_test_is_an_error_that_offers_the_nearest(parity: Callable[..., Result]) -> None:
    error = parity("history", "frok_test").exception
    assert isinstance(error, UnknownNameError)
    assert error.near[0] == "fork_test"
