"""Shards, and choices that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity.campaign import Case, StopRule
from parity.errors import UsageError
from parity.flow.campaign.selection import (
    Shard,
    choose_stop_rule,
    parse_shard,
    refuse_with_resume,
    repeat_cases,
    select_cases,
    select_shard,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.configuration import Configuration

SUITE = '[target.suite]\narch = "x86_64"\ndelivery = { kind = "suite", format = "ktap" }'
TARGETS = ("aarch64", "x86_64", "suite")

cases = st.lists(
    st.builds(Case, target=st.sampled_from(TARGETS), test=st.text("abcxyz_", min_size=1, max_size=6)),
    unique=True,
)


@pytest.fixture
def configuration(configure: Callable[..., Configuration]) -> Configuration:
    return configure(*(f"test_{number}" for number in range(20)), more=SUITE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=cases, count=st.integers(1, 9))
def test_shards_are_the_whole_without_overlap_and_in_order(
    configuration: Configuration, cases: list[Case], count: int
) -> None:
    shards = [
        select_shard(configuration, cases, Shard(index=index + 1, count=count)) for index in range(count)
    ]
    assert sorted(case for shard in shards for case in shard) == sorted(cases)
    for shard in shards:
        assert list(shard) == [case for case in cases if case in shard]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=cases, count=st.integers(1, 9), left_out=st.sampled_from(TARGETS))
def test_a_target_that_another_host_leaves_out_changes_nothing_for_the_others(
    configuration: Configuration, cases: list[Case], count: int, left_out: str
) -> None:
    shard = Shard(index=1, count=count)
    here = select_shard(configuration, cases, shard)
    there = select_shard(configuration, [case for case in cases if case.target != left_out], shard)
    assert there == tuple(case for case in here if case.target != left_out)


def test_shards_are_the_same_on_every_machine_and_for_ever(configuration: Configuration) -> None:
    whole = select_cases(configuration, targets=("x86_64",), pattern="test_1")
    shards = [select_shard(configuration, whole, parse_shard(f"{index}/4")) for index in (1, 2, 3, 4)]
    assert [[case.test for case in shard] for shard in shards] == [
        ["test_11", "test_15", "test_19"],
        ["test_12", "test_16"],
        ["test_1", "test_13", "test_17"],
        ["test_10", "test_14", "test_18"],
    ]


def test_where_shards_begin_does_not_depend_on_pythons_own_hashes(configuration: Configuration) -> None:
    (case,) = select_cases(configuration, targets=("x86_64",), tests=("test_7",))
    assert select_shard(configuration, [case], parse_shard("635/1009")) == (case,)


def test_shards_of_one_target_are_of_one_size(configuration: Configuration) -> None:
    whole = select_cases(configuration, targets=("aarch64",))
    sizes = {len(select_shard(configuration, whole, Shard(index=index, count=3))) for index in (1, 2, 3)}
    assert sizes == {6, 7}


def test_a_suite_stays_whole(configuration: Configuration) -> None:
    whole = select_cases(configuration, targets=("suite",))
    sizes = [len(select_shard(configuration, whole, Shard(index=index, count=3))) for index in (1, 2, 3)]
    assert sorted(sizes) == [0, 0, 20]


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "1/0", "-1/3", "1/3/5", "a/b", "1 / 3", "٣/٤"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard"):
        parse_shard(text)


def test_more_repetitions_than_a_run_takes_are_refused() -> None:
    case = Case(target="a", test="x")
    assert repeat_cases((case,), 3) == (case, case, case)
    with pytest.raises(UsageError, match="2 tests 500001 times are more than"):
        repeat_cases((case, case), 500_001)


def test_the_stop_rule_is_one_or_none() -> None:
    assert choose_stop_rule(until_fail=False, fail_fast=False) is StopRule.NEVER
    assert choose_stop_rule(until_fail=True, fail_fast=False) is StopRule.UNTIL_FAIL
    assert choose_stop_rule(until_fail=False, fail_fast=True) is StopRule.FAIL_FAST
    with pytest.raises(UsageError, match="exclude each other"):
        choose_stop_rule(until_fail=True, fail_fast=True)


def test_a_resumed_run_takes_no_other_order() -> None:
    refuse_with_resume({"--seed": None, "--shuffle": False})
    with pytest.raises(UsageError, match="takes no --seed, --fail-fast"):
        refuse_with_resume({"--seed": 0, "--shuffle": False, "--fail-fast": True})
