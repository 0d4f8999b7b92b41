import time
from dataclasses import dataclass

from parity.deadline import Deadline


@dataclass
class FakeClock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_new_deadline_has_all_its_time_left() -> None:
    deadline = Deadline.after(5.0, clock=FakeClock())
    assert (deadline.remaining_s, deadline.expired) == (5.0, False)


def test_time_that_passes_is_taken_off() -> None:
    clock = FakeClock()
    deadline = Deadline.after(5.0, clock=clock)
    clock.now += 3.0
    assert (deadline.remaining_s, deadline.expired) == (2.0, False)


def test_it_expires_at_its_very_moment() -> None:
    clock = FakeClock()
    deadline = Deadline.after(5.0, clock=clock)
    clock.now += 5.0
    assert (deadline.remaining_s, deadline.expired) == (0.0, True)


def test_no_time_is_left_rather_than_less_than_none() -> None:
    clock = FakeClock()
    deadline = Deadline.after(5.0, clock=clock)
    clock.now += 60.0
    assert deadline.remaining_s == 0.0


def test_the_clock_is_monotonic_unless_another_is_given() -> None:
    assert Deadline.after(5.0).clock is time.monotonic
