"""What a parity page says against itself. It stops nothing: people write such pages, and each is told with its line."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from parity.errors import did_you_mean, nearest_names
from parity.interchange.page.record import Contradiction, Finding, TopicKind
from parity.interchange.page.topic_contradictions import find_topic_contradictions
from parity.interchange.page.totals import find_row, whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from parity.interchange.page.record import Figure, NameList, Page, PastRun, Row, Total

_MOST_HINTS: Final = 20
"""Names of a list that are compared with all tests, which takes a millisecond each."""


def find_contradictions(page: Page, *, tests: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return everything that does not fit together, by line; `tests` are all that there are, none where unknown."""
    found = (
        *_check_lists(page, tests),
        *_check_claims(page, tests),
        *_check_runs(page.totals.runs),
        *_check_rows(page.totals.rows),
        *_check_totals(page),
        *(finding for figure in page.totals.figures for finding in _check_figure(figure)),
        *find_topic_contradictions(page.topics),
        *_check_failing(page),
        *_check_sessions(page),
    )
    return tuple(sorted(set(found)))


def _check_lists(page: Page, tests: Collection[str]) -> Iterator[Finding]:
    for found in (*page.lists.passing, *page.lists.fixed):
        yield from _check_count(found)
        yield from _check_duplicates(found)
        yield from _check_names(found, tests)
    yield from _check_passing_total(page)


def _check_count(found: NameList) -> Iterator[Finding]:
    if found.declared is not None and found.declared != len(found.names):
        sentence = f'"{found.title}" is followed by {len(found.names)} names, not {found.declared}'
        yield Finding(kind=Contradiction.COUNT, line=found.line, sentence=sentence)


def _check_duplicates(found: NameList) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for mention in found.mentions:
        if mention.name in first:
            sentence = (
                f'"{found.title}" has {mention.name} twice: it is on line {first[mention.name]} as well'
            )
            yield Finding(kind=Contradiction.DUPLICATE, line=mention.line, sentence=sentence)
        first.setdefault(mention.name, mention.line)


def _check_names(found: NameList, tests: Collection[str]) -> Iterator[Finding]:
    if not tests:
        return
    known = frozenset(tests)
    unknown = [mention for mention in found.mentions if mention.name not in known]
    for position, mention in enumerate(unknown):
        near = did_you_mean(nearest_names(mention.name, tests)) if position < _MOST_HINTS else None
        sentence = f"no test is called {mention.name}" + (f" ({near})" if near else "")
        yield Finding(kind=Contradiction.UNKNOWN_TEST, line=mention.line, sentence=sentence)


def _check_passing_total(page: Page) -> Iterator[Finding]:
    """Compare how many names are listed as passing with today's total."""
    for found in page.lists.passing[:1]:
        for total in page.totals.current[:1]:
            if len(found.names) != total.passed:
                sentence = (
                    f"{len(found.names)} tests are listed as passing, but line {total.line} says {total}"
                )
                yield Finding(kind=Contradiction.TOTAL, line=found.line, sentence=sentence)


def _check_claims(page: Page, tests: Collection[str]) -> Iterator[Finding]:
    """Find the tests that are called fixed or passing somewhere, and are not among those that pass."""
    if not page.lists.passing:
        return
    listed = {name for found in page.lists.passing for name in found.names}
    fixed = [mention for found in page.lists.fixed for mention in found.mentions]
    known = {*tests, *(mention.name for mention in fixed)}
    lost = {mention.name for run in page.totals.runs for mention in run.lost}
    places: dict[str, list[int]] = {}
    for mention in (*fixed, *page.lists.claims):
        if mention.name in known - listed - lost:
            places.setdefault(mention.name, []).append(mention.line)
    for name, lines in places.items():
        first, *others = sorted(set(lines))
        also = f" (as on line {', '.join(map(str, others))})" if others else ""
        sentence = (
            f"{name} is said to pass here{also}, but is not listed as passing "
            f"from line {page.lists.passing[0].line} on"
        )
        yield Finding(kind=Contradiction.NOT_LISTED, line=first, sentence=sentence)


def _check_runs(runs: Sequence[PastRun]) -> Iterator[Finding]:
    for earlier, run in pairwise(runs):
        if run.before is not None and run.before.passed != earlier.total.passed:
            sentence = f"comes from {run.before}, but line {earlier.line} ended with {earlier.total}"
            yield Finding(kind=Contradiction.TOTAL, line=run.line, sentence=sentence)
    for earlier_run, run in zip((None, *runs), runs, strict=False):
        before = run.before or (earlier_run.total if earlier_run is not None else None)
        if before is not None and run.gained is not None:
            yield from _check_gained(run, before, run.gained)


def _check_gained(run: PastRun, before: Total, gained: NameList) -> Iterator[Finding]:
    """Compare what a run came from and gained with what it came to."""
    lost = len({mention.name for mention in run.lost})
    counts = [(len(gained.names), "named")]
    if gained.declared is not None and gained.declared != len(gained.names):
        counts.append((gained.declared, "announced"))
    for count, how in counts:
        after = before.passed + count - lost
        if after != run.total.passed:
            less = f" less {lost}" if lost else ""
            sentence = (
                f"{before.passed} and the {count} that are {how} on line {gained.line}{less} "
                f"make {after}, not {run.total.passed}"
            )
            yield Finding(kind=Contradiction.TOTAL, line=run.line, sentence=sentence)


def _check_rows(rows: Sequence[Row]) -> Iterator[Finding]:
    """Check the changes of a table of results, and its rate by its passes and failures."""
    for row in rows:
        baseline, current, change = whole(row.baseline), whole(row.current), _signed(row.change)
        if (
            baseline is not None
            and current is not None
            and change is not None
            and current - baseline != change
        ):
            sentence = (
                f'"{row.label}": from {baseline} to {current} is {current - baseline:+d}, not {change:+d}'
            )
            yield Finding(kind=Contradiction.TOTAL, line=row.line, sentence=sentence)
    passed, failed, rate = find_row(rows, "pass"), find_row(rows, "fail"), _find_rate(rows)
    if passed is None or failed is None or rate is None:
        return
    for column in ("baseline", "current"):
        part, rest = whole(getattr(passed, column)), whole(getattr(failed, column))
        if part is not None and rest is not None and part + rest:
            yield from _check_percent(getattr(rate, column).removesuffix("%"), part, part + rest, rate.line)


def _find_rate(rows: Sequence[Row]) -> Row | None:
    return next((row for row in rows if "rate" in row.label.casefold() and row.current.endswith("%")), None)


def _check_totals(page: Page) -> Iterator[Finding]:
    totals = page.totals
    for name, claims in (("the baseline", totals.baseline), ("the current state", totals.current)):
        for claim in claims[1:]:
            if str(claim) != str(claims[0]):
                sentence = f"gives {claim} for {name}, line {claims[0].line} {claims[0]}"
                yield Finding(kind=Contradiction.DIFFERENT, line=claim.line, sentence=sentence)
    if not totals.baseline or not totals.current:
        return
    baseline, current = totals.baseline[0], totals.current[0]
    gained = current.passed - baseline.passed
    for gain in totals.gains:
        if gain.count != gained:
            sentence = (
                f"says +{gain.count}, but from {baseline} to {current} (line {current.line}) is {gained:+d}"
            )
            yield Finding(kind=Contradiction.TOTAL, line=gain.line, sentence=sentence)
    yield from _check_newest(totals.runs, current)


def _check_newest(runs: Sequence[PastRun], current: Total) -> Iterator[Finding]:
    """Compare the log's newest run with what is called today's, unless that is of a later day."""
    day = next((run.day for run in runs if run.line == current.line), None)
    logged = [run for run in runs if run.line != current.line]
    if not logged or str(logged[-1].total) == str(current) or (day is not None and day > logged[-1].day):
        return
    sentence = f"the newest run came to {logged[-1].total}, but line {current.line} calls {current} current"
    yield Finding(kind=Contradiction.DIFFERENT, line=logged[-1].line, sentence=sentence)


def _check_figure(figure: Figure) -> Iterator[Finding]:
    yield from _check_percent(figure.percent, figure.total.passed, figure.total.total, figure.total.line)


def _check_percent(written: str, passed: int, total: int, line: int) -> Iterator[Finding]:
    """Compare a percentage, with as many digits as it has, with its numbers; halves may go either way."""
    if not written.replace(".", "", 1).isdigit():
        return
    step = Decimal(1).scaleb(-len(written.partition(".")[2]))
    exact = Decimal(100 * passed) / total
    rounded = {exact.quantize(step, rounding=way) for way in (ROUND_HALF_UP, ROUND_HALF_DOWN)}
    if Decimal(written) not in rounded:
        sentence = f"{passed}/{total} is {max(rounded)}%, not {written}%"
        yield Finding(kind=Contradiction.PERCENTAGE, line=line, sentence=sentence)


def _check_failing(page: Page) -> Iterator[Finding]:
    """Compare what the open rows of the table of failures come to with how many tests fail."""
    rows = [topic for topic in page.topics if topic.kind is TopicKind.FAILURE and not topic.is_done]
    counts = [row.tests for row in rows if row.tests is not None]
    if not counts or len(counts) < len(rows) or not page.totals.current:
        return
    current = page.totals.current[0]
    failing = current.total - current.passed
    # Every rough number may be off by one.
    if abs(sum(counts) - failing) > sum(row.is_rough for row in rows):
        sentence = f"the open rows come to {sum(counts)} tests, but {failing} fail by line {current.line}"
        yield Finding(kind=Contradiction.TOTAL, line=rows[0].line, sentence=sentence)


def _check_sessions(page: Page) -> Iterator[Finding]:
    sessions = frozenset(page.sessions)
    days = frozenset(day for day, _ in sessions)
    for found in page.lists.fixed:
        if found.day is None or not page.sessions:
            continue
        place = f"session {found.session} of {found.day}" if found.session is not None else str(found.day)
        known = (found.day, found.session) in sessions if found.session is not None else found.day in days
        if not known:
            sentence = f'"{found.title}" is of {place}, which the log does not have'
            yield Finding(kind=Contradiction.DATE, line=found.line, sentence=sentence)


def _signed(cell: str) -> int | None:
    number = whole(cell.lstrip("+-"))
    return -number if number is not None and cell.startswith("-") else number
