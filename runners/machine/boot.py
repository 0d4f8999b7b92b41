"""Booting a target until it is ready, a bounded number of times, every failure kept."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from parity.attempt import Attempt, BootFailure, Isolation, Verdict
from parity.deadline import Deadline
from parity.diagnosis import Confidence
from parity.errors import MachineError
from parity.outcome import Outcome
from parity.printable import printable_line
from runners.console.serial_file import read_last_line
from runners.machine.inspection import Stall, look_inside
from runners.machine.machine import Rest
from runners.machine.patience import wait_patiently
from runners.machine.rig import now
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parity.configuration import Pattern
    from parity.diagnosis import Hang
    from runners.machine.machine import Machine
    from runners.machine.rig import Rig

_REST: Final = Rest(idle_s=0.03, busy_s=0.5)
"""What shows after the prompt that the boot is over."""
_REST_LIMIT_S: Final = 2.0
_DYING_S: Final = 0.2
"""How long a QEMU that did not answer may take to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One attempt, and the boots that failed before it could be made."""

    attempt: Attempt
    boot_failures: tuple[BootFailure, ...] = ()
    begun: bool = True
    """Whether anything proves that the test itself began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """A machine that is ready for a test."""

    machine: Machine
    isolation: Isolation
    """What a test on it shares with others."""
    boot_s: float
    failures: tuple[BootFailure, ...]
    _resources: contextlib.ExitStack

    def close(self) -> None:
        """End the machine."""
        self._resources.close()


class BootFailedError(Exception):
    """Every try to boot failed; carries what each one said."""

    def __init__(self, failures: tuple[BootFailure, ...]) -> None:
        super().__init__(failures[-1].reason)
        self.failures = failures


class BootListener:
    """Is told how boots go, in the thread that makes them; to be overridden, since this one does not listen."""

    def begun(self) -> None:
        """A test waits for a machine from now on."""

    def started(self, last_line: Callable[[], str]) -> None:
        """A machine runs; `last_line` tells what its console said last, in any thread, and empty text in the end."""

    def failed(self, failure: BootFailure, *, tries_left: int) -> None:
        """A machine did not come up."""

    def over(self) -> None:
        """There is a machine that is ready, or there is not going to be one."""


def boot(
    rig: Rig,
    fields: Mapping[str, str],
    *,
    append: str = "",
    ready: Pattern | None,
    listener: BootListener,
) -> Booted:
    """Boot until `ready` is seen on the console (at once, where it is None).

    Raises `BootFailedError` when no try succeeded, `MachineError` when QEMU itself did not start, `Stopped`.
    """
    listener.begun()
    try:
        return _boot(rig, fields, append=append, ready=ready, listener=listener)
    finally:
        listener.over()


def _boot(
    rig: Rig, fields: Mapping[str, str], *, append: str, ready: Pattern | None, listener: BootListener
) -> Booted:
    failures: list[BootFailure] = []
    while True:
        started_at, started = now(), time.monotonic()
        with contextlib.ExitStack() as resources:
            machine = resources.enter_context(rig.machine(fields, append=append))
            listener.started(partial(read_last_line, machine.console_log))
            why, hang = _await_ready(rig, machine, fields, ready)
            boot_s = time.monotonic() - started
            if why is None:
                rig.pace.note_boot(boot_s)
                isolation = _save(rig, machine, ready)
                if isolation is not None:
                    return Booted(
                        machine=machine,
                        isolation=isolation,
                        boot_s=boot_s,
                        failures=tuple(failures),
                        _resources=resources.pop_all(),
                    )
                why = _describe(Ending.EXITED, machine, ready, boot_s)
            failures.append(
                BootFailure(
                    target=rig.name,
                    started_at=started_at,
                    duration_s=boot_s,
                    reason=why,
                    logs=machine.raw_logs(),
                    hang=hang,
                )
            )
        tries_left = rig.target.boot.retries + 1 - len(failures)
        listener.failed(failures[-1], tries_left=tries_left)
        if tries_left <= 0:
            raise BootFailedError(tuple(failures))


def boot_failed(rig: Rig, fields: Mapping[str, str], failures: tuple[BootFailure, ...]) -> Report:
    """Return the report on a test whose target did not come up."""
    last = failures[-1]
    tries = f"{len(failures)} boots in a row failed" if len(failures) > 1 else "the boot failed"
    attempt = Attempt(
        target=rig.name,
        test=fields["test"],
        verdict=Verdict(outcome=Outcome.BOOT_FAILURE, evidence=(last.reason, tries)),
        nonce=fields["nonce"],
        isolation=rig.isolation,
        started_at=last.started_at,
        duration_s=last.duration_s,
        logs=last.logs,
        hang=last.hang,
    )
    return Report(attempt=attempt, boot_failures=failures)


def not_made(rig: Rig, test: str, outcome: Outcome, why: str) -> Report:
    """Return the report on an attempt that could not be made at all."""
    attempt = Attempt(
        target=rig.name,
        test=test,
        verdict=Verdict(
            outcome=outcome, evidence=tuple(printable_line(line) for line in why.splitlines()[:20])
        ),
        nonce="",
        isolation=rig.isolation,
        started_at=now(),
        duration_s=0.0,
    )
    return Report(attempt=attempt)


def _save(rig: Rig, machine: Machine, ready: Pattern | None) -> Isolation | None:
    """Save a machine at its prompt where that is wanted, and return what a test on it shares with others.

    A prompt may appear before the kernel has come to rest: what it still prints is waited for, and the prompt must
    be the last of it. None is returned for a machine that ended meanwhile.
    """
    if rig.isolation is not Isolation.SNAPSHOT or ready is None:
        return rig.isolation
    if not rig.saves_states:
        return Isolation.BOOT
    machine.settle(_REST, Deadline.after(_REST_LIMIT_S))
    try:
        why_slow = machine.save()
    except MachineError as error:
        if machine.ends_within(_DYING_S):
            return None
        rig.snapshots.give_up(error.message)
        return Isolation.BOOT
    rig.snapshots.why_slow = rig.snapshots.why_slow or why_slow
    return Isolation.SNAPSHOT


def _await_ready(
    rig: Rig, machine: Machine, fields: Mapping[str, str], ready: Pattern | None
) -> tuple[str | None, Hang | None]:
    """Return None when the machine is ready, else why it is not, and what a look inside found."""
    if ready is None:
        return None, None
    limits = rig.boot_limits(fields)
    started = time.monotonic()

    def look(ending: Ending, *, is_last: bool = False) -> Hang | None:
        waited_s = time.monotonic() - started
        return look_inside(
            Stall(
                rig=rig,
                machine=machine,
                fields=fields,
                ending=ending,
                waited_s=waited_s,
                booting=True,
                is_last=is_last,
            )
        )

    patterns = [ready.compile(fields)]
    ending, hang = wait_patiently(
        machine,
        patterns,
        limits,
        look if rig.inspector is not None else None,
        enough=Confidence.HIGH,  # firmware and boot menus are neither the kernel's code nor its data
    )
    if not isinstance(ending, Ending):
        return None, None
    waited_s = time.monotonic() - started
    if hang is None and ending.is_stuck:
        hang = look(ending, is_last=True)
    if ending is Ending.PANICKED:
        machine.drain(rig.after_panic_s)
    found = f"; {hang.diagnosis.sentence}" if hang is not None else ""
    return f"{_describe(ending, machine, ready, waited_s)}{found}", hang


def _describe(ending: Ending, machine: Machine, ready: Pattern | None, waited_s: float) -> str:
    awaited = f"; awaited: {printable_line(ready.source)}" if ready is not None else ""
    last = f"; last console line: {printable_line(machine.console.last_line) or '(nothing)'}"
    match ending:
        case Ending.PANICKED:
            return f"the kernel died while booting, after {waited_s:.1f} s: {printable_line(machine.panic)}"
        case Ending.EXITED:
            ended = machine.wait_exit()
            why = ended.reason or printable_line(ended.stderr) or "no reason given"
            return f"QEMU ended while booting (exit status {ended.status}, {why}){last}"
        case Ending.QUIET:
            return (
                f"the boot stopped half-way: silent and idle, given up after {waited_s:.1f} s{awaited}{last}"
            )
        case Ending.FLOODED:
            return f"the boot flooded the console{last}"
        case _:
            return f"not ready after {waited_s:.1f} s{awaited}{last}"
