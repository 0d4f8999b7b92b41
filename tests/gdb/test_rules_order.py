"""What is surer goes before what is a guess."""

from __future__ import annotations

from typing import Final

from gdb.trace.event_types import Event
from parity.diagnosis import Cause, Confidence
from tests.support.captures import MMU_ON, capture, diagnosed, idle, runs, user
from tests.support.rule_cases import CALL, PARKED

_FIRES: Final = {**MMU_ON, "CNTV_CTL_EL0": 5}
_SEEMS_IDLE: Final = runs("ap_park", "ap_main", masked=True, halted=True, waits=True, ticks=None)


def test_a_proof_on_one_cpu_goes_before_a_guess_about_an_earlier_one() -> None:
    waits = runs("wait_for_key", *CALL, **{**PARKED, "ticks": None}, registers=_FIRES)
    diagnosis = diagnosed(capture(idle(ticks=None), _SEEMS_IDLE, waits))
    assert diagnosis.confidence is Confidence.HIGH
    assert diagnosis.sentence.startswith("CPU 2 waits for an interrupt")


def test_any_other_cause_goes_before_a_cpu_that_may_only_idle() -> None:
    diagnosis = diagnosed(capture(user(ticks=None), _SEEMS_IDLE, arch="x86_64"))
    assert diagnosis.cause is Cause.USER_SPIN
    assert Cause.WAIT_WITH_INTERRUPTS_OFF in [other.cause for other in diagnosis.runners_up]


def test_a_loop_that_an_interrupt_waits_for_goes_before_one_that_may_let_it_in() -> None:
    loops = runs("drain", *CALL, masked=True, ticks=None, registers=_FIRES)
    diagnosis = diagnosed(capture(runs("poll", masked=True, ticks=None), loops))
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.INTERRUPTS_OFF_LOOP, Confidence.HIGH)
    assert diagnosis.sentence.startswith("CPU 1 loops")


def test_a_timer_seen_to_be_masked_goes_before_one_that_is_only_silent() -> None:
    found = capture(
        runs("copy", *CALL, ticks=0),
        runs("wait_tick", *CALL, ticks=0, registers={**MMU_ON, "CNTV_CTL_EL0": 7}),
        runs("insert", span=900),
        events=[(2, Event.TIMER_TICK, n) for n in range(100)],
    )
    diagnosis = diagnosed(found)
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.TIMER_LOST, Confidence.HIGH)
    assert diagnosis.sentence.startswith("CPU 1 gets no timer interrupts")
