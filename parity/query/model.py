"""A query as it was read, and its answer for one test. Pure: standings in, yes or no out."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from parity.campaign import Case
from parity.errors import QueryError, QueryFault, did_you_mean, nearest_names
from parity.expectations import Expectations
from parity.query.words import KEYS, PLAIN, Result, Term

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from parity.standing import TestStanding


@dataclass(frozen=True, slots=True)
class Group:
    """Adjacent words: all of them are true of the test, or of one and the same of its results."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


@dataclass(frozen=True, slots=True)
class Not:
    """What the part does not hold for."""

    part: Node

    def __str__(self) -> str:
        return f"not {_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class Both:
    """What all parts hold for: two or more, with `and` between."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " and ".join(map(_inside, self.parts))


@dataclass(frozen=True, slots=True)
class Either:
    """What one of the parts holds for: two or more, with `or` between."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(map(_inside, self.parts))


Node = Group | Not | Both | Either


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What a standing alone does not say of its results."""

    flaky: frozenset[Case] = frozenset()
    """What both passed and did not, on its target's newest image."""
    expectations: Expectations = field(default_factory=Expectations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question that is true or false of each test; it prints as one that means the same."""

    root: Node
    text: str = field(compare=False)
    """As its asker wrote it."""

    def __str__(self) -> str:
        return str(self.root)

    @property
    def asks_for_flaky(self) -> bool:
        """Whether the answer depends on which tests are flaky."""
        return any(term.text == "flaky" for term in _terms(self.root))

    @property
    def asks_for_expectations(self) -> bool:
        """Whether the answer depends on what is expected."""
        return any(term.text in ("expected", "unexpected") for term in _terms(self.root))

    def matches(self, row: TestStanding, background: Background | None = None) -> bool:
        """Whether it is true of a test, by its newest results on all targets that `row` has."""
        return _holds(self.root, row, background or Background())

    def check_names(self, *, tests: Collection[str], targets: Collection[str]) -> None:
        """Raise `QueryError` for the first name of a test or target that is not there."""
        for term in _terms(self.root):
            if term.target is not None and term.target not in targets:
                near = nearest_names(term.target, (*targets, *KEYS))
                raise self._fault(term, f"no target is called {term.target!r}", near, targets)
            if term.glob is not None and not fnmatch.filter(tests, term.glob):
                near = nearest_names(term.glob, (*PLAIN, *tests))
                raise self._fault(term, f"no test is called {term.glob!r}, and no other word is", near, ())

    def _fault(self, term: Term, problem: str, near: tuple[str, ...], known: Collection[str]) -> QueryError:
        hint = did_you_mean(near) or (
            f"targets: {', '.join(known)}" if known else "`parity list` names all tests"
        )
        return QueryError(text=self.text, fault=QueryFault(term.place, problem, hint=hint))


def _inside(part: Node) -> str:
    return f"({part})" if isinstance(part, Both | Either) else str(part)


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case Group():
            yield from node.terms
        case Not():
            yield from _terms(node.part)
        case Both() | Either():
            for part in node.parts:
                yield from _terms(part)
        case _:
            assert_never(node)


def _holds(node: Node, row: TestStanding, background: Background) -> bool:
    match node:
        case Group():
            return _describes(node, row, background)
        case Not():
            return not _holds(node.part, row, background)
        case Both():
            return all(_holds(part, row, background) for part in node.parts)
        case Either():
            return any(_holds(part, row, background) for part in node.parts)
        case _:
            assert_never(node)


def _describes(group: Group, row: TestStanding, background: Background) -> bool:
    whole = Result(row=row, target="", attempt=None, is_flaky=False, mark=None)
    if not all(term.holds(whole) for term in group.terms if term.is_about_test):
        return False
    of_results = [term for term in group.terms if not term.is_about_test]
    return not of_results or any(
        all(term.holds(result) for term in of_results) for result in _results(row, background)
    )


def _results(row: TestStanding, background: Background) -> Iterator[Result]:
    for target, attempt in row.results.items():
        yield Result(
            row=row,
            target=target,
            attempt=attempt,
            is_flaky=Case(target=target, test=row.test) in background.flaky,
            mark=background.expectations.mark(attempt) if attempt is not None else None,
        )
