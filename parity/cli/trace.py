"""`parity trace`: the last events of every CPU of a captured guest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import AsJson, Capture, CaptureTarget  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus
from parity.errors import UsageError

if TYPE_CHECKING:
    from parity.cli.session import Session
    from parity.flow.hang.diagnose import Examined
    from parity.flow.hang.trace import Wanted


def trace_command(
    context: typer.Context,
    what: Capture = None,
    target: CaptureTarget = None,
    cpu: Annotated[
        list[int] | None, typer.Option("--cpu", metavar="N", min=0, help="Only this CPU (repeatable).")
    ] = None,
    thread: Annotated[
        list[int] | None, typer.Option("--thread", metavar="ID", min=0, help="Only this thread (repeatable).")
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(
            "--provider",
            metavar="NAME",
            help="Only context, irq, sched, syscall, memory, lock ... (repeatable).",
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="NAME", help="Only this type, such as SYSCALL_ENTRY (repeatable)."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Not older than this before the end: 5ms, 1.5s."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Not newer than this before the end.")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--last", "-n", min=1, metavar="N", help="Only the last N lines.")
    ] = None,
    validate: Annotated[
        bool,
        typer.Option("--validate", help="Check the trace itself: order, losses, buffers, silent providers."),
    ] = False,
    perfetto: Annotated[
        Path | None, typer.Option("--perfetto", metavar="FILE", help="Write a trace for ui.perfetto.dev.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with a lane for every CPU.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what every CPU did last, merged by time, from a capture; starts no machine.

    Times are before the last event. `LOST n` says how many older events a CPU's ring no longer holds.

    Exit status: 0, or 1 when --validate finds a fault, 2 usage or configuration.
    """
    from parity.flow.hang.diagnose import examine_saved  # noqa: PLC0415 - keeps --help fast
    from parity.flow.hang.trace import Wanted, render_page, render_perfetto  # noqa: PLC0415

    session: Session = context.obj
    examined = examine_saved(session.configuration(), what, target=target)
    wanted = Wanted(
        cpus=tuple(cpu or ()),
        threads=tuple(thread or ()),
        providers=tuple(provider or ()),
        types=tuple(event or ()),
        since=since,
        until=until,
        last=last,
    )
    if perfetto is not None:
        _write(session, perfetto, render_perfetto(examined, wanted))
    if html is not None:
        _write(session, html, render_page(examined, wanted).encode())
    if validate:
        raise typer.Exit(_validate(session, examined, as_json=as_json))
    if perfetto is None and html is None:
        _show(session, examined, wanted, as_json=as_json)


def _write(session: Session, file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error
    session.err.print(f"wrote {file} ({len(content):,} bytes)", markup=False, soft_wrap=True)


def _show(session: Session, examined: Examined, wanted: Wanted, *, as_json: bool) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.flow.hang.trace import describe_events, trace_lines  # noqa: PLC0415

    if as_json:
        sys.stdout.write(json.dumps(describe_events(examined, wanted), indent=1) + "\n")
        return
    for line in trace_lines(examined, wanted):
        session.out.print(Text(line), soft_wrap=True)


def _validate(session: Session, examined: Examined, *, as_json: bool) -> ExitStatus:
    from parity.cli.table import print_table  # noqa: PLC0415 - keeps --help fast
    from parity.flow.hang.trace import count_events, validate  # noqa: PLC0415

    checks, (header, rows) = validate(examined), count_events(examined)
    failed = any(check.failed for check in checks)
    if as_json:
        shown = {
            "checks": [
                {"name": check.name, "standing": check.standing, "sentence": check.sentence}
                for check in checks
            ],
            "events": [dict(zip(header, row, strict=True)) for row in rows],
        }
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        print_table(session.out, ("check", "", ""), [(c.name, c.standing, c.sentence) for c in checks])
        session.out.print()
        print_table(session.out, header, rows)
    return ExitStatus.TESTS_FAILED if failed else ExitStatus.AS_WANTED
