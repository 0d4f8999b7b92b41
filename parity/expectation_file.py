"""expectations.toml: its text in, expectations out; what is wrong in it is said by file and line.

[[expect]]
test = "*_socket_test"
target = "aarch64"
outcome = "fail"
evidence = { error = "ENOSYS" }
reason = "the port has no sockets yet"
"""

from __future__ import annotations

import re
import tomllib
from datetime import date  # noqa: TC003 - pydantic reads the annotation at run time
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from parity.configuration.faults import describe_fault, offer
from parity.configuration.table import Table
from parity.diagnosis import Cause
from parity.error_numbers import ERROR_NAMES, error_number
from parity.errors import ExpectationError, did_you_mean, nearest_names
from parity.expectations import Coverage, Expectation, Expectations, collect_expectations, select_cases
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from parity.campaign import Case

_HEADER: Final = re.compile(r"[ \t]*\[\[[ \t]*[\"']?expect[\"']?[ \t]*\]\]")
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)$")
_FAILURES: Final = tuple(
    outcome.value for outcome in Outcome if outcome.is_measured and not outcome.is_wanted
)
"""What can be expected: a pass needs no announcement, and what was not measured excuses nothing."""


def _failure(name: str) -> str:
    if name not in _FAILURES:
        hint = did_you_mean(nearest_names(name, _FAILURES)) or f"one of {', '.join(_FAILURES)}"
        raise PydanticCustomError("bad_outcome", "is no outcome that can be expected", {"hint": hint})
    return name


def _cause(name: str) -> str:
    known = [cause.value for cause in Cause]
    if name not in known:
        raise PydanticCustomError("bad_cause", "is no cause of a hang", {"hint": offer(name, known, "known")})
    return name


def _error(name: str | int) -> str | int:
    if isinstance(name, str) and error_number(name) is None:
        near = nearest_names(name, ERROR_NAMES.values())
        hint = did_you_mean(near) or "a name such as ENOSYS, or a number"
        raise PydanticCustomError("bad_error", "is no error's name", {"hint": hint})
    return name


_Words = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Evidence(Table):
    """`evidence`: which evidence is covered."""

    error: Annotated[str | int, AfterValidator(_error)] | None = None
    cause: Annotated[str, AfterValidator(_cause)] | None = None
    text: _Words | None = None

    @model_validator(mode="after")
    def _says_something(self) -> _Evidence:
        if self.error is None and self.cause is None and self.text is None:
            raise PydanticCustomError("empty", "says nothing", {"hint": "error, cause or text"})
        return self

    def coverage(self) -> Coverage:
        number = error_number(self.error) if isinstance(self.error, str) else self.error
        cause = None if self.cause is None else Cause(self.cause)
        return Coverage(error_number=number, cause=cause, text=self.text)


class _Entry(Table):
    """`[[expect]]`: one entry as it is written."""

    test: _Words
    target: _Words
    outcome: Annotated[str, AfterValidator(_failure)]
    reason: _Words
    link: str = ""
    owner: str = ""
    expires: date | None = None
    evidence: _Evidence | None = None


def parse_expectations(text: str, *, file: Path, cases: Sequence[Case]) -> Expectations:
    """Read the text of `file`; `cases` is every test on every target that it is meant for.

    Raises `ExpectationError` for the first fault: bad TOML, an unknown key, test or target, no reason, or two entries
    about the same failure of the same test.
    """
    raw = _parse_toml(text, file)
    for key in raw:
        if key != "expect":
            raise ExpectationError(
                file=file,
                line=_find_key(text.split("\n"), 0, key),
                problem=f"{key}: unknown key",
                hint="every entry begins with [[expect]]",
            )
    tables = raw.get("expect", [])
    if not isinstance(tables, list):
        raise ExpectationError(
            file=file,
            line=_find_key(text.split("\n"), 0, "expect"),
            problem="expect: must be a list of tables",
            hint="begin each entry with [[expect]], in double brackets",
        )
    entries: list[Expectation] = []
    for table, begin in zip(tables, _find_entries(text, len(tables)), strict=True):
        entry = _read_entry(text, file, begin, table, cases)
        _refuse_duplicate(file, entry, entries)
        entries.append(entry)
    return collect_expectations(entries)


def _parse_toml(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ExpectationError(file=file, line=1, problem="is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and int's own refusal of thousands of digits
        said = str(error)
        at = _AT_LINE.search(said)
        line = int(at[1]) if at else text.count("\n") + 1
        raise ExpectationError(file=file, line=line, problem=f"is not valid TOML: {said}") from error


def _read_entry(text: str, file: Path, begin: int, table: object, cases: Sequence[Case]) -> Expectation:
    """Read the entry that begins on line `begin`."""

    def fault(key: str, problem: str, hint: str | None) -> ExpectationError:
        line = _find_key(text.split("\n"), begin, key)
        return ExpectationError(
            file=file, line=line, problem=f"{key}: {problem}" if key else problem, hint=hint
        )

    try:
        entry = _Entry.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        problem, hint = describe_fault(first)
        path = [str(part) for part in first["loc"]]
        path += [str(first.get("ctx", {}).get("key", ""))]
        raise fault(".".join(filter(None, path)), problem, hint) from error
    targets = tuple(dict.fromkeys(case.target for case in cases))
    if entry.target not in targets:
        hint = offer(entry.target, targets, "targets")
        raise fault("target", f"no target is called {entry.target!r}", hint)
    chosen = select_cases(entry.test, entry.target, cases)
    if not chosen:
        tests = tuple(dict.fromkeys(case.test for case in cases if case.target == entry.target))
        hint = did_you_mean(nearest_names(entry.test, tests)) or "`parity list` names all tests"
        raise fault("test", f"no test on {entry.target} is called {entry.test!r}", hint)
    return Expectation(
        test=entry.test,
        target=entry.target,
        outcome=Outcome(entry.outcome),
        reason=entry.reason,
        link=entry.link,
        owner=entry.owner,
        expires=entry.expires,
        evidence=entry.evidence.coverage() if entry.evidence else Coverage(),
        line=begin,
        cases=chosen,
    )


def _refuse_duplicate(file: Path, entry: Expectation, earlier: Sequence[Expectation]) -> None:
    for other in earlier:
        same = set(other.cases) & set(entry.cases)
        if same and (other.outcome, other.evidence) == (entry.outcome, entry.evidence):
            raise ExpectationError(
                file=file,
                line=entry.line,
                problem=f"{min(same).test} on {entry.target} is expected so in line {other.line} already",
                hint="one entry for one failure: delete one, or tell them apart by `evidence`",
            )


def _find_entries(text: str, count: int) -> tuple[int, ...]:
    """Return the line on which each of the entries begins; 1 where they are not written as `[[expect]]`.

    tomllib tells no lines. What looks like a header may be within a string; then the text before each is asked how
    many entries it holds.
    """
    lines = text.split("\n")
    headers = [number for number, line in enumerate(lines, 1) if _HEADER.match(line)]
    if len(headers) != count:
        found = {_count_entries(lines[: number - 1]): number for number in reversed(headers)}
        headers = [found.get(index, 1) for index in range(count)]
    return tuple(headers)


def _count_entries(lines: Sequence[str]) -> int | None:
    try:
        found = tomllib.loads("\n".join(lines)).get("expect", [])
    except ValueError:
        return None  # the header is within a string
    return len(found)


def _find_key(lines: Sequence[str], start: int, key: str) -> int:
    """Return the line of a key at or after line `start` and before the next entry; `start` where it is not there."""
    name = re.escape(key.partition(".")[0])
    begins = re.compile(rf"[ \t]*(?:\[+[ \t]*)?[\"']?{name}[\"']?[ \t]*[=\].]")
    for number, line in enumerate(lines[start:], start + 1):
        if _HEADER.match(line) and key != "expect":
            break
        if begins.match(line):
            return number
    return max(start, 1)
