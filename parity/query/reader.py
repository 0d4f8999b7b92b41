"""From a query's text to the query: lark reads the grammar, `words` the words."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from lark import Lark, Token, Transformer, UnexpectedToken
from lark.exceptions import VisitError

from parity.errors import QueryError, QueryFault
from parity.query.model import Both, Either, Group, Node, Not, Query
from parity.query.words import read_word

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST: Final = 2_000
_DEEPEST: Final = 50
_MEANINGS: Final = {
    "_AND": "and",
    "_OR": "or",
    "_NOT": "not",
    "LPAR": "(",
    "RPAR": ")",
    "WORD": "a word",
    "$END": "the end",
}
"""The grammar's terminals as people see them, in the order in which they are offered."""


def parse_query(text: str) -> Query:
    """Read a query; raise `QueryError` with the place of the first fault.

    Whether the tests and targets that it names are there is for `Query.check_names` to say.
    """
    try:
        return Query(root=_read(text), text=text)
    except QueryFault as fault:
        raise QueryError(text=text, fault=fault) from None


def _read(text: str) -> Node:
    if not text.strip():
        raise QueryFault(0, "the query is empty", hint="such as: aarch64:fail and x86_64:pass")
    if len(text) > _LONGEST:
        raise QueryFault(_LONGEST, f"the query is longer than {_LONGEST} characters")
    _refuse_depth(text)
    try:
        return _Builder().transform(_grammar().parse(text))
    except UnexpectedToken as error:
        raise _misplaced(text, error.token) from None
    except VisitError as error:
        if isinstance(error.orig_exc, QueryFault):
            raise error.orig_exc from None
        raise


def _refuse_depth(text: str) -> None:
    """Refuse what would be nested too deeply to be walked, however it is meant."""
    nesting = list(re.finditer(r"\(|(?<![^\s()])not(?![^\s()])", text, re.IGNORECASE))
    if len(nesting) > _DEEPEST:
        raise QueryFault(
            nesting[_DEEPEST].start(), f"more than {_DEEPEST} parentheses and nots", hint="ask in two queries"
        )


def _misplaced(text: str, token: Token) -> QueryFault:
    at_end = token.type == "$END"
    place = len(text.rstrip()) if at_end else token.start_pos or 0
    return QueryFault(
        place,
        "the query ends too early" if at_end else f"{str(token)!r} cannot stand here",
        hint=f"here may stand: {', '.join(_allowed_after(text[:place]))}",
    )


def _allowed_after(text: str) -> list[str]:
    """Return what may follow a right beginning; the parser that failed has gone on to what the wrong token allows."""
    parser = _grammar().parse_interactive(text)
    parser.exhaust_lexer()
    accepted = parser.accepts()  # type: ignore[no-untyped-call]
    return [meaning for terminal, meaning in _MEANINGS.items() if terminal in accepted]


@cache
def _grammar() -> Lark:
    # The basic lexer: `and` is never a test's name, not even where no `and` may stand.
    return Lark.open_from_package("parity.query", "grammar.lark", parser="lalr", lexer="basic")


class _Builder(Transformer[Token, Node]):
    """Makes nodes of lark's tree; each method is a rule of the grammar."""

    def start(self, parts: Sequence[Node]) -> Node:
        return parts[0]

    def either(self, parts: Sequence[Node]) -> Node:
        return Either(tuple(parts))

    def both(self, parts: Sequence[Node]) -> Node:
        return Both(tuple(parts))

    def negated(self, parts: Sequence[Node]) -> Node:
        return Not(parts[0])

    def nested(self, parts: Sequence[Node]) -> Node:
        return parts[0]

    def group(self, words: Sequence[Token]) -> Node:
        terms = tuple(term for word in words for term in read_word(str(word), word.start_pos or 0))
        named = [term for term in terms if term.target is not None]
        for term in named[1:]:
            if term.target != named[0].target:
                raise QueryFault(
                    term.place,
                    f"one result is not on both {named[0].target} and {term.target}",
                    hint="adjacent words describe one result; write `and` between to combine two",
                )
        return Group(terms)
