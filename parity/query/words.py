"""The words of a query: what each says of a test's newest result. One more word is one more row.

A word is `KEY:VALUE`, a plain word, `TARGET:WORD`, or else the name or glob of a test. Every form is read into terms,
and a term prints as the one form that means the same wherever it stands.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from parity.diagnosis import Cause
from parity.error_numbers import ERROR_NAMES, error_number
from parity.errors import QueryFault, did_you_mean, nearest_names
from parity.expectations import Mark
from parity.outcome import Outcome, PairState
from parity.signal_names import SIGNAL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parity.attempt import StoredAttempt
    from parity.standing import TestStanding

    Holds = Callable[["Result"], bool]

_DURATION: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One test on one target, as a term sees it."""

    row: TestStanding
    target: str
    attempt: StoredAttempt | None
    """The newest; None where it was never attempted."""
    is_flaky: bool
    """Whether it both passed and did not, on one image."""
    mark: Mark | None
    """How it meets what was expected of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition; two that print alike are equal."""

    text: str
    holds: Holds = field(compare=False, repr=False)
    place: int = field(default=0, compare=False)
    """Where its word is in the query, in characters."""
    is_about_test: bool = False
    """Whether it says something of the test as a whole, the same for each of its results."""
    target: str | None = None
    """The target that it names."""
    glob: str | None = None
    """The name or glob of tests that it names."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What can stand before a colon."""

    name: str
    read: Callable[[str, int], Term]
    """Makes a term of the value, which begins at a place; raises `QueryFault`."""
    values: tuple[str, ...] = ()
    """What can stand behind it, where that is a closed set."""


def read_word(word: str, place: int) -> tuple[Term, ...]:
    """Return the terms of one word that begins at `place`; raise `QueryFault`."""
    key, colon, value = word.partition(":")
    if not colon:
        return (_plain(word, place) or _test(word, place),)
    if key in KEYS:
        return (KEYS[key].read(value, place + len(key) + 1),)
    if not key:
        raise QueryFault(place, "a colon with nothing before it", hint="KEY:VALUE, such as outcome:hang")
    said = _plain(value, place + len(key) + 1)
    if said is None or said.is_about_test:
        raise _neither_key_nor_target(key, value, place)
    return _on(key, place), said


def complete_words(*, tests: Iterable[str], targets: Iterable[str]) -> tuple[str, ...]:
    """Return every word that can be listed: plain ones, keys, keys with a value of a closed set, targets, tests."""
    targets = tuple(targets)
    with_values = (f"{key.name}:{value}" for key in KEYS.values() for value in key.values)
    return (
        *PLAIN,
        *(f"{name}:" for name in KEYS),
        *with_values,
        *(f"on:{target}" for target in targets),
        *(f"{target}:{outcome}" for target in targets for outcome in Outcome),
        *tests,
    )


def _plain(word: str, place: int) -> Term | None:
    """Return the term of a word that needs no key: an outcome, a pair state or a flag."""
    if word in _OUTCOMES:
        return _outcome(word, place)
    if word in _PAIR_STATES:
        return _pair(word, place)
    if word in _FLAGS:
        return Term(text=word, holds=_FLAGS[word], place=place)
    return None


def _neither_key_nor_target(key: str, value: str, place: int) -> QueryFault:
    words = (*_OUTCOMES, *_FLAGS)
    meant = nearest_names(value, words)
    near = nearest_names(key, KEYS)
    if near and not meant:
        return QueryFault(place, f"no key is called {key!r}", hint=did_you_mean(near))
    problem = f"no result on {key} can be {value!r}" if value else f"{key}: needs a word behind it"
    return QueryFault(
        place + len(key) + 1,
        problem,
        hint=did_you_mean(meant) or f"behind a target: {', '.join(words)}; keys: {', '.join(KEYS)}",
    )


def _test(glob: str, place: int) -> Term:
    if not glob:
        raise QueryFault(place, "test: needs a name or glob behind it")
    return Term(
        text=f"test:{glob}",
        holds=lambda result: fnmatch.fnmatchcase(result.row.test, glob),
        place=place,
        is_about_test=True,
        glob=glob,
    )


def _on(target: str, place: int) -> Term:
    if not target:
        raise QueryFault(place, "on: needs a target behind it")
    return Term(text=f"on:{target}", holds=lambda result: result.target == target, place=place, target=target)


def _outcome(value: str, place: int) -> Term:
    outcome = Outcome(_known(value, _OUTCOMES, "outcome", place))
    return Term(
        text=f"outcome:{outcome}", holds=_of_attempt(lambda a: a.verdict.outcome is outcome), place=place
    )


def _pair(value: str, place: int) -> Term:
    state = PairState(_known(value, _PAIR_STATES, "pair state", place))
    return Term(
        text=f"pair:{state}",
        holds=lambda result: result.row.pair is state,
        place=place,
        is_about_test=True,
    )


def _cause(value: str, place: int) -> Term:
    cause = Cause(_known(value, _CAUSES, "cause", place))
    return Term(
        text=f"cause:{cause}",
        holds=_of_attempt(lambda a: a.hang is not None and a.hang.diagnosis.cause is cause),
        place=place,
    )


def _error(value: str, place: int) -> Term:
    number = int(value) if _NUMBER.fullmatch(value) else error_number(value.upper())
    if number is None:
        raise _no_such(
            value, "error", ERROR_NAMES.values(), place, otherwise="a name such as ENOSYS, or a number"
        )
    shown = ERROR_NAMES.get(number, str(number))
    return Term(
        text=f"error:{shown}", holds=_of_attempt(lambda a: a.verdict.error_number == number), place=place
    )


def _signal(value: str, place: int) -> Term:
    names = {name: number for number, name in SIGNAL_NAMES.items()}
    upper = value.upper()
    number = int(value) if _NUMBER.fullmatch(value) else names.get(upper, names.get(f"SIG{upper}"))
    if number is None:
        raise _no_such(value, "signal", names, place, otherwise="a name such as SIGSEGV, or a number")
    shown = SIGNAL_NAMES.get(number, str(number))
    return Term(text=f"signal:{shown}", holds=_of_attempt(lambda a: a.verdict.signal == number), place=place)


def _exit(value: str, place: int) -> Term:
    found = re.fullmatch(r"-?[0-9]{1,15}", value)
    if not found:
        raise QueryFault(place, f"{value!r} is no exit status", hint="a number, such as exit:1")
    status = int(value)
    return Term(
        text=f"exit:{status}", holds=_of_attempt(lambda a: a.verdict.exit_status == status), place=place
    )


def _run(value: str, place: int) -> Term:
    if not _NUMBER.fullmatch(value):
        raise QueryFault(place, f"{value!r} is no run's number", hint="such as run:12")
    number = int(value)
    return Term(text=f"run:{number}", holds=_of_attempt(lambda a: a.campaign == number), place=place)


def _since(value: str, place: int) -> Term:
    moment = _moment(value, place)
    return Term(text=f"since:{value}", holds=_of_attempt(lambda a: a.started_at >= moment), place=place)


def _before(value: str, place: int) -> Term:
    moment = _moment(value, place)
    return Term(text=f"before:{value}", holds=_of_attempt(lambda a: a.started_at < moment), place=place)


def _slower_than(value: str, place: int) -> Term:
    limit = _seconds(value, place)
    return Term(text=f"slower-than:{value}", holds=_of_attempt(lambda a: a.duration_s > limit), place=place)


def _faster_than(value: str, place: int) -> Term:
    limit = _seconds(value, place)
    return Term(text=f"faster-than:{value}", holds=_of_attempt(lambda a: a.duration_s < limit), place=place)


def _of_attempt(holds: Callable[[StoredAttempt], bool]) -> Holds:
    """Return the same of a result; what was never attempted is nothing."""
    return lambda result: result.attempt is not None and holds(result.attempt)


def _moment(value: str, place: int) -> datetime:
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryFault(
            place, f"{value!r} is no date", hint="YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC: 2026-11-01"
        ) from None


def _seconds(value: str, place: int) -> float:
    found = _DURATION.fullmatch(value)
    if not found:
        raise QueryFault(
            place, f"{value!r} is no duration", hint="a number with ms, s or m behind it: 2s, 500ms"
        )
    return float(found[1]) * _UNITS[found[2]]


def _known(value: str, known: tuple[str, ...], kind: str, place: int) -> str:
    if value not in known:
        raise _no_such(value, kind, known, place, otherwise=f"known: {', '.join(known)}")
    return value


def _no_such(value: str, kind: str, known: Iterable[str], place: int, *, otherwise: str) -> QueryFault:
    problem = f"no {kind} is called {value!r}" if value else f"the {kind} is missing"
    return QueryFault(place, problem, hint=did_you_mean(nearest_names(value, known)) or otherwise)


def _is_unexpected(result: Result) -> bool:
    """Whether it is a failure that nobody announced, or a pass where a failure was announced."""
    if result.attempt is None:
        return False
    outcome = result.attempt.verdict.outcome
    failed = outcome.is_measured and not outcome.is_wanted
    return (failed and result.mark is None) or result.mark is Mark.XPASS


_OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
_PAIR_STATES: Final = tuple(state.value for state in PairState)
_CAUSES: Final = tuple(cause.value for cause in Cause)

_FLAGS: Final[dict[str, Holds]] = {
    "never-run": lambda result: result.attempt is None,
    "flaky": lambda result: result.is_flaky,
    "expected": lambda result: result.mark is Mark.XFAIL,
    "unexpected": _is_unexpected,
}
"""Plain words beside outcomes and pair states."""

PLAIN: Final = (*_FLAGS, *_OUTCOMES, *_PAIR_STATES)
"""Every word that stands alone and is no test's name; `test:NAME` names a test that is called like one."""

KEYS: Final = {
    key.name: key
    for key in (
        Key(name="test", read=_test),
        Key(name="on", read=_on),
        Key(name="outcome", read=_outcome, values=_OUTCOMES),
        Key(name="pair", read=_pair, values=_PAIR_STATES),
        Key(name="error", read=_error, values=tuple(ERROR_NAMES.values())),
        Key(name="cause", read=_cause, values=_CAUSES),
        Key(name="signal", read=_signal, values=tuple(SIGNAL_NAMES.values())),
        Key(name="exit", read=_exit),
        Key(name="run", read=_run),
        Key(name="since", read=_since),
        Key(name="before", read=_before),
        Key(name="slower-than", read=_slower_than),
        Key(name="faster-than", read=_faster_than),
    )
}
"""By name; a key takes precedence over a target of the same name, which `on:NAME` still names."""
