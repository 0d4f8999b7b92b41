"""What a target is in one campaign: versions, hashes and the command a person would type."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from parity.campaign import TargetFacts
from parity.configuration import ProcessDelivery
from parity.errors import ConfigurationError
from runners.delivery.emulator import find_emulator, read_host_version
from runners.delivery.host import host_command
from runners.machine.images import hash_file
from runners.processes.process import shortage
from runners.qemu.accelerator import read_version
from runners.qemu.command_line import shell_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.configuration import Target
    from runners.machine.rig import Rig


def read_runner_version(target: Target) -> str:
    """Return the version of what runs the target; raises `MachineError` where it is not installed."""
    if isinstance(target.delivery, ProcessDelivery):
        return read_host_version(target, target.delivery)
    return read_version(target)


def read_facts(rig: Rig, tests: Sequence[str], version: str) -> TargetFacts:
    """Return what is recorded of a target.

    Raises `ConfigurationError` for a file that is not there, `MachineError` for one that the host does not open.
    """
    if isinstance(rig.target.delivery, ProcessDelivery):
        emulated = find_emulator(rig.target, rig.target.delivery) is not None
        programs = _hash_programs(rig, rig.target.delivery)
        return TargetFacts(
            target=rig.name,
            arch=rig.target.arch,
            qemu_version=version,
            accelerator="user-mode emulation" if emulated else "native",
            command_line=shell_line(shown_command(rig, tests[0])),
            image_sha256=programs,
            inputs_sha256=programs,
        )
    try:
        images = rig.images(rig.fields(tests[0]))
    except OSError as error:
        raise shortage("read what is booted", error) from error
    return TargetFacts(
        target=rig.name,
        arch=rig.target.arch,
        qemu_version=version,
        accelerator=rig.accelerator,
        command_line=shell_line(shown_command(rig, tests[0])),
        image_sha256=images.sha256,
        build_id=images.build_id,
        inputs_sha256=images.inputs_sha256,
    )


def shown_command(rig: Rig, test: str) -> tuple[str, ...]:
    """Return the command as a person would type it in parity.toml's folder."""
    fields = {**rig.fields(test), "nonce": "NONCE", "tests": test}
    if isinstance(rig.target.delivery, ProcessDelivery):
        emulator = find_emulator(rig.target, rig.target.delivery)
        return (
            *([Path(emulator).name] if emulator else []),
            *host_command(rig.target.delivery, fields),
        )
    append = getattr(rig.target.delivery, "append", "")
    command = rig.command_line(fields, rig.files_in_place(fields), append=append, wiring=None)
    root = f"{rig.configuration.root}{os.sep}"
    return tuple(word.replace(root, "") for word in command)


def _hash_programs(rig: Rig, delivery: ProcessDelivery) -> str:
    """Return one hash of all tests' programs, chosen or not: a resumed run has fewer left and is the same run.

    Programs that they execute beside themselves are not in it.
    """
    hashes = []
    tests = [test for test in rig.configuration.tests if rig.configuration.runs_on(test, rig.name)]
    for test in sorted(tests):
        program = rig.configuration.root / host_command(delivery, rig.fields(test))[0]
        if program.is_file():
            hashes.append(hash_file(program))
    if not hashes:
        raise ConfigurationError(
            file=rig.configuration.file,
            key=f"target.{rig.name}.delivery.run",
            problem=f"there is no program {host_command(delivery, rig.fields(tests[0]))[0]!r}",
            hint="build it first, or check `build`",
        )
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
