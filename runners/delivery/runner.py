"""All ways of taking tests, behind one seam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, assert_never

from parity.configuration import (
    BootArgumentDelivery,
    ImageDelivery,
    ProcessDelivery,
    ShellDelivery,
    SuiteDelivery,
)
from runners.delivery.host import HostRunner
from runners.delivery.one_boot import OneBootRunner
from runners.delivery.shell import ShellRunner
from runners.delivery.suite import SuiteRunner
from runners.machine.boot import BootListener

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runners.machine.boot import Report
    from runners.machine.rig import Rig


class Runner(Protocol):
    """Takes tests on one target; its machine, where it keeps one, ends with `close`."""

    def run(self, tests: Sequence[str]) -> Iterator[Report]:
        """Run the tests and report on each. Raises `HarnessError`s and `Stopped`."""
        ...

    def close(self) -> None:
        """End what still runs."""
        ...


def make_runner(rig: Rig, listener: BootListener | None = None) -> Runner:
    """Return the runner for the target's way of taking tests; `listener` is told how its boots go."""
    listener = listener or BootListener()
    match rig.target.delivery:
        case ShellDelivery() as delivery:
            return ShellRunner(rig, delivery, listener)
        case BootArgumentDelivery() | ImageDelivery() as delivery:
            return OneBootRunner(rig, delivery, listener)
        case SuiteDelivery() as delivery:
            return SuiteRunner(rig, delivery, listener)
        case ProcessDelivery() as delivery:
            return HostRunner(rig, delivery)
        case other:
            assert_never(other)
