"""One run over a set of tests and targets: what was planned, on what, and how far it got."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from parity.attempt import Attempt, Isolation
    from parity.outcome import Outcome

DEFAULT_BASELINE: Final = "default"
"""The baseline that is meant where none is named; where it is not pinned, the first results are."""
BOOT_FAILURES_IN_A_ROW: Final = 2
"""A kernel that has just failed to boot may be flaky; one that does so for test after test is broken."""


class CampaignState(StrEnum):
    """How far a campaign got."""

    RUNNING = "running"
    """Under way, or its process was killed before it could say otherwise."""
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """Stopped by its user or by `--fail-fast`; `parity run --resume` goes on."""
    FAILED = "failed"
    """Ended by the harness's own failure."""


class StopRule(StrEnum):
    """What an attempt that is not wanted means for the rest of a campaign."""

    NEVER = "never"
    """Nothing: all is attempted."""
    FAIL_FAST = "fail-fast"
    """The rest is left for `parity run --resume`."""
    UNTIL_FAIL = "until-fail"
    """The campaign has what it was looking for, and is finished."""


class Origin(StrEnum):
    """Where a campaign's results come from."""

    MEASURED = "measured"
    """parity ran the tests itself, on this machine or on another one."""
    HAND_KEPT = "hand-kept"
    """A page that people kept by hand."""
    JUNIT = "junit"
    """A JUnit XML file."""
    TAP = "tap"
    """A TAP or KTAP file."""


class _OfCase(Protocol):
    @property
    def target(self) -> str: ...
    @property
    def test(self) -> str: ...


_Attempt = TypeVar("_Attempt", bound=_OfCase)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Case:
    """One test on one target: what a campaign plans."""

    target: str
    test: str

    @classmethod
    def of(cls, result: _OfCase) -> Case:
        """Return what an attempt, or anything else that names a target and a test, is of."""
        return cls(target=result.target, test=result.test)


def group_by_case(attempts: Iterable[_Attempt]) -> dict[Case, tuple[_Attempt, ...]]:
    """Return attempts by what they are of, in the order in which they come."""
    found: dict[Case, list[_Attempt]] = {}
    for attempt in attempts:
        found.setdefault(Case.of(attempt), []).append(attempt)
    return {case: tuple(of_case) for case, of_case in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The state of the kernel's sources, as Git tells it."""

    commit: str
    """The full object name."""
    described: str
    """The short form that people read."""
    dirty: bool
    """Whether the work tree differed from the commit."""

    def __str__(self) -> str:
        return f"{self.described} with changes" if self.dirty else self.described


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What a target was in one campaign: enough to tell whether two results are comparable."""

    target: str
    arch: str
    qemu_version: str
    accelerator: str
    command_line: str
    """As one can paste it into a shell."""
    image_sha256: str
    """Of the kernel image that was booted, of the first test's where each test has its own; on a host's own Linux of all
    tests' programs."""
    build_id: str | None = None
    """The GNU build id of the ELF file, where it has one."""
    inputs_sha256: str | None = None
    """Of everything the guest is given (kernel, initrd, disks), where that was measured."""

    @property
    def fingerprint(self) -> str:
        """What must be equal for two results to be of the same thing."""
        return self.inputs_sha256 or self.image_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """What a campaign sets out to do; fixed at its start."""

    kernel: str
    """The kernel's name."""
    started_at: datetime
    isolation: Isolation
    cases: tuple[Case, ...]
    """In order; one that is to be attempted several times is in it as often."""
    revision: Revision | None
    arguments: tuple[str, ...]
    """The command line that asked for it."""
    timeout_s: float | None = None
    """`--timeout`, so that a resumed run keeps it."""
    seed: int | None = None
    """What shuffled the order; None where it was not shuffled."""
    stop: StopRule = StopRule.NEVER
    endless: bool = False
    """Whether the cases are repeated until the stop rule ends it."""
    boot_retries: int | None = None
    """How often a boot that failed is tried again, instead of as configured."""
    boot_failures_in_a_row: int = BOOT_FAILURES_IN_A_ROW
    """So many tests without a boot, and a target is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCampaign:
    """A campaign as the database remembers it, without its planned cases."""

    number: int
    identity: str
    """The same on every machine that its results travel to."""
    kernel: str
    state: CampaignState
    started_at: datetime
    finished_at: datetime | None
    isolation: Isolation
    revision: Revision | None
    arguments: tuple[str, ...]
    timeout_s: float | None
    planned: int
    """How many cases it planned, each counted once."""
    seed: int | None = None
    stop: StopRule = StopRule.NEVER
    endless: bool = False
    boot_retries: int | None = None
    boot_failures_in_a_row: int = BOOT_FAILURES_IN_A_ROW
    origin: Origin = Origin.MEASURED
    source: str = ""
    """The name of the file that it was imported from; nothing where it was measured here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTotal:
    """What an imported page says that a campaign came to on a target, whether or not it lists the tests."""

    target: str
    passed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCampaign:
    """Results that another program or a person recorded."""

    identity: str
    """32 hexadecimal digits that follow from the content, so that the same results are recognised when they come again."""
    kernel: str
    origin: Origin
    source: str
    """The name of the file, printable."""
    started_at: datetime
    attempts: tuple[Attempt, ...]
    totals: tuple[ReportedTotal, ...] = ()
    revision: Revision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A campaign that later ones are compared with, under a name."""

    name: str
    campaign: int
    pinned_at: datetime
    note: str = ""
    """Why this one, in its owner's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """One way in which a case once failed."""

    target: str
    test: str
    error_number: int | None
    cause: str
    """Of a hang, as `parity.diagnosis.Cause` names it; empty where it was none or nothing was captured."""
    subject: str
    """What the hang was about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassChange:
    """One measured attempt of a case whose answer to "does it pass?" differs from the measured one before it.

    The first measured attempt of a case is one too.
    """

    campaign: int
    target: str
    test: str
    attempt: int
    """Its number."""
    outcome: Outcome
