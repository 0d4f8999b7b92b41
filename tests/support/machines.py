"""Machines driven without a campaign: what is seen of them, and QEMUs that are not what they seem."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from parity.attempt import Isolation
from parity.flow.campaign.interrupt import Interrupt
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import make_rig
from parity.flow.campaign.selection import select_cases
from runners.delivery.runner import make_runner
from runners.machine.machine import Machine
from runners.machine.scratch import open_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from parity.configuration import Configuration
    from parity.diagnosis import Hang
    from runners.delivery.runner import Runner
    from runners.machine.inspection import Stall
    from runners.machine.rig import Rig
    from runners.snapshots.hand_over import HandOver


@dataclass
class Bystander:
    """An inspector that looks into nothing and knows every machine, and the QEMU that it was started with."""

    machines: list[Machine] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)

    def progress_of(
        self, _rig: Rig, machine: Machine, _fields: Mapping[str, str]
    ) -> Callable[[], int | None]:
        self.machines.append(machine)
        self.pids.append(machine.pid)
        return lambda: None

    def inspect(self, _stall: Stall) -> Hang | None:
        return None


@contextlib.contextmanager
def snapshots_of(
    configuration: Configuration,
    target: str,
    bystander: Bystander | None = None,
    *,
    machine_type: type[Machine] = Machine,
    hand_over: HandOver | None = None,
) -> Iterator[tuple[Rig, Runner]]:
    """Give what takes a target's tests with isolation by snapshot; its machine ends with the context."""
    order = Order(
        cases=select_cases(configuration, targets=[target]), isolation=Isolation.SNAPSHOT, build=False
    )
    with open_scratch() as scratch:
        rig = make_rig(configuration, target, order, scratch, Interrupt(), inspector=bystander)
        rig = replace(rig, machine_type=machine_type, hand_over=hand_over or rig.hand_over)
        with contextlib.closing(make_runner(rig)) as runner:
            yield rig, runner


def replace_qemu(folder: Path, script: str) -> str:
    """Put a script in the place of QEMU for x86-64; return the line for the target's table."""
    program = folder / "qemu-of-another-build"
    real = shutil.which("qemu-system-x86_64")
    program.write_text(f'#!/bin/sh\n{script}\nexec {real} "$@"\n')
    program.chmod(0o755)
    return f'qemu = "{program}"'
