"""`parity plan`: the decisions, work items and log entries that people keep beside parity.toml."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time
from parity.errors import DatabaseError, UsageError
from parity.words import counted

if TYPE_CHECKING:
    from db import Repository
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.planning import Plan, WorkItem

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
    session: Session = context.obj
    plan = _read(session.configuration())
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
    plan = _read(session.configuration())
    if as_json:
        sys.stdout.write(json.dumps(_describe(plan), indent=2) + "\n")
    else:
        _show(session, plan)


def _read(configuration: Configuration) -> Plan:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.planning import read_checked_plan  # noqa: PLC0415

    with ExitStack() as stack:
        opened = open_repository(configuration.database_url, configuration.state_folder, create=False)
        repository: Repository | None
        try:
            repository = stack.enter_context(opened)
        except DatabaseError:
            raise
        except UsageError:  # nothing was run yet
            repository = None
        return read_checked_plan(configuration, repository)


def _describe(plan: Plan) -> dict[str, object]:
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


def _show(session: Session, plan: Plan) -> None:
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
                (item.id, "work", str(item.priority), item.title, _state(item), item.place.file)
                for item in plan.work
            ),
            *(
                ("-", "log", entry.date.isoformat(), entry.title, _run(entry.run), entry.place.file)
                for entry in plan.log
            ),
        ],
    )


def _state(item: WorkItem) -> str:
    return item.state or "as the results say"


def _run(number: int | None) -> str:
    return f"run {number}" if number is not None else "-"
