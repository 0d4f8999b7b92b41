"""`parity run`: build, boot, test, keep. Wires runners and db, and tells an observer what happens."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from parity.attempt import Isolation
from parity.campaign import CampaignPlan, CampaignState, StopRule, TargetFacts
from parity.configuration import ProcessDelivery, ShellDelivery, SuiteDelivery, fill
from parity.errors import BuildError, UsageError
from parity.flow.campaign.interrupt import Interrupt, Interrupted
from parity.flow.campaign.plan import choose_capacity, make_schedule
from parity.flow.campaign.record import Record
from parity.flow.campaign.work import Finished, TargetLost, WorkQueue, work
from parity.flow.hang.inspect import GuestInspector
from parity.outcome import Outcome
from parity.whole_files import sweep_unfinished
from runners.facts import read_facts, read_runner_version, shown_command
from runners.machine.boot import not_made
from runners.machine.images import ImageStore
from runners.machine.rig import Rig
from runners.machine.scratch import open_scratch
from runners.processes.commands import read_revision, run_command
from runners.qemu.accelerator import choose_accelerator
from runners.qemu.command_line import shell_line
from runners.snapshots.snapshot import SnapshotStanding, find_obstacle

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping, Sequence

    from db.repository import Repository
    from parity.attempt import Attempt
    from parity.configuration import Configuration, Target
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.schedule import Schedule
    from parity.flow.campaign.work import Event
    from runners.machine.inspection import Inspector

_BUILD_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a campaign ended."""

    number: int
    state: CampaignState
    attempts: tuple[Attempt, ...]
    left: int
    """Attempts that were planned and not made."""
    stopped: bool
    """Whether the stop rule ended it early."""
    interrupt: signal.Signals | None
    """The signal that ended it early."""
    lost: tuple[TargetLost, ...]
    without_snapshots: Mapping[str, str]
    """Why targets got a fresh boot for every test instead of a snapshot, as sentence parts."""
    slow_restores: Mapping[str, str]
    """Why targets were put back by the QEMU that had booted them, which takes longer."""

    @property
    def counts(self) -> Counter[Outcome]:
        """How many attempts ended how."""
        return Counter(attempt.verdict.outcome for attempt in self.attempts)

    @property
    def harness_failed(self) -> bool:
        """Whether the harness or QEMU, not the kernel, spoilt something."""
        return bool(self.lost) or Outcome.ERROR in self.counts


class Observer(Protocol):
    """Is told what happens, in the main thread."""

    def building(self, target: str, command: Sequence[str]) -> None:
        """A build command is about to run."""
        ...

    def begun(self, number: int, order: Order, *, jobs: int) -> None:
        """The campaign has its number and starts."""
        ...

    def happened(self, event: Event | None) -> None:
        """A worker reports; None when nothing happened for a moment."""
        ...


def resumed_order(configuration: Configuration, repository: Repository, order: Order) -> Order:
    """Return what is left of the newest unfinished campaign, with all that was asked for at its start.

    Raises `UsageError` where there is none, where parity.toml no longer has what it planned, or where a kernel
    image is another by now: results of two kernels do not belong in one run.
    """
    campaign = repository.resumable_campaign()
    if campaign is None:
        raise UsageError("there is no unfinished run to go on with", hint="start one with `parity run`")
    cases = repository.remaining_cases(campaign.number)
    if not cases:
        raise UsageError(
            f"run {campaign.number} has nothing left to do", hint="start a new one with `parity run`"
        )
    configuration.select_tests([case.test for case in cases])
    resumed = replace(
        order,
        cases=cases,
        isolation=campaign.isolation,
        timeout_s=campaign.timeout_s,
        build=False,
        resumed=campaign.number,
        seed=campaign.seed,
        stop=campaign.stop,
        endless=campaign.endless,
        boot_retries=campaign.boot_retries,
        boot_failures_in_a_row=campaign.boot_failures_in_a_row,
    )
    for facts in repository.campaign_facts(campaign.number):
        if facts.target in resumed.targets:
            rig = make_rig(configuration, facts.target, resumed, Path(), Interrupt())
            if (
                read_facts(rig, resumed.tests_of(rig.name), facts.qemu_version).fingerprint
                != facts.fingerprint
            ):
                raise UsageError(
                    f"{facts.target}: what it boots is not what run {campaign.number} began with",
                    hint="start a new run with `parity run`",
                )
    return resumed


def dry_run(configuration: Configuration, order: Order) -> Iterator[tuple[str, str]]:
    """Yield each target with its QEMU command, as one can paste it; starts nothing."""
    for name in order.targets:
        rig = make_rig(configuration, name, order, Path(), Interrupt())
        yield name, shell_line(shown_command(rig, order.tests_of(name)[0]))


def run_campaign(
    configuration: Configuration, repository: Repository, order: Order, observer: Observer
) -> Summary:
    """Run the order from build to verdicts; every finished attempt is in the database at once.

    Raises `ConfigurationError` for files that are not there and `MachineError` where QEMU is not installed, both
    before anything runs. Ctrl-C and SIGTERM end it early and properly.
    """
    versions = {name: read_runner_version(configuration.target(name)) for name in order.targets}
    with Interrupt() as interrupt, open_scratch() as scratch:
        unbuilt = build_targets(configuration, order, observer, interrupt)
        sweep_unfinished(configuration.state_folder / "captures")
        inspector = GuestInspector(configuration.state_folder / "captures", always=order.always_inspect)
        rigs = {
            name: make_rig(configuration, name, order, scratch, interrupt, inspector=inspector)
            for name in order.targets
        }
        usable = {name: rig for name, rig in rigs.items() if name not in unbuilt}
        facts = [read_facts(rig, order.tests_of(rig.name), versions[rig.name]) for rig in usable.values()]
        number = _begin(configuration, repository, order, facts)
        record = Record(repository, number, order)
        state = CampaignState.FAILED
        try:
            schedule = make_schedule(
                configuration, order, durations=repository.expected_durations(), without=unbuilt
            )
            machines = choose_capacity(configuration, order).machines(schedule.units)
            observer.begun(number, order, jobs=machines)
            for event in _events(order, schedule, rigs, unbuilt, interrupt, machines=machines):
                if event is not None:
                    record.keep(event)
                observer.happened(event)
            state = record.state(interrupt)
        finally:
            repository.finish_campaign(number, state, datetime.now(UTC))
    return Summary(
        number=number,
        state=state,
        attempts=tuple(record.attempts),
        left=record.left,
        stopped=record.stopped,
        interrupt=interrupt.signal,
        lost=tuple(record.lost),
        without_snapshots={
            name: rig.snapshots.why_not for name, rig in rigs.items() if rig.snapshots.why_not
        },
        slow_restores={name: rig.snapshots.why_slow for name, rig in rigs.items() if rig.snapshots.why_slow},
    )


def _events(
    order: Order,
    schedule: Schedule,
    rigs: Mapping[str, Rig],
    unbuilt: Mapping[str, BuildError],
    interrupt: Interrupt,
    *,
    machines: int,
) -> Iterator[Event | None]:
    """Yield a build failure for every test of a target that could not be built, then what the workers do."""
    stops = order.stop is not StopRule.NEVER
    for case in order.cases:
        if case.target in unbuilt:
            report = not_made(
                rigs[case.target], case.test, Outcome.BUILD_FAILURE, unbuilt[case.target].message
            )
            yield Finished(worker=0, report=report)
            if stops:
                return
    if not schedule.is_over:
        waiting = WorkQueue(
            schedule, boot_failures_in_a_row=order.boot_failures_in_a_row, stop_when_unwanted=stops
        )
        usable = {name: rig for name, rig in rigs.items() if name not in unbuilt}
        with contextlib.closing(work(waiting, usable, machines=machines, stop=interrupt.stop)) as events:
            yield from events


def build_targets(
    configuration: Configuration, order: Order, observer: Observer, interrupt: Interrupt
) -> dict[str, BuildError]:
    """Run every target's build commands; return the targets whose build failed, with what it said."""
    failed: dict[str, BuildError] = {}
    for name in order.targets if order.build else ():
        target = configuration.target(name)
        for command in target.build:
            words = [fill(word, {"arch": target.arch, "target": name}) for word in command]
            observer.building(name, words)
            try:
                run_command(words, folder=configuration.root, timeout_s=_BUILD_S, stop=interrupt.stop)
            except BuildError as error:
                failed[name] = error
                break
        if interrupt.signal is not None:
            raise Interrupted(interrupt.signal)
    return failed


def _begin(
    configuration: Configuration, repository: Repository, order: Order, facts: Sequence[TargetFacts]
) -> int:
    """Open the campaign in the database, or the one to go on with."""
    if order.resumed is not None:
        number = order.resumed
        repository.resume_campaign(number)
    else:
        number = repository.start_campaign(
            CampaignPlan(
                kernel=configuration.kernel.name,
                started_at=datetime.now(UTC),
                isolation=order.isolation,
                cases=order.cases,
                revision=read_revision(configuration.root / configuration.kernel.source),
                arguments=order.arguments,
                timeout_s=order.timeout_s,
                seed=order.seed,
                stop=order.stop,
                endless=order.endless,
                boot_retries=order.boot_retries,
                boot_failures_in_a_row=order.boot_failures_in_a_row,
            )
        )
    for fact in facts:
        repository.add_target(number, fact)
    return number


def make_rig(
    configuration: Configuration,
    name: str,
    order: Order,
    scratch: Path,
    interrupt: Interrupt,
    *,
    inspector: Inspector | None = None,
) -> Rig:
    """Return what boots a target for an order; starts nothing."""
    target = configuration.target(name)
    if order.boot_retries is not None:
        boot = target.boot.model_copy(update={"retries": order.boot_retries})
        target = target.model_copy(update={"boot": boot})
    isolation = _isolation(target, order.isolation)
    snapshots = SnapshotStanding()
    if isolation is Isolation.SNAPSHOT:
        snapshots.give_up(find_obstacle(target))
    return Rig(
        configuration=configuration,
        name=name,
        target=target,
        isolation=isolation,
        snapshots=snapshots,
        accelerator="" if target.is_host else choose_accelerator(target),
        store=ImageStore(configuration.state_folder / "images"),
        scratch=scratch,
        stop=interrupt.stop,
        timeout_s=order.timeout_s,
        inspector=inspector,
    )


def _isolation(target: Target, wanted: Isolation) -> Isolation:
    """Return what a target's way of taking tests makes of the wish: only a shell leaves a choice."""
    match target.delivery:
        case ShellDelivery():
            return wanted
        case SuiteDelivery():
            return Isolation.SHARED
        case ProcessDelivery():
            return Isolation.PROCESS
        case _:
            return Isolation.BOOT
