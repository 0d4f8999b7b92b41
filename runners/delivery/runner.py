"""All ways of taking tests, behind one seam."""

from __future__ import annotations

import contextlib
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runners.machine.boot import Report, Surroundings
    from runners.machine.rig import Rig


class Runner(Protocol):
    """Takes tests on one target; its machine, where it keeps one, ends with `close`."""

    def run(self, tests: Sequence[str]) -> Iterator[Report]:
        """Run the tests and report on each. Raises `HarnessError`s and `Stopped`."""
        ...

    def close(self) -> None:
        """End what still runs."""
        ...


def make_runner(rig: Rig, *, booting: Surroundings = contextlib.nullcontext) -> Runner:
    """Return the runner for the target's way of taking tests; `booting` surrounds its boots."""
    match rig.target.delivery:
        case ShellDelivery() as delivery:
            return ShellRunner(rig, delivery, booting)
        case BootArgumentDelivery() | ImageDelivery() as delivery:
            return OneBootRunner(rig, delivery, booting)
        case SuiteDelivery() as delivery:
            return SuiteRunner(rig, delivery, booting)
        case ProcessDelivery() as delivery:
            return HostRunner(rig, delivery)
        case other:
            assert_never(other)
