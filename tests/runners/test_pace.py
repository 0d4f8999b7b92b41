"""How much longer a silence may be on a slow target, or on a busy host."""

from __future__ import annotations

import pytest

from runners.machine.pace import Pace


@pytest.mark.parametrize(
    ("boots_s", "load", "factor"),
    [
        ([], 0.0, 1.0),
        ([0.2], 1.0, 1.0),
        ([5.0], 1.0, 1.0),
        ([10.0], 1.0, 2.0),
        ([40.0, 10.0, 20.0], 1.0, 2.0),  # the quickest: the others had to share the host
        ([10.0], 1.5, 3.0),
        ([0.2], 3.0, 3.0),
    ],
)
def test_a_silence_may_be_longer_where_boots_are_slow_or_the_host_is_busy(
    boots_s: list[float], load: float, factor: float
) -> None:
    assert Pace(boots_s=boots_s).factor(load) == factor


def test_no_target_and_no_host_is_waited_for_without_end() -> None:
    assert Pace(boots_s=[3600.0]).factor(1000.0) == 20.0


def test_a_boot_that_came_up_counts_from_then_on() -> None:
    pace = Pace()
    pace.note_boot(15.0)
    assert pace.factor(1.0) == 3.0


def test_a_boot_may_be_silent_for_as_long_as_one_took_that_came_up() -> None:
    assert Pace(boots_s=[0.2, 7.0, 5.0]).boot_silence_s(60.0) == 7.0


def test_the_first_boot_may_be_silent_for_a_share_of_its_budget() -> None:
    assert Pace().boot_silence_s(60.0) == 10.0
