"""Places of a page that speak of one thing and do not agree on it: whether it is done, how urgent, how large.

Two places speak of one thing when their words are the same but for a few; that is a guess, and said with both lines.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from parity.interchange.page.record import Contradiction, Finding, TopicKind
from parity.interchange.page.words import share_of, telling_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from parity.interchange.page.record import Topic

_ALIKE: Final = 0.5
"""The share of words from which on two places may speak of one thing."""
_THE_SAME: Final = 0.75
"""The share from which on they surely do; two words at least."""
_MOST_TOPICS: Final = 500
"""Each is compared with every other: a page of more is not compared."""


def find_topic_contradictions(topics: Sequence[Topic]) -> Iterator[Finding]:
    """Yield what is done here and open there, what has two priorities or two sizes, and what shares a priority."""
    plan = [topic for topic in topics if topic.kind is TopicKind.PLAN]
    rows = [topic for topic in topics if topic.kind is TopicKind.FAILURE]
    yield from _check_plan(plan)
    yield from _check_shared(plan)
    yield from _check_shared(rows)
    if len(topics) > _MOST_TOPICS:
        return
    yield from _check_against_plan(rows, plan)
    yield from _once_a_line(_check_state(first, second) for first, second in combinations(topics, 2))
    yield from _once_a_line(_check_size(first, second) for first, second in combinations(topics, 2))


def _once_a_line(checks: Iterable[tuple[Topic, Finding] | None]) -> Iterator[Finding]:
    """Yield findings about pairs, each place in one of them: where three agree and one does not, one is enough."""
    told: set[int] = set()
    for found in checks:
        if found is not None and not told & {found[0].line, found[1].line}:
            told |= {found[0].line, found[1].line}
            yield found[1]


def _check_plan(plan: Sequence[Topic]) -> Iterator[Finding]:
    numbered = any(topic.priority is not None for topic in plan)
    for topic in plan:
        if numbered and topic.priority is None:
            sentence = f'"{topic.text}" has no priority, as the items beside it have'
            yield Finding(kind=Contradiction.PRIORITY, line=topic.line, sentence=sentence)


def _check_shared(topics: Sequence[Topic]) -> Iterator[Finding]:
    first: dict[int, Topic] = {}
    for topic in topics:
        if topic.priority is None:
            continue
        other = first.setdefault(topic.priority, topic)
        if other is not topic:
            sentence = (
                f'"{topic.text}" has priority {topic.priority}, as "{other.text}" has on line {other.line}'
            )
            yield Finding(kind=Contradiction.PRIORITY, line=topic.line, sentence=sentence)


def _check_against_plan(rows: Sequence[Topic], plan: Sequence[Topic]) -> Iterator[Finding]:
    """Compare each row's priority with the plan's: of the same thing, else of the same number."""
    by_number = {topic.priority: topic for topic in plan}
    for row in rows:
        if row.priority is None:
            continue
        alike = max(plan, key=lambda topic: _likeness(row, topic), default=None)
        holder = by_number.get(row.priority)
        if alike is not None and _likeness(row, alike) >= _ALIKE:
            if alike.priority is not None and alike.priority != row.priority:
                sentence = (
                    f'"{row.text}" has priority {row.priority}, but "{alike.text}" '
                    f"on line {alike.line} has {alike.priority}"
                )
                yield Finding(kind=Contradiction.PRIORITY, line=row.line, sentence=sentence)
        elif holder is not None and not _likeness(row, holder):
            sentence = (
                f'"{row.text}" has priority {row.priority}, which is "{holder.text}" on line {holder.line}'
            )
            yield Finding(kind=Contradiction.PRIORITY, line=row.line, sentence=sentence)


def _check_state(first: Topic, second: Topic) -> tuple[Topic, Finding] | None:
    """Return what is done in one place and open in another, with the other place."""
    if {first.is_done, second.is_done} != {True, False} or not _is_same(first, second):
        return None
    done, undone = (first, second) if first.is_done else (second, first)
    sentence = f'"{undone.text}" is open here, but "{done.text}" on line {done.line} is done'
    return done, Finding(kind=Contradiction.STATUS, line=undone.line, sentence=sentence)


def _check_size(first: Topic, second: Topic) -> tuple[Topic, Finding] | None:
    """Compare how many tests two places give, where neither is done; rough numbers may be off by one each."""
    if first.tests is None or second.tests is None or first.is_done or second.is_done:
        return None
    slack = first.is_rough + second.is_rough
    if abs(first.tests - second.tests) <= slack or not _is_about(first, second):
        return None
    sentence = (
        f'"{second.text}" is said to hold up {second.tests} tests, "{first.text}" '
        f"on line {first.line} {first.tests}"
    )
    return first, Finding(kind=Contradiction.DIFFERENT, line=second.line, sentence=sentence)


def _is_same(first: Topic, second: Topic) -> bool:
    words, others = telling_words(first.text), telling_words(second.text)
    return words == others or (len(words & others) >= 2 and share_of(words, others) >= _THE_SAME)


def _is_about(first: Topic, second: Topic) -> bool:
    words, others = telling_words(first.text), telling_words(second.text)
    return len(words & others) >= 2 and share_of(words, others) > _ALIKE


def _likeness(first: Topic, second: Topic) -> float:
    return share_of(telling_words(first.text), telling_words(second.text))
