"""A timeline as a trace file that ui.perfetto.dev opens.

Perfetto's TrackEvent format (perfetto.dev/docs/reference/synthetic-track-event): descriptors of tracks, then events
on them. A track's slices are sorted and do not overlap; each has its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket, TrackDescriptor, TrackEvent

from gdb.trace.event_types import Event, Names, thread_name
from gdb.trace.spans import CallSpan, CallState, call_spans, running_spans
from gdb.trace.system_calls import result_name, system_call_name
from gdb.trace.timeline_text import EVERYTHING, TimelineFilter, choose, describe_marks
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gdb.trace.counters import Counter
    from gdb.trace.event_types import EventTypes
    from gdb.trace.timeline import Timeline

_SEQUENCE: Final = 1
_CPUS, _THREADS, _COUNTERS = 1, 2, 3
"""Process numbers and identifiers of the groups, which Perfetto shows as processes."""
_CPU_TRACKS: Final = 0x1_0000
_THREAD_TRACKS: Final = 0x10_0000
_COUNTER_TRACKS: Final = 0x100_0000

_OF_CPUS: Final = frozenset({0x00, 0x01, 0x02})
"""Providers that speak of a CPU, not of what its thread does: context, irq, sched."""
_IN_SLICES: Final = (Event.CTX_SWITCH_ENTRY, Event.CTX_SWITCH_EXIT, Event.SYSCALL_ENTRY, Event.SYSCALL_EXIT)
"""Shown as the begin or end of a slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReading:
    """What the counters were at a time, in ticks."""

    time: int
    counters: tuple[Counter, ...]


def perfetto_trace(
    timeline: Timeline,
    types: EventTypes,
    names: Names | None = None,
    wanted: TimelineFilter = EVERYTHING,
    readings: Sequence[CounterReading] = (),
) -> bytes:
    """Return the trace file: a track for each CPU with what it ran, and one for each thread with its system calls.

    Times are nanoseconds from the first event; where the timeline has no frequency a tick counts as one, and the
    groups' names say so.
    """
    writer = _Writer(timeline, types, names or Names(), wanted)
    writer.add_running()
    writer.add_calls()
    writer.add_instants()
    writer.add_windows()
    writer.add_readings(readings)
    return writer.finish()


class _Writer:
    """Collects a trace's packets."""

    def __init__(self, timeline: Timeline, types: EventTypes, names: Names, wanted: TimelineFilter) -> None:
        self._timeline, self._types, self._names, self._wanted = timeline, types, names, wanted
        first = int(timeline.events["time"][0]) if len(timeline.events) else 0
        self._start_ns = -timeline.since_ns(first)
        self._idle = timeline.idle_threads
        self._tracks: dict[int, TrackDescriptor] = {}
        self._packets: list[tuple[int, TracePacket]] = []

    def finish(self) -> bytes:
        """Return the file: tracks first, then the events by time, those of one time in the order given."""
        trace = Trace()
        for descriptor in self._tracks.values():
            packet = trace.packet.add(trusted_packet_sequence_id=_SEQUENCE)
            packet.track_descriptor.CopyFrom(descriptor)
        if trace.packet:
            trace.packet[0].sequence_flags = TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        trace.packet.extend(packet for _, packet in sorted(self._packets, key=lambda item: item[0]))
        serialized: bytes = trace.SerializeToString()
        return serialized

    def add_running(self) -> None:
        """Show on each CPU's track which thread it runs."""
        for start, end, cpu, thread in running_spans(self._timeline).tolist():
            if self._is_outside(start, end) or not self._wants_cpu(cpu):
                continue
            if self._wanted.threads and thread not in self._wanted.threads:
                continue
            self._slice(self._cpu_track(cpu), (start, end), self._runner_name(thread), "running")

    def add_calls(self) -> None:
        """Show on each thread's track its system calls."""
        for call in call_spans(self._timeline):
            if self._is_outside(call.start, call.end) or not self._wants_cpu(call.cpu):
                continue
            if self._wanted.threads and call.thread not in self._wanted.threads:
                continue
            name = system_call_name(self._names.architecture, call.number, self._names.system_calls)
            notes = {"number": call.number, "entered on CPU": call.cpu} | _outcome_notes(call)
            if call.state in (CallState.UNFINISHED, CallState.DOUBTFUL):
                name += f" ({call.state.value})"
            self._slice(
                self._thread_track(call.thread, call.cpu), (call.start, call.end), name, "syscall", notes
            )

    def add_instants(self) -> None:
        """Show everything that is not part of a slice as a moment, on its CPU's or its thread's track."""
        chosen = choose(self._timeline, self._wanted)
        chosen &= ~np.isin(self._timeline.events["event_type"], _IN_SLICES)
        for event in self._timeline.events[chosen]:
            number, cpu, thread = int(event["event_type"]), int(event["cpu"]), int(event["thread"])
            payload = int(event["payload"])
            of_cpu = number >> 8 in _OF_CPUS or thread < 0 or thread in self._idle
            track = self._cpu_track(cpu) if of_cpu else self._thread_track(thread, cpu)
            notes: dict[str, int | str] = {"payload": payload, "CPU": cpu, "sequence": int(event["sequence"])}
            notes["says"] = self._types.describe_payload(number, payload, self._names)
            notes["doubtful"] = describe_marks(int(event["marks"]))
            self._instant(
                track, int(event["time"]), self._types.name(number), self._types.provider(number), notes
            )

    def add_windows(self) -> None:
        """Say where each CPU's window starts, if something was lost before."""
        for loss in self._timeline.losses:
            if self._wants_cpu(loss.cpu) and not self._is_outside(loss.window_start, loss.window_start):
                track = self._cpu_track(loss.cpu)
                self._instant(track, loss.window_start, f"LOST {loss.count}, window starts", "window", {})

    def add_readings(self, readings: Sequence[CounterReading]) -> None:
        """Show the counters, each on a track of its own."""
        numbers: dict[str, int] = {}
        for reading in readings:
            for counter in reading.counters:
                number = numbers.setdefault(counter.name, len(numbers))
                packet = self._packet(self._counter_track(number, counter.name), reading.time)
                packet.track_event.type = TrackEvent.TYPE_COUNTER
                packet.track_event.counter_value = counter.total & (1 << 63) - 1

    def _slice(
        self,
        track: int,
        span: tuple[int, int],
        name: str,
        category: str,
        notes: Mapping[str, int | str] | None = None,
    ) -> None:
        start, end = span
        event = self._packet(track, start).track_event
        event.type = TrackEvent.TYPE_SLICE_BEGIN
        event.name = name
        event.categories.append(category)
        _annotate(event, notes or {})
        self._packet(track, max(start, end)).track_event.type = TrackEvent.TYPE_SLICE_END

    def _instant(
        self, track: int, time: int, name: str, category: str, notes: Mapping[str, int | str]
    ) -> None:
        event = self._packet(track, time).track_event
        event.type = TrackEvent.TYPE_INSTANT
        event.name = name
        event.categories.append(category)
        _annotate(event, notes)

    def _packet(self, track: int, time: int) -> Any:
        moment = max(0, -self._timeline.since_ns(time) - self._start_ns)
        packet = TracePacket(timestamp=moment, trusted_packet_sequence_id=_SEQUENCE)
        packet.track_event.track_uuid = track
        self._packets.append((moment, packet))
        return packet

    def _is_outside(self, start: int, end: int) -> bool:
        """Whether something that lasts from `start` to `end`, in ticks, is not wanted for its time."""
        since, until = self._wanted.since_ns, self._wanted.until_ns
        return (since is not None and -self._timeline.since_ns(end) < since) or (
            until is not None and -self._timeline.since_ns(start) > until
        )

    def _wants_cpu(self, cpu: int) -> bool:
        return not self._wanted.cpus or cpu in self._wanted.cpus

    def _runner_name(self, thread: int) -> str:
        if thread < 0:
            return "unknown thread"
        return "idle" if thread in self._idle else thread_name(thread, self._names)

    def _cpu_track(self, cpu: int) -> int:
        return self._track(_CPU_TRACKS + cpu, f"CPU {cpu}", _CPUS, rank=cpu)

    def _thread_track(self, thread: int, cpu: int) -> int:
        if thread < 0:
            return self._track(
                _THREAD_TRACKS + 0x1_0000 + cpu, f"unknown thread on CPU {cpu}", _THREADS, rank=0x1_0000 + cpu
            )
        name = thread_name(thread, self._names)
        return self._track(_THREAD_TRACKS + thread, name, _THREADS, rank=thread)

    def _counter_track(self, number: int, name: str) -> int:
        track = self._track(_COUNTER_TRACKS + number, printable_line(name, limit=64), _COUNTERS, rank=number)
        self._tracks[track].counter.unit_name = "count"
        return track

    def _track(self, uuid: int, name: str, group: int, *, rank: int) -> int:
        """Return a track's identifier; the first time, describe it and its group."""
        if group not in self._tracks:
            title = {_CPUS: "CPUs", _THREADS: "threads", _COUNTERS: "counters"}[group]
            title += "" if self._timeline.hz else " (1 tick shown as 1 ns)"
            self._tracks[group] = TrackDescriptor(uuid=group, child_ordering=TrackDescriptor.EXPLICIT)
            self._tracks[group].process.pid = group
            self._tracks[group].process.process_name = title
        if uuid not in self._tracks:
            self._tracks[uuid] = TrackDescriptor(
                uuid=uuid, parent_uuid=group, name=name, sibling_order_rank=rank
            )
        return uuid


def _outcome_notes(call: CallSpan) -> dict[str, int | str]:
    if call.result is not None:
        return {"result": result_name(call.result)}
    return {"result": "none: " + call.state.value}


def _annotate(event: Any, notes: Mapping[str, int | str]) -> None:
    for name, value in notes.items():
        if value == "":
            continue
        note = event.debug_annotations.add(name=name)
        if isinstance(value, int):
            note.uint_value = value
        else:
            note.string_value = value
