"""Two sets of results against each other: what the sides are called, and what differs between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.campaign import DEFAULT_BASELINE, Case, Origin
from parity.comparison import (
    MOST_PASSES,
    Differences,
    compare_times,
    find_differences,
    find_pair_changes,
    may_differ,
    pair_by_target,
    pair_by_time,
)
from parity.errors import UnknownNameError, UsageError
from parity.flow.results.status import choose_scope, find_matching
from parity.outcome import Outcome
from parity.standing import build_standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db import Repository
    from parity.attempt import StoredAttempt
    from parity.campaign import StoredCampaign
    from parity.comparison import PairChange, Pairing, TimeChange
    from parity.configuration import Configuration

WORDS: Final = ("baseline", "before", "last")
"""Names of sides that every project has."""
_REVISION: Final = re.compile(r"[0-9a-f]{4,64}")
_RUN: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two sets of results."""

    name: str
    """What it is, in a few words."""
    campaign: StoredCampaign | None
    """The newest run that it takes in; None for the first results of every test."""
    target: str | None = None
    """The only target that is looked at, where targets are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two sides and what differs between them."""

    then: Side
    now: Side
    differences: Differences


def compare(
    configuration: Configuration,
    repository: Repository,
    *,
    then: str | None = None,
    now: str | None = None,
    where: str | None = None,
) -> Compared:
    """Compare two sides (each a run's number, `baseline`, `before`, `last`, a baseline, a target or a revision).

    A run is what was known once it was over: each test's newest result in it or in those before. Where a side is not
    named, it is the pinned baseline or the run before against the newest run; against a target, the other one of
    port and reference. With `where` only tests are compared for which that query is true now.

    Raises `UsageError` where there is nothing to compare, and `UnknownNameError` for a name that is none of these.
    """
    first, second = choose_sides(configuration, repository, then=then, now=now)
    tests = None if where is None else find_matching(configuration, repository, where)
    if tests == ():
        return Compared(then=first, now=second, differences=find_differences(()))
    scope = choose_scope(configuration, tests=tests or ())
    current = build_standing(scope, read_side(repository, second))
    pairs: tuple[PairChange, ...] = ()
    if first.target is not None and second.target is not None:
        pairings = pair_by_target(current, first.target, second.target)
    else:
        earlier = build_standing(scope, read_side(repository, first))
        pairings = pair_by_time(earlier, current)
        pairs = find_pair_changes(earlier, current)
    times = _find_times(repository, pairings, first)
    return Compared(then=first, now=second, differences=find_differences(pairings, times=times, pairs=pairs))


def choose_sides(
    configuration: Configuration, repository: Repository, *, then: str | None = None, now: str | None = None
) -> tuple[Side, Side]:
    """Return the two sides that are named, or those that are meant where one is not."""
    campaigns = list_runs(repository)
    if then is None:
        first = _default_side(repository, campaigns)
    else:
        first = _resolve(configuration, repository, campaigns, then)
    if now is not None:
        second = _resolve(configuration, repository, campaigns, now)
    elif first.target is not None:
        second = _resolve(configuration, repository, campaigns, _other_target(configuration, first.target))
    else:
        second = side_of_run(campaigns[0], "the newest run")
    if (first.target is None) is not (second.target is None):
        raise UsageError(
            f"{first.name} and {second.name} are of two kinds",
            hint="compare a target with a target, and a run, revision or baseline with another",
        )
    return first, second


def resolve_side(configuration: Configuration, repository: Repository, name: str) -> Side:
    """Return what a name stands for: a word, else a target, else a baseline, else a run's number, else a revision."""
    return _resolve(configuration, repository, list_runs(repository), name)


def _resolve(
    configuration: Configuration, repository: Repository, campaigns: Sequence[StoredCampaign], name: str
) -> Side:
    baselines = [baseline.name for baseline in repository.baselines()]
    if name in WORDS:
        return _word_side(repository, campaigns, name)
    if name in configuration.targets:
        return Side(name=name, campaign=campaigns[0], target=name)
    if name in baselines:
        return find_baseline(repository, name)
    side = _run_side(campaigns, name) or _revision_side(campaigns, name.lower())
    if side is None and _RUN.fullmatch(name):
        raise UsageError(f"there is no run {name}", hint=f"the newest is run {campaigns[0].number}")
    if side is None:
        known = (*WORDS, *configuration.targets, *baselines)
        raise UnknownNameError(kind="run, revision, target or baseline", name=name, known=known)
    return side


def find_baseline(repository: Repository, name: str | None = None) -> Side:
    """Return a baseline by name; the one that is meant by default, or else the first results, where none is named."""
    pinned = {baseline.name: baseline for baseline in repository.baselines()}
    if name is None and DEFAULT_BASELINE not in pinned:
        return Side(name="the first results", campaign=None)
    baseline = repository.baseline(name or DEFAULT_BASELINE)
    return side_of_run(repository.campaign(baseline.campaign), f"baseline {baseline.name}")


def read_side(repository: Repository, side: Side) -> tuple[StoredAttempt, ...]:
    """Return one attempt for each case of a side."""
    if side.campaign is None:
        return repository.first_attempts()
    return repository.attempts_as_of(side.campaign.number)


def list_runs(repository: Repository) -> tuple[StoredCampaign, ...]:
    """Return the campaigns, the newest first, those that were measured before those that were imported.

    Raises `UsageError` where there is none.
    """
    campaigns = repository.campaigns()
    if not campaigns:
        raise UsageError("nothing was run yet: there are no results", hint="start with: parity run")
    return tuple(sorted(campaigns, key=lambda campaign: campaign.origin is not Origin.MEASURED))


def side_of_run(campaign: StoredCampaign, name: str = "") -> Side:
    """Return what was known once a run was over."""
    run = f"run {campaign.number}"
    return Side(name=f"{name} ({run})" if name else run, campaign=campaign)


def _word_side(repository: Repository, campaigns: Sequence[StoredCampaign], word: str) -> Side:
    if word == "baseline":
        return find_baseline(repository)
    return _before(campaigns) if word == "before" else side_of_run(campaigns[0], "the newest run")


def _run_side(campaigns: Sequence[StoredCampaign], name: str) -> Side | None:
    if not _RUN.fullmatch(name):
        return None
    return next((side_of_run(campaign) for campaign in campaigns if campaign.number == int(name)), None)


def _revision_side(campaigns: Sequence[StoredCampaign], prefix: str) -> Side | None:
    """Return the newest run of a revision of which the beginning is known."""
    if not _REVISION.fullmatch(prefix):
        return None
    for campaign in campaigns:
        if campaign.revision is not None and campaign.revision.commit.startswith(prefix):
            return side_of_run(campaign, f"revision {campaign.revision.described}")
    return None


def _default_side(repository: Repository, campaigns: Sequence[StoredCampaign]) -> Side:
    baseline = find_baseline(repository)
    return _before(campaigns) if baseline.campaign is None else baseline


def _before(campaigns: Sequence[StoredCampaign]) -> Side:
    if len(campaigns) < 2:
        raise UsageError(
            "there is only one run: nothing to compare it with", hint="run again, or name two targets"
        )
    return side_of_run(campaigns[1], "the run before")


def _other_target(configuration: Configuration, target: str) -> str:
    pair = (configuration.kernel.reference, configuration.kernel.port)
    other = pair[1] if target == pair[0] else pair[0]
    if target not in pair or other is None:
        raise UsageError(f"{target} alone is no comparison", hint="name a second target")
    return other


def _find_times(repository: Repository, pairings: Sequence[Pairing], then: Side) -> list[TimeChange]:
    """Return the passes that took longer or shorter than all those recorded on the earlier side."""
    found = []
    for pairing in pairings:
        before, after = pairing.then, pairing.now
        if before is None or after is None or before.id == after.id:
            continue
        if not before.verdict.outcome is after.verdict.outcome is Outcome.PASS or not may_differ(
            after, before
        ):
            continue
        case = Case.of(before)
        number = then.campaign.number if then.campaign else before.campaign
        passes = repository.recent_passes(case, campaign=number, newest=MOST_PASSES)
        change = compare_times(after, passes)
        if change is not None:
            found.append(change)
    return found
