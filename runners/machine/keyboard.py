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

_WRAP: Final = r"(?: ?\n)?"
_NEWLINE: Final = re.compile(r"\n")
_ANYTHING: Final = re.compile(r".*", re.DOTALL)


def type_line(machine: Machine, line: str, typing: Typing, limits: Limits) -> Ending | None:
    """Type `line` and its newline at a prompt; return None, or why the machine's time ended instead.

    The time for an echo is the typing's own; of `limits` all but the deadline counts. Raises
    `GarbledInputError` when the echo stays wrong, `UnreadInputError` when there is none, and `Stopped`.
    """
    try:
        if not typing.echo:
            _type(machine, line + typing.newline, typing)
            return None
        return _type_checked(machine, line, typing, limits) or _send_off(machine, line, typing, limits)
    except ConsoleClosedError:
        return Ending.EXITED


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


def _type_checked(machine: Machine, line: str, typing: Typing, limits: Limits) -> Ending | None:
    """Type `line` without its newline until the guest echoes it whole."""
    echo = Echo(line)
    seen = ""
    for turn in range(typing.retries + 1):
        if turn and (ending := _clear(machine, typing, limits)) is not None:
            return ending
        before = machine.console.position
        _type(machine, line, typing)
        waited = machine.wait_for([echo], _echo_limits(limits, typing))
        if not isinstance(waited, Ending):
            return None
        if waited not in (Ending.BUDGET, Ending.QUIET):
            return waited
        seen = machine.console.text_since(before)
        if not seen:
            raise UnreadInputError(typed=line, waited_s=typing.echo_s)
    raise GarbledInputError(typed=line, seen=printable_line(seen), tries=typing.retries + 1)


def _send_off(machine: Machine, line: str, typing: Typing, limits: Limits) -> Ending | None:
    """Type the newline until the guest echoes it: a lost one would look like a test that hangs."""
    for _turn in range(typing.retries + 1):
        _type(machine, typing.newline, typing)
        waited = machine.wait_for([_NEWLINE], _echo_limits(limits, typing))
        if not isinstance(waited, Ending):
            return None
        if waited not in (Ending.BUDGET, Ending.QUIET):
            return waited
    raise GarbledInputError(typed=f"{line}\n", seen=line, tries=typing.retries + 1)


def _clear(machine: Machine, typing: Typing, limits: Limits) -> Ending | None:
    """Throw the garbled line away and let what the guest answers pass by."""
    _type(machine, typing.clear, typing)
    waited = machine.wait_for([], _echo_limits(limits, typing))
    return waited if isinstance(waited, Ending) and waited not in (Ending.BUDGET, Ending.QUIET) else None


def _type(machine: Machine, text: str, typing: Typing) -> None:
    if not typing.pace_ms:
        machine.console.send(text)
        return
    for character in text:
        machine.console.send(character)
        time.sleep(
            typing.pace_ms / 1000
        )  # the guest's pace, not a wait for something: bounded by the line's length


def _echo_limits(limits: Limits, typing: Typing) -> Limits:
    return replace(limits, deadline=Deadline.after(typing.echo_s))
