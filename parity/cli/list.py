"""`parity list`: which tests and targets parity.toml has."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - Typer reads annotations at run time

from parity.cli.options import AsJson, Tests  # noqa: TC001 - Typer reads annotations at run time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.cli.session import Session
    from parity.configuration import Configuration, Target


def list_command(
    context: typer.Context,
    tests: Tests = None,
    as_json: AsJson = False,
) -> None:
    """Show the tests and targets that parity.toml has; runs nothing."""
    session: Session = context.obj
    configuration = session.configuration()
    chosen = configuration.select_tests(tests or ())
    if as_json:
        sys.stdout.write(json.dumps(_describe(configuration, chosen), indent=2) + "\n")
    else:
        _show(session, configuration, chosen)


def _describe(configuration: Configuration, tests: Sequence[str]) -> dict[str, object]:
    kernel = configuration.kernel
    return {
        "kernel": kernel.name,
        "reference": kernel.reference,
        "port": kernel.port,
        "targets": [_describe_target(name, target) for name, target in configuration.targets.items()],
        "tests": [
            {
                "test": test,
                "path": configuration.test_fields(test)["path"],
                "targets": [name for name in configuration.targets if configuration.runs_on(test, name)],
            }
            for test in tests
        ],
    }


def _describe_target(name: str, target: Target) -> dict[str, object]:
    return {
        "target": name,
        "arch": target.arch,
        "machine": target.machine,
        "cpu": target.cpu,
        "cpus": target.cpus,
        "memory_mib": target.memory_mib,
        "delivery": target.delivery.kind,
        "kernel": target.kernel,
    }


def _machine_cells(target: Target) -> tuple[str, str, str, str]:
    if target.machine is None:
        return "this host", "-", "-", "-"
    return target.machine, target.cpu or "-", str(target.cpus), f"{target.memory_mib} MiB"


def _show(session: Session, configuration: Configuration, tests: Sequence[str]) -> None:
    from parity.cli.table import print_table  # noqa: PLC0415 - keeps --help fast

    roles = {configuration.kernel.port: "port", configuration.kernel.reference: "reference"}
    print_table(
        session.out,
        ("target", "role", "arch", "machine", "cpu", "cpus", "memory", "tests by"),
        [
            (
                name,
                roles.get(name, "-"),
                target.arch,
                *_machine_cells(target),
                target.delivery.kind,
            )
            for name, target in configuration.targets.items()
        ],
    )
    session.out.print()
    print_table(
        session.out,
        ("test", "path in the guest", "targets"),
        [
            (
                test,
                configuration.test_fields(test)["path"],
                ", ".join(name for name in configuration.targets if configuration.runs_on(test, name)),
            )
            for test in tests
        ],
    )
