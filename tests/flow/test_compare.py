"""What the sides of a comparison are called, and what is found between them in a database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from parity.campaign import Baseline, Revision
from parity.comparison import ChangeKind
from parity.configuration import load_configuration
from parity.errors import UnknownNameError, UsageError
from parity.flow.results.compare import choose_sides, compare, find_baseline, resolve_side
from parity.outcome import Outcome, PairState

if TYPE_CHECKING:
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from tests.conftest import Make

TOML = """
[kernel]
name = "duet"
reference = "x86_64"
port = "aarch64"

[tests]
names = ["dup_test", "fork_test"]

[defaults]
machine = "virt"
kernel = "duet.elf"
delivery = { kind = "shell", prompt = "duet> $" }

[target.aarch64]
arch = "aarch64"

[target.x86_64]
arch = "x86_64"
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    (tmp_path / "parity.toml").write_text(TOML)
    return load_configuration(tmp_path / "parity.toml")


def run(
    repository: Repository,
    make: Make,
    hour: int,
    *outcomes: Outcome,
    commit: str = "c0ffee",
    duration_s: float = 1.0,
    target: str = "aarch64",
) -> int:
    """Record a run of fork_test with these outcomes, so many hours after noon."""
    revision = Revision(commit=commit.ljust(40, "0"), described=commit, dirty=False)
    number = repository.start_campaign(replace(make.plan(minutes=60 * hour), revision=revision))
    repository.add_target(number, make.facts(target))
    for minute, outcome in enumerate(outcomes):
        attempt = make.attempt(outcome=outcome, minutes=60 * hour + minute, target=target)
        repository.add_attempt(number, replace(attempt, duration_s=duration_s))
    return number


def pin(repository: Repository, make: Make, name: str, number: int) -> None:
    repository.pin_baseline(Baseline(name=name, campaign=number, pinned_at=make.moment()))


def test_without_names_the_newest_run_is_compared_with_the_one_before(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.HANG)
    run(repository, make, 1, Outcome.PASS)
    run(repository, make, 2, Outcome.FAIL)
    compared = compare(configuration, repository)
    assert (compared.then.name, compared.now.name) == ("the run before (run 2)", "the newest run (run 3)")
    (change,) = compared.differences.changes
    assert (change.kind, change.test, change.now.verdict.outcome) == (
        ChangeKind.NEW_FAILURE,
        "fork_test",
        Outcome.FAIL,
    )


def test_a_pinned_baseline_takes_the_place_of_the_run_before(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    first = run(repository, make, 0, Outcome.FAIL)
    run(repository, make, 1, Outcome.PASS)
    run(repository, make, 2, Outcome.FAIL)
    pin(repository, make, "default", first)
    compared = compare(configuration, repository)
    assert compared.then.name == "baseline default (run 1)"
    assert compared.differences.changes == ()


def test_every_kind_of_name_is_resolved(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    for hour, commit in enumerate(("aaaa1", "bbbb2", "bbbb2")):
        run(repository, make, hour, Outcome.PASS, commit=commit)
    pin(repository, make, "release", 2)

    def runs(name: str) -> int | None:
        campaign = resolve_side(configuration, repository, name).campaign
        return campaign.number if campaign else None

    assert {name: runs(name) for name in ("last", "before", "2", "release", "aaaa", "BBBB2", "baseline")} == {
        "last": 3,
        "before": 2,
        "2": 2,
        "release": 2,
        "aaaa": 1,
        "BBBB2": 3,
        "baseline": None,
    }
    assert resolve_side(configuration, repository, "x86_64").target == "x86_64"


def test_the_first_results_are_the_baseline_where_none_is_pinned(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.FAIL)
    run(repository, make, 1, Outcome.PASS)
    compared = compare(configuration, repository, then="baseline")
    assert compared.then.name == "the first results"
    assert [change.kind for change in compared.differences.changes] == [ChangeKind.NEW_PASS]


def test_a_baseline_that_is_not_pinned_is_an_error(repository: Repository, make: Make) -> None:
    run(repository, make, 0, Outcome.PASS)
    with pytest.raises(UnknownNameError):
        find_baseline(repository, "relaese")


@pytest.mark.parametrize(
    ("name", "message"),
    [("9", "there is no run 9"), ("bfore", "no run, revision, target or baseline is called")],
)
def test_a_name_of_nothing_is_an_error(
    configuration: Configuration, repository: Repository, make: Make, name: str, message: str
) -> None:
    run(repository, make, 0, Outcome.PASS)
    with pytest.raises(UsageError, match=message) as caught:
        resolve_side(configuration, repository, name)
    assert caught.value.hint is not None


def test_one_run_alone_cannot_be_compared(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.PASS)
    with pytest.raises(UsageError, match="there is only one run"):
        compare(configuration, repository)


def test_a_target_and_a_run_are_not_compared(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.PASS)
    with pytest.raises(UsageError, match="of two kinds"):
        choose_sides(configuration, repository, then="x86_64", now="1")


def test_a_target_is_compared_with_the_other_of_port_and_reference(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.PASS, target="x86_64")
    run(repository, make, 1, Outcome.CRASH)
    compared = compare(configuration, repository, then="x86_64")
    (change,) = compared.differences.changes
    assert (change.then.target, change.now.target) == ("x86_64", "aarch64")
    assert compared.differences.pairs == ()


def test_a_run_stands_for_all_that_was_known_once_it_was_over(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.PASS)
    run(repository, make, 1, Outcome.PASS, target="x86_64")
    differences = compare(configuration, repository).differences
    assert differences.changes == ()
    assert [(only.test, only.target) for only in differences.only_now] == [("fork_test", "x86_64")]
    assert [(pair.then, pair.now) for pair in differences.pairs] == [(PairState.UNMEASURED, PairState.PARITY)]


def test_a_time_beyond_all_passes_recorded_before_is_told(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, *(Outcome.PASS,) * 5)
    run(repository, make, 1, Outcome.PASS, duration_s=1.5)
    (slower,) = compare(configuration, repository).differences.times
    assert (slower.is_slower, slower.now_s, slower.slowest_s, slower.passes) == (True, 1.5, 1.0, 5)


def test_only_the_tests_of_a_query_are_compared(
    configuration: Configuration, repository: Repository, make: Make
) -> None:
    run(repository, make, 0, Outcome.PASS)
    run(repository, make, 1, Outcome.FAIL)
    assert compare(configuration, repository, where="dup_test").differences.compared == 0
    assert compare(configuration, repository, where="aarch64:fail").differences.compared == 1
    assert compare(configuration, repository, where="aarch64:hang").differences.compared == 0
