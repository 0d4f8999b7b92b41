"""Taking tests at a shell's prompt: type a line, see it echoed, wait for the end, read on for a moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation
from parity.configuration import fill
from parity.deadline import Deadline
from parity.errors import GarbledInputError, MachineError, UnreadInputError
from parity.outcome import Outcome
from runners.machine.boot import BootFailedError, Report, boot, boot_failed
from runners.machine.keyboard import Keyboard
from runners.machine.watch import Watch
from runners.verdict.observation import Ending
from runners.verdict.proof import make_proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from parity.configuration import ShellDelivery
    from runners.machine.boot import Booted, BootListener
    from runners.machine.machine import Machine
    from runners.machine.rig import Rig

_PROMPT_S: Final = 2.0
"""How long the prompt may take to come back once a test's end was announced."""


class ShellRunner:
    """Runs tests at the prompt of one target: a fresh boot for each, or one boot for all."""

    def __init__(self, rig: Rig, delivery: ShellDelivery, listener: BootListener) -> None:
        self._rig = rig
        self._listener = listener
        self._delivery = delivery
        self._keyboard = Keyboard(delivery.typing)
        self._proof = make_proof(delivery, rig.configuration.tests)
        self._booted: Booted | None = None

    def run(self, tests: Sequence[str]) -> Iterator[Report]:
        """Run the tests one after another. Raises `HarnessError`s and `Stopped`."""
        for test in tests:
            self._go_back()
            inherited = self._booted.isolation if self._booted is not None else None
            report = self._run_one(test)
            if inherited is not None and not report.begun and not self._is_beyond_doubt(inherited):
                self.close()
                report = self._run_one(test)
                self._compare(inherited, report)
            yield report

    def close(self) -> None:
        """End the machine, if one runs."""
        if self._booted is not None:
            self._booted.close()
            self._booted = None

    def _run_one(self, test: str) -> Report:
        fields = self._rig.fields(test)
        fresh = self._booted is None
        if self._booted is None:
            try:
                self._booted = boot(self._rig, fields, ready=self._delivery.prompt, listener=self._listener)
            except BootFailedError as error:
                return boot_failed(self._rig, fields, error.failures)
        booted = self._booted
        visit = _Visit(self._rig, self._delivery, self._keyboard, booted.machine, fields)
        reusable = False
        try:
            at_prompt = visit.make()
            reusable = self._is_reusable(booted, visit, at_prompt=at_prompt)
            if reusable and booted.isolation is Isolation.SNAPSHOT:
                booted.machine.begin_restore()  # while this attempt is judged and the next one found
            return visit.watch.report(self._proof, booted, fresh=fresh, echoes=visit.echoes)
        finally:
            if not reusable:
                self.close()

    def _go_back(self) -> None:
        """Put a saved machine back to its prompt; one that cannot be is ended, and the next test boots anew."""
        if self._booted is None or self._booted.isolation is not Isolation.SNAPSHOT:
            return
        try:
            self._booted.machine.restore()
        except MachineError as error:
            self.close()
            self._rig.snapshots.note_failed(error.message)

    def _is_beyond_doubt(self, isolation: Isolation) -> bool:
        """Whether a machine that others used before cannot be why a test did not begin."""
        return isolation is Isolation.SNAPSHOT and self._rig.snapshots.is_trusted

    def _compare(self, inherited: Isolation, fresh: Report) -> None:
        """Note what a fresh boot says of the restore after which the same test did not begin."""
        if inherited is not Isolation.SNAPSHOT or fresh.attempt.verdict.outcome is Outcome.BOOT_FAILURE:
            return
        if fresh.begun:
            self._rig.snapshots.note_failed("tests did not begin after a restore that began after a boot")
        else:
            self._rig.snapshots.note_confirmed()

    @staticmethod
    def _is_reusable(booted: Booted, visit: _Visit, *, at_prompt: bool) -> bool:
        if visit.watch.was_looked_into or not visit.watch.machine_runs:
            return False
        match booted.isolation:
            case Isolation.SNAPSHOT:
                return True
            case Isolation.SHARED:
                return at_prompt
            case _:
                return False


class _Visit:
    """One test typed at the prompt and watched."""

    def __init__(
        self,
        rig: Rig,
        delivery: ShellDelivery,
        keyboard: Keyboard,
        machine: Machine,
        fields: Mapping[str, str],
    ) -> None:
        self._keyboard = keyboard
        self._machine = machine
        self._lines = [fill(line, fields) for line in delivery.run]
        self._prompt = delivery.prompt.compile(fields)
        self._end = delivery.end.compile(fields) if delivery.end else self._prompt
        self._rig = rig
        self._fields = fields
        self._limits = rig.test_limits(fields)
        self.watch = Watch(rig, machine, fields)
        self.echoes: list[tuple[int, int]] = []
        """Where the console's text is the echo of what was typed."""

    def make(self) -> bool:
        """Type the lines and wait; return whether the machine is back at its prompt, fit for another test."""
        for number, line in enumerate(self._lines, start=1):
            awaited = self._end if number == len(self._lines) else self._prompt
            ending = self._type(line)
            if number == 1:
                self._limits = self._rig.test_limits(self._fields)  # typing is not the test's time
            if ending is None:
                waited = self.watch.wait_for([awaited], self._limits)
                ending = waited if isinstance(waited, Ending) else None
            if ending is not None:
                self.watch.over(ending)
                return False
        at_prompt = self._end is self._prompt or self._back_at_prompt()
        self.watch.over(Ending.COMPLETED)
        return at_prompt

    def _type(self, line: str) -> Ending | None:
        before = self._machine.console.position
        try:
            return self._keyboard.type_line(self._machine, line, self._limits)
        except GarbledInputError as error:
            self.watch.detail = error.message
            return Ending.GARBLED
        except UnreadInputError as error:
            self.watch.detail = error.message
            return Ending.UNREAD
        finally:
            self.echoes.append((before, self._machine.console.position))

    def _back_at_prompt(self) -> bool:
        limits = replace(self._limits, deadline=Deadline.after(_PROMPT_S))
        return not isinstance(self._machine.wait_for([self._prompt], limits), Ending)
