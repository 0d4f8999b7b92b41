"""What parity.toml may say: every table and key, with its type, its default and its meaning.

A table under `[defaults]` holds for every target; `[target.NAME]` overrides it key by key (loader.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from parity.architecture import ARCHITECTURES, Architecture
from parity.configuration.inspection import HangRules
from parity.configuration.matrix import MatrixRow
from parity.configuration.table import Table, Words
from parity.configuration.template import PatternField, TemplateField
from parity.errors import did_you_mean, nearest_names

PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""What tests, targets and serial ports may be called: it goes into file names and documents."""


def _known_architecture(name: str) -> str:
    if name not in ARCHITECTURES:
        near = nearest_names(name, ARCHITECTURES)
        hint = did_you_mean(near) or f"known: {', '.join(ARCHITECTURES)}"
        raise PydanticCustomError(
            "unknown_architecture", "unknown architecture {name}", {"name": repr(name), "hint": hint}
        )
    return name


def _plain_name(name: str) -> str:
    if not PLAIN_NAME.fullmatch(name):
        raise PydanticCustomError("bad_name", "is no name: letters, digits, and . _ + - inside")
    return name


def _exit_status(text: str) -> str:
    if text not in map(str, range(256)):
        raise PydanticCustomError("bad_status", "is no exit status: 0 to 255")
    return text


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
PathField = Annotated[Path, Field(strict=False)]
Patterns = Annotated[tuple[PatternField, ...], Field(strict=False)]
Command = Annotated[tuple[TemplateField, ...], Field(strict=False, min_length=1)]
Commands = Annotated[tuple[Command, ...], Field(strict=False)]
Name = Annotated[str, AfterValidator(_plain_name)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]
MatrixRows = Annotated[tuple[MatrixRow, ...], Field(strict=False, max_length=100)]
Statuses = Annotated[tuple[int, ...], Field(strict=False)]


class Kernel(Table):
    """`[kernel]`: whose parity is tracked."""

    name: str = Field(min_length=1)
    source: PathField = Path()
    """The folder whose Git revision is recorded with every run."""
    reference: str | None = None
    """The target that the port is measured against."""
    port: str | None = None
    """The target that is to reach parity."""
    document: str = "arm64-parity.md"
    plan: PathField = Path("plan")
    """The folder with the decisions, work items and log entries that the document takes in."""
    expectations: PathField = Path("expectations.toml")
    """The file that says which failures are known."""
    goal_percent: Annotated[float, Field(gt=0, le=100)] = 100.0


class Tests(Table):
    """`[tests]`: which tests there are."""

    names: Names = ()
    discover: str | None = None
    """A glob below parity.toml's folder; each file's name without its ending is a test."""
    path: TemplateField = "{test}"
    """What `{path}` becomes: the test's path in the guest."""


class TestOverride(Table):
    """`[test.NAME]`: what is different for one test."""

    path: TemplateField | None = None
    budget_s: Seconds | None = None
    targets: Names | None = None
    """The only targets on which it is run."""
    passed: Patterns | None = Field(default=None, alias="pass")
    failed: Patterns | None = Field(default=None, alias="fail")
    skipped: Patterns | None = Field(default=None, alias="skip")


class Budget(Table):
    """`budget`: how long each step may take."""

    boot_s: Seconds = 60.0
    test_s: Seconds = 30.0
    quiet_s: Seconds = 3.0
    """Without output and progress for this long the guest is looked into; longer on slow targets and busy hosts."""
    drain_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] | None = None
    """How long output is still read after the end, for a panic that comes late; None: until the guest is at rest."""
    output_limit_mib: Annotated[float, Field(gt=0, le=1024)] = 32.0


class Boot(Table):
    """`boot`: what to do about a kernel that does not come up every time."""

    retries: Annotated[int, Field(ge=0, le=20)] = 2


class Typing(Table):
    """`delivery.typing`: how characters get into the guest unharmed."""

    pace_ms: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Pause between characters, for kernels that lose serial input."""
    echo: bool = True
    """Whether the guest echoes what it reads; the echo is then checked."""
    echo_s: Seconds = 2.0
    """How long the echo may take."""
    retries: Annotated[int, Field(ge=0, le=20)] = 3
    """How often a garbled line is typed again, from a clean prompt."""
    newline: Annotated[str, Field(min_length=1)] | None = None
    """What ends a line; None: "\\n", and "\\r", as the Enter key of a terminal sends it, where the guest leaves that alone."""
    clear: str = "\x15"
    """Typed to throw away a garbled line: Ctrl-U, or "\\n" where the shell does not know it."""


class ShellDelivery(Table):
    """The test is typed at the prompt of a shell in the guest."""

    kind: Literal["shell"]
    prompt: PatternField
    run: Command = Field(default=("{path}",))
    """The lines typed for one test, one after another, each at a prompt."""
    begin: PatternField | None = None
    """Proves that this attempt has begun; should bear `{nonce}`."""
    end: PatternField | None = None
    """Proves that it has ended (groups: status, signal). Without it: the prompt after the last line."""
    unknown: PatternField | None = None
    """What the shell answers when there is no such program."""
    typing: Typing = Typing()


class BootArgumentDelivery(Table):
    """One boot per test, the test named on the kernel's command line."""

    kind: Literal["boot-arg"]
    append: TemplateField = "test={test}"
    begin: PatternField | None = None
    end: PatternField | None = None


class ImageDelivery(Table):
    """One kernel image per test: `kernel` (or `initrd`, or a disk) has `{test}` in its path."""

    kind: Literal["image"]
    begin: PatternField | None = None
    end: PatternField | None = None


class SuiteDelivery(Table):
    """One boot runs all tests and prints their results."""

    kind: Literal["suite"]
    format: Literal["plain", "ktap"] = "plain"
    append: TemplateField = ""
    """Added to the command line; `{tests}` names the chosen ones."""
    start: PatternField | None = None
    """A test starts (group: test)."""
    result: PatternField | None = None
    """A test's result, for `plain` (groups: test, and one of pass, fail, skip)."""
    done: PatternField | None = None
    """The suite is complete. Without it: QEMU's exit, or for `ktap` the whole plan."""

    @model_validator(mode="after")
    def _plain_needs_a_result(self) -> SuiteDelivery:
        if self.format == "plain":
            groups = self.result.anywhere().groupindex.keys() if self.result else set()
            if "test" not in groups or not groups & {"pass", "fail", "skip"}:
                raise PydanticCustomError(
                    "missing_group",
                    "a plain suite needs `result` with the group (?P<test>...) and at least one of "
                    "(?P<pass>...), (?P<fail>...), (?P<skip>...)",
                    {"key": "result"},
                )
        return self


class ProcessDelivery(Table):
    """The test is a program that runs on the host's own Linux: the reference that tells a wrong test from a kernel."""

    kind: Literal["process"]
    run: Command = Field(default=("{path}",))
    """The program and its arguments, from parity.toml's folder."""
    emulator: str | None = None
    """The user-mode emulator for a foreign architecture, where it is not the architecture's usual one."""


Delivery = Annotated[
    ShellDelivery | BootArgumentDelivery | ImageDelivery | SuiteDelivery | ProcessDelivery,
    Field(discriminator="kind"),
]


class VerdictRules(Table):
    """`verdict`: what in a test's output means what. Everything unproven is judged for the worse."""

    status: PatternField | None = None
    """The exit status of the test's own process (groups: status or signal; optionally test, the process's name)."""
    silent_status: int | None = None
    """The status that silence means, for shells that report only failures."""
    pass_status: Statuses = (0,)
    skip_status: Statuses = ()
    passed: Patterns = Field(default=(), alias="pass")
    """At least one must be printed for a pass, where any is given."""
    failed: Patterns = Field(default=(), alias="fail")
    """Any of them printed is a failure, whatever the exit status says."""
    skipped: Patterns = Field(default=(), alias="skip")
    panic: Patterns = ()
    """The kernel is dead or took a fatal fault: a crash, even after a pass."""
    exit_codes: dict[
        Annotated[str, AfterValidator(_exit_status)], Literal["pass", "fail", "skip", "crash"]
    ] = Field(default={})
    """QEMU's own exit status, for kernels with an exit device: `"33" = "pass"`."""


class Disk(Table):
    """`disk`: an image that every attempt gets its own copy of."""

    image: TemplateField
    format: Literal["raw", "qcow2"] = "raw"
    interface: str = "none"
    """QEMU's `if=`; with `none`, `device` attaches it."""
    device: str | None = None
    """The device that holds it, such as `virtio-blk-device`; `drive=` is added."""
    read_only: bool = False
    """Use the image itself, without a copy."""


class Firmware(Table):
    """`firmware`: UEFI in two flash images."""

    code: PathField
    variables: PathField | None = None
    """Copied for every boot, since the guest writes it."""


_OWN_WIRING: Final = {
    "-nographic": "there is no window anyway, and serial ports are named by `serial`",
    "-serial": "serial ports are named by `serial`",
    "-monitor": "the monitor is parity's",
    "-qmp": "the monitor is parity's",
    "-daemonize": "QEMU must stay parity's child",
    "-kernel": "the key `kernel` says it, and its hash is recorded",
    "-initrd": "the key `initrd` says it, and its hash is recorded",
    "-append": "the key `append` says it",
}
"""QEMU options that would clash with parity's own, and what is there instead."""


class Target(Table):
    """`[target.NAME]`: something tests run on."""

    arch: Annotated[str, AfterValidator(_known_architecture)]
    machine: str | None = None
    """QEMU's machine; only a `process` delivery does without one."""
    cpu: str | None = None
    cpus: Annotated[int, Field(ge=1, le=512)] = 1
    memory_mib: Annotated[int, Field(ge=1, le=1_048_576)] = 128
    accelerator: Literal["auto", "kvm", "hvf", "tcg"] = "tcg"
    """tcg keeps targets comparable and works everywhere; auto takes the host's own where QEMU starts with it."""
    qemu: str | None = None
    """The emulator, where it is not the architecture's usual one."""
    build: Commands = ()
    """Run in parity.toml's folder before a campaign, unless `--no-build`."""
    kernel: TemplateField | None = None
    symbols: TemplateField | None = None
    """The ELF file, where `kernel` is not one."""
    initrd: TemplateField | None = None
    append: TemplateField = ""
    firmware: Firmware | None = None
    disk: Annotated[tuple[Disk, ...], Field(strict=False)] = ()
    prepare: Commands = ()
    """Run on the attempt's copy of the disk (`{disk}`) before QEMU starts."""
    arguments: Words = ()
    """Further QEMU arguments, word by word."""
    serial: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)] = ("console",)
    """The serial ports in QEMU's order."""
    console: str | None = None
    """The port that is typed at; the first where it is not said."""
    delivery: Delivery
    verdict: VerdictRules = VerdictRules()
    budget: Budget = Budget()
    boot: Boot = Boot()
    hang: HangRules = HangRules()

    @property
    def architecture(self) -> Architecture:
        """The architecture's row."""
        return ARCHITECTURES[self.arch]

    @property
    def console_port(self) -> str:
        """The port that is typed at."""
        return self.console or self.serial[0]

    @property
    def is_host(self) -> bool:
        """Whether tests run on the host's own kernel."""
        return isinstance(self.delivery, ProcessDelivery)

    @model_validator(mode="after")
    def _machine_is_named(self) -> Target:
        if self.machine is None and not self.is_host:
            raise PydanticCustomError("missing", "is missing", {"key": "machine"})
        return self

    @model_validator(mode="after")
    def _console_is_a_port(self) -> Target:
        if self.console is not None and self.console not in self.serial:
            hint = (
                did_you_mean(nearest_names(self.console, self.serial)) or f"ports: {', '.join(self.serial)}"
            )
            raise PydanticCustomError(
                "unknown_port",
                "no serial port is called {name}",
                {"key": "console", "name": repr(self.console), "hint": hint},
            )
        return self

    @model_validator(mode="after")
    def _arguments_leave_the_wiring_alone(self) -> Target:
        for word in self.arguments:
            if word in _OWN_WIRING:
                raise PydanticCustomError(
                    "own_wiring",
                    "{word} is parity's own to give",
                    {"key": "arguments", "word": word, "hint": f"leave it out: {_OWN_WIRING[word]}"},
                )
        return self

    @model_validator(mode="after")
    def _ports_are_distinct(self) -> Target:
        if len(set(self.serial)) != len(self.serial):
            raise PydanticCustomError("same_port", "two serial ports have the same name", {"key": "serial"})
        return self


class Results(Table):
    """`[results]`: where results are kept."""

    database: str | None = None
    """Any SQLAlchemy URL; `.parity/parity.db` beside parity.toml where it is not said."""


class ParityFile(Table):
    """The whole of parity.toml, defaults already merged into the targets."""

    kernel: Kernel
    tests: Tests = Tests()
    results: Results = Results()
    target: Annotated[dict[Name, Target], Field(min_length=1)]
    test: dict[str, TestOverride] = Field(default={})
    matrix: MatrixRows = ()
