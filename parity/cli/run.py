"""`parity run`: options in, one flow, a summary and an exit status out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from parity.attempt import Isolation
from parity.cli.options import AsJson, Targets, Tests  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.flow.hosts import LeftOut
    from parity.flow.run import Order, Summary


def run_command(
    context: typer.Context,
    tests: Tests = None,
    arch: Annotated[
        list[str] | None,
        typer.Option("--arch", "-a", metavar="ARCH", help="Only targets of this architecture (repeatable)."),
    ] = None,
    target: Targets = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "-k", metavar="PATTERN", help="Only tests whose name contains this, or matches it as a glob."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, max=256, help="Machines side by side; one a host CPU by default."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.1, max=86400, metavar="S", help="Seconds for each test, for its budget."
        ),
    ] = None,
    isolation: Annotated[
        Literal["snapshot", "boot", "shared"],
        typer.Option(
            "--isolation",
            help="snapshot: the machine is put back to its first prompt before every test; boot: a fresh QEMU for "
            "every test; shared: one boot for many, nothing restored.",
        ),
    ] = "snapshot",
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Run the targets' build commands first.")
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run that did not finish.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show tests and QEMU commands; start nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Boot the targets, run the tests, keep every result.

    Ctrl-C ends cleanly and keeps what finished; `parity run --resume` goes on.

    Exit status: 0 every test passed or was skipped with a reason, 1 tests failed, 2 usage or configuration,
    3 the harness or QEMU failed, 130 interrupted.
    """
    from parity.flow.hosts import leave_out_unserved  # noqa: PLC0415 - keeps --help fast
    from parity.flow.run import Order  # noqa: PLC0415
    from parity.flow.selection import select_cases, select_targets  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    chosen = select_targets(configuration, names=target or (), architectures=arch or ())
    targets, left_out = leave_out_unserved(configuration, chosen, named=target or ())
    if not resume:  # that goes on with what was planned
        _tell_left_out(session, left_out)
    order = Order(
        cases=select_cases(configuration, targets=targets, tests=tests or (), pattern=pattern),
        isolation=Isolation(isolation),
        jobs=jobs,
        timeout_s=timeout,
        build=build,
        arguments=tuple(sys.argv[1:]),
    )
    if dry_run:
        _show_order(session, configuration, order, as_json=as_json)
    else:
        _run(session, configuration, order, resume=resume, as_json=as_json)


def _tell_left_out(session: Session, left_out: Sequence[LeftOut]) -> None:
    for one in left_out:
        hint = f" ({one.error.hint})" if one.error.hint else ""
        session.err.print(
            f"{one.target} is left out: {one.error.message}{hint}", markup=False, soft_wrap=True
        )


def _run(
    session: Session, configuration: Configuration, order: Order, *, resume: bool, as_json: bool
) -> None:
    from db.repository import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.cli.progress import open_observer  # noqa: PLC0415
    from parity.flow.interrupt import Interrupted  # noqa: PLC0415
    from parity.flow.run import resumed_order, run_campaign  # noqa: PLC0415

    try:
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            if resume:
                order = resumed_order(configuration, repository, order)
            with open_observer(session.out, quiet=as_json) as observer:
                summary = run_campaign(configuration, repository, order, observer)
            if as_json:
                sys.stdout.write(_as_json(summary) + "\n")
            else:
                _tell_summary(session, summary)
    except Interrupted as interrupted:
        session.err.print("interrupted while building; nothing was run")
        raise typer.Exit(_interrupted_status(interrupted.signal)) from None
    raise typer.Exit(_exit_status(summary))


def _exit_status(summary: Summary) -> int:
    if summary.interrupt is not None:
        return _interrupted_status(summary.interrupt)
    if summary.harness_failed:
        return ExitStatus.HARNESS
    wanted = all(outcome.is_wanted for outcome in summary.counts)
    return ExitStatus.AS_WANTED if wanted else ExitStatus.TESTS_FAILED


def _interrupted_status(number: int) -> int:
    """Return what a shell makes of a process that a signal ended."""
    return 128 + number


def _show_order(session: Session, configuration: Configuration, order: Order, *, as_json: bool) -> None:
    from parity.flow.run import dry_run  # noqa: PLC0415 - keeps --help fast

    commands = dict(dry_run(configuration, order))
    if as_json:
        shown = [
            {
                "target": name,
                "command": command,
                "tests": [case.test for case in order.cases if case.target == name],
            }
            for name, command in commands.items()
        ]
        sys.stdout.write(json.dumps({"targets": shown}, indent=2) + "\n")
        return
    for name, command in commands.items():
        tests = [case.test for case in order.cases if case.target == name]
        session.out.print(f"[bold]{name}[/bold]: {len(tests)} tests", soft_wrap=True)
        session.out.print(f"  {' '.join(tests)}", soft_wrap=True, markup=False)
        session.out.print(f"  {command}", soft_wrap=True, markup=False)


def _tell_summary(session: Session, summary: Summary) -> None:
    from parity.cli.hangs import show_groups  # noqa: PLC0415 - keeps --help fast
    from parity.cli.progress import describe_counts  # noqa: PLC0415
    from parity.printable import printable  # noqa: PLC0415

    out = session.out
    out.print(f"run {summary.number}: ", describe_counts(summary.counts), soft_wrap=True, sep="")
    show_groups(out, summary.attempts)
    for name, why in summary.without_snapshots.items():
        out.print(f"{name}: every test had a fresh boot: {printable(why)}", markup=False, soft_wrap=True)
    for lost in summary.lost:
        session.tell_error(lost.error)
    if summary.interrupt is not None or summary.lost:
        out.print(f"{summary.left} left; go on with: parity run --resume", soft_wrap=True)
    if not all(outcome.is_wanted for outcome in summary.counts):
        out.print(
            "look closer: parity status, parity show TEST; write the document: parity report", soft_wrap=True
        )


def _as_json(summary: Summary) -> str:
    from parity.cli.hangs import describe_hang  # noqa: PLC0415 - keeps --help fast

    attempts = [
        {
            "target": attempt.target,
            "test": attempt.test,
            "outcome": attempt.verdict.outcome,
            "evidence": attempt.verdict.evidence,
            "exit_status": attempt.verdict.exit_status,
            "signal": attempt.verdict.signal,
            "error_number": attempt.verdict.error_number,
            "started_at": attempt.started_at.isoformat(),
            "duration_s": round(attempt.duration_s, 4),
            "boot_s": None if attempt.boot_s is None else round(attempt.boot_s, 4),
            "hang": describe_hang(attempt.hang),
        }
        for attempt in summary.attempts
    ]
    whole = {
        "run": summary.number,
        "state": summary.state,
        "counts": dict(sorted(summary.counts.items())),
        "left": summary.left,
        "errors": [lost.error.message for lost in summary.lost],
        "attempts": attempts,
    }
    return json.dumps(whole, indent=2)
