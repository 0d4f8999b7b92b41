from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.campaign import Baseline, ImportedCampaign, Origin
from parity.errors import ExpectationError, UnknownNameError, UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from parity.attempt import Attempt
    from tests.conftest import Make

    Record = Callable[..., int]

pytestmark = pytest.mark.usefixtures("measured")

EXPECTATIONS = """
[[expect]]
test = "fork_test"
target = "aarch64"
outcome = "crash"
evidence = { text = "frames" }
reason = "frames are being rewritten"
owner = "kim"
expires = 2026-12-01
"""


@pytest.fixture
def record(project: Path, make: Make) -> Record:
    """Record a run of aarch64, so many hours after noon, on an image of its own."""

    def run(hour: int, *attempts: Attempt) -> int:
        with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
            campaign = repository.start_campaign(make.plan(minutes=60 * hour))
            repository.add_target(campaign, make.facts("aarch64", image=f"{hour:02}" * 32))
            for minute, attempt in enumerate(attempts):
                started = make.moment(60 * hour + minute)
                repository.add_attempt(campaign, replace(attempt, started_at=started))
            return campaign

    return run


def test_it_is_open_where_nothing_was_lost(parity: Callable[..., Result]) -> None:
    result = parity("gate")
    assert result.exit_code == 0
    assert result.stdout == "the newest run (run 1) against the first results\nthe gate is open\n"


def test_a_regression_closes_it_and_says_what_to_do(
    parity: Callable[..., Result], make: Make, record: Record
) -> None:
    record(1, make.attempt("dup_test", Outcome.HANG, evidence="silent\x1b[2J"))
    result = parity("gate")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "the newest run (run 2) against the first results",
        "regressions: 1",
        r"  dup_test on aarch64: pass in run 1, hang in run 2: silent\x1b[2J",
        "  mend them, or announce them with a reason in expectations.toml; evidence: parity show TEST",
        "the gate is closed: 1 regression",
    ]


def test_an_older_run_is_judged_without_what_came_later(
    parity: Callable[..., Result], make: Make, record: Record
) -> None:
    record(1, make.attempt("dup_test", Outcome.HANG))
    assert parity("gate", "--run", "1").exit_code == 0
    assert parity("gate", "--run", "2").exit_code == 1


def test_it_goes_by_the_baseline_that_is_named(
    parity: Callable[..., Result], project: Path, make: Make, record: Record
) -> None:
    fixed = record(1, make.attempt("fork_test"))
    record(2, make.attempt("fork_test", Outcome.FAIL))
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        repository.pin_baseline(Baseline(name="fixed", campaign=fixed, pinned_at=make.moment()))
    assert parity("gate").exit_code == 0
    closed = parity("gate", "--baseline", "fixed")
    assert closed.exit_code == 1
    assert closed.stdout.startswith("the newest run (run 3) against baseline fixed (run 2)\n")


def test_an_announced_failure_is_counted_and_closes_nothing(
    parity: Callable[..., Result], project: Path
) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS)
    result = parity("gate", "--today", "2026-12-01")
    assert result.exit_code == 0
    assert "expected failures: 1 (parity status --where expected)" in result.stdout


def test_an_expired_entry_closes_it_and_names_its_line_and_owner(
    parity: Callable[..., Result], project: Path
) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS)
    result = parity("gate", "--today", "2026-12-02")
    assert result.exit_code == 1
    assert (
        "  expectations.toml:2: expired on 2026-12-01: kim: mend fork_test on aarch64, "
        "or say until when it is accepted (frames are being rewritten)\n"
    ) in result.stdout


def test_an_entry_whose_test_passes_closes_it(
    parity: Callable[..., Result], project: Path, make: Make, record: Record
) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS)
    record(1, make.attempt("fork_test"))
    result = parity("gate", "--today", "2026-11-03")
    assert result.exit_code == 1
    assert "  expectations.toml:2: fork_test on aarch64 passes now: delete the entry\n" in result.stdout


def test_a_retry_that_passed_hides_no_failure(
    parity: Callable[..., Result], make: Make, record: Record
) -> None:
    record(1, make.attempt("dup_test", Outcome.FAIL), make.attempt("dup_test"))
    result = parity("gate")
    assert result.exit_code == 0
    assert "flaky (told; only --strict-flaky fails for it): 1" in result.stdout
    assert "  dup_test on aarch64: 1 of 2 failed on one image, in run 2\n" in result.stdout
    strict = parity("gate", "--strict-flaky")
    assert strict.exit_code == 1
    assert strict.stdout.endswith("the gate is closed: 1 flaky test\n")


def test_a_failure_of_the_harness_hides_no_failure_of_the_test(
    parity: Callable[..., Result], make: Make, record: Record
) -> None:
    record(1, make.attempt("dup_test", Outcome.HANG), make.attempt("dup_test", Outcome.ERROR))
    assert "  dup_test on aarch64: pass in run 1, hang in run 2" in parity("gate").stdout


def test_where_an_import_tells_no_image_a_run_is_taken_for_one(
    parity: Callable[..., Result], project: Path, make: Make
) -> None:
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        imported = ImportedCampaign(
            identity="5" * 32,
            kernel="duet",
            origin=Origin.JUNIT,
            source="results.xml",
            started_at=make.moment(60),
            attempts=(
                make.attempt("dup_test", Outcome.FAIL, minutes=61),
                make.attempt("dup_test", minutes=62),
            ),
        )
        number, _ = repository.add_imported(imported)
    shown = parity("gate", "--run", str(number)).stdout
    assert "  dup_test on aarch64: 1 of 2 failed on one image, in run 2\n" in shown


def test_an_older_run_that_was_flaky_is_told_for_itself(
    parity: Callable[..., Result], make: Make, record: Record
) -> None:
    flaky = record(1, make.attempt("dup_test", Outcome.FAIL), make.attempt("dup_test"))
    record(2, make.attempt("dup_test"))
    assert parity("gate", "--strict-flaky").exit_code == 0
    assert parity("gate", "--strict-flaky", "--run", str(flaky)).exit_code == 1


def test_a_test_that_is_taken_out_of_parity_toml_is_told(
    parity: Callable[..., Result], project: Path, make: Make
) -> None:
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        repository.pin_baseline(Baseline(name="default", campaign=1, pinned_at=make.moment()))
    file = project / "parity.toml"
    file.write_text(file.read_text().replace('"dup_test", ', ""))
    shown = parity("gate", "--target", "aarch64").stdout
    assert "nothing is known now: 1\n  dup_test on aarch64\n" in shown


def test_only_the_chosen_targets_are_judged(
    parity: Callable[..., Result], make: Make, record: Record
) -> None:
    record(1, make.attempt("dup_test", Outcome.HANG))
    assert parity("gate", "--target", "x86_64").exit_code == 0


def test_json_has_every_finding(
    parity: Callable[..., Result], project: Path, make: Make, record: Record
) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS)
    record(1, make.attempt("dup_test", Outcome.HANG), make.attempt("fork_test"))
    result = parity("gate", "--today", "2026-11-03", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["open"], told["run"], told["today"]) == (1, False, 2, "2026-11-03")
    assert told["baseline"] == {"name": "the first results", "run": None}
    assert [(found["then"]["outcome"], found["now"]["outcome"]) for found in told["regressions"]] == [
        ("pass", "hang")
    ]
    assert [(found["line"], found["why"], found["passing"]) for found in told["stale"]] == [
        (2, "passes", ["fork_test"])
    ]


def test_a_fault_in_the_expectations_is_told_with_its_line(
    parity: Callable[..., Result], project: Path
) -> None:
    (project / "expectations.toml").write_text(EXPECTATIONS.replace("fork", "frok"))
    error = parity("gate").exception
    assert isinstance(error, ExpectationError)
    assert error.message.endswith("expectations.toml:3: test: no test on aarch64 is called 'frok_test'")


def test_no_such_run_or_baseline_is_the_callers_mistake(parity: Callable[..., Result]) -> None:
    assert isinstance(parity("gate", "--run", "9").exception, UsageError)
    assert isinstance(parity("gate", "--baseline", "x").exception, UnknownNameError)


def test_a_day_that_is_none_is_a_usage_error(parity: Callable[..., Result]) -> None:
    assert parity("gate", "--today", "tomorrow").exit_code == 2
