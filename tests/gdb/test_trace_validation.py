"""The checks of a trace, each met and each broken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gdb.trace.counters import Provider
from gdb.trace.event_types import Event, event_types
from gdb.trace.ring import decode_rings
from gdb.trace.timeline import merge
from gdb.trace.trace_validation import (
    EventCount,
    Standing,
    TraceState,
    count_events,
    format_counts,
    read_indices,
    validate_trace,
)
from tests.support.ring_writer import RingWriter, ring_layout, rings_memory

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY = 32
LAYOUT = ring_layout(cpus=2, capacity=CAPACITY)
PROVIDERS = (
    Provider(name="irq", number=1, enabled=0xFF),
    Provider(name="lock", number=5, enabled=0),
    Provider(name="marker", number=0xFF, enabled=0xFF),
)


def state_of(disturb: Callable[[RingWriter], object] | None = None, *, count: int = 20) -> TraceState:
    """Two CPUs that tick; `disturb` does something to the second ring."""
    writers = [RingWriter(layout=LAYOUT, cpu=cpu) for cpu in range(2)]
    for writer in writers:
        writer.emit_all((1000 + 10 * number, Event.TIMER_TICK, number) for number in range(count))
    if disturb is not None:
        disturb(writers[1])
    raw = rings_memory(writers)
    return TraceState(
        timeline=merge(decode_rings(raw, LAYOUT, known_types=event_types().known), 10**9),
        providers=PROVIDERS,
        indices=read_indices(raw, LAYOUT),
        enabled=1,
        cpu0_write_index=writers[0].write_index,
    )


def failures(state: TraceState) -> dict[str, str]:
    return {
        check.name: check.sentence for check in validate_trace(state) if check.standing is Standing.FAILED
    }


def test_a_sound_trace_passes_every_check() -> None:
    checks = validate_trace(state_of())
    assert {check.standing for check in checks} == {Standing.PASSED}
    assert len(checks) == 13


def test_a_trace_that_is_off_fails() -> None:
    assert "switched off" in failures(replace(state_of(), enabled=0))["tracing is on"]
    assert "0x80" in failures(replace(state_of(), enabled=0x80))["tracing is on"]


def test_what_the_kernel_does_not_have_is_not_applicable() -> None:
    bare = replace(state_of(), enabled=None, cpu0_write_index=None, indices=(), providers=())
    not_applicable = [c for c in validate_trace(bare) if c.standing is Standing.NOT_APPLICABLE]
    assert len(not_applicable) == 6
    assert failures(bare) == {}


def test_an_empty_trace_fails() -> None:
    assert failures(state_of(count=0)).keys() == {"events are there", "providers that are on have events"}


def test_time_that_goes_back_is_borne_in_nesting_and_counted() -> None:
    def nested(writer: RingWriter) -> None:
        writer.emit_all([(2000, Event.IRQ_ENTRY, 0), (1900, Event.TIMER_TICK, 0)])
        writer.emit_all((3000 + number, Event.TIMER_TICK, 0) for number in range(9))

    state = state_of(nested)
    assert failures(state) == {}
    order = next(check for check in validate_trace(state) if check.name == "time never goes back")
    assert order.sentence == "1 behind a predecessor, by nested interrupts"


def test_time_that_goes_back_for_long_fails() -> None:
    def corrupt(writer: RingWriter) -> None:
        writer.emit_all((1001 + number, Event.TIMER_TICK, 0) for number in range(10))
        writer.emit_all((3000 + number, Event.TIMER_TICK, 0) for number in range(9))

    assert failures(state_of(corrupt, count=13)) == {
        "time never goes back": "CPU 1: 10 events out of order",
    }


def test_a_slot_without_its_event_fails() -> None:
    assert failures(state_of(RingWriter.reserve))["slots are written"] == (
        "CPU 1: 1 slot reserved and not written"
    )


def test_a_type_that_nobody_named_fails() -> None:
    state = state_of(lambda writer: writer.emit(5000, 0x0777))
    assert failures(state) == {"types are known": "1 type that nobody named: 0x0777"}


def test_an_event_of_another_cpu_fails() -> None:
    def stray(writer: RingWriter) -> None:
        writer.cpu = 0
        writer.emit(5000, Event.TIMER_TICK)

    assert failures(state_of(stray)) == {"events name their ring's CPU": "CPU 1: 1 event of another CPU"}


def test_overwritten_events_are_told_and_are_no_failure() -> None:
    state = state_of(count=40)
    losses = next(check for check in validate_trace(state) if check.name == "nothing was overwritten")
    assert losses.standing is Standing.NOT_APPLICABLE
    assert losses.sentence == "CPU 0: 8 older events, CPU 1: 8 older events"
    assert failures(state) == {}


def test_indices_that_contradict_each_other_fail() -> None:
    def damage(writer: RingWriter) -> None:
        end = CAPACITY * 16
        writer.memory[end + 8 : end + 16] = (99).to_bytes(8, "little")
        writer.memory[end + 16 : end + 24] = (7).to_bytes(8, "little")

    found = failures(replace(state_of(damage), cpu0_write_index=3))
    assert found == {
        "dropped counts what was overwritten": "CPU 1 dropped 7, and 0 were overwritten",
        "the read index is behind the write index": "CPU 1 was read up to 99, and written up to 20",
        "TRACE_CPU0_WRITE_IDX agrees with CPU 0's ring": "it is 3, the ring's is 20",
    }


def test_a_provider_that_is_on_and_silent_fails_and_so_does_one_that_is_off_and_speaks() -> None:
    on = Provider(name="syscall", number=3, enabled=1)
    off = Provider(name="irq", number=1, enabled=0)
    assert failures(replace(state_of(), providers=(on, off))) == {
        "providers that are on have events": "silent in these windows: syscall",
        "providers that are off have no events": "off, and events in the rings: irq",
    }


def test_memory_that_ended_early_is_told() -> None:
    timeline = merge(decode_rings(b"", LAYOUT), None)
    found = failures(TraceState(timeline=timeline))
    assert "ends before its write index" in found["rings can be read"]
    assert read_indices(b"", LAYOUT) == ()


def test_events_are_counted_by_provider_and_cpu() -> None:
    state = state_of(lambda writer: writer.emit(5000, Event.LOCK_ACQUIRE))
    assert count_events(state.timeline) == (
        EventCount(cpu=0, provider=1, count=20),
        EventCount(cpu=1, provider=1, count=20),
        EventCount(cpu=1, provider=5, count=1),
    )
    table = [line.split() for line in format_counts(state.timeline, PROVIDERS)]
    assert table == [
        ["provider", "CPU", "0", "CPU", "1"],
        ["irq", "20", "20"],
        ["lock", "0", "1"],
        ["marker", "0", "0"],
    ]
