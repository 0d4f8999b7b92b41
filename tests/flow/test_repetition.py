"""Repetitions, stop rules and seeds on real machines: what runs, what is left, and what a resumed run does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from db import open_repository
from parity.attempt import Isolation
from parity.campaign import CampaignState, StopRule
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import resumed_order, run_campaign
from parity.flow.campaign.selection import select_cases
from parity.flow.campaign.stress import read_stress
from parity.flow.campaign.work import Finished
from parity.outcome import Outcome
from tests.support.lab import Lab, Watcher

if TYPE_CHECKING:
    from parity.configuration import Configuration
    from parity.flow.campaign.run import Summary
    from parity.flow.campaign.work import Event

pytestmark = pytest.mark.qemu

FLAKY: Final = (
    "prepare = [['sh', '-c', 'echo x >> boots; if [ $(wc -l < boots) -gt 3 ]; then word=broken; "
    "else word=for-disk-alone; fi; printf %s $word | dd of={disk} conv=notrunc 2>/dev/null']]"
)
"""The disk of the fourth boot, and of all further ones, is broken."""


def write_flaky(lab: Lab) -> Configuration:
    (lab.folder / "disk.img").write_bytes(bytes(64 * 1024))
    return lab.write(
        "disk",
        architectures=["x86_64"],
        machines={"x86_64": ("pc", "qemu64")},
        target='disk = [{ image = "disk.img", interface = "ide" }]',
        defaults=FLAKY,
        more="[test.disk]\npass = ['the disk says: for-disk-alone']",
    )


def order_of(configuration: Configuration, times: int = 1) -> Order:
    cases = select_cases(configuration, targets=tuple(configuration.targets))
    return Order(cases=cases * times, isolation=Isolation.BOOT, jobs=1)


def run(
    configuration: Configuration, order: Order, *, watcher: Watcher | None = None, resume: bool = False
) -> Summary:
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        if resume:
            order = resumed_order(configuration, repository, order)
        return run_campaign(configuration, repository, order, watcher or Watcher())


class Stopper(Watcher):
    """Ends the run after some attempts, as Ctrl-C does."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def happened(self, event: Event | None) -> None:
        super().happened(event)
        if isinstance(event, Finished):
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt


def test_every_repetition_is_an_attempt_of_its_own(lab: Lab) -> None:
    configuration = lab.write("pass", "fail", architectures=["x86_64"])
    summary = run(configuration, replace(order_of(configuration, 3), isolation=Isolation.SNAPSHOT))
    assert [attempt.test for attempt in summary.attempts] == ["pass", "fail"] * 3
    assert (summary.state, summary.left, summary.stopped) == (CampaignState.FINISHED, 0, False)
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        assert len(repository.campaign_attempts(1)) == 6


def test_what_repeats_until_something_fails_ends_there_and_is_finished(lab: Lab) -> None:
    configuration = write_flaky(lab)
    order = replace(order_of(configuration), stop=StopRule.UNTIL_FAIL, endless=True)
    summary = run(configuration, order)
    assert [attempt.verdict.outcome for attempt in summary.attempts] == [Outcome.PASS] * 3 + [Outcome.FAIL]
    assert (summary.state, summary.stopped) == (CampaignState.FINISHED, True)


def test_a_limit_ends_what_repeats_until_something_fails(lab: Lab) -> None:
    configuration = write_flaky(lab)
    summary = run(configuration, replace(order_of(configuration, 2), stop=StopRule.UNTIL_FAIL))
    assert summary.counts == {Outcome.PASS: 2}
    assert (summary.state, summary.stopped, summary.left) == (CampaignState.FINISHED, False, 0)


def test_what_fails_fast_leaves_the_rest_and_a_resumed_run_goes_on_by_the_same_rule(lab: Lab) -> None:
    configuration = write_flaky(lab)
    summary = run(configuration, replace(order_of(configuration, 6), stop=StopRule.FAIL_FAST, seed=3))
    assert summary.counts == {Outcome.PASS: 3, Outcome.FAIL: 1}
    assert (summary.state, summary.stopped, summary.left) == (CampaignState.INTERRUPTED, True, 2)

    resumed = run(configuration, order_of(configuration), resume=True)
    assert resumed.number == summary.number
    assert (resumed.counts, resumed.stopped, resumed.left) == ({Outcome.FAIL: 1}, True, 1)
    assert run(configuration, order_of(configuration), resume=True).state is CampaignState.FINISHED


def test_a_resumed_run_does_what_is_left_of_the_repetitions(lab: Lab) -> None:
    configuration = lab.write("pass", "skip", architectures=["x86_64"])
    with pytest.raises(KeyboardInterrupt):
        run(configuration, order_of(configuration, 3), watcher=Stopper(2))
    resumed = run(configuration, order_of(configuration), resume=True)
    assert Counter(attempt.test for attempt in resumed.attempts) == {"pass": 2, "skip": 2}
    assert resumed.state is CampaignState.FINISHED


def test_a_resumed_run_is_as_patient_with_boots_as_it_was(lab: Lab) -> None:
    configuration = lab.write("pass", "skip", architectures=["x86_64"])
    order = replace(order_of(configuration), boot_retries=0, boot_failures_in_a_row=10)
    with pytest.raises(KeyboardInterrupt):
        run(configuration, order, watcher=Stopper(1))
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        resumed = resumed_order(configuration, repository, order_of(configuration))
    assert (resumed.boot_retries, resumed.boot_failures_in_a_row) == (0, 10)


def test_a_seed_shuffles_and_is_kept(lab: Lab) -> None:
    names = ("pass", "skip", "fail", "breadcrumbs", "silent", "negative")
    configuration = lab.write(*names, architectures=["x86_64"])
    orders = []
    for _ in range(2):
        order = replace(order_of(configuration), isolation=Isolation.SNAPSHOT, seed=4)
        orders.append([attempt.test for attempt in run(configuration, order).attempts])
    assert orders[0] == orders[1] != list(names)
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        assert repository.campaign(1).seed == 4


def test_tests_that_took_longest_go_first_the_next_time(lab: Lab) -> None:
    configuration = lab.write("pass", "hang", "skip", architectures=["x86_64"])
    run(configuration, order_of(configuration))
    again = run(configuration, order_of(configuration))
    assert again.attempts[0].test == "hang"


def test_a_target_that_never_boots_is_given_up_and_its_repetitions_are_left(lab: Lab) -> None:
    configuration = lab.write("pass", architectures=["x86_64"], append="boot=panic")
    order = replace(order_of(configuration, 50), boot_retries=0)
    summary = run(configuration, order)
    assert summary.counts == {Outcome.BOOT_FAILURE: 2}
    assert summary.left == 48
    assert summary.state is CampaignState.INTERRUPTED


def test_a_stress_run_tells_rate_groups_logs(lab: Lab) -> None:
    configuration = write_flaky(lab)
    summary = run(configuration, order_of(configuration, 5))
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        stress = read_stress(repository, summary.number)
    assert (stress.total.failures, stress.total.trials) == (2, 5)
    (group,) = stress.groups
    assert group.outcome is Outcome.FAIL
    assert [attempt.target for attempt in group.attempts] == ["x86_64", "x86_64"]
    assert all(b"broken" in attempt.logs[0].read_bytes() for attempt in group.attempts)


def test_a_resumed_run_without_end_goes_on_until_something_fails(lab: Lab) -> None:
    configuration = write_flaky(lab)
    order = replace(order_of(configuration), stop=StopRule.UNTIL_FAIL, endless=True)
    with pytest.raises(KeyboardInterrupt):
        run(configuration, order, watcher=Stopper(2))
    resumed = run(configuration, order_of(configuration), resume=True)
    *passed, last = (attempt.verdict.outcome for attempt in resumed.attempts)
    assert last is Outcome.FAIL
    assert set(passed) <= {Outcome.PASS}  # one boot more may have been under way when the run was ended
    assert (resumed.state, resumed.stopped) == (CampaignState.FINISHED, True)


@pytest.mark.parametrize("jobs", [1, 3])
def test_endless_rounds_reach_every_target(lab: Lab, jobs: int) -> None:
    configuration = lab.write("pass")
    order = replace(order_of(configuration), stop=StopRule.UNTIL_FAIL, endless=True, jobs=jobs)
    watcher = Stopper(6)
    with pytest.raises(KeyboardInterrupt):
        run(configuration, order, watcher=watcher)
    reached = {event.report.attempt.target for event in watcher.events if isinstance(event, Finished)}
    assert reached == {"aarch64", "x86_64"}
