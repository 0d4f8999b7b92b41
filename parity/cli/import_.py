"""`parity import FILE`: results that others recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from parity.cli.completion import complete_target
from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus
from parity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.campaign import ImportedCampaign
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.flow.exchange.import_file import ImportPlan, Wanted
    from parity.flow.exchange.import_store import StoredEntries, StoredRun
    from parity.flow.exchange.run_file import Imported

_NAMES_SHOWN: Final = 40


def import_command(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="JUnit XML, TAP, KTAP, a parity page kept by hand in Markdown, or a file of `parity export -f run`; "
            "its content says which.",
        ),
    ],
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="NAME",
            help="Whose results they are, where the file does not say it.",
            autocompletion=complete_target,
        ),
    ] = None,
    kernel_revision: Annotated[
        str | None,
        typer.Option("--kernel-revision", metavar="REV", help="The kernel's revision, for results files."),
    ] = None,
    started: Annotated[
        str | None,
        typer.Option(
            "--started",
            metavar="TIME",
            help="When the run began, such as 2026-11-21T14:30 (UTC), for results files that do not say it; else the "
            "file's own time counts.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what is in the file; store and write nothing.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit status 1 where a page contradicts itself.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over results: of another program, of another machine's parity, or of a page that was kept by hand.

    A page's runs, totals and passing tests become history, its decisions, work items and log become files in the
    plan's folder (a file that is there is never touched), and whatever in it contradicts itself is listed with its
    line. Tests are found by their exact names. The same file twice changes nothing.

    Exit status: 0 taken over, 1 it contradicts itself (with --strict), 2 usage or configuration.
    """
    from parity.flow.exchange.import_file import Format, sniff_format  # noqa: PLC0415 - keeps --help fast

    session: Session = context.obj
    configuration = session.configuration()
    kind = sniff_format(file)
    if kind is Format.RUN:
        if target or kernel_revision or started or dry_run:
            raise UsageError(
                f"{file} says all that itself, and is taken whole",
                hint="leave out --target, --kernel-revision, --started and --dry-run",
            )
        _import_runs(session, configuration, file, as_json=as_json)
        return
    plan = _make_plan(configuration, file, kind, _wanted(target, kernel_revision, started))
    runs, entries = _store(configuration, plan, dry_run=dry_run)
    if as_json:
        sys.stdout.write(json.dumps(_describe(plan, runs, entries, dry_run=dry_run), indent=2) + "\n")
    else:
        _show(session, plan, runs, entries, dry_run=dry_run)
    if strict and plan.findings:
        raise typer.Exit(ExitStatus.TESTS_FAILED)


def _wanted(target: str | None, revision: str | None, started: str | None) -> Wanted:
    from parity.flow.exchange.import_file import Wanted, parse_moment  # noqa: PLC0415 - keeps --help fast

    return Wanted(
        target=target,
        started_at=None if started is None else parse_moment(started),
        revision=revision,
    )


def _make_plan(configuration: Configuration, file: Path, kind: str, wanted: Wanted) -> ImportPlan:
    from datetime import UTC, datetime  # noqa: PLC0415 - keeps --help fast

    from parity.flow.exchange.import_file import Format, refuse_future  # noqa: PLC0415
    from parity.flow.exchange.import_page import plan_page  # noqa: PLC0415
    from parity.flow.exchange.import_results import plan_results  # noqa: PLC0415

    if kind == Format.PAGE:
        plan = plan_page(configuration, file, wanted)
    else:
        plan = plan_results(configuration, file, Format(kind), wanted)
    refuse_future(plan, datetime.now(UTC))
    return plan


def _store(
    configuration: Configuration, plan: ImportPlan, *, dry_run: bool
) -> tuple[tuple[StoredRun, ...], StoredEntries]:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.exchange.import_store import StoredEntries, store_entries, store_runs  # noqa: PLC0415

    if dry_run:
        return (), StoredEntries()
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        runs = store_runs(repository, plan)
    return runs, store_entries(configuration.root / configuration.kernel.plan, plan, runs)


def _show(
    session: Session,
    plan: ImportPlan,
    runs: Sequence[StoredRun],
    entries: StoredEntries,
    *,
    dry_run: bool,
) -> None:
    from parity.flow.exchange.import_store import entry_path  # noqa: PLC0415 - keeps --help fast
    from parity.printable import printable  # noqa: PLC0415
    from parity.words import first_few  # noqa: PLC0415

    lines = [*(_say_run(run.campaign, run) for run in runs)]
    if dry_run:
        lines += (_say_run(campaign, None) for campaign in plan.campaigns)
        lines += (f"line {planned.line}: would write {entry_path(planned)}" for planned in plan.entries)
    lines += (
        f"{plan.source} takes run {run.number} for the baseline; to do the same: parity baseline pin default {run.number}"
        for run in runs
        if run.is_new and run.campaign.identity == plan.baseline
    )
    lines += (f"wrote {file}" for file in entries.written)
    lines += (f"{file} is there with other words, and stays as it is" for file in entries.kept)
    lines += (f"left out: {sentence}" for sentence in entries.refused)
    if plan.unknown:
        lines.append(f"not in parity.toml, and left out: {first_few(plan.unknown, _NAMES_SHOWN)}")
    lines += plan.notes
    if plan.findings:
        lines += ("", f"{plan.source} contradicts itself:")
        lines += (f"  line {found.line}: {found.kind}: {found.sentence}" for found in plan.findings)
    for line in lines:
        session.out.print(printable(line), markup=False, soft_wrap=True)


def _say_run(campaign: ImportedCampaign, run: StoredRun | None) -> str:
    """Return what a campaign is, and what became of it."""
    from parity.words import counted  # noqa: PLC0415 - keeps --help fast

    if run is None:
        became = "would store"
    else:
        became = f"stored as run {run.number}:" if run.is_new else f"known already, as run {run.number}:"
    totals = "".join(f", {total.passed}/{total.total} on {total.target}" for total in campaign.totals)
    results = f"{counted(len(campaign.attempts), 'result')} of single tests"
    return f"{became} {campaign.started_at:%Y-%m-%d %H:%M UTC}{totals}, {results}"


def _describe(
    plan: ImportPlan, runs: Sequence[StoredRun], entries: StoredEntries, *, dry_run: bool
) -> dict[str, object]:
    stored = runs or (None,) * len(plan.campaigns)
    return {
        "format": plan.format,
        "source": plan.source,
        "dry_run": dry_run,
        "runs": [
            {
                "run": None if run is None else run.number,
                "new": None if run is None else run.is_new,
                "started_at": campaign.started_at.isoformat(),
                "results": len(campaign.attempts),
                "totals": {total.target: [total.passed, total.total] for total in campaign.totals},
            }
            for campaign, run in zip(plan.campaigns, stored, strict=True)
        ],
        "entries": {
            "written": [str(file) for file in entries.written],
            "unchanged": [str(file) for file in entries.unchanged],
            "kept": [str(file) for file in entries.kept],
            "refused": list(entries.refused),
        },
        "unknown_tests": list(plan.unknown),
        "notes": list(plan.notes),
        "contradictions": [
            {"line": found.line, "kind": found.kind, "sentence": found.sentence} for found in plan.findings
        ],
    }


def _import_runs(session: Session, configuration: Configuration, file: Path, *, as_json: bool) -> None:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.exchange.run_file import import_runs  # noqa: PLC0415

    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        imported = import_runs(repository, file)
    if as_json:
        sys.stdout.write(json.dumps(_describe_runs(file, imported), indent=2) + "\n")
        return
    for line in _say_runs(imported):
        session.out.print(line, markup=False, soft_wrap=True)


def _say_runs(imported: Imported) -> list[str]:
    from parity.words import counted  # noqa: PLC0415 - keeps --help fast

    lines = []
    for run in imported.runs:
        there = f"run {run.number_there} of the file"
        if run.is_new:
            lines.append(f"{there} is run {run.number} here: {counted(run.attempts, 'attempt')}")
        else:
            lines.append(f"{there} is known already, as run {run.number}: nothing changes")
        if run.attempts_there > run.attempts:
            lines.append(f"  the file has {run.attempts_there} attempts of it: it was resumed since")
    lines += (f"baseline {name} came with it" for name in imported.baselines)
    lines += (f"baseline {name} is another run here, and stays so" for name in imported.baselines_kept)
    if imported.missing_logs:
        lines.append(f"the file lacks {counted(imported.missing_logs, 'log')} that it names")
    return lines


def _describe_runs(file: Path, imported: Imported) -> dict[str, object]:
    return {
        "format": "run",
        "source": file.name,
        "runs": [
            {
                "run": run.number,
                "run_there": run.number_there,
                "new": run.is_new,
                "attempts": run.attempts,
                "attempts_there": run.attempts_there,
            }
            for run in imported.runs
        ],
        "baselines": list(imported.baselines),
        "baselines_kept": list(imported.baselines_kept),
        "missing_logs": imported.missing_logs,
    }
