"""Every error that parity raises on purpose.

    ParityError
    ├── UsageError              the caller's fault: exit status 2
    │   ├── ConfigurationError      parity.toml: file, key, problem, hint
    │   ├── UnknownNameError        a test, target or run that is not there
    │   ├── PlanError               entries of the plan that cannot be: file, line, problem, hint of each
    │   ├── QueryError              a query that cannot be read: its text, the place, problem, hint
    │   ├── ExpectationError        a fault in expectations.toml: file, line, problem, hint
    │   └── DatabaseError           the results database cannot be used as it is
    └── HarnessError            the machinery's fault: exit status 3
        ├── BuildError              a build or prepare command failed
        ├── MachineError            QEMU did not start, died, or stopped answering
        ├── GdbError                GDB is missing, died, hangs, or answers what is no answer
        │   └── GdbRefusedError         it answered with an error, and goes on
        └── ConsoleError            typing at the guest's console failed
            ├── GarbledInputError       the echo differs from what was typed
            └── UnreadInputError        nothing was echoed: the guest does not read

A test that fails is data (an `Outcome`), never one of these.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_FAULTS_SHOWN: Final = 50
_QUERY_SHOWN: Final = 60
"""Characters of a query on either side of a fault."""


class ParityError(Exception):
    """The root: what parity says to its user in one line, with what to do in `hint`."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ParityError):
    """The caller asked for something that cannot be; nothing was run."""


class ConfigurationError(UsageError):
    """A fault in parity.toml: which file, which key, what is wrong."""

    def __init__(self, *, file: Path, key: str, problem: str, hint: str | None = None) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}", hint=hint)
        self.file = file
        self.key = key
        self.problem = problem


class UnknownNameError(UsageError):
    """A name that is not in its list, with the nearest ones that are."""

    def __init__(self, *, kind: str, name: str, known: Iterable[str]) -> None:
        near = nearest_names(name, known)
        super().__init__(f"no {kind} is called {name!r}", hint=did_you_mean(near))
        self.name = name
        self.near = near


@dataclass(frozen=True, slots=True)
class PlanFault:
    """One thing that is wrong in the plan that people keep."""

    file: str
    line: int
    """Counted from 1."""
    problem: str
    hint: str | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.problem}{advice}"


class PlanError(UsageError):
    """Entries of the plan that are faulty or contradict one another: all of them at once."""

    def __init__(self, faults: Iterable[PlanFault]) -> None:
        self.faults = tuple(faults)
        shown = [str(fault) for fault in self.faults[:_FAULTS_SHOWN]]
        more = len(self.faults) - len(shown)
        super().__init__("\n".join([*shown, *([f"and {more} more"] if more else [])]))


class QueryFault(Exception):  # noqa: N818 - it becomes a `QueryError` once the whole text is known
    """What is wrong with a query, and at which of its characters."""

    def __init__(self, place: int, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.place = place
        self.problem = problem
        self.hint = hint


class QueryError(UsageError):
    """A query that cannot be read, or names what is not there; the message points at the place."""

    def __init__(self, *, text: str, fault: QueryFault) -> None:
        first = max(0, fault.place - _QUERY_SHOWN)
        cut = text[first : fault.place + _QUERY_SHOWN]
        # One character for one, so that the caret stays below what it points at.
        shown = "".join(character if character.isprintable() else "?" for character in cut)
        caret = " " * (fault.place - first)
        super().__init__(f"{fault.problem}\n  {shown}\n  {caret}^", hint=fault.hint)
        self.place = fault.place
        self.problem = fault.problem


class ExpectationError(UsageError):
    """A fault in expectations.toml: which file, which line, what is wrong."""

    def __init__(self, *, file: Path, line: int, problem: str, hint: str | None = None) -> None:
        super().__init__(f"{file}:{line}: {problem}", hint=hint)
        self.file = file
        self.line = line
        self.problem = problem


class DatabaseError(UsageError):
    """The database cannot be used as it is: locked, read-only, corrupt or of a newer version."""


class HarnessError(ParityError):
    """QEMU, a build or the machinery around it failed; the tests are not to blame."""


class BuildError(HarnessError):
    """A build or prepare command failed."""

    def __init__(self, *, command: Sequence[str], status: int | None, output_tail: str) -> None:
        how = f"exit status {status}" if status is not None else "it could not be started"
        super().__init__(f"command failed ({how}): {' '.join(command)}\n{output_tail}".rstrip())
        self.command = tuple(command)
        self.status = status
        self.output_tail = output_tail


class MachineError(HarnessError):
    """QEMU did not start, died, or no longer answers; its own words are in the message."""


class GdbError(HarnessError):
    """GDB could not be used for something: what was asked, and what it said; its session is of no more use."""

    def __init__(self, *, asked: str, said: str, hint: str | None = None) -> None:
        super().__init__(f"gdb: {asked}: {said}", hint=hint)
        self.asked = asked
        self.said = said


class GdbRefusedError(GdbError):
    """GDB answered one command with an error; it can be asked further."""


class ConsoleError(HarnessError):
    """Typing at the guest's console failed."""


class GarbledInputError(ConsoleError):
    """The guest echoed something else than what was typed."""

    def __init__(self, *, typed: str, seen: str, tries: int) -> None:
        super().__init__(f"typed {typed!r}, but the guest echoed {seen!r} ({tries} tries)")
        self.typed = typed
        self.seen = seen
        self.tries = tries


class UnreadInputError(ConsoleError):
    """Nothing was echoed: the guest does not read its console."""

    def __init__(self, *, typed: str, waited_s: float) -> None:
        super().__init__(f"typed {typed!r}, but the guest echoed nothing for {waited_s:.1f} s")
        self.typed = typed
        self.waited_s = waited_s


def nearest_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of `known` that look like `name`, nearest first."""
    by_folded: dict[str, list[str]] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), []).append(candidate)
    near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.5)
    return tuple(candidate for folded in near for candidate in by_folded[folded])[:3]


def did_you_mean(near: Sequence[str]) -> str | None:
    """Return the hint that offers `near`, or None where nothing is near."""
    return f"did you mean {' or '.join(near)}?" if near else None
