"""`parity export`: a run for other programs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from parity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from db import Repository
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.interchange.results import RunResults


class ExportFormat(StrEnum):
    """What a run can be written as."""

    JUNIT = "junit"
    TAP = "tap"
    KTAP = "ktap"
    JSON = "json"
    SUMMARY = "summary"
    RUN = "run"


_ENDINGS: Final = {
    ".xml": ExportFormat.JUNIT,
    ".tap": ExportFormat.TAP,
    ".ktap": ExportFormat.KTAP,
    ".json": ExportFormat.JSON,
    ".md": ExportFormat.SUMMARY,
    ".parity": ExportFormat.RUN,
}


def export_command(
    context: typer.Context,
    run: Annotated[
        int | None,
        typer.Argument(metavar="[RUN]", min=1, help="The run's number; the newest where none is given."),
    ] = None,
    format_: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="junit: JUnit XML. tap: TAP version 14. ktap: as Linux's own tests. json: for scripts, a form that "
            "stays. summary: short Markdown for a CI job's page. run: parity's own, with logs and captures, for "
            "`parity import` on another machine. Without it, FILE's ending says it.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write, instead of standard output."),
    ] = None,
    all_runs: Annotated[
        bool, typer.Option("--all", help="Every run, not one; with the format run alone.")
    ] = False,
) -> None:
    """Write a run as JUnit XML, TAP, KTAP, JSON, a CI job's summary, or a file for another machine's parity.

    No attempt is lost on the way: repeated ones are in JUnit's flaky and rerun elements, and where a format has one
    verdict for a test, its worst attempt counts. On GitHub: `parity export -f summary >> "$GITHUB_STEP_SUMMARY"`.

    Exit status: 0 written, 2 usage or configuration; tests that failed change nothing.
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast

    session: Session = context.obj
    chosen = format_ or _by_ending(output)
    _refuse_mixtures(chosen, run, output, all_runs=all_runs)
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        if chosen is ExportFormat.RUN and output is not None:
            _write_runs(session, repository, run, output, all_runs=all_runs)
        else:
            _write_text(session, configuration, repository, run, chosen, output)


def _by_ending(output: Path | None) -> ExportFormat:
    chosen = _ENDINGS.get(output.suffix.casefold()) if output is not None else None
    if chosen is None:
        raise UsageError("which format?", hint=f"--format, one of: {', '.join(ExportFormat)}")
    return chosen


def _refuse_mixtures(chosen: ExportFormat, run: int | None, output: Path | None, *, all_runs: bool) -> None:
    if chosen is ExportFormat.RUN and (output is None or output == Path("-")):
        raise UsageError("this format is a file, not text", hint="name it: -o results.parity")
    if all_runs and chosen is not ExportFormat.RUN:
        raise UsageError("--all goes with the format run", hint="name one run for the others")
    if all_runs and run is not None:
        raise UsageError(f"--all and run {run}: one of the two")


def _write_runs(
    session: Session, repository: Repository, run: int | None, output: Path, *, all_runs: bool
) -> None:
    from parity.flow.exchange.run_file import export_runs  # noqa: PLC0415 - keeps --help fast
    from parity.printable import printable  # noqa: PLC0415
    from parity.words import counted  # noqa: PLC0415

    numbers = [campaign.number for campaign in repository.campaigns()]
    if not numbers:
        raise UsageError("nothing was run yet: there are no results", hint="start with: parity run")
    chosen = numbers if all_runs else [run if run is not None else numbers[0]]
    exported = export_runs(repository, chosen, output)
    words = [
        counted(exported.runs, "run"),
        counted(exported.logs, "log"),
        counted(exported.captures, "capture"),
    ]
    line = f"wrote {output}: {', '.join(words)}, {exported.size_bytes} bytes"
    session.out.print(printable(line), markup=False, soft_wrap=True)
    for name in exported.missing:
        session.err.print(printable(f"gone, and not in the file: {name}"), markup=False, soft_wrap=True)


def _write_text(
    session: Session,
    configuration: Configuration,
    repository: Repository,
    run: int | None,
    chosen: ExportFormat,
    output: Path | None,
) -> None:
    from parity.flow.exchange.export_results import read_results  # noqa: PLC0415 - keeps --help fast
    from parity.printable import printable  # noqa: PLC0415
    from parity.whole_files import write_text  # noqa: PLC0415

    content = _writer(chosen)(read_results(configuration, repository, run))
    if output is None or output == Path("-"):
        sys.stdout.buffer.write(content.encode())
    else:
        write_text(content, output)
        session.out.print(printable(f"wrote {output}"), markup=False, soft_wrap=True)


def _writer(chosen: ExportFormat) -> Callable[[RunResults], str]:
    from parity.interchange.junit_writer import render_junit  # noqa: PLC0415 - keeps --help fast
    from parity.interchange.results_json import render_json  # noqa: PLC0415
    from parity.interchange.step_summary import render_summary  # noqa: PLC0415
    from parity.interchange.tap_writer import render_ktap, render_tap  # noqa: PLC0415

    return {
        ExportFormat.JUNIT: render_junit,
        ExportFormat.TAP: render_tap,
        ExportFormat.KTAP: render_ktap,
        ExportFormat.JSON: render_json,
        ExportFormat.SUMMARY: render_summary,
    }[chosen]
