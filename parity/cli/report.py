"""`parity report`: write the parity document, or say whether it is up to date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus

if TYPE_CHECKING:
    from parity.cli.session import Session
    from parity.flow.document.report import Comparison


def report_command(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write, instead of kernel.document; - is standard output.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit status 1 when the document is stale.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the parity document from all results so far.

    Exit status: 0 written or up to date, 1 stale (with --check), 2 usage or configuration.
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.document.report import compare_report, make_report  # noqa: PLC0415
    from parity.whole_files import write_text  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        content = make_report(configuration, repository)
    if output == Path("-") and not check:
        sys.stdout.buffer.write(content.encode())
        return
    file = output or configuration.root / configuration.kernel.document
    comparison = compare_report(content, file)
    if not check:
        write_text(content, file)
    _tell(session, file, comparison, check=check, as_json=as_json)
    if check and comparison.is_stale:
        raise typer.Exit(ExitStatus.TESTS_FAILED)


def _tell(session: Session, file: Path, comparison: Comparison, *, check: bool, as_json: bool) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.printable import printable_line  # noqa: PLC0415
    from parity.words import counted  # noqa: PLC0415

    if as_json:
        told = {"file": str(file), "written": not check, "changed": comparison.is_stale}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    elif not check:
        session.out.print(Text(f"{'wrote' if comparison.is_stale else 'unchanged:'} {file}"), soft_wrap=True)
    elif comparison.is_stale:
        session.out.print(
            Text(
                f"{file} is stale: {counted(comparison.added, 'line')} to add, {comparison.removed} to remove; first: "
                f"{printable_line(comparison.first_difference, limit=100)}"
            ),
            soft_wrap=True,
        )
        session.out.print("bring it up to date: parity report")
    else:
        session.out.print(Text(f"{file} is up to date"), soft_wrap=True)
