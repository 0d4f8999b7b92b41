"""Who runs what when, played through with workers that take their time as Hypothesis pleases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.attempt import Isolation
from parity.campaign import Case
from parity.flow.campaign.order import Order
from parity.flow.campaign.plan import choose_capacity
from parity.flow.campaign.schedule import VIRTUAL_CPUS_A_CORE, Capacity, Schedule, Sequencing, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parity.configuration import Configuration


@dataclass
class Play:
    """Workers that take, run and let go as those of work.py do, one step at a time."""

    schedule: Schedule
    capacity: Capacity
    random: Random
    busy: dict[int, Unit] = field(default_factory=dict)
    taken: list[Unit] = field(default_factory=list)
    most_cpus: int = 0
    most_machines: int = 0
    alone_too_large: bool = False

    def run(self, *, steps: int = 10_000) -> None:
        workers = range(self.capacity.machines(self.schedule.units))
        for _ in range(steps):
            if self.schedule.is_over and not self.busy:
                return
            worker = self.random.choice(workers)
            if worker in self.busy:
                del self.busy[worker]  # its attempt is over, its machine still there
                continue
            unit = self.schedule.take(worker)
            if unit is None:
                self.schedule.let_go(worker)
            else:
                self.busy[worker] = unit
                self.taken.append(unit)
            self._look()

    def _look(self) -> None:
        running = self.schedule.running
        if len(running) > 1:  # one machine always runs, however large
            self.most_cpus = max(self.most_cpus, sum(self.capacity.costs[name] for name in running))
        self.most_machines = max(self.most_machines, len(running))


targets = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 20), min_size=1)
tests = st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=12)


@st.composite
def plays(draw: st.DrawFn, *, endless: bool = False) -> tuple[Play, tuple[Case, ...]]:
    costs: Mapping[str, int] = draw(targets)
    cases = tuple(Case(target=target, test=test) for target in costs for test in draw(tests))
    capacity = Capacity(
        host_cores=draw(st.integers(1, 4)), costs=costs, jobs=draw(st.none() | st.integers(1, 6))
    )
    sequencing = Sequencing(
        suites=frozenset(draw(st.sets(st.sampled_from("abcd")))),
        durations={case: draw(st.floats(0, 100)) for case in cases[::2]},
        seed=draw(st.none() | st.integers(0, 2**63 - 1)),
    )
    schedule = Schedule(cases, capacity=capacity, sequencing=sequencing, endless=endless)
    return Play(schedule, capacity, Random(draw(st.integers()))), cases  # noqa: S311 - a play, no secret


def cases_of(units: list[Unit]) -> Counter[Case]:
    return Counter(Case(target=unit.target, test=test) for unit in units for test in unit.tests)


@given(plays())
def test_everything_is_run_exactly_as_often_as_planned(play_and_cases: tuple[Play, tuple[Case, ...]]) -> None:
    play, cases = play_and_cases
    play.run()
    assert cases_of(play.taken) == Counter(cases)
    assert not play.busy


@given(plays())
def test_the_budget_and_the_jobs_are_never_exceeded(play_and_cases: tuple[Play, tuple[Case, ...]]) -> None:
    play, _ = play_and_cases
    play.run()
    assert play.most_cpus <= play.capacity.budget_cpus
    assert play.most_machines <= (play.capacity.jobs or play.most_machines)


@settings(max_examples=50)
@given(plays(endless=True))
def test_no_case_starves_though_there_is_no_end(play_and_cases: tuple[Play, tuple[Case, ...]]) -> None:
    play, cases = play_and_cases
    play.run(steps=2000)
    assert not play.schedule.is_over
    assert min(cases_of(play.taken)[case] for case in set(cases)) >= 2


@given(plays(), st.integers())
def test_the_same_seed_gives_the_same_order_on_every_target(
    play_and_cases: tuple[Play, tuple[Case, ...]], seed: int
) -> None:
    _, cases = play_and_cases
    names = [case.test for case in cases]
    first, second = (
        [unit.tests for unit in Sequencing(seed=seed).units(target, names)] for target in ("a", "b")
    )
    assert first == second


def test_a_seed_is_the_same_order_for_ever() -> None:
    units = Sequencing(seed=7).units("a", ["one", "two", "three", "four"])
    assert [unit.tests[0] for unit in units] == ["one", "four", "three", "two"]


def test_what_is_left_of_a_shuffled_order_keeps_it() -> None:
    names = [f"test_{number}" for number in range(20)]
    whole = [unit.tests[0] for unit in Sequencing(seed=3).units("a", names)]
    left = [unit.tests[0] for unit in Sequencing(seed=3).units("a", names[::2])]
    assert left == [name for name in whole if name in names[::2]]


def test_unknown_ones_come_first_and_then_the_longest() -> None:
    durations = {Case(target="a", test="short"): 1.0, Case(target="a", test="long"): 9.0}
    units = Sequencing(durations=durations).units("a", ["short", "new", "long"])
    assert [unit.tests[0] for unit in units] == ["new", "long", "short"]


def test_repetitions_come_in_rounds() -> None:
    units = Sequencing().units("a", ["x", "y", "x", "y", "x"])
    assert [unit.tests[0] for unit in units] == ["x", "y", "x", "y", "x"]


def test_a_suite_is_one_unit_a_round() -> None:
    units = Sequencing(suites=frozenset("a")).units("a", ["x", "y", "x", "y"])
    assert [unit.tests for unit in units] == [("x", "y"), ("x", "y")]


def test_a_worker_stays_with_its_target_as_long_as_there_is_work_on_it() -> None:
    cases = [Case(target=target, test=str(number)) for target in "ab" for number in range(5)]
    schedule = Schedule(cases, capacity=Capacity(host_cores=1, costs={"a": 4, "b": 4}))
    order = []
    while (unit := schedule.take(0)) is not None:
        order.append(unit.target)
    assert order in (["a"] * 5 + ["b"] * 5, ["b"] * 5 + ["a"] * 5)


def test_nobody_starts_a_machine_before_the_one_that_waits_for_room() -> None:
    cases = [Case(target=target, test=str(number)) for target in "sl" for number in range(3)]
    capacity = Capacity(host_cores=2, costs={"s": 4, "l": 12})
    schedule = Schedule(
        cases, capacity=capacity, sequencing=Sequencing(durations=dict.fromkeys(cases[:3], 1.0))
    )
    large = schedule.take(0)
    assert large is not None
    assert large.target == "l"
    assert schedule.take(1) is None  # no room beside it
    for _ in range(2):
        schedule.take(0)
    small = schedule.take(0)
    assert small is not None
    assert small.target == "s"


def test_what_is_dropped_is_not_taken() -> None:
    cases = [Case(target=target, test=test) for target in "ab" for test in "xyx"]
    schedule = Schedule(cases, capacity=Capacity(host_cores=2, costs={"a": 1, "b": 1}), endless=True)
    assert schedule.drop("a") == ("x", "y")
    assert {unit.target for _ in range(9) if (unit := schedule.take(0))} == {"b"}
    schedule.drop_all()
    assert schedule.take(0) is None
    assert schedule.is_over


@pytest.mark.parametrize(
    ("jobs", "units", "words"),
    [
        (None, 160, "up to 3 machines side by side (2 host cores carry 12 virtual CPUs, a machine takes 4)"),
        (1, 160, "1 machine (--jobs 1)"),
        (2, 160, "up to 2 machines side by side (--jobs 2)"),
        (8, 160, "up to 3 machines side by side (2 host cores carry 12 virtual CPUs, a machine takes 4)"),
        (None, 1, "1 machine (there is no more to run)"),
        (None, None, "up to 3 machines side by side (2 host cores carry 12 virtual CPUs, a machine takes 4)"),
    ],
)
def test_how_many_machines_run_is_told_with_the_reason(
    jobs: int | None, units: int | None, words: str
) -> None:
    assert Capacity(host_cores=2, costs={"a": 4, "b": 4}, jobs=jobs).describe(units) == words


def test_a_machine_that_is_larger_than_the_host_can_carry_runs_alone() -> None:
    capacity = Capacity(host_cores=1, costs={"a": 64, "b": 1})
    assert capacity.fits((), "a")
    assert not capacity.fits(("b",), "a")


@pytest.mark.parametrize(("cpus", "counted"), [(1, 4), (3, 4), (4, 4), (16, 16)])
def test_a_machine_with_few_cpus_counts_as_one_with_four(
    configure: Callable[..., Configuration], cpus: int, counted: int
) -> None:
    configuration = configure("cat_test", more=f"cpus = {cpus}")  # of the last target
    order = Order(cases=(Case(target="x86_64", test="cat_test"),), isolation=Isolation.BOOT)
    assert choose_capacity(configuration, order).costs == {"x86_64": counted}


def test_a_test_on_the_hosts_own_linux_counts_as_a_core(configure: Callable[..., Configuration]) -> None:
    configuration = configure("cat_test", targets=("aarch64", "linux-x86_64"))
    order = Order(cases=(Case(target="linux-x86_64", test="cat_test"),), isolation=Isolation.BOOT)
    assert choose_capacity(configuration, order).costs == {"linux-x86_64": VIRTUAL_CPUS_A_CORE}
