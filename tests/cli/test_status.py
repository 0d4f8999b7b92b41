from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.errors import UnknownNameError, UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.conftest import Make

pytestmark = pytest.mark.usefixtures("measured")


def test_a_pipe_gets_plain_aligned_words(parity: Callable[..., Result]) -> None:
    assert parity("status").stdout.splitlines() == [
        "test       x86_64     aarch64    state",
        "dup_test   pass       pass       parity",
        "fork_test  pass       crash      gap",
        "pty_test   never run  never run  unmeasured",
        "",
        "x86_64: 66.7% (2/3) pass of those meant for it; 1 without a result",
        "aarch64: 33.3% (1/3) pass of those meant for it; 1 without a result",
        "1 parity, 1 gap, 1 unmeasured",
    ]


def test_an_outcome_filters_the_tests_and_not_the_rates(parity: Callable[..., Result]) -> None:
    shown = parity("status", "--outcome", "crash").stdout
    assert "fork_test" in shown
    assert "dup_test" not in shown
    assert "66.7% (2/3)" in shown


def test_an_outcome_that_no_test_has_is_said(parity: Callable[..., Result]) -> None:
    assert "no test has such a result" in parity("status", "--outcome", "timeout").stdout


def test_one_target_has_no_pair_states(parity: Callable[..., Result]) -> None:
    assert parity("status", "dup_test", "--target", "aarch64").stdout.splitlines()[:2] == [
        "test      aarch64",
        "dup_test  pass",
    ]


def test_json_has_results_rates_and_pairs_and_nothing_else_is_printed(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("status", "fork*", "--json").stdout)
    assert told["rates"]["aarch64"] == {"passed": 0, "total": 1, "measured": 1, "percent": 0.0}
    assert told["pairs"]["gap"] == 1
    assert told["tests"][0]["results"]["aarch64"]["evidence"] == ["KERNEL PANIC: frames"]


def test_an_unknown_test_is_an_error_that_offers_the_nearest(parity: Callable[..., Result]) -> None:
    error = parity("status", "frok_test").exception
    assert isinstance(error, UnknownNameError)
    assert error.near[0] == "fork_test"


def test_an_unknown_outcome_is_a_usage_error(parity: Callable[..., Result]) -> None:
    assert parity("status", "--outcome", "great").exit_code == 2


def test_before_the_first_run_it_says_how_to_start(parity: Callable[..., Result], measured: Path) -> None:
    (measured / ".parity" / "parity.db").unlink()
    error = parity("status").exception
    assert isinstance(error, UsageError)
    assert error.hint == "start with: parity run"


def test_a_test_that_fails_on_linux_too_is_named_with_what_decided_there(
    parity: Callable[..., Result], project: Path, make: Make
) -> None:
    with (project / "parity.toml").open("a") as file:
        file.write('[target.linux]\narch = "x86_64"\ndelivery = { kind = "process" }\n')
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        campaign = repository.start_campaign(make.plan(minutes=60))
        repository.add_target(campaign, make.linux_facts("linux"))
        failure = make.attempt("fork_test", Outcome.FAIL, target="linux", evidence="EINVAL", minutes=61)
        repository.add_attempt(campaign, failure)
    shown = parity("status").stdout
    assert "fork_test  pass       crash      fail       test-fault" in shown
    assert "Not a parity gap: the test fails on Linux too.\n  fork_test on linux: fail: EINVAL\n" in shown
    (fault,) = json.loads(parity("status", "--json").stdout)["test_faults"]
    assert (fault["test"], fault["target"], fault["outcome"]) == ("fork_test", "linux", "fail")
    assert fault["evidence"] == ["EINVAL"]
