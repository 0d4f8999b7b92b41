"""The Typer application: its commands, in the order in which a newcomer meets them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from parity.cli.baseline import baseline_application
from parity.cli.compare import compare_command
from parity.cli.db import db_application
from parity.cli.debug import debug_command
from parity.cli.diagnose import diagnose_command
from parity.cli.export import export_command
from parity.cli.gate import gate_command
from parity.cli.history import history_command
from parity.cli.import_ import import_command
from parity.cli.interpreter import collect_rarely
from parity.cli.judge import judge_command
from parity.cli.list import list_command
from parity.cli.plan import plan_application
from parity.cli.report import report_command
from parity.cli.run import run_command
from parity.cli.session import ExitStatus, open_session
from parity.cli.show import show_command
from parity.cli.status import status_command
from parity.cli.stress import stress_command
from parity.cli.trace import trace_command
from parity.errors import ParityError, UsageError

application = typer.Typer(
    name="parity",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Boot a kernel on two architectures in QEMU, run its userspace tests, and say where the port stands.\n\n"
        "Exit status: 0 all as wanted, 1 tests failed, 2 usage or configuration, 3 the harness or QEMU failed."
    ),
)
application.command("run")(run_command)
application.command("stress")(stress_command)
application.command("status")(status_command)
application.command("show")(show_command)
application.command("history")(history_command)
application.command("compare")(compare_command)
application.command("gate")(gate_command)
application.command("list")(list_command)
application.command("report")(report_command)
application.add_typer(plan_application, name="plan")
application.command("diagnose")(diagnose_command)
application.command("trace")(trace_command)
application.command("debug")(debug_command)
application.command("judge")(judge_command)
application.command("export")(export_command)
application.command("import")(import_command)
application.add_typer(baseline_application)
application.add_typer(db_application)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"parity {_read_version()}\n")
        raise typer.Exit


def _read_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow to import, rarely needed

    try:
        return version("parity")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"


@application.callback()
def _global_options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", help="parity.toml to use, instead of the nearest one upward."
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = open_session(config)


def main() -> None:
    """Run the command line; a `ParityError` becomes a message and an exit status, never a traceback."""
    collect_rarely()
    try:
        application()
    except ParityError as error:
        open_session(None).tell_error(error)
        sys.exit(ExitStatus.USAGE if isinstance(error, UsageError) else ExitStatus.HARNESS)
    except KeyboardInterrupt:  # commands that have something to keep tell it themselves
        sys.exit(ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away (| head): not worth a word
        sys.exit(ExitStatus.AS_WANTED)
