"""A diagnosis as a person reads it: the verdict first, then what it rests on. Lines and rows; the CLI prints them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.evidence.cpu_table import cpu_lines
from gdb.trace.timeline_text import TimelineFilter, format_timeline
from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdb.evidence.evidence import Evidence
    from gdb.guest.cpu_state import Frame
    from parity.flow.hang.diagnose import Examined

CPU_HEADER: Final = ("CPU", "state", "level", "irqs", "at", "ticks", "tick age", "thread", "system call")
THREAD_HEADER: Final = ("thread", "name", "state", "CPU", "waits for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, and lines below it."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisPage:
    """Everything that is shown; all text in it is printable."""

    title: str
    evidence: tuple[Section, ...]
    """What the verdict rests on, and what else was considered."""
    cpus: tuple[tuple[str, ...], ...]
    """Rows under `CPU_HEADER`."""
    details: tuple[Section, ...]
    """Last events, then the stack of each CPU that does not idle."""
    threads: tuple[tuple[str, ...], ...]
    """Rows under `THREAD_HEADER`."""
    missing: Section
    origin: str
    """Where the capture is, and how it was taken."""


def make_page(examined: Examined, *, events: int, frames: int) -> DiagnosisPage:
    """Return the page, with so many of the last events and of each stack's innermost frames."""
    diagnosis, capture, evidence = examined.diagnosis, examined.capture, examined.evidence
    subject = capture.subject
    attempt = f" (attempt {examined.attempt.id})" if examined.attempt is not None else ""
    pause = f"; the guest stood still for {capture.pause_s * 1000:.0f} ms" if capture.pause_s else ""
    likely = (f"{other.cause} ({other.confidence}): {other.sentence}" for other in diagnosis.runners_up)
    return DiagnosisPage(
        title=printable_line(f"{subject.test} on {subject.target}{attempt}"),
        evidence=(_section("evidence", diagnosis.evidence), _section("less likely", likely)),
        cpus=tuple(
            (
                *(str(line.cpu), line.state, line.level, line.interrupts, line.place),
                *(line.ticks, line.tick_age, line.thread, line.call),
            )
            for line in cpu_lines(evidence)
        ),
        details=(_last_events(evidence, events), _markers(examined), *_stacks(evidence, frames)),
        threads=tuple(
            (
                *(str(thread.id), thread.name or "-", thread.state),
                *("-" if thread.cpu is None else str(thread.cpu), thread.waits_for or "-"),
            )
            for thread in capture.threads
        ),
        missing=_section("not known", diagnosis.missing),
        origin=f"capture: {examined.folder} (taken {subject.taken_at}, {capture.took_s:.1f} s{pause})",
    )


def _section(title: str, lines: Iterable[str]) -> Section:
    return Section(title=title, lines=tuple(printable(line) for line in lines if line))


def _last_events(evidence: Evidence, count: int) -> Section:
    timeline = evidence.timeline
    if not count or timeline is None or not len(timeline.events):
        return Section(title="", lines=())
    since = -timeline.since_ns(int(timeline.events["time"][-count:][0]))
    lines = format_timeline(timeline, evidence.types, evidence.names, TimelineFilter(since_ns=since))
    return _section(f"last {count} events of {len(timeline.events)}", deque(lines, maxlen=count))


def _markers(examined: Examined) -> Section:
    """Return the older trace's bytes: the first ones that were ever put into it."""
    trace = examined.byte_trace
    if trace is None or not trace.emitted:
        return Section(title="", lines=())
    more = (f"{trace.missing} more came when it was full",) if trace.missing else ()
    return _section(f"byte trace, {trace.emitted} markers", (trace.text, *more))


def _stacks(evidence: Evidence, depth: int) -> tuple[Section, ...]:
    return tuple(
        _section(f"CPU {cpu.cpu}", map(_frame, cpu.state.frames[:depth]))
        for cpu in evidence.cpus
        if depth and cpu.state is not None and cpu.state.frames and not (cpu.idle or cpu.offline)
    )


def _frame(frame: Frame) -> str:
    source = f"  {frame.file}:{frame.line}" if frame.file and frame.line else ""
    return f"#{frame.level:<2} {frame.address:#018x} {frame.function or '?'}{source}"
