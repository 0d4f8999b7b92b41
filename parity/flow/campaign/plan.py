"""From an order to a schedule: what this host can carry, and what is known of the cases."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from parity.configuration import SuiteDelivery
from parity.flow.campaign.schedule import VIRTUAL_CPUS_A_CORE, Capacity, Schedule, Sequencing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from parity.campaign import Case
    from parity.configuration import Configuration, Target
    from parity.flow.campaign.order import Order


_LEAST_CPUS: Final = 4
"""What a machine counts at least: few CPUs are seldom idle together, and QEMU itself wants one of the host's now and
then. Measured on two cores under TCG with one and two CPUs a guest: three or four machines are as quick as six, and
boots, which keep a core busy each, do not hold one another up."""


def choose_capacity(configuration: Configuration, order: Order) -> Capacity:
    """Return what this host can carry side by side; a test on its own Linux takes a core."""
    return Capacity(
        host_cores=count_host_cores(),
        costs={name: _cost(configuration.target(name)) for name in order.targets},
        jobs=order.jobs,
    )


def _cost(target: Target) -> int:
    return VIRTUAL_CPUS_A_CORE if target.is_host else max(target.cpus, _LEAST_CPUS)


def count_host_cores() -> int:
    """Return how many of the host's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make_schedule(
    configuration: Configuration,
    order: Order,
    *,
    durations: Mapping[Case, float],
    without: Collection[str] = (),
) -> Schedule:
    """Return who runs what when, of all targets but those without which it has to do."""
    suites = (
        name for name in order.targets if isinstance(configuration.target(name).delivery, SuiteDelivery)
    )
    return Schedule(
        (case for case in order.cases if case.target not in without),
        capacity=choose_capacity(configuration, order),
        sequencing=Sequencing(suites=frozenset(suites), durations=durations, seed=order.seed),
        endless=order.endless,
    )


def describe_machines(configuration: Configuration, order: Order) -> str:
    """Return how many machines run side by side and why, as a sentence part."""
    units = make_schedule(configuration, order, durations={}).units
    return choose_capacity(configuration, order).describe(units)


def tests_in_order(order: Order, target: str) -> tuple[str, ...]:
    """Return a target's tests, each once: shuffled where the order has a seed, else as they are listed."""
    tests = order.tests_of(target)
    if order.seed is None:
        return tests
    return tuple(unit.tests[0] for unit in Sequencing(seed=order.seed).units(target, tests))
