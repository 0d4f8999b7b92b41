"""`parity diagnose`: why an attempt got no further, and what says so."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import AsJson, Capture, CaptureTarget  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus
from parity.diagnosis import Confidence
from parity.errors import UsageError

if TYPE_CHECKING:
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.flow.hang.diagnose import Examined


def diagnose_command(
    context: typer.Context,
    what: Capture = None,
    target: CaptureTarget = None,
    live: Annotated[
        bool, typer.Option("--live", help="Run the test now, and look into it where it does not end well.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.1, max=86400, metavar="S", help="With --live: seconds for the test."),
    ] = None,
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="With --live: run the target's build commands first.")
    ] = True,
    events: Annotated[
        int, typer.Option("--events", "-n", min=0, max=100_000, help="How many of the last trace events.")
    ] = 20,
    frames: Annotated[
        int, typer.Option("--frames", min=0, max=64, help="How many frames of each busy CPU's stack.")
    ] = 12,
    as_json: AsJson = False,
) -> None:
    """Say what a stuck guest is stuck on, from its capture: verdict, evidence, CPUs, last events, stacks.

    Starts no machine, unless --live. Exit status: 0 it was diagnosed, 1 the cause is not known (or, with --live,
    the test ended well and there is nothing to diagnose), 2 usage or configuration, 3 the harness failed.
    """
    from parity.flow.hang.diagnose import examine_saved  # noqa: PLC0415 - keeps --help fast

    session: Session = context.obj
    configuration = session.configuration()
    examined = (
        _examine_live(session, configuration, what, target=target, timeout=timeout, build=build)
        if live
        else examine_saved(configuration, what, target=target)
    )
    if examined is None:
        raise typer.Exit(ExitStatus.TESTS_FAILED)
    if as_json:
        from parity.flow.hang.diagnosis_json import describe  # noqa: PLC0415 - keeps --help fast

        sys.stdout.write(json.dumps(describe(examined, events=events), indent=2) + "\n")
    else:
        from parity.cli.diagnosis_page import show_diagnosis  # noqa: PLC0415

        show_diagnosis(session.out, examined, events=events, frames=frames)
    is_known = examined.diagnosis.confidence is not Confidence.LOW
    raise typer.Exit(ExitStatus.AS_WANTED if is_known else ExitStatus.TESTS_FAILED)


def _examine_live(
    session: Session,
    configuration: Configuration,
    test: str | None,
    *,
    target: str | None,
    timeout: float | None,
    build: bool,
) -> Examined | None:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.attempt import Isolation  # noqa: PLC0415
    from parity.cli.progress import open_observer  # noqa: PLC0415
    from parity.flow.campaign.order import Order  # noqa: PLC0415
    from parity.flow.campaign.run import run_campaign  # noqa: PLC0415
    from parity.flow.campaign.selection import select_cases, select_machine  # noqa: PLC0415
    from parity.flow.hang.diagnose import examine  # noqa: PLC0415

    if test is None:
        raise UsageError("--live needs a test", hint="parity diagnose --live TEST --target NAME")
    machine = select_machine(configuration, target)
    order = Order(
        cases=select_cases(configuration, targets=[machine], tests=(test,)),
        isolation=Isolation.BOOT,
        jobs=1,
        timeout_s=timeout,
        build=build,
        always_inspect=True,
        arguments=tuple(sys.argv[1:]),
    )
    with (
        open_repository(configuration.database_url, configuration.state_folder) as repository,
        open_observer(session.err, quiet=not session.err.is_terminal) as progress,
    ):
        summary = run_campaign(configuration, repository, order, progress)
        attempts = repository.campaign_attempts(summary.number)
    found = next((attempt for attempt in attempts if attempt.hang is not None), None)
    if found is None or found.hang is None:
        for attempt in attempts:
            session.out.print(
                f"{attempt.test} on {attempt.target}: {attempt.verdict.outcome}: {attempt.verdict.evidence[0]}",
                markup=False,
                soft_wrap=True,
            )
        return None
    return examine(configuration, found.hang.folder, found)
