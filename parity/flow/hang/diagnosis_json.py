"""A diagnosis as JSON values, for scripts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from gdb.evidence.cpu_table import cpu_lines

if TYPE_CHECKING:
    from gdb.evidence.evidence import Evidence
    from gdb.trace.ring import Events
    from parity.flow.hang.diagnose import Examined


def describe(examined: Examined, *, events: int) -> dict[str, object]:
    """Return everything that the page shows; the last `events` trace events among it."""
    diagnosis, capture = examined.diagnosis, examined.capture
    subject, timeline = capture.subject, examined.evidence.timeline
    return {
        "test": subject.test,
        "target": subject.target,
        "attempt": None if examined.attempt is None else examined.attempt.id,
        "cause": diagnosis.cause,
        "confidence": diagnosis.confidence,
        "sentence": diagnosis.sentence,
        "subject": diagnosis.subject,
        "signature": diagnosis.signature,
        "evidence": diagnosis.evidence,
        "runners_up": [asdict(other) for other in diagnosis.runners_up],
        "missing": diagnosis.missing,
        "cpus": [_describe_cpu(examined.evidence, number) for number in range(len(examined.evidence.cpus))],
        "threads": [asdict(thread) for thread in capture.threads],
        "locks": [asdict(lock) for lock in capture.locks if lock.held],
        "events": describe_each(examined.evidence, timeline.events[-events:])
        if timeline is not None and events
        else [],
        "byte_trace": None if examined.byte_trace is None else examined.byte_trace.text,
        "capture": str(examined.folder),
        "taken_at": subject.taken_at,
        "pause_s": round(capture.pause_s, 4),
        "took_s": round(capture.took_s, 4),
    }


def _describe_cpu(evidence: Evidence, number: int) -> dict[str, object]:
    cpu = evidence.cpus[number]
    line = asdict(cpu_lines(evidence)[number])
    frames = cpu.state.frames if cpu.state is not None else ()
    return line | {
        "pc": None if cpu.state is None else cpu.state.pc,
        "frames": [asdict(frame) for frame in frames],
        "samples": [sample.pc for sample in cpu.samples],
    }


def describe_each(evidence: Evidence, events: Events) -> list[dict[str, object]]:
    """Return trace events, with times in nanoseconds before the newest of all."""
    if evidence.timeline is None:
        return []
    times = evidence.timeline.relative_ns(events["time"]).tolist()
    return [
        {
            "time_ns": time,
            "cpu": int(event["cpu"]),
            "sequence": int(event["sequence"]),
            "type": evidence.types.name(int(event["event_type"])),
            "payload": int(event["payload"]),
            "means": evidence.types.describe_payload(
                int(event["event_type"]), int(event["payload"]), evidence.names
            ),
            "thread": int(event["thread"]) if event["thread"] >= 0 else None,
        }
        for event, time in zip(events, times, strict=True)
    ]
