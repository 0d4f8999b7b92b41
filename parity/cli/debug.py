"""`parity debug`: a stuck machine, held for a person with a debugger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from parity.cli.completion import complete_target
from parity.cli.options import Test  # noqa: TC001 - Typer reads it at run time
from parity.cli.session import ExitStatus
from parity.errors import UsageError

if TYPE_CHECKING:
    from parity.cli.session import Session
    from parity.flow.campaign.debug import HeldMachine

_POLL_S: Final = 0.2


def debug_command(
    context: typer.Context,
    test: Test,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="NAME",
            help="Where to run it; the port.",
            autocompletion=complete_target,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.1, max=86400, metavar="S", help="Seconds until it counts as stuck."),
    ] = None,
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Run the target's build commands first.")
    ] = True,
    gdb: Annotated[
        bool,
        typer.Option("--gdb", help="Start GDB here, instead of printing the command for another terminal."),
    ] = False,
) -> None:
    """Run one test; where it gets stuck, stop its machine and leave it to you and GDB.

    The machine stands still at the moment at which it was given up, with symbols ready. Ctrl-C (or the end of GDB)
    ends it. Nothing is recorded but the capture.

    Exit status: 0 the machine was held, 1 the test ended and there was nothing to hold, 2 usage or configuration,
    3 the harness or QEMU failed.
    """
    from parity.cli.progress import open_observer  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.debug import debug_test  # noqa: PLC0415
    from parity.flow.campaign.selection import select_machine  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    (known,) = configuration.select_tests([test])
    if gdb and not sys.stdin.isatty():
        raise UsageError("--gdb needs a terminal", hint="leave it out, and run the printed command in one")
    held: list[HeldMachine] = []

    def hold(machine: HeldMachine) -> None:
        held.append(machine)
        _show(session, machine)
        if gdb:
            _run_in_terminal(machine)
        else:
            _wait(session, machine)

    name = select_machine(configuration, target)
    session.err.print(f"{known} on {name}: running until it is stuck", markup=False)
    with open_observer(session.err, quiet=True) as observer:
        attempt = debug_test(
            configuration,
            test=known,
            target=name,
            timeout_s=timeout,
            build=build,
            observer=observer,
            hold=hold,
        )
    if held:
        return
    if attempt is not None:
        session.out.print(
            f"{known} on {name} ended: {attempt.verdict.outcome}: {attempt.verdict.evidence[0]}",
            markup=False,
            soft_wrap=True,
        )
    raise typer.Exit(ExitStatus.TESTS_FAILED)


def _show(session: Session, machine: HeldMachine) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.printable import printable  # noqa: PLC0415

    out = session.out
    if machine.hang is not None:
        diagnosis = machine.hang.diagnosis
        out.print(Text(printable(diagnosis.sentence), style="bold"), soft_wrap=True)
        out.print(
            Text(
                f"{diagnosis.cause}, {diagnosis.confidence} confidence; capture: {machine.hang.folder}",
                style="dim",
            ),
            soft_wrap=True,
        )
    out.print(f"QEMU (process {machine.pid}) stands still. Attach with:", markup=False)
    out.print()
    out.print(Text(f"  {machine.shell_line}"), soft_wrap=True)
    out.print()


def _wait(session: Session, machine: HeldMachine) -> None:
    session.out.print("Ctrl-C ends the machine.", markup=False)
    while machine.is_running() and not machine.wait(_POLL_S):
        pass


def _run_in_terminal(machine: HeldMachine) -> None:
    """Run GDB as a shell runs a job: in a process group of its own that the terminal belongs to meanwhile."""
    terminal = sys.stdin.fileno()
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    process = subprocess.Popen(machine.gdb_command, process_group=0)
    try:
        os.tcsetpgrp(terminal, process.pid)
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.tcsetpgrp(terminal, os.getpgrp())
        signal.signal(signal.SIGTTOU, before)
