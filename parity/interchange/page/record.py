"""What a parity page that people keep by hand says, every piece with its line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from parity.planning import Entry


class Contradiction(StrEnum):
    """In which way a page contradicts itself."""

    COUNT = "count"
    """A list or a table has more or fewer names than its title says."""
    NOT_LISTED = "not-listed"
    """A test is called fixed or passing, and the list of those that pass lacks it."""
    TOTAL = "total"
    """Totals do not follow from one another."""
    PERCENTAGE = "percentage"
    """A percentage is not that of the numbers beside it."""
    DUPLICATE = "duplicate"
    """A list has a name twice."""
    UNKNOWN_TEST = "unknown-test"
    """A list has a name that is no test's."""
    DIFFERENT = "different"
    """Two places give different numbers for one thing."""
    STATUS = "status"
    """Something is struck through or done in one place and open in another."""
    PRIORITY = "priority"
    """Two things have one priority, one thing has two, or an item has none."""
    DATE = "date"
    """Something is placed in a session that the log does not have."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One contradiction."""

    line: int
    kind: Contradiction
    sentence: str
    """What it is; text of the page in it is not yet made printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A test's name where the page has it."""

    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """Tests below a heading or a sentence."""

    title: str
    line: int
    """The title's."""
    mentions: tuple[Mention, ...]
    declared: int | None = None
    """How many the title says there are."""
    day: date | None = None
    session: int | None = None
    """Which session of that day the title names."""

    @property
    def names(self) -> tuple[str, ...]:
        """Each name once, in order."""
        return tuple(dict.fromkeys(mention.name for mention in self.mentions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many tests passed, as one place says it."""

    line: int
    passed: int
    total: int

    def __str__(self) -> str:
        return f"{self.passed}/{self.total}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A percentage with the numbers that it is of."""

    percent: str
    """As written, without the sign: its digits say how exact it wants to be."""
    total: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table that compares the baseline with today; cells as they are written."""

    line: int
    label: str
    baseline: str
    current: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A sentence that says by how many tests things got better."""

    line: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run that the page tells of."""

    line: int
    day: date
    total: Total
    session: int | None = None
    before: Total | None = None
    """What it is said to have come from."""
    gained: NameList | None = None
    """The tests that are said to pass newly."""
    lost: tuple[Mention, ...] = ()
    """The tests that are said to pass no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Every number of passing tests."""

    runs: tuple[PastRun, ...] = ()
    """The oldest first."""
    baseline: tuple[Total, ...] = ()
    """All that is called the baseline's, in the page's order."""
    current: tuple[Total, ...] = ()
    """All that is called today's."""
    figures: tuple[Figure, ...] = ()
    rows: tuple[Row, ...] = ()
    gains: tuple[Gain, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Every test that the page names."""

    passing: tuple[NameList, ...] = ()
    fixed: tuple[NameList, ...] = ()
    """Those of the log included."""
    claims: tuple[Mention, ...] = ()
    """Words that a sentence or a row says pass; some are no test's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that was, is, or is to be mended, as one place has it."""

    line: int
    text: str
    is_done: bool | None
    """Whether it is struck through, ticked or called done; None where the place does not say, or says "partly"."""
    kind: TopicKind
    priority: int | None = None
    tests: int | None = None
    """How many tests it is said to hold up."""
    is_rough: bool = False
    """Whether that number is "about" right."""


class TopicKind(StrEnum):
    """Where a topic stands."""

    PLAN = "plan"
    """A heading of the plan."""
    FAILURE = "failure"
    """A row of the table of failures."""
    POINT = "point"
    """A row or an item of some list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEntry:
    """A decision, a work item or an entry of the log, ready for the plan."""

    line: int
    entry: Entry
    name: str
    """What its file may be called, without an ending: no other entry of the page is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that was recognised."""

    architecture: str | None
    """The first that the page names."""
    totals: Totals
    lists: Lists
    topics: tuple[Topic, ...]
    sessions: tuple[tuple[date, int | None], ...]
    """The log's headings."""
    entries: tuple[PlannedEntry, ...]
    undated: tuple[Mention, ...] = ()
    """Decisions that were left out, by id: the page has no day for them."""

    @property
    def is_recognised(self) -> bool:
        """Whether it is a parity page at all."""
        return bool(self.totals.runs or self.lists.passing or self.entries)
