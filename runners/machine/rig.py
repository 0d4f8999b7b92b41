"""Everything one worker needs to boot one target, again and again."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation
from parity.configuration import fill
from parity.deadline import Deadline
from parity.errors import MachineError
from runners.machine.images import ImageStore, TargetImages, find_images
from runners.machine.machine import Limits, Machine
from runners.machine.pace import Pace, host_load
from runners.machine.scratch import machine_folder
from runners.processes.commands import run_command
from runners.qemu.command_line import MachineFiles, qemu_command
from runners.snapshots.hand_over import HandOver
from runners.snapshots.kernel_stub import make_stub
from runners.snapshots.snapshot import SnapshotStanding, can_hand_over, make_overlay, make_state_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from threading import Event

    from parity.configuration import Configuration, Target
    from runners.machine.inspection import Inspector
    from runners.qemu.command_line import Wiring

_log = logging.getLogger(__name__)

_PREPARE_S: Final = 120.0
_AFTER_PANIC_S: Final = 0.3
_MEBIBYTE: Final = 1024 * 1024
_SHARED_MEMORY: Final = "memory-backend-memfd"
_MEMORY_REFUSED: Final = re.compile(r"memory-backend|memfd")
"""In QEMU's words when it does not start: built without it (qom/object_interfaces.c) or refused by the host."""


@dataclass(frozen=True, kw_only=True)
class Rig:
    """One target, made ready for a campaign: its images are found, its accelerator is chosen."""

    configuration: Configuration
    name: str
    target: Target
    isolation: Isolation
    accelerator: str
    store: ImageStore
    scratch: Path
    stop: Event
    timeout_s: float | None = None
    """Overrides every test's budget."""
    snapshots: SnapshotStanding = field(default_factory=SnapshotStanding)
    """Whether the isolation that is wanted can be had."""
    pace: Pace = field(default_factory=Pace)
    inspector: Inspector | None = None
    """Looks into guests that get no further."""
    hand_over: HandOver = field(default_factory=HandOver)
    """Moves booted guests to a QEMU that restores them faster."""
    machine_type: type[Machine] = Machine
    """What a running QEMU is held as."""

    def fields(self, test: str) -> dict[str, str]:
        """Return a fresh attempt's template fields, with a nonce that no guest can guess."""
        own = {"arch": self.target.arch, "target": self.name, "nonce": secrets.token_hex(8)}
        return self.configuration.test_fields(test) | own

    def images(self, fields: Mapping[str, str]) -> TargetImages:
        """Return what is booted for this test, frozen when it is first asked for."""
        key = "" if not self.has_image_per_test else fields["test"]
        if key not in self._frozen:
            self._frozen[key] = find_images(self.configuration, self.name, self.target, fields, self.store)
        return self._frozen[key]

    @property
    def saves_states(self) -> bool:
        """Whether a machine is to be saved at its prompt."""
        return self.isolation is Isolation.SNAPSHOT and self.snapshots.works

    @property
    def after_panic_s(self) -> float:
        """How long a dying kernel may go on printing registers and a backtrace."""
        return max(self.target.budget.drain_s or 0.0, _AFTER_PANIC_S)

    def boot_limits(self, fields: Mapping[str, str]) -> Limits:
        """Return what ends the wait for a boot."""
        budget_s = self.target.budget.boot_s
        limits = self._limits(fields, budget_s)
        return replace(limits, quiet_s=max(limits.quiet_s, self.pace.boot_silence_s(budget_s)))

    def test_limits(self, fields: Mapping[str, str]) -> Limits:
        """Return what ends the wait for a test."""
        own = self.configuration.override(fields["test"]).budget_s
        return self._limits(fields, self.timeout_s or own or self.target.budget.test_s)

    def suite_limits(self, fields: Mapping[str, str], tests: int) -> Limits:
        """Return what ends the wait for a suite of so many tests."""
        budget = self.target.budget
        return self._limits(fields, budget.boot_s + tests * (self.timeout_s or budget.test_s))

    @contextlib.contextmanager
    def machine(self, fields: Mapping[str, str], *, append: str = "") -> Iterator[Machine]:
        """Start a machine for this attempt, with its own copies of disks; raises `HarnessError`s."""
        with machine_folder(self.scratch) as folder:
            files = self._lay_out(folder, fields)

            def command(wiring: Wiring) -> tuple[str, ...]:
                return self.command_line(fields, files, append=append, wiring=wiring)

            with self._start(command, folder, self.hand_over if files.stub is not None else None) as machine:
                if self.inspector is not None:
                    machine.count_progress(self.inspector.progress_of(self, machine, fields))
                yield machine

    def _start(
        self, command: Callable[[Wiring], Sequence[str]], folder: Path, hand_over: HandOver | None
    ) -> Machine:
        """Start a machine; where QEMU knows no memory that can be shared, once more without."""
        machine = self.machine_type(
            command,
            folder=folder,
            working_folder=self.configuration.root,
            console_port=self.target.console_port,
            other_ports=[port for port in self.target.serial if port != self.target.console_port],
            stop=self.stop,
            hand_over=hand_over,
        )
        try:
            machine.run()
        except BaseException as error:
            machine.close()
            if not isinstance(error, MachineError) or self._memory.backend is None:
                raise
            if not _MEMORY_REFUSED.search(error.message):
                raise
            _log.info("%s: without shared memory: %s", self.name, error.message)
            self._memory.backend = None
            return self._start(command, folder, hand_over)
        return machine

    def command_line(
        self, fields: Mapping[str, str], files: MachineFiles, *, append: str, wiring: Wiring | None
    ) -> tuple[str, ...]:
        """Return QEMU's arguments for one boot."""
        words = " ".join(part for part in (self.target.append, append) if part)
        return qemu_command(
            self.target,
            files,
            append=fill(words, fields),
            accelerator=self.accelerator,
            wiring=wiring,
            memory_backend=self._memory.backend if wiring is not None else None,
        )

    def files_in_place(self, fields: Mapping[str, str]) -> MachineFiles:
        """Return the files as they lie in the user's tree, for a command line to show."""

        def placed(path: str | None) -> Path | None:
            return None if path is None else self.configuration.root / fill(path, fields)

        firmware = self.target.firmware
        return MachineFiles(
            kernel=placed(self.target.kernel),
            initrd=placed(self.target.initrd),
            disks=tuple(self.configuration.root / fill(disk.image, fields) for disk in self.target.disk),
            firmware_code=self.configuration.root / firmware.code if firmware else None,
            firmware_variables=self.configuration.root / firmware.variables
            if firmware and firmware.variables
            else None,
        )

    @cached_property
    def _memory(self) -> _Memory:
        return _Memory()

    @cached_property
    def _frozen(self) -> dict[str, TargetImages]:
        return {}

    @cached_property
    def has_image_per_test(self) -> bool:
        """Whether every test boots something else."""
        paths = (
            self.target.kernel,
            self.target.initrd,
            self.target.symbols,
            *(disk.image for disk in self.target.disk),
        )
        return any(
            path is not None and ("{test}" in path or "{path}" in path or "{TEST}" in path) for path in paths
        )

    def _limits(self, fields: Mapping[str, str], seconds: float) -> Limits:
        panics: tuple[re.Pattern[str], ...] = tuple(
            pattern.compile(fields) for pattern in self.target.verdict.panic
        )
        return Limits(
            deadline=Deadline.after(seconds),
            quiet_s=self.target.budget.quiet_s * self.pace.factor(host_load()),
            panics=panics,
            output_bytes=int(self.target.budget.output_limit_mib * _MEBIBYTE),
        )

    def _lay_out(self, folder: Path, fields: Mapping[str, str]) -> MachineFiles:
        """Copy what the guest may write, and run the prepare steps on the copies."""
        images = self.images(fields)
        disks = []
        for number, (disk, image) in enumerate(zip(self.target.disk, images.disks, strict=True)):
            disks.append(image if disk.read_only else Path(shutil.copyfile(image, folder / f"disk{number}")))
        variables = images.firmware_variables
        if variables is not None:
            variables = Path(shutil.copyfile(variables, folder / "firmware-variables"))
        if self.target.prepare:
            known = {**fields, "disk": str(disks[0])} if disks else fields
            for step in self.target.prepare:
                words = [fill(word, known) for word in step]
                run_command(words, folder=self.configuration.root, timeout_s=_PREPARE_S)
        state = None
        if self.saves_states:
            state = make_state_image(folder / "state.qcow2")
            disks = [
                path if disk.read_only else make_overlay(path, disk.format, folder / f"{path.name}.qcow2")
                for disk, path in zip(self.target.disk, disks, strict=True)
            ]
            if variables is not None:
                variables = make_overlay(variables, "raw", folder / "firmware-variables.qcow2")
        kernel = images.kernel.path if images.kernel else None
        return MachineFiles(
            kernel=kernel,
            initrd=images.initrd.path if images.initrd else None,
            stub=self._make_stub(kernel, folder / "kernel-stub"),
            disks=tuple(disks),
            firmware_code=images.firmware_code,
            firmware_variables=variables,
            state=state,
        )

    def _make_stub(self, kernel: Path | None, stub: Path) -> Path | None:
        """Make what a QEMU needs that is to take over this target's guests; None where none is to."""
        if not self.saves_states or self.snapshots.why_slow or kernel is None:
            return None
        if not can_hand_over(self.target, self.accelerator):
            return None
        return stub if make_stub(kernel, self.target.arch, stub) else None


def now() -> datetime:
    """Return the wall-clock time that results are dated with."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Memory:
    """What kind of memory a target's machines have: shared with the host, until its QEMU refuses that."""

    backend: str | None = _SHARED_MEMORY if sys.platform == "linux" else None
