"""Whatever a capture holds, it gets a diagnosis, and soon."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.captures.capture import Capture, Innermost, Progress, Sample
from gdb.debugger.spin_loop import Operand, SpinLoop
from gdb.guest.cpu_state import CpuState, Frame, Mode
from gdb.guest.guest import HostThread
from gdb.guest.memory import Block
from gdb.guest.register_dump import PcSample
from gdb.scheduler.scheduler_state import LockState, ThreadState
from gdb.trace.counters import Counter
from gdb.trace.event_types import Event
from parity.diagnosis import Diagnosis
from tests.support.captures import address, capture, diagnosed, idle, runs, user

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.sampled_from([2**63, 0x40_0000, 7, 5]))
_NAMES = st.sampled_from(
    [
        *("", "panic", "arch_park", "spin_lock", "timer_interrupt", "page_fault", "idle_loop", "schedule"),
        *("work", "syscall_dispatch", "a<b<c>>::d::h0123456789abcdef", "\x1b[2J", "x" * 300),
    ]
)
_MODES = st.sampled_from(Mode)
_MAYBE = st.sampled_from([None, True, False])
_REGISTERS = st.dictionaries(
    st.sampled_from(["ESR_EL1", "FAR_EL1", "ELR_EL1", "VBAR_EL1", "SCTLR_EL1", "CNTV_CTL_EL0", "cr0", "cr2"]),
    _WORD,
)
_CPU_NUMBERS = st.integers(0, 5)
_SECONDS = st.one_of(st.just(0.0), st.floats(-1, 1e6))
_COUNTERS = st.builds(
    Counter,
    name=st.sampled_from(
        ["TIMER_TICK_TOTAL", "SYSCALL_TOTAL", "IRQ_TOTAL", "PAGE_FAULT_TOTAL", "CTX_SWITCH_TOTAL"]
    ),
    address=_WORD,
    per_cpu=st.lists(_WORD, max_size=6).map(tuple),
)
_SAMPLES = st.builds(
    PcSample,
    cpu=_CPU_NUMBERS,
    pc=_WORD,
    mode=_MODES,
    interrupts_masked=_MAYBE,
    halted=_MAYBE,
    stack_pointer=st.none(),
    registers=_REGISTERS,
)
_LOOPS = st.builds(
    SpinLoop,
    low=_WORD,
    high=_WORD,
    operands=st.lists(st.builds(Operand, text=st.just("[x0]"), address=st.none() | _WORD), max_size=2).map(
        tuple
    ),
    has_call=st.booleans(),
    has_wait=st.booleans(),
    has_pause=st.booleans(),
)
_HOSTILE = st.builds(
    replace,
    st.just(capture(runs("work"), idle(), events=[(0, Event.SYSCALL_ENTRY, 1)])),
    qemu_states=st.lists(st.sampled_from(["running", "", "paused"]), max_size=2).map(tuple),
    qemu_events=st.lists(st.sampled_from(["RESET", "STOP"]), max_size=4).map(tuple),
    samples=st.lists(
        st.builds(Sample, at_s=_SECONDS, cpus=st.lists(_SAMPLES, max_size=6).map(tuple)), max_size=4
    ).map(tuple),
    progress=st.lists(
        st.builds(
            Progress,
            at_s=_SECONDS,
            counters=st.lists(_COUNTERS, max_size=4).map(tuple),
            write_indices=st.lists(_WORD, max_size=6).map(tuple),
            host=st.lists(
                st.builds(HostThread, cpu=_CPU_NUMBERS, ran_s=_SECONDS, waited_s=_SECONDS), max_size=3
            ).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    cpus=st.lists(
        st.builds(
            CpuState,
            cpu=_CPU_NUMBERS,
            halted=_MAYBE,
            mode=_MODES,
            interrupts_masked=_MAYBE,
            pc=_WORD,
            registers=_REGISTERS,
            frames=st.lists(
                st.builds(Frame, level=st.integers(0, 9), address=_WORD, function=st.none() | _NAMES),
                max_size=9,
            ).map(tuple),
        ),
        max_size=6,
    ).map(tuple),
    innermost=st.lists(
        st.builds(
            Innermost,
            cpu=_CPU_NUMBERS,
            loop=st.none() | _LOOPS,
            pointers=st.dictionaries(st.sampled_from(["lock", "self"]), _WORD | st.just(address("tree"))),
        ),
        max_size=4,
    ).map(tuple),
    places=st.none() | st.dictionaries(_WORD, _NAMES, max_size=8),
    timestamp_hz=st.sampled_from([None, 0.0, 1.0, 1e6, 1e18]),
    threads=st.lists(
        st.builds(
            ThreadState,
            id=st.integers(-5, 2**64),
            state=st.sampled_from(["READY", "RUNNING", "BLOCKED", "", "99"]),
            cpu=st.none() | st.integers(-1, 2**40),
            name=_NAMES,
            waits_for=_NAMES,
        ),
        max_size=4,
    ).map(tuple),
    locks=st.lists(
        st.builds(
            LockState,
            name=_NAMES,
            address=_WORD | st.just(address("tree")),
            symbol=_NAMES,
            held=st.booleans(),
            holder=st.none() | _WORD,
            size=_WORD,
        ),
        max_size=3,
    ).map(tuple),
    lock_names=st.lists(_NAMES, max_size=3).map(tuple),
    queue_length=st.none() | st.integers(-(2**63), 2**64),
)
_KINDS = st.one_of(st.sampled_from(list(Event)).map(int), st.integers(0, 0xFFFF))
_EVENTS = st.lists(
    st.tuples(st.integers(0, 1), _KINDS, st.one_of(st.integers(0, 9), st.integers(0, 2**32 - 1))), max_size=60
)


@given(found=_HOSTILE)
@settings(max_examples=150, deadline=2000)
def test_any_capture_gets_a_diagnosis(found: Capture) -> None:
    diagnosis = diagnosed(found)
    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis.sentence


@given(events=_EVENTS, garbage=st.binary(min_size=1, max_size=64), torn=st.booleans())
@settings(max_examples=150, deadline=2000)
def test_any_trace_gets_a_diagnosis(
    events: Sequence[tuple[int, Event, int]], garbage: bytes, *, torn: bool
) -> None:
    for cpus in ((idle(), idle()), (user(calls=9), idle()), (runs("work", "syscall_dispatch"), idle())):
        found = capture(*cpus, arch="x86_64", before=events[::2], events=events[1::2])
        if torn and found.memory:
            (block,) = found.memory
            content = (garbage * (len(block.content) // len(garbage) + 1))[: len(block.content)]
            found = replace(found, memory=(Block(address=block.address, content=content),))
        assert isinstance(diagnosed(found), Diagnosis)


@pytest.mark.parametrize(
    "kind", [Event.SCHED_RESCHED, Event.PROCESS_EXIT, Event.WAITPID_BLOCK, Event.LOCK_ACQUIRE]
)
def test_full_rings_of_many_cpus_are_read_in_bounded_time(kind: Event) -> None:
    numbers = np.random.default_rng(1).integers(0, 2**31, 16 * 1024).tolist()
    events = [(n % 16, kind, number) for n, number in enumerate(numbers)]
    found = capture(*(idle() for _ in range(16)), before=events)
    started = time.monotonic()
    assert isinstance(diagnosed(found), Diagnosis)
    assert time.monotonic() - started < 20


def test_two_samples_of_one_moment_tell_no_rates() -> None:
    found = capture(user(calls=90_000, faults=90_000, interrupts=90_000, switches=90_000), seconds=0.0)
    assert isinstance(diagnosed(found), Diagnosis)
