"""`parity plan`: the decisions, work items and log entries that people keep beside parity.toml."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import typer

from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time
from parity.errors import DatabaseError, UsageError
from parity.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from db import Repository
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.document.work import WorkProgress
    from parity.planning import Plan, WorkItem

    Progress = Mapping[str, WorkProgress]
    """How far work items are, by their ids."""

plan_application = typer.Typer(
    no_args_is_help=True,
    help=(
        "Check or list the plan that people keep in the folder plan/ (kernel.plan in parity.toml): one Markdown file "
        "with front matter for each decision, work item and log entry. docs/document.md has the fields."
    ),
)


@plan_application.command("check")
def plan_check_command(context: typer.Context) -> None:
    """Check every entry, and what entries say of one another, of tests and of runs; change nothing.

    All faults are told at once, each with its file and line. Exit status: 0 none, 2 any.
    """
    from parity.flow.document.planning import read_checked_plan  # noqa: PLC0415 - keeps --help fast

    session: Session = context.obj
    configuration = session.configuration()
    with _results(configuration) as repository:
        plan = read_checked_plan(configuration, repository)
    counts = (
        counted(len(plan.decisions), "decision"),
        counted(len(plan.work), "work item"),
        counted(len(plan.log), "log entry"),
    )
    session.out.print(f"the plan is consistent: {', '.join(counts)}")


@plan_application.command("list")
def plan_list_command(context: typer.Context, as_json: AsJson = False) -> None:
    """List the entries: decisions, work by priority with how far the results say it is, the log newest first.

    Exit status: 0 listed, 2 the plan is faulty.
    """
    session: Session = context.obj
    plan, progress = _read(session.configuration())
    if as_json:
        sys.stdout.write(json.dumps(_describe(plan, progress), indent=2) + "\n")
    else:
        _show(session, plan, progress)


def _read(configuration: Configuration) -> tuple[Plan, Progress]:
    """Return the plan, and how far each work item is by its id; nothing of that before the first run."""
    from parity.document import build_document  # noqa: PLC0415 - keeps --help fast
    from parity.flow.document.planning import read_checked_plan  # noqa: PLC0415
    from parity.flow.document.report import read_history  # noqa: PLC0415

    with _results(configuration) as repository:
        if repository is None:
            return read_checked_plan(configuration, None), {}
        document = build_document(read_history(configuration, repository))
    return document.plan, {work.item.id: work for work in document.work}


@contextmanager
def _results(configuration: Configuration) -> Iterator[Repository | None]:
    """Open the results database; None where nothing was run yet."""
    from db import open_repository  # noqa: PLC0415 - keeps --help fast

    with ExitStack() as stack:
        repository: Repository | None
        try:
            repository = stack.enter_context(
                open_repository(configuration.database_url, configuration.state_folder, create=False)
            )
        except DatabaseError:
            raise
        except UsageError:  # nothing was run yet
            repository = None
        yield repository


def _describe(plan: Plan, progress: Progress) -> dict[str, object]:
    return {
        "decisions": [
            {
                "id": decision.id,
                "title": decision.title,
                "date": decision.date.isoformat(),
                "status": decision.status,
                "superseded_by": decision.superseded_by,
                "file": decision.place.file,
            }
            for decision in plan.decisions
        ],
        "work": [
            {
                "id": item.id,
                "title": item.title,
                "priority": item.priority,
                "effort": item.effort or None,
                "unblocks": {
                    "tests": item.unblocks.tests,
                    "errors": item.unblocks.errors,
                    "causes": item.unblocks.causes,
                },
                "state": item.state,
                **_describe_progress(progress.get(item.id)),
                "file": item.place.file,
            }
            for item in plan.work
        ],
        "log": [
            {
                "date": entry.date.isoformat(),
                "title": entry.title,
                "run": entry.run,
                "file": entry.place.file,
            }
            for entry in plan.log
        ],
    }


def _show(session: Session, plan: Plan, progress: Progress) -> None:
    from parity.cli.table import print_table  # noqa: PLC0415 - keeps --help fast

    print_table(
        session.out,
        ("id", "kind", "order", "what", "status", "file"),
        [
            *(
                (entry.id, "decision", entry.date.isoformat(), entry.title, entry.status, entry.place.file)
                for entry in plan.decisions
            ),
            *(
                (item.id, "work", str(item.priority), item.title, _status(item, progress), item.place.file)
                for item in plan.work
            ),
            *(
                ("-", "log", entry.date.isoformat(), entry.title, _run(entry.run), entry.place.file)
                for entry in plan.log
            ),
        ],
    )


def _describe_progress(work: WorkProgress | None) -> dict[str, object]:
    if work is None:
        return {"status": None, "tests": (), "left": (), "done_in": None}
    return {
        "status": work.status,
        "tests": work.tests,
        "left": work.left,
        "done_in": work.done_in.number if work.done_in else None,
    }


def _status(item: WorkItem, progress: Progress) -> str:
    """Return how far an item is, such as `in progress, 2 of 10 tests`."""
    work = progress.get(item.id)
    if work is None:
        return item.state or "no results yet"
    if work.done_in:
        return f"{work.status} in run {work.done_in.number}"
    if not work.tests:
        return work.status
    return f"{work.status}, {work.freed} of {counted(len(work.tests), 'test')}"


def _run(number: int | None) -> str:
    return f"run {number}" if number is not None else "-"
