"""`parity db`: look after the results database and the files beside it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.cli.session import Session
    from parity.flow.results.maintenance import Finding, Pruned

_LISTED = 20

db_application = typer.Typer(
    name="db",
    no_args_is_help=True,
    help="Look after the results: is all of it whole, what can go, and room that is given back.",
)


@db_application.command("check")
def check_command(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only whether files are there, and how large; not what they hold.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether the database, the logs and the captures are whole.

    Looks at the database's pages and references, at every log (is it there, and what it was stored as?) and every
    capture, and for files that nobody refers to. Changes nothing.

    Exit status: 0 all is whole, 1 something is not, 2 usage, or the database cannot be opened.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - keeps --help fast

    from db import open_repository  # noqa: PLC0415
    from parity.flow.results.maintenance import check_results  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        findings = check_results(repository, now=datetime.now(UTC), thorough=not quick)
    if as_json:
        told = [{"subject": finding.subject, "problem": finding.problem} for finding in findings]
        sys.stdout.write(json.dumps({"findings": told}, indent=2) + "\n")
    else:
        _show_findings(session, findings)
    if findings:
        raise typer.Exit(ExitStatus.TESTS_FAILED)


@db_application.command("prune")
def prune_command(
    context: typer.Context,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Only runs that started longer ago: 36h, 90d, 12w."),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="Only runs that are not among the N newest."),
    ] = None,
    failures: Annotated[
        bool, typer.Option("--failures", help="Also runs with failures, and failures' logs and captures.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would go, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old runs, and the logs, captures and images that nobody refers to.

    With --older-than and --keep, a run must be both to go. With neither, only files that nobody refers to go.

    A run goes whole or stays whole. Those stay that are pinned, under way or to be resumed, that came with totals of
    an imported page, or that have a failure (but with --failures), a test's first or newest result, or an attempt
    with which a test began or ceased to pass: so no change is forgotten. Of an old run that stays, the other
    attempts' logs go.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - keeps --help fast

    from db import open_repository  # noqa: PLC0415
    from parity.flow.results.maintenance import PruneOrder, parse_age, prune_results  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    order = PruneOrder(
        older_than=None if older_than is None else parse_age(older_than),
        keep=keep,
        failures=failures,
        dry_run=dry_run,
    )
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        pruned = prune_results(repository, order, now=datetime.now(UTC))
    if as_json:
        told = {
            "dry_run": dry_run,
            "runs": pruned.runs,
            "logs": pruned.logs,
            "files": [str(file) for file in pruned.files],
            "freed_bytes": pruned.freed_bytes,
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        _show_pruned(session, pruned, dry_run=dry_run)


@db_application.command("vacuum")
def vacuum_command(context: typer.Context, as_json: AsJson = False) -> None:
    """Write the SQLite file anew, without the room that deleted rows left.

    Needs as much free room on the disk as the database takes, and waits for runs that are writing.
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from db.maintenance import vacuum  # noqa: PLC0415
    from parity.cli.hangs import format_size  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        before, after = vacuum(repository)
    if as_json:
        sys.stdout.write(json.dumps({"bytes_before": before, "bytes_after": after}, indent=2) + "\n")
    else:
        session.out.print(f"{format_size(before)} before, {format_size(after)} now")


def _show_findings(session: Session, findings: Sequence[Finding]) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    for finding in findings:
        line = Text.assemble((finding.subject, "bold"), f": {finding.problem}")
        session.out.print(line, soft_wrap=True)
    if not findings:
        session.out.print("all is whole")


def _show_pruned(session: Session, pruned: Pruned, *, dry_run: bool) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.cli.hangs import format_size  # noqa: PLC0415
    from parity.printable import printable  # noqa: PLC0415
    from parity.words import counted  # noqa: PLC0415

    if pruned.runs:
        shown = ", ".join(map(str, pruned.runs[:_LISTED])) + (", …" if len(pruned.runs) > _LISTED else "")
        session.out.print(Text(f"{counted(len(pruned.runs), 'run')}: {shown}"), soft_wrap=True)
    if pruned.logs:
        session.out.print(f"{counted(pruned.logs, 'log')} of runs that stay")
    for file in pruned.files[:_LISTED] if dry_run else ():
        session.out.print(Text(f"  {printable(str(file))}"), soft_wrap=True)
    if dry_run and len(pruned.files) > _LISTED:
        session.out.print(f"  and {len(pruned.files) - _LISTED} more; --json has them all")
    found = f"{counted(len(pruned.files), 'file')}, {format_size(pruned.freed_bytes)}"
    if not (pruned.runs or pruned.logs or pruned.files):
        session.out.print("there is nothing that can go")
    else:
        session.out.print(f"{'would free' if dry_run else 'freed'} {found}")
    if pruned.runs and not dry_run:
        session.out.print("`parity db vacuum` gives back the room in the database itself")
