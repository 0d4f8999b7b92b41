"""One line a CPU, for people: state, level, interrupt mask, place, tick age, thread and system call in flight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdb.kernel_file.roles import own_place
from gdb.trace.event_types import Event

if TYPE_CHECKING:
    from gdb.evidence.cpu_evidence import CpuEvidence
    from gdb.evidence.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuLine:
    """One CPU in words."""

    cpu: int
    state: str
    """idle, busy, halted, waits for a lock, or offline."""
    level: str
    interrupts: str
    """on, off, or `?`."""
    place: str
    """The function, and its source line where it is known."""
    ticks: str
    """How many timer interrupts there were in the second of the samples; `?` where it is not known."""
    tick_age: str
    """How long before the last event of all the last TIMER_TICK event was."""
    thread: str
    call: str
    """The system call that the thread is in, and for how long."""


def cpu_lines(evidence: Evidence) -> tuple[CpuLine, ...]:
    """Return a line for every CPU."""
    return tuple(_line(evidence, cpu) for cpu in evidence.cpus)


def _line(evidence: Evidence, cpu: CpuEvidence) -> CpuLine:
    masked = cpu.state.interrupts_masked if cpu.state is not None else None
    call = evidence.running_call(cpu.cpu)
    age = evidence.age_s(call.entered_at) if call is not None else None
    return CpuLine(
        cpu=cpu.cpu,
        state=_state(cpu),
        level=cpu.mode,
        interrupts="?" if masked is None else "off" if masked else "on",
        place=_place(cpu),
        ticks="?" if cpu.ticks is None else str(cpu.ticks),
        tick_age=_tick_age(evidence, cpu),
        thread=_thread(evidence, cpu.cpu),
        call="-"
        if call is None
        else evidence.call_name(call.number) + ("" if age is None else f" for {age:.1f} s"),
    )


def _thread(evidence: Evidence, cpu: int) -> str:
    record = evidence.running_record(cpu)
    if record is not None and record.name:
        return f"{record.id} ({record.name})"
    thread = evidence.running_thread(cpu)
    return "-" if thread is None else evidence.thread_name(thread).removeprefix("thread ")


def _state(cpu: CpuEvidence) -> str:
    if cpu.offline:
        return "offline"
    if cpu.idle:
        return "idle"
    if cpu.lock is not None:
        return f"waits for {cpu.lock.name or 'a lock'}"
    return "halted" if cpu.parked else "busy"


def _place(cpu: CpuEvidence) -> str:
    frames = cpu.state.frames if cpu.state is not None else ()
    if not frames:
        return next((place for place in reversed(cpu.places) if place), "?")
    frame = frames[own_place([frame.function or "" for frame in frames])]
    name = frame.function or f"{frame.address:#x}"
    source = f" ({frame.file.rsplit('/', 1)[-1]}:{frame.line})" if frame.file and frame.line else ""
    return name + source


def _tick_age(evidence: Evidence, cpu: CpuEvidence) -> str:
    events = evidence.events(Event.TIMER_TICK)
    own = events[events["cpu"] == cpu.cpu] if len(events) else events
    age = evidence.age_s(int(own["time"][-1])) if len(own) else None
    return "-" if age is None else f"{age:.2f} s"
