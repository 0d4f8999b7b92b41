"""Whether isolation matters to a test: the sample, the comparison, and both ways for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import open_repository
from parity.attempt import Isolation
from parity.campaign import Case
from parity.flow.campaign.audit import Difference, audit_isolation, draw_sample
from parity.flow.campaign.order import Order
from parity.flow.campaign.selection import select_cases
from parity.outcome import Outcome
from tests.support.lab import ARCHITECTURES, Lab, Watcher

if TYPE_CHECKING:
    from parity.configuration import Configuration
    from parity.flow.campaign.audit import Audit

CASES = [Case(target=target, test=f"test{number}") for target in "ab" for number in range(30)]


def audit(configuration: Configuration) -> Audit:
    order = Order(
        cases=select_cases(configuration, targets=tuple(configuration.targets)),
        isolation=Isolation.SNAPSHOT,
        jobs=1,
    )
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        return audit_isolation(configuration, repository, order, Watcher())


def difference(snapshot: list[Outcome], boot: list[Outcome]) -> Difference:
    return Difference(target="a", test="test", snapshot=tuple(snapshot), boot=tuple(boot))


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_a_sample_has_so_many_tests_of_each_target_in_their_order(seed: int, most: int) -> None:
    sample = draw_sample(CASES, seed=seed, most=most)
    for target in "ab":
        assert sum(case.target == target for case in sample) == min(most, 30)
    assert list(sample) == [case for case in CASES if case in sample]
    assert sample == draw_sample(CASES, seed=seed, most=most)


def test_a_test_that_repeats_itself_both_ways_depends_on_isolation() -> None:
    assert difference([Outcome.FAIL] * 2, [Outcome.PASS] * 2).is_isolation


def test_a_test_that_does_not_repeat_itself_is_unstable_and_no_more() -> None:
    assert not difference([Outcome.FAIL, Outcome.PASS], [Outcome.PASS] * 2).is_isolation


@pytest.mark.qemu
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tests_that_come_out_alike_make_a_clean_audit_of_two_runs(lab: Lab, architecture: str) -> None:
    found = audit(lab.write("pass", "fail", "skip", architectures=[architecture]))
    assert found.is_clean
    assert found.differences == ()
    assert [{attempt.isolation for attempt in run.attempts} for run in found.runs] == [
        {Isolation.SNAPSHOT},
        {Isolation.BOOT},
    ]


@pytest.mark.qemu
def test_a_test_that_comes_out_differently_is_run_again_both_ways_and_named(lab: Lab) -> None:
    (lab.folder / "disk.img").write_bytes(bytes(1 << 20))
    count_boots = "printf x >> boots; printf boot-$(wc -c < boots) | dd of={disk} conv=notrunc 2>/dev/null"
    configuration = lab.write(
        "disk",
        architectures=["x86_64"],
        machines={"x86_64": ("pc", "qemu64")},
        target='disk = [{ image = "disk.img", interface = "ide" }]',
        defaults=f"prepare = [['sh', '-c', '{count_boots}']]",
        more="[test.disk]\npass = ['the disk says: boot-1']",
    )
    found = audit(configuration)
    assert len(found.runs) == 4
    assert [(each.test, each.snapshot[0], each.boot[0]) for each in found.differences] == [
        ("disk", Outcome.PASS, Outcome.FAIL)
    ]
