"""`parity stress`: many boots or repeats of a few tests, and how often they fail."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from parity.attempt import Isolation
from parity.cli.completion import complete_test
from parity.cli.options import AsJson, Targets  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.run import carry_out
from parity.errors import UsageError

if TYPE_CHECKING:
    from parity.campaign import Case
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.flow.campaign.order import Order


def stress_command(
    context: typer.Context,
    tests: Annotated[
        list[str], typer.Argument(metavar="TEST", help="Names or globs.", autocompletion=complete_test)
    ],
    boots: Annotated[
        int | None,
        typer.Option(
            "--boots", min=1, max=1_000_000, metavar="N", help="Every test N times, each after a fresh boot."
        ),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(
            "--repeat",
            min=1,
            max=1_000_000,
            metavar="N",
            help="Every test N times, on machines that are reused.",
        ),
    ] = None,
    until_fail: Annotated[
        bool,
        typer.Option(
            "--until-fail",
            help="End with the first failure. Alone: repeat until there is one.",
        ),
    ] = False,
    target: Targets = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, max=256, metavar="M", help="At most so many machines side by side."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.1, max=86400, metavar="S", help="Seconds for each test, for its budget."
        ),
    ] = None,
    isolation: Annotated[
        Literal["snapshot", "shared"],
        typer.Option(
            "--isolation",
            help="With --repeat: whether the machine is put back to its prompt in between, or nothing is restored.",
        ),
    ] = "snapshot",
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Run the targets' build commands first.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Run tests many times and say how often they fail.

    Tells each test's failure rate with a 95 % confidence interval (Wilson's), and the failures by what they have in
    common, each with its log and capture. The attempts are a run like any other: `parity show`, `parity diagnose` and
    `parity run --resume` know them. With --boots a boot that fails is a failure, and is not tried again.

    Exit status: 0 nothing failed, 1 something did, 2 usage or configuration, 3 the harness or QEMU failed,
    130 interrupted.
    """
    session: Session = context.obj
    if boots is not None and repeat is not None:
        raise UsageError("--boots and --repeat exclude each other", hint="--boots N boots for every attempt")
    if boots is None and repeat is None and not until_fail:
        raise UsageError("how often?", hint="give --boots N, --repeat N or --until-fail")
    if boots is not None and isolation != "snapshot":
        raise UsageError("--boots boots for every attempt, and takes no --isolation")
    configuration = session.configuration()
    order = _order(
        _select(configuration, tests, target or (), boots=boots is not None),
        times=boots or repeat,
        boots=boots is not None,
        isolation=Isolation(isolation),
        jobs=jobs,
        timeout_s=timeout,
        build=build,
        until_fail=until_fail,
    )
    carry_out(session, configuration, order, as_json=as_json)


def _select(
    configuration: Configuration, tests: list[str], named: list[str] | tuple[()], *, boots: bool
) -> tuple[Case, ...]:
    from parity.flow.campaign.hosts import leave_out_unserved  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.selection import select_cases, select_targets  # noqa: PLC0415
    from parity.flow.campaign.stress import select_booted  # noqa: PLC0415

    targets = select_targets(configuration, names=named)
    if boots:
        targets = select_booted(configuration, targets, named=named)
    targets, _ = leave_out_unserved(configuration, targets, named=named)
    return select_cases(configuration, targets=targets, tests=tests)


def _order(
    cases: tuple[Case, ...],
    *,
    times: int | None,
    boots: bool,
    isolation: Isolation,
    jobs: int | None,
    timeout_s: float | None,
    build: bool,
    until_fail: bool,
) -> Order:
    from parity.campaign import StopRule  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.order import Order  # noqa: PLC0415
    from parity.flow.campaign.selection import repeat_cases  # noqa: PLC0415
    from parity.flow.campaign.stress import STRESS_BOOT_FAILURES_IN_A_ROW  # noqa: PLC0415

    return Order(
        cases=repeat_cases(cases, times or 1),
        isolation=Isolation.BOOT if boots else isolation,
        jobs=jobs,
        timeout_s=timeout_s,
        build=build,
        arguments=tuple(sys.argv[1:]),
        stop=StopRule.UNTIL_FAIL if until_fail else StopRule.NEVER,
        endless=times is None,
        boot_retries=0 if boots else None,
        boot_failures_in_a_row=STRESS_BOOT_FAILURES_IN_A_ROW,
    )
