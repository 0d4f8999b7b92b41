"""`parity run`: build, boot, test, keep. Wires runners and db, and tells an observer what happens."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from parity.attempt import Isolation
from parity.campaign import CampaignPlan, CampaignState, Case, TargetFacts
from parity.configuration import ProcessDelivery, ShellDelivery, SuiteDelivery, fill
from parity.errors import BuildError, UsageError
from parity.flow.inspect import GuestInspector
from parity.flow.interrupt import Interrupt, Interrupted
from parity.flow.work import Finished, TargetLost, work
from parity.outcome import Outcome
from runners.accelerator import choose_accelerator
from runners.boot import not_made
from runners.command_line import shell_line
from runners.commands import read_revision, run_command
from runners.facts import read_facts, read_runner_version, shown_command
from runners.images import ImageStore
from runners.rig import Rig
from runners.scratch import open_scratch
from runners.snapshot import SnapshotStanding, find_obstacle

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping, Sequence

    from db.repository import Repository
    from parity.attempt import Attempt
    from parity.configuration import Configuration, Target
    from parity.flow.work import Event
    from runners.inspection import Inspector

_BUILD_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asked for."""

    cases: tuple[Case, ...]
    isolation: Isolation
    jobs: int | None = None
    timeout_s: float | None = None
    build: bool = True
    arguments: tuple[str, ...] = ()
    always_inspect: bool = False
    """Look into every guest that does not end well, whatever the configuration says."""
    resumed: int | None = None
    """The number of the campaign that is gone on with."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets, in the cases' order."""
        return tuple(dict.fromkeys(case.target for case in self.cases))

    def tests_of(self, target: str) -> tuple[str, ...]:
        """The tests that are to run on a target, in order."""
        return tuple(case.test for case in self.cases if case.target == target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a campaign ended."""

    number: int
    state: CampaignState
    attempts: tuple[Attempt, ...]
    left: int
    """Cases that were not attempted."""
    interrupt: signal.Signals | None
    """The signal that ended it early."""
    lost: tuple[TargetLost, ...]
    without_snapshots: Mapping[str, str]
    """Why targets got a fresh boot for every test instead of a snapshot, as sentence parts."""

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
    """Return what is left of the newest unfinished campaign, with its isolation and time limit.

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


def choose_jobs(order: Order) -> int:
    """Return how many machines run side by side: as asked, else one a host CPU."""
    return order.jobs or max(1, os.cpu_count() or 1)


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
        inspector = GuestInspector(
            configuration, configuration.state_folder / "captures", always=order.always_inspect
        )
        rigs = {
            name: make_rig(configuration, name, order, scratch, interrupt, inspector=inspector)
            for name in order.targets
        }
        usable = {name: rig for name, rig in rigs.items() if name not in unbuilt}
        facts = [read_facts(rig, order.tests_of(rig.name), versions[rig.name]) for rig in usable.values()]
        number = _begin(configuration, repository, order, facts)
        record = _Record(repository, number)
        state = CampaignState.FAILED
        try:
            observer.begun(number, order, jobs=choose_jobs(order))
            for event in _events(order, rigs, unbuilt, interrupt):
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
        left=len(order.cases) - len(record.attempts),
        interrupt=interrupt.signal,
        lost=tuple(record.lost),
        without_snapshots={
            name: rig.snapshots.why_not for name, rig in rigs.items() if rig.snapshots.why_not
        },
    )


class _Record:
    """Puts what happened into the database, and remembers it for the summary."""

    def __init__(self, repository: Repository, number: int) -> None:
        self._repository = repository
        self._number = number
        self.attempts: list[Attempt] = []
        self.lost: list[TargetLost] = []

    def keep(self, event: Event) -> None:
        match event:
            case Finished(report=report):
                for failure in report.boot_failures:
                    self._repository.add_boot_failure(self._number, failure)
                self._repository.add_attempt(self._number, report.attempt)
                self.attempts.append(replace(report.attempt, logs=()))
            case TargetLost():
                self.lost.append(event)
            case _:
                pass

    def state(self, interrupt: Interrupt) -> CampaignState:
        if interrupt.signal is not None:
            return CampaignState.INTERRUPTED
        return CampaignState.FAILED if self.lost else CampaignState.FINISHED


def _events(
    order: Order, rigs: Mapping[str, Rig], unbuilt: Mapping[str, BuildError], interrupt: Interrupt
) -> Iterator[Event | None]:
    """Yield a build failure for every test of a target that could not be built, then what the workers do."""
    for case in order.cases:
        if case.target in unbuilt:
            report = not_made(
                rigs[case.target], case.test, Outcome.BUILD_FAILURE, unbuilt[case.target].message
            )
            yield Finished(worker=0, report=report)
    cases = [case for case in order.cases if case.target not in unbuilt]
    usable = {name: rig for name, rig in rigs.items() if name not in unbuilt}
    if cases:
        with contextlib.closing(work(cases, usable, jobs=choose_jobs(order), stop=interrupt.stop)) as events:
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
