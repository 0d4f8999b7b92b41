"""`parity trace`: what the CPUs of a captured guest did last, in the forms in which people read it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gdb.guest.memory import RecordedMemory
from gdb.trace.event_types import PROVIDER_NAMES, provider_name
from gdb.trace.perfetto_trace import CounterReading, perfetto_trace
from gdb.trace.timeline_page import timeline_page_data
from gdb.trace.timeline_text import TimelineFilter, choose, format_timeline
from gdb.trace.trace_validation import TraceState, read_indices, validate_trace
from gdb.trace.trace_validation import count_events as count_by_provider
from parity.errors import UnknownNameError, UsageError
from parity.flow.hang.diagnosis_json import describe_each
from parity.flow.hang.trace_page import render_trace_page
from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdb.evidence.evidence import Evidence
    from gdb.trace.timeline import Timeline
    from gdb.trace.trace_validation import Check
    from parity.flow.hang.diagnose import Examined

_MOMENT: Final = re.compile(r"-?(?P<number>[0-9]{1,12}(?:\.[0-9]{1,9})?) ?(?P<unit>ns|us|µs|ms|s)")
_UNITS_NS: Final = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def require_timeline(examined: Examined) -> Timeline:
    """Return the capture's merged timeline; raises `UsageError` where the kernel has no trace, with what was missing."""
    timeline = examined.evidence.timeline
    if timeline is None:
        missing = "; ".join(examined.capture.missing) or "the kernel has no trace rings that are known"
        raise UsageError(
            f"{examined.folder}: it has no trace: {missing}",
            hint="`hang.symbols` in parity.toml names the rings",
        )
    return timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are wanted, in the user's words; nothing said wants all."""

    cpus: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    providers: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    last: int | None = None

    def filter(self, evidence: Evidence) -> TimelineFilter:
        """Return the filter that the words mean. Raises `UsageError` for a name or a time that is none."""
        return TimelineFilter(
            cpus=frozenset(self.cpus),
            threads=frozenset(number & 0xFFFF for number in self.threads),
            providers=frozenset(map(_provider, self.providers)),
            types=frozenset(_type(evidence, name) for name in self.types),
            since_ns=_moment(self.since),
            until_ns=_moment(self.until),
        )


def trace_lines(examined: Examined, wanted: Wanted) -> Iterator[str]:
    """Yield the merged timeline, a printable line each."""
    markers = examined.byte_trace
    if examined.evidence.timeline is None and markers is not None:
        yield printable(f"byte trace, {markers.emitted} markers: {markers.text}")
        return
    timeline, evidence = require_timeline(examined), examined.evidence
    lines = format_timeline(timeline, evidence.types, evidence.names, wanted.filter(evidence))
    yield from (printable(line) for line in (deque(lines, wanted.last) if wanted.last else lines))


def describe_events(examined: Examined, wanted: Wanted) -> dict[str, object]:
    """Return the wanted events as JSON values, with each CPU's window and losses."""
    timeline, evidence = require_timeline(examined), examined.evidence
    chosen = timeline.events[choose(timeline, wanted.filter(evidence))]
    return {
        "hz": timeline.hz,
        "cpus": [
            {
                "cpu": ring.cpu,
                "written": ring.write_index,
                "lost": ring.overwritten,
                "window_start_ns": None
                if ring.window_start is None
                else -timeline.since_ns(ring.window_start),
                "notes": ring.notes,
            }
            for ring in timeline.rings
        ],
        "events": describe_each(evidence, chosen[-wanted.last :] if wanted.last else chosen),
    }


def count_events(examined: Examined) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return how many events of each provider each CPU's ring holds: a header, and a row a CPU."""
    timeline = require_timeline(examined)
    found = {(count.cpu, count.provider): count.count for count in count_by_provider(timeline)}
    providers = sorted({provider for _cpu, provider in found})
    rows = [
        (
            str(ring.cpu),
            *(str(found.get((ring.cpu, provider), 0)) for provider in providers),
            str(ring.write_index),
            str(ring.overwritten),
        )
        for ring in timeline.rings
        if ring.write_index
    ]
    return ("CPU", *map(provider_name, providers), "written", "overwritten"), rows


def validate(examined: Examined) -> tuple[Check, ...]:
    """Return the checks of a captured trace."""
    capture, timeline = examined.capture, require_timeline(examined)
    layout = capture.layout.rings if capture.layout is not None else None
    raw = RecordedMemory(capture.memory).read(layout.address, layout.size) if layout is not None else None
    return validate_trace(
        TraceState(
            timeline=timeline,
            providers=capture.providers,
            indices=read_indices(raw, layout) if raw is not None and layout is not None else (),
            enabled=capture.trace_enabled,
            cpu0_write_index=capture.cpu0_write_index,
        )
    )


def render_perfetto(examined: Examined, wanted: Wanted) -> bytes:
    """Return a trace file for ui.perfetto.dev."""
    timeline, evidence = require_timeline(examined), examined.evidence
    readings = [CounterReading(time=timeline.newest, counters=examined.capture.counters)]
    return perfetto_trace(timeline, evidence.types, evidence.names, wanted.filter(evidence), readings)


def render_page(examined: Examined, wanted: Wanted) -> str:
    """Return a page that shows every CPU's lane."""
    timeline, evidence, subject = require_timeline(examined), examined.evidence, examined.capture.subject
    title = f"{subject.test} on {subject.target}"
    return render_trace_page(
        timeline_page_data(
            timeline, evidence.types, evidence.names, title=title, wanted=wanted.filter(evidence)
        )
    )


def _provider(name: str) -> int:
    numbers = {known: number for number, known in PROVIDER_NAMES.items()}
    if name.lower() in numbers:
        return numbers[name.lower()]
    if re.fullmatch(r"0x[0-9a-fA-F]{1,2}|[0-9]{1,3}", name) and int(name, 0) < 256:
        return int(name, 0)
    raise UnknownNameError(kind="trace provider", name=name, known=numbers)


def _type(evidence: Evidence, name: str) -> int:
    known = {kind.name: number for number, kind in evidence.types.by_number.items()}
    if name.upper() not in known:
        raise UnknownNameError(kind="event type", name=name, known=known)
    number = known[name.upper()]
    return evidence.types.aliases.get(number, number)


def _moment(text: str | None) -> int | None:
    """Return a time before the end, in nanoseconds at or below 0."""
    if text is None:
        return None
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no time", hint="such as 5ms, 200us or 1.5s: before the last event")
    return -round(float(found["number"]) * _UNITS_NS[found["unit"]])
