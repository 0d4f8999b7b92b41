"""`parity judge`: judge saved output by today's rules."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.completion import complete_target, complete_test
from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus
from parity.errors import UsageError

if TYPE_CHECKING:
    from parity.attempt import Verdict
    from parity.cli.session import Session
    from parity.configuration import Configuration


def judge_command(
    context: typer.Context,
    log: Annotated[
        Path | None, typer.Argument(metavar="[LOG]", help="A saved console log, from anywhere.")
    ] = None,
    test: Annotated[
        str | None,
        typer.Option("--test", metavar="NAME", help="Whose log it is.", autocompletion=complete_test),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="NAME",
            help="By whose rules; the first target's.",
            autocompletion=complete_target,
        ),
    ] = None,
    qemu_status: Annotated[
        int | None,
        typer.Option("--qemu-status", metavar="N", help="QEMU's exit status, where it ended by itself."),
    ] = None,
    attempt: Annotated[
        int | None, typer.Option("--attempt", "-a", metavar="N", help="A stored attempt, instead of a log.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a saved log, or a stored attempt, by the rules of today's parity.toml; starts no machine.

    Exit status: 0 a pass or a skip, 1 anything else, 2 usage or configuration.
    """
    session: Session = context.obj
    configuration = session.configuration()
    if (log is None) == (attempt is None):
        raise UsageError(
            "name a log with --test, or a stored attempt with --attempt", hint="parity judge --help"
        )
    if log is not None:
        if test is None:
            raise UsageError("a log needs --test NAME: whose output it is")
        verdict = _judge_log(configuration, log, test=test, target=target, qemu_status=qemu_status)
        was = None
    else:
        verdict, was = _judge_attempt(configuration, attempt or 0)
    _tell(session, verdict, was=was, as_json=as_json)
    raise typer.Exit(ExitStatus.AS_WANTED if verdict.outcome.is_wanted else ExitStatus.TESTS_FAILED)


def _judge_log(
    configuration: Configuration, log: Path, *, test: str, target: str | None, qemu_status: int | None
) -> Verdict:
    from parity.flow.results.judge import judge_file  # noqa: PLC0415 - keeps --help fast

    name = target or next(iter(configuration.targets))
    return judge_file(configuration, log, test=test, target=name, qemu_status=qemu_status)


def _judge_attempt(configuration: Configuration, number: int) -> tuple[Verdict, Verdict]:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.judge import judge_stored  # noqa: PLC0415

    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        stored, verdict = judge_stored(configuration, repository, number)
    return verdict, stored.verdict


def _tell(session: Session, verdict: Verdict, *, was: Verdict | None, as_json: bool) -> None:
    if as_json:
        shown = {
            "outcome": verdict.outcome,
            "was": None if was is None else was.outcome,
            "evidence": verdict.evidence,
            "exit_status": verdict.exit_status,
            "signal": verdict.signal,
            "error_number": verdict.error_number,
        }
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    changed = (
        f" (it was judged {was.outcome})" if was is not None and was.outcome is not verdict.outcome else ""
    )
    session.out.print(f"{verdict.outcome}{changed}", markup=False, soft_wrap=True)
    for sentence in verdict.evidence:
        session.out.print(f"  {sentence}", markup=False, soft_wrap=True)
