"""`parity show TEST`: what happened to one test, and the end of what it printed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import AsJson, Target, Test  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.styles import OUTCOME_STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db import Repository
    from parity.attempt import StoredAttempt, StoredLog
    from parity.cli.session import Session


def show_command(
    context: typer.Context,
    test: Test,
    target: Target = None,
    attempt: Annotated[
        int | None,
        typer.Option(
            "--attempt", "-a", metavar="N", help="Look at this attempt, instead of each target's newest."
        ),
    ] = None,
    lines: Annotated[
        int,
        typer.Option("--lines", "-n", min=0, max=100_000, help="How many of the transcript's last lines."),
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Show a test's attempts, newest first, with the evidence and the end of the transcript."""
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.attempts import choose_attempts, read_attempts, read_tail  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        attempts = read_attempts(configuration, repository, test, target=target)
        chosen = choose_attempts(attempts, test=test, number=attempt)
        if as_json:
            shown = {
                "test": test,
                "attempts": [_describe(repository, found) for found in attempts],
                "transcripts": {found.id: read_tail(repository, found, lines=lines) for found in chosen},
            }
            sys.stdout.write(json.dumps(shown, indent=2) + "\n")
            return
        if attempt is None:
            _show_list(session, attempts)
        for found in chosen:
            _show(session, repository, found, lines=lines)


def _describe(repository: Repository, attempt: StoredAttempt) -> dict[str, object]:
    from parity.cli.hangs import describe_hang  # noqa: PLC0415 - keeps --help fast
    from parity.interchange.results_json import describe_attempt  # noqa: PLC0415

    return {
        "run": attempt.campaign,
        "target": attempt.target,
        **describe_attempt(attempt),
        "hang": describe_hang(attempt.hang),
        "logs": [_describe_log(log) for log in repository.logs_of(attempt.id)],
    }


def _describe_log(log: StoredLog) -> dict[str, object]:
    return {"kind": log.kind, "port": log.port, "path": str(log.path), "size_bytes": log.size_bytes}


_LISTED = 20


def _show_list(session: Session, attempts: Sequence[StoredAttempt]) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.cli.table import print_table  # noqa: PLC0415

    print_table(
        session.out,
        ("attempt", "run", "target", "outcome", "started (UTC)", "took", "image"),
        [
            (
                str(attempt.id),
                str(attempt.campaign),
                attempt.target,
                Text(attempt.verdict.outcome, style=OUTCOME_STYLES[attempt.verdict.outcome]),
                attempt.started_at.strftime("%Y-%m-%d %H:%M:%S"),
                f"{attempt.duration_s:.2f} s",
                attempt.fingerprint[:12] if attempt.fingerprint else "-",
            )
            for attempt in attempts[:_LISTED]
        ],
    )
    if len(attempts) > _LISTED:
        session.out.print(f"and {len(attempts) - _LISTED} older ones; --json has them all")


def _show(session: Session, repository: Repository, attempt: StoredAttempt, *, lines: int) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.flow.results.attempts import read_tail  # noqa: PLC0415
    from parity.printable import printable  # noqa: PLC0415

    out, verdict = session.out, attempt.verdict
    out.print()
    out.print(
        Text.assemble(
            (f"attempt {attempt.id} of {attempt.test} on {attempt.target}: ", "bold"),
            (verdict.outcome, OUTCOME_STYLES[verdict.outcome]),
        ),
        soft_wrap=True,
    )
    for sentence in verdict.evidence:
        out.print(Text(f"  {printable(sentence)}"), soft_wrap=True)
    _show_hang(session, repository, attempt)
    tail = read_tail(repository, attempt, lines=lines)
    if tail is None:
        out.print(Text("its log is gone; was .parity/logs cleaned by hand?", style="yellow"))
    elif tail:
        out.print(Text("the transcript ends:", style="dim"))
    for line in tail or ():
        out.print(Text(f"  | {line}"), soft_wrap=True)
    for log in repository.logs_of(attempt.id):
        out.print(
            Text(f"{log.kind} of {log.port} ({log.size_bytes} bytes): {log.path}", style="dim"),
            soft_wrap=True,
        )


def _show_hang(session: Session, repository: Repository, attempt: StoredAttempt) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.cli.hangs import show_hang  # noqa: PLC0415
    from parity.diagnosis import Cause  # noqa: PLC0415
    from parity.flow.results.attempts import measure_capture  # noqa: PLC0415

    if attempt.hang is None:
        return
    show_hang(
        session.out, attempt.hang, said=attempt.verdict.evidence, size_bytes=measure_capture(attempt.hang)
    )
    found = repository.recurrence(attempt.hang.diagnosis)
    if found is not None and found.attempts > 1 and attempt.hang.diagnosis.cause is not Cause.UNKNOWN:
        often = f"{found.attempts} attempts of {found.tests} {'test' if found.tests == 1 else 'tests'}"
        session.out.print(
            Text(f"the same cause stopped {often}, first in run {found.first_run}"), soft_wrap=True
        )
    hint = f"parity diagnose {attempt.id} shows the evidence"
    session.out.print(Text(hint, style="dim"), soft_wrap=True)
