"""When the wait for a guest that shows no sign of life is over, by what a look inside finds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from parity.deadline import Deadline
from parity.diagnosis import Cause, Confidence, Diagnosis, Hang
from runners.machine.machine import Limits, Machine
from runners.machine.patience import wait_patiently
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMITS = Limits(deadline=Deadline.after(3600), quiet_s=3.0, panics=(), output_bytes=1 << 20)
DONE = 0
Wait = int | Ending


@dataclass
class Guest:
    """A machine whose waits end as they are told to, and what each look into it finds."""

    folder: Path
    ends: deque[Wait]
    finds: deque[tuple[Cause, Confidence] | None]
    quiet_s: list[float] = field(default_factory=list)
    looked_at: list[Ending] = field(default_factory=list)
    is_for_good: bool = False

    def wait_for(self, _patterns: object, limits: Limits) -> Wait:
        self.quiet_s.append(limits.quiet_s)
        return self.ends.popleft()

    def begin_wait(self) -> None:
        pass

    def look(self, ending: Ending) -> Hang | None:
        self.looked_at.append(ending)
        found = self.finds.popleft()
        if found is None:
            return None
        cause, confidence = found
        folder = self.folder / str(len(self.looked_at))
        folder.mkdir()
        diagnosis = Diagnosis(
            cause=cause, confidence=confidence, sentence="it is stuck", is_for_good=self.is_for_good
        )
        return Hang(folder=folder, diagnosis=diagnosis, pause_s=0.0, took_s=0.0)

    def wait(self, *, enough: Confidence = Confidence.MEDIUM) -> tuple[Wait, Hang | None]:
        return wait_patiently(cast("Machine", self), [], LIMITS, self.look, enough=enough)


@pytest.fixture
def guest(tmp_path: Path) -> Callable[..., Guest]:
    def make(*ends: Wait, finds: list[tuple[Cause, Confidence] | None]) -> Guest:
        return Guest(folder=tmp_path, ends=deque(ends), finds=deque(finds))

    return make


@pytest.mark.parametrize("confidence", [Confidence.MEDIUM, Confidence.HIGH, Confidence.VERY_HIGH])
def test_an_idle_guest_with_a_likely_cause_is_given_up_at_once(
    guest: Callable[..., Guest], confidence: Confidence
) -> None:
    stuck = guest(Ending.QUIET, finds=[(Cause.LOST_WAKEUP, confidence)])
    ending, hang = stuck.wait()
    assert ending is Ending.QUIET
    assert hang is not None
    assert hang.folder.is_dir()


@pytest.mark.parametrize(
    "found", [(Cause.UNKNOWN, Confidence.LOW), (Cause.WAIT_WITH_INTERRUPTS_OFF, Confidence.LOW)]
)
def test_an_idle_guest_of_which_little_is_known_gets_a_second_longer_silence(
    guest: Callable[..., Guest], found: tuple[Cause, Confidence]
) -> None:
    stuck = guest(Ending.QUIET, Ending.QUIET, finds=[found, found])
    ending, hang = stuck.wait()
    assert (ending, stuck.quiet_s) == (Ending.QUIET, [3.0, 6.0])
    assert hang is not None
    assert [folder.name for folder in stuck.folder.iterdir()] == ["2"]  # what decided nothing left nothing


def test_a_guest_that_gets_on_in_its_second_silence_has_not_hung(guest: Callable[..., Guest]) -> None:
    late = guest(Ending.QUIET, DONE, finds=[(Cause.UNKNOWN, Confidence.LOW)])
    assert late.wait() == (DONE, None)
    assert list(late.folder.iterdir()) == []


def test_where_a_proof_is_wanted_a_likely_cause_is_not_enough_for_the_first_silence(
    guest: Callable[..., Guest],
) -> None:
    booting = guest(Ending.QUIET, DONE, finds=[(Cause.KERNEL_LOOP, Confidence.MEDIUM)])
    assert booting.wait(enough=Confidence.HIGH) == (DONE, None)


def test_a_guest_that_will_go_on_by_itself_is_waited_for_to_the_end_of_its_time(
    guest: Callable[..., Guest],
) -> None:
    slow = (Cause.SLOW, Confidence.HIGH)
    sleeping = guest(Ending.QUIET, Ending.QUIET, Ending.QUIET, Ending.BUDGET, finds=[slow, slow, slow])
    assert sleeping.wait() == (Ending.BUDGET, None)


def test_a_busy_guest_is_given_up_for_a_proof_alone(guest: Callable[..., Guest]) -> None:
    spinning = guest(
        Ending.STALLED,
        Ending.STALLED,
        finds=[(Cause.USER_SPIN, Confidence.MEDIUM), (Cause.LOCK_LEAKED, Confidence.HIGH)],
    )
    ending, hang = spinning.wait()
    assert ending is Ending.QUIET
    assert hang is not None
    assert hang.diagnosis.cause is Cause.LOCK_LEAKED


def test_a_busy_guest_that_nothing_can_free_is_given_up_however_sure_the_cause_is(
    guest: Callable[..., Guest],
) -> None:
    spinning = guest(Ending.STALLED, finds=[(Cause.LOCK_LEAKED, Confidence.MEDIUM)])
    spinning.is_for_good = True
    assert spinning.wait()[0] is Ending.QUIET


def test_an_idle_guest_that_cannot_be_looked_into_is_given_up_at_once(guest: Callable[..., Guest]) -> None:
    assert guest(Ending.QUIET, finds=[None]).wait() == (Ending.QUIET, None)


def test_a_busy_guest_that_cannot_be_looked_into_is_waited_for(guest: Callable[..., Guest]) -> None:
    busy = guest(Ending.STALLED, Ending.BUDGET, finds=[None])
    assert busy.wait() == (Ending.BUDGET, None)
