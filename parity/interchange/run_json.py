"""Runs as JSON, for the file in which they travel from one machine to another. Pure: records in, bytes out, and back.

The file comes from outside: every text in it is bounded and made printable, every number has a range, and a record
that fits all that is nothing but data. docs/database.md has the format.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from parity.attempt import Isolation, LogKind
from parity.campaign import CampaignState, Origin, StopRule
from parity.configuration.model import Name
from parity.errors import UsageError
from parity.outcome import Outcome
from parity.printable import printable

VERSION: Final = 1
"""Of the file's format."""


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_printable), Field(max_length=100_000)]
_Short = Annotated[str, BeforeValidator(_printable), Field(max_length=255)]
_Word = Annotated[str, BeforeValidator(_printable), Field(min_length=1, max_length=255)]
_Texts = Annotated[tuple[_Text, ...], Field(max_length=10_000)]
_Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
    AfterValidator(lambda moment: moment.astimezone(UTC)),
]
_Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, lt=1 << 31)]
_Number = Annotated[int, Field(ge=1, lt=1 << 31)]
_Signed = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identity = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
CaptureName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,250}$")]


class _Part(BaseModel):
    """What all parts share: nothing unknown in them, and enums by value, as the database keeps them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=True, hide_input_in_errors=True)


class RunLog(_Part):
    """A log: its content is a file of its own."""

    kind: LogKind
    port: _Short
    sha256: _Sha256
    size_bytes: Annotated[int, Field(ge=0, lt=1 << 63)]


class RunSuspicion(_Part):
    """A runner-up; causes and confidences of a later parity are kept as they are."""

    cause: _Short
    confidence: _Short
    sentence: _Text


class RunHang(_Part):
    """What a capture proves; the capture is a folder of its own."""

    capture: CaptureName
    cause: Annotated[_Short, Field(max_length=64)]
    confidence: Annotated[_Short, Field(max_length=16)]
    sentence: _Text
    evidence: _Texts
    subject: _Text
    signature: _Short
    frames: _Texts
    runners_up: Annotated[tuple[RunSuspicion, ...], Field(max_length=100)]
    missing: _Texts
    pause_s: _Seconds
    took_s: _Seconds


class RunFacts(_Part):
    """What a target was from some attempt on."""

    target: _Word
    arch: Annotated[_Short, Field(max_length=32)]
    qemu_version: _Text
    accelerator: Annotated[_Short, Field(max_length=32)]
    command_line: _Text
    image_sha256: Annotated[_Short, Field(max_length=64)]
    inputs_sha256: Annotated[_Short, Field(max_length=64)] | None
    build_id: Annotated[_Short, Field(max_length=128)] | None


class RunAttempt(_Part):
    """One attempt."""

    number: _Number
    facts: _Count | None
    """Which of the run's facts hold for it, counted from 0."""
    target: _Word
    test: _Word
    outcome: Outcome
    evidence: _Texts
    exit_status: _Signed | None
    signal: _Signed | None
    error_number: _Signed | None
    nonce: Annotated[_Short, Field(max_length=64)]
    isolation: Isolation
    started_at: _Moment
    duration_s: _Seconds
    boot_s: _Seconds | None
    logs: Annotated[tuple[RunLog, ...], Field(max_length=100)]
    hang: RunHang | None


class RunBootFailure(_Part):
    """One boot that did not come up."""

    target: _Word
    started_at: _Moment
    duration_s: _Seconds
    reason: _Text
    logs: Annotated[tuple[RunLog, ...], Field(max_length=100)]
    hang: RunHang | None


class RunCase(_Part):
    """One attempt that was planned."""

    target: _Word
    test: _Word


class RunTotal(_Part):
    """What an imported page says that the run came to on a target."""

    target: _Word
    passed: _Count
    total: _Count


class RunBaseline(_Part):
    """A name that the run is pinned by."""

    name: Name
    pinned_at: _Moment
    note: _Text


class Run(_Part):
    """One run with everything that belongs to it."""

    number: _Number
    identity: Identity
    kernel: _Text
    state: CampaignState
    started_at: _Moment
    finished_at: _Moment | None
    isolation: Isolation
    arguments: _Texts
    timeout_s: _Seconds | None
    planned: _Count
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)] | None
    stop_rule: StopRule
    endless: bool
    revision_commit: Annotated[_Short, Field(max_length=64)] | None
    revision_described: _Text | None
    revision_dirty: bool | None
    origin: Origin
    source: _Text
    cases: tuple[RunCase, ...]
    facts: tuple[RunFacts, ...]
    attempts: tuple[RunAttempt, ...]
    boot_failures: tuple[RunBootFailure, ...]
    totals: tuple[RunTotal, ...]
    baselines: tuple[RunBaseline, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> Run:
        if any(attempt.facts is not None and attempt.facts >= len(self.facts) for attempt in self.attempts):
            raise ValueError("an attempt names facts that the run does not have")
        numbers = {attempt.number for attempt in self.attempts}
        if len(numbers) < len(self.attempts):
            raise ValueError("two attempts have the same number")
        if len({total.target for total in self.totals}) < len(self.totals):
            raise ValueError("it has two totals for one target")
        return self

    @property
    def logs(self) -> tuple[RunLog, ...]:
        """All logs, of attempts and of boots."""
        return tuple(log for owner in self._owners for log in owner.logs)

    @property
    def captures(self) -> tuple[str, ...]:
        """The names of all captures, each once."""
        return tuple(dict.fromkeys(owner.hang.capture for owner in self._owners if owner.hang is not None))

    @property
    def _owners(self) -> tuple[RunAttempt | RunBootFailure, ...]:
        return (*self.attempts, *self.boot_failures)


class RunIndex(_Part):
    """What `run.json` says: what the file is, and which runs are in it."""

    format: Literal["parity runs"] = "parity runs"
    version: int = VERSION
    runs: Annotated[tuple[Identity, ...], Field(max_length=100_000)]


_Read = TypeVar("_Read", RunIndex, Run)


def format_part(part: Run | RunIndex) -> bytes:
    """Return the JSON of a run or of the index; the same record gives the same bytes."""
    return part.model_dump_json(indent=1).encode() + b"\n"


def parse_index(content: bytes, name: str) -> RunIndex:
    """Read `run.json` of the file called `name`; raise `UsageError` where it is none or of a newer parity."""
    index = _parse(RunIndex, content, name)
    if index.version > VERSION:
        raise UsageError(
            f"{name} was written by a newer parity (format {index.version}, this one knows up to {VERSION})",
            hint="update parity; nothing was changed",
        )
    return index


def parse_run(content: bytes, name: str) -> Run:
    """Read one run of the file called `name`; raise `UsageError` where it is none."""
    return _parse(Run, content, name)


def _parse(part: type[_Read], content: bytes, name: str) -> _Read:
    try:
        return part.model_validate_json(content)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise UsageError(
            f"{name} is no export of runs that this parity can read: {printable(problem)}",
            hint="nothing was changed; write it again with `parity export`",
        ) from error
