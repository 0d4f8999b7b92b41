"""`--where`, the same for every command that takes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.cli.completion import complete_query
from parity.errors import QueryError, UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.conftest import Make

pytestmark = pytest.mark.usefixtures("measured")

EXPECTATIONS = """
[[expect]]
test = "fork_test"
target = "aarch64"
outcome = "crash"
evidence = { text = "frames" }
reason = "frames are being rewritten"
"""


def shown(result: Result) -> list[str]:
    return [row["test"] for row in json.loads(result.stdout)["tests"]]


@pytest.mark.parametrize(
    ("query", "tests"),
    [
        ("aarch64:crash and x86_64:pass", ["fork_test"]),
        ("gap", ["fork_test"]),
        ("never-run", ["pty_test"]),
        ("not gap and not never-run", ["dup_test"]),
        ("*_test run:1", ["dup_test", "fork_test"]),
        ("flaky", []),
    ],
)
def test_status_shows_the_tests_for_which_it_is_true(
    parity: Callable[..., Result], query: str, tests: list[str]
) -> None:
    assert shown(parity("status", "--json", "-w", query)) == tests


def test_a_query_looks_at_all_targets_whatever_is_shown(parity: Callable[..., Result]) -> None:
    assert shown(parity("status", "--json", "-t", "aarch64", "-w", "x86_64:pass and gap")) == ["fork_test"]


def test_what_is_expected_is_told_beside_the_outcome(parity: Callable[..., Result], project: Path) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS)
    assert "fork_test  pass       crash (xfail)  gap" in parity("status").stdout
    assert shown(parity("status", "--json", "-w", "expected")) == ["fork_test"]
    result = json.loads(parity("status", "fork_test", "--json").stdout)["tests"][0]["results"]
    assert (result["aarch64"]["expectation"], result["x86_64"]["expectation"]) == ("xfail", None)


def test_a_failure_for_another_reason_is_not_expected(parity: Callable[..., Result], project: Path) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS.replace("frames", "heap"))
    assert shown(parity("status", "--json", "-w", "unexpected")) == ["fork_test"]


def test_a_pass_of_what_is_expected_to_fail_is_told(parity: Callable[..., Result], project: Path) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS.replace("fork_test", "dup_test"))
    assert "dup_test   pass       pass (xpass)  parity" in parity("status").stdout


def test_a_flaky_test_is_one_that_passed_and_failed_on_one_image(
    parity: Callable[..., Result], project: Path, make: Make
) -> None:
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        campaign = repository.start_campaign(make.plan(minutes=60))
        repository.add_target(campaign, make.facts("aarch64"))
        repository.add_attempt(campaign, make.attempt("fork_test", minutes=61))
    assert shown(parity("status", "--json", "-w", "aarch64:flaky")) == ["fork_test"]
    assert shown(parity("status", "--json", "-w", "x86_64:flaky")) == []


def test_a_query_that_cannot_be_read_points_at_the_place(parity: Callable[..., Result]) -> None:
    error = parity("status", "--where", "gap and outcome:fial").exception
    assert isinstance(error, QueryError)
    assert error.message.endswith("\n                  ^")


def test_a_test_or_target_that_is_not_there_is_offered_by_its_right_name(
    parity: Callable[..., Result],
) -> None:
    error = parity("status", "--where", "arch64:fail").exception
    assert isinstance(error, QueryError)
    assert error.hint == "did you mean aarch64?"


def test_a_run_can_be_of_the_tests_for_which_it_is_true(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("run", "--dry-run", "--json", "--where", "gap or never-run").stdout)
    assert {tuple(target["tests"]) for target in told["targets"]} == {("fork_test", "pty_test")}


def test_a_run_of_no_test_runs_nothing_and_says_so(parity: Callable[..., Result]) -> None:
    result = parity("run", "--no-build", "--where", "flaky")
    assert (result.exit_code, result.stdout) == (
        0,
        "no chosen test is such: flaky: there is nothing to run\n",
    )


def test_a_resumed_run_takes_no_query(parity: Callable[..., Result]) -> None:
    error = parity("run", "--resume", "--where", "gap").exception
    assert isinstance(error, UsageError)
    assert "takes no --where" in error.message


def test_the_last_word_of_a_query_is_completed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert complete_query("gap and aarch64:cr") == ["gap and aarch64:crash"]
    assert complete_query("(fork") == ["(fork_test"]
    assert complete_query("outcome:bo") == ["outcome:boot-failure"]
    assert Outcome.HANG in [word.partition(":")[2] for word in complete_query("outcome:")]
