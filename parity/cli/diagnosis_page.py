"""A diagnosis on a terminal: the verdict first, then what it rests on."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from rich.text import Text

from gdb.cpu_table import cpu_lines
from gdb.event_types import Names
from gdb.timeline_text import TimelineFilter, format_timeline
from parity.cli.table import print_table
from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from gdb.evidence import Evidence
    from parity.flow.diagnose import Examined

_CONFIDENCE_STYLES: Final = {
    "very-high": "bold red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "dim",
}


def show_diagnosis(out: Console, examined: Examined, *, events: int, frames: int) -> None:
    """Write everything."""
    diagnosis, capture = examined.diagnosis, examined.capture
    subject = capture.subject
    attempt = f" (attempt {examined.attempt.id})" if examined.attempt is not None else ""
    out.print(Text(f"{subject.test} on {subject.target}{attempt}", style="bold"), soft_wrap=True)
    confidence = diagnosis.confidence.value
    out.print(
        Text.assemble(
            (diagnosis.cause.value.replace("-", " "), _CONFIDENCE_STYLES[confidence]),
            f", {confidence.replace('-', ' ')} confidence",
        ),
        soft_wrap=True,
    )
    out.print(Text(f"  {printable(diagnosis.sentence)}", style="bold"), soft_wrap=True)
    _show_list(out, "evidence", diagnosis.evidence)
    _show_list(
        out,
        "less likely",
        (
            f"{other.cause.value} ({other.confidence.value}): {other.sentence}"
            for other in diagnosis.runners_up
        ),
    )
    _show_cpus(out, examined.evidence)
    if events:
        _show_events(out, examined.evidence, events)
    if frames:
        _show_stacks(out, examined.evidence, frames)
    _show_threads(out, examined.evidence)
    _show_list(out, "not known", diagnosis.missing)
    out.print()
    pause = f"; the guest stood still for {capture.pause_s * 1000:.0f} ms" if capture.pause_s else ""
    out.print(
        Text(
            f"capture: {examined.folder} (taken {subject.taken_at}, {capture.took_s:.1f} s{pause})",
            style="dim",
        ),
        soft_wrap=True,
    )


def trace_names(evidence: Evidence) -> Names:
    """Return what payloads are told with."""
    return Names(
        architecture=evidence.arch,
        system_calls={int(number): name for number, name in evidence.rules.system_calls.items()},
        locks=dict(enumerate(evidence.capture.lock_names)),
        threads={thread.id & 0xFFFF: thread.name for thread in evidence.capture.threads if thread.name},
    )


def _show_list(out: Console, title: str, lines: Iterable[str]) -> None:
    shown = [line for line in lines if line]
    if shown:
        out.print()
        out.print(Text(title, style="bold cyan"))
    for line in shown:
        out.print(Text(f"  - {printable(line)}"), soft_wrap=True)


def _show_cpus(out: Console, evidence: Evidence) -> None:
    lines = cpu_lines(evidence)
    if not lines:
        return
    out.print()
    print_table(
        out,
        ("CPU", "state", "level", "irqs", "at", "ticks", "tick age", "thread", "system call"),
        [
            (
                str(line.cpu),
                line.state,
                line.level,
                line.interrupts,
                line.place,
                line.ticks,
                line.tick_age,
                line.thread,
                line.call,
            )
            for line in lines
        ],
    )


def _show_events(out: Console, evidence: Evidence, count: int) -> None:
    if evidence.timeline is None or not len(evidence.timeline.events):
        return
    out.print()
    out.print(Text(f"last events of {len(evidence.timeline.events)}", style="bold cyan"))
    timeline = evidence.timeline
    since = -timeline.since_ns(int(timeline.events["time"][-count:][0]))
    lines = format_timeline(timeline, evidence.types, trace_names(evidence), TimelineFilter(since_ns=since))
    for line in deque(lines, maxlen=count):
        out.print(Text(f"  {printable_line(line)}"), soft_wrap=True)


def _show_stacks(out: Console, evidence: Evidence, depth: int) -> None:
    for cpu in evidence.cpus:
        if cpu.idle or cpu.offline or cpu.state is None or not cpu.state.frames:
            continue
        out.print()
        out.print(Text(f"CPU {cpu.cpu}", style="bold cyan"))
        for frame in cpu.state.frames[:depth]:
            source = f"  {frame.file}:{frame.line}" if frame.file and frame.line else ""
            name = frame.function or "?"
            out.print(
                Text(f"  #{frame.level:<2} {frame.address:#018x} {printable_line(name + source)}"),
                soft_wrap=True,
            )


def _show_threads(out: Console, evidence: Evidence) -> None:
    threads = evidence.capture.threads
    if not threads:
        return
    out.print()
    print_table(
        out,
        ("thread", "name", "state", "CPU", "waits for"),
        [
            (
                str(thread.id),
                thread.name or "-",
                thread.state,
                "-" if thread.cpu is None else str(thread.cpu),
                thread.waits_for or "-",
            )
            for thread in threads
        ],
    )
