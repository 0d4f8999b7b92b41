"""Typing lines at the guest's console so that they arrive whole.

Real kernels lose characters that come too fast, and some never read their input. Where the guest echoes, each
line is checked before it is sent off; a garbled one is thrown away and typed again.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from parity.deadline import Deadline
from parity.errors import GarbledInputError, UnreadInputError
from parity.printable import printable_line
from runners.console.console import ConsoleClosedError
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from parity.configuration import Typing
    from runners.machine.machine import Limits, Machine

_NEWLINES: Final = ("\n", "\r")
"""What ends a line, the likelier first: guests take one of them, or both."""
_WRAP: Final = r"(?: ?\n)?"
_NEWLINE: Final = re.compile(r"\n")
_ANYTHING: Final = re.compile(r".*", re.DOTALL)


class Echo:
    """What a guest prints that echoes a line faithfully; searched for as a compiled regular expression is.

    Shells that edit lines wrap what does not fit the width they suppose, with a newline or with a space and one. The
    expression that allows for that costs too much to be compiled for every line that is echoed plainly.
    """

    def __init__(self, line: str) -> None:
        self.pattern = line
        """How it is shown."""

    def search(self, text: str, start: int = 0, /) -> re.Match[str] | None:
        """Return the first echo from `start` on."""
        plain = text.find(self.pattern, start)
        if plain >= 0:
            return _ANYTHING.match(text, plain, plain + len(self.pattern))
        return None if text.find("\n", start) < 0 else self._wrapped.search(text, start)

    @cached_property
    def _wrapped(self) -> re.Pattern[str]:
        return re.compile(_WRAP.join(map(re.escape, self.pattern)))


class Keyboard:
    """Types at the prompts of one target's machines, and remembers which newline they take."""

    def __init__(self, typing: Typing) -> None:
        self._typing = typing
        self._newlines: tuple[str, ...] = _NEWLINES if typing.newline is None else (typing.newline,)
        """What may end a line, the likelier first."""

    def type_line(self, machine: Machine, line: str, limits: Limits) -> Ending | None:
        """Type `line` and its newline at a prompt; return None, or why the machine's time ended instead.

        The time for an echo is the typing's own; of `limits` all but the deadline counts. Raises
        `GarbledInputError` when the echo stays wrong, `UnreadInputError` when there is none, and `Stopped`.
        """
        try:
            if not self._typing.echo:
                self._type(machine, line + self._newlines[0])
                return None
            return self._type_checked(machine, line, limits) or self._send_off(machine, line, limits)
        except ConsoleClosedError:
            return Ending.EXITED

    def _type_checked(self, machine: Machine, line: str, limits: Limits) -> Ending | None:
        """Type `line` without its newline until the guest echoes it whole."""
        echo = Echo(line)
        seen = ""
        for turn in range(self._typing.retries + 1):
            if turn and (ending := self._clear(machine, limits)) is not None:
                return ending
            before = machine.console.position
            self._type(machine, line)
            waited = machine.wait_for([echo], self._echo_limits(limits))
            if not isinstance(waited, Ending):
                return None
            if waited not in (Ending.BUDGET, Ending.QUIET):
                return waited
            seen = machine.console.text_since(before)
            if not seen:
                raise UnreadInputError(typed=line, waited_s=self._typing.echo_s)
        raise GarbledInputError(typed=line, seen=printable_line(seen), tries=self._typing.retries + 1)

    def _send_off(self, machine: Machine, line: str, limits: Limits) -> Ending | None:
        """Type the newline until the guest echoes it: a lost one would look like a test that hangs."""
        for turn in range(self._typing.retries + 1):
            # Each twice: a guest that loses characters may have lost the right one.
            newline = self._newlines[turn // 2 % len(self._newlines)]
            self._type(machine, newline)
            waited = machine.wait_for([_NEWLINE], self._echo_limits(limits))
            if not isinstance(waited, Ending):
                self._newlines = tuple(sorted(self._newlines, key=lambda other: other != newline))
                return None
            if waited not in (Ending.BUDGET, Ending.QUIET):
                return waited
        raise GarbledInputError(typed=f"{line}{newline}", seen=line, tries=self._typing.retries + 1)

    def _clear(self, machine: Machine, limits: Limits) -> Ending | None:
        """Throw the garbled line away and let what the guest answers pass by."""
        self._type(machine, self._typing.clear)
        waited = machine.wait_for([], self._echo_limits(limits))
        return waited if isinstance(waited, Ending) and waited not in (Ending.BUDGET, Ending.QUIET) else None

    def _type(self, machine: Machine, text: str) -> None:
        if not self._typing.pace_ms:
            machine.console.send(text)
            return
        for character in text:
            machine.console.send(character)
            # the guest's pace, not a wait for something: bounded by the line's length
            time.sleep(self._typing.pace_ms / 1000)

    def _echo_limits(self, limits: Limits) -> Limits:
        return replace(limits, deadline=Deadline.after(self._typing.echo_s))
