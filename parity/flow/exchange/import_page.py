"""A parity page that people kept by hand, as campaigns and entries of the plan to be stored."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from parity.attempt import Attempt, Isolation, Verdict
from parity.campaign import ImportedCampaign, Origin, ReportedTotal
from parity.errors import UsageError
from parity.flow.exchange.import_file import Format, ImportPlan, guess_target, make_identity, read_page_text
from parity.interchange.page import find_contradictions, parse_page
from parity.interchange.page.record import TopicKind
from parity.outcome import Outcome
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from parity.configuration import Configuration
    from parity.flow.exchange.import_file import Wanted
    from parity.interchange.page import Page
    from parity.interchange.page.record import PastRun


def plan_page(configuration: Configuration, file: Path, wanted: Wanted) -> ImportPlan:
    """Read a page; raise `UsageError` where it is none, or does not say which target it is of."""
    if wanted.revision is not None or wanted.started_at is not None:
        raise UsageError(
            f"{file}: a page says itself when its runs were",
            hint="leave out --started and --kernel-revision",
        )
    tests = configuration.tests
    page = parse_page(read_page_text(file), tests=tests)
    if not page.is_recognised:
        raise UsageError(
            f"{file}: says nothing that a parity page says: no run, no passing tests, no plan, no log",
            hint="docs/exchange.md tells what is read",
        )
    target, notes = _choose_target(configuration, page, wanted, file)
    runs = page.totals.runs
    unknown = (
        mention.name
        for found in (*page.lists.passing, *page.lists.fixed)
        for mention in found.mentions
        if mention.name not in tests
    )
    campaigns = tuple(_campaigns(configuration, page, target, printable_line(file.name)))
    return ImportPlan(
        format=Format.PAGE,
        source=printable_line(file.name),
        campaigns=campaigns,
        baseline=_baseline(page, campaigns),
        lines=tuple(run.line for run in runs),
        entries=page.entries,
        findings=find_contradictions(page, tests=tests),
        unknown=tuple(dict.fromkeys(printable_line(name, limit=80) for name in unknown)),
        notes=(*notes, *_left_out(page)),
    )


def _choose_target(
    configuration: Configuration, page: Page, wanted: Wanted, file: Path
) -> tuple[str, tuple[str, ...]]:
    if wanted.target is not None:
        configuration.target(wanted.target)
        return wanted.target, ()
    guessed = guess_target(configuration, page.architecture or "")
    if guessed is None:
        raise UsageError(
            f"{file}: does not say which target it is of",
            hint=f"--target NAME, one of: {', '.join(configuration.targets)}",
        )
    return guessed[0], (guessed[1],)


def _campaigns(
    configuration: Configuration, page: Page, target: str, source: str
) -> Iterator[ImportedCampaign]:
    """Yield the page's runs; those of one day a minute apart, as a page gives no time of day.

    A run's identity follows from its day, its session and its total: a page that has grown since its last import adds
    its new runs alone.
    """
    kernel = configuration.kernel.name
    listed = _listed(page, frozenset(configuration.tests), source)
    on_day: Counter[date] = Counter()
    for run in page.totals.runs:
        number = on_day[run.day]
        on_day[run.day] += 1
        started_at = datetime.combine(run.day, time(), tzinfo=UTC) + timedelta(minutes=number)
        told = [target, run.session if run.session is not None else number, run.total.passed, run.total.total]
        passing = _passing(run, listed, source, is_newest=run is page.totals.runs[-1])
        yield ImportedCampaign(
            identity=make_identity(Format.PAGE, kernel, started_at.replace(minute=0, hour=0), told),
            kernel=kernel,
            origin=Origin.HAND_KEPT,
            source=source,
            started_at=started_at,
            attempts=tuple(_attempts(passing, target, started_at)),
            totals=(ReportedTotal(target=target, passed=run.total.passed, total=run.total.total),),
        )


def _baseline(page: Page, campaigns: Sequence[ImportedCampaign]) -> str | None:
    """Return the identity of the first run that came to what the page calls the baseline."""
    if not page.totals.baseline:
        return None
    runs = zip(page.totals.runs, campaigns, strict=True)
    wanted = str(page.totals.baseline[0])
    return next((campaign.identity for run, campaign in runs if str(run.total) == wanted), None)


def _listed(page: Page, tests: Collection[str], source: str) -> dict[str, str]:
    """Return the evidence for every test that the page lists as passing."""
    return {
        mention.name: f"{source}:{mention.line} lists it as passing"
        for found in page.lists.passing
        for mention in found.mentions
        if mention.name in tests
    }


def _passing(run: PastRun, listed: Mapping[str, str], source: str, *, is_newest: bool) -> Mapping[str, str]:
    """Return the evidence for every test that is known to have passed in a run, by name.

    In the newest run those are the tests that the page lists. In an older one they are the tests that the log says
    passed newly, if the page still lists them: what contradicts itself is taken for no pass.
    """
    if is_newest:
        return listed
    gained = run.gained.mentions if run.gained is not None else ()
    return {
        mention.name: f"{source}:{mention.line} says that it passes newly"
        for mention in gained
        if mention.name in listed
    }


def _attempts(passing: Mapping[str, str], target: str, started_at: datetime) -> Iterator[Attempt]:
    for test, evidence in passing.items():
        yield Attempt(
            target=target,
            test=test,
            verdict=Verdict(outcome=Outcome.PASS, evidence=(evidence,)),
            nonce="",
            isolation=Isolation.UNKNOWN,
            started_at=started_at,
            duration_s=0.0,
        )


def _left_out(page: Page) -> Iterator[str]:
    """Say what of the page has no place to go."""
    if page.lists.passing and not page.totals.runs:
        yield f"line {page.lists.passing[0].line}: no run with a day and a total has these passing tests: left out"
    for mention in page.undated:
        name = printable_line(mention.name, limit=80)
        yield f"line {mention.line}: nothing says when this was decided: left out: {name}"
    for topic in page.topics:
        if topic.kind is TopicKind.PLAN and topic.priority is None:
            name = printable_line(topic.text, limit=80)
            yield f"line {topic.line}: a work item needs a priority: left out: {name}"
