from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.errors import UnknownNameError
from parity.flow.results.status import read_status
from parity.outcome import Outcome, PairState

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.configuration import Configuration
    from tests.flow.conftest import Past

PASS = (Outcome.PASS, "exit status 0", None)
FAIL = (Outcome.FAIL, "exit status 1", None)


def test_the_newest_result_of_each_test_on_each_target_counts(
    configure: Callable[..., Configuration], past: Past
) -> None:
    configuration = configure("fork_test")
    past.run(0, {("aarch64", "fork_test"): PASS, ("x86_64", "fork_test"): PASS})
    past.run(1, {("aarch64", "fork_test"): FAIL})
    (row,) = read_status(configuration, past.repository).tests
    assert (row.outcome("aarch64"), row.outcome("x86_64"), row.pair) == (
        Outcome.FAIL,
        Outcome.PASS,
        PairState.GAP,
    )


def test_the_reference_comes_before_the_port(configure: Callable[..., Configuration], past: Past) -> None:
    configuration = configure("fork_test", targets=("aarch64", "x86_64", "linux-aarch64"))
    assert read_status(configuration, past.repository).scope.targets == ("x86_64", "aarch64", "linux-aarch64")


def test_tests_are_chosen_by_name_and_glob_and_targets_by_name(
    configure: Callable[..., Configuration], past: Past
) -> None:
    configuration = configure("fork_test", "dup_test", "fork_state_test")
    standing = read_status(configuration, past.repository, tests=["fork*"], targets=["aarch64"])
    assert [row.test for row in standing.tests] == ["fork_test", "fork_state_test"]
    assert standing.scope.targets == ("aarch64",)


def test_an_unknown_target_offers_the_nearest(configure: Callable[..., Configuration], past: Past) -> None:
    with pytest.raises(UnknownNameError) as caught:
        read_status(configure("fork_test"), past.repository, targets=["arch64"])
    assert caught.value.near == ("aarch64",)


def test_a_test_meant_for_one_target_has_no_place_on_the_other(
    configure: Callable[..., Configuration], past: Past
) -> None:
    configuration = configure("fork_test", more='[test.fork_test]\ntargets = ["aarch64"]')
    (row,) = read_status(configuration, past.repository).tests
    assert row.describe("x86_64") == "not meant for it"
    assert row.describe("aarch64") == "never run"


@pytest.mark.parametrize("shown", [(), ("aarch64", "x86_64")])
def test_a_test_that_fails_on_linux_is_a_test_fault_whether_linux_is_shown_or_not(
    configure: Callable[..., Configuration], past: Past, shown: tuple[str, ...]
) -> None:
    configuration = configure("fork_test", targets=("aarch64", "x86_64", "linux-x86_64"))
    past.run(0, {("aarch64", "fork_test"): FAIL, ("x86_64", "fork_test"): PASS})
    past.run(1, {("linux-x86_64", "fork_test"): FAIL})
    standing = read_status(configuration, past.repository, targets=shown)
    (row,) = standing.test_faults
    assert (row.pair, [fault.target for fault in row.faults]) == (PairState.TEST_FAULT, ["linux-x86_64"])


def test_linux_comes_last(configure: Callable[..., Configuration], past: Past) -> None:
    configuration = configure("fork_test", targets=("aarch64", "x86_64", "linux-x86_64", "next-aarch64"))
    assert read_status(configuration, past.repository).scope.targets == (
        *("x86_64", "aarch64", "next-aarch64", "linux-x86_64"),
    )
