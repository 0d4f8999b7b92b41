from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.attempt import Isolation
from parity.campaign import CampaignState, ImportedCampaign, Origin, ReportedTotal, Revision
from parity.outcome import Outcome

if TYPE_CHECKING:
    from db import Repository
    from parity.attempt import Attempt
    from tests.conftest import Make

TOTALS = (
    ReportedTotal(target="aarch64", passed=33, total=80),
    ReportedTotal(target="x86_64", passed=79, total=80),
)


def imported(
    make: Make,
    *attempts: Attempt,
    identity: str = "0123456789abcdef" * 2,
    totals: tuple[ReportedTotal, ...] = (),
) -> ImportedCampaign:
    return ImportedCampaign(
        identity=identity,
        kernel="duet",
        origin=Origin.HAND_KEPT,
        source="parity.md",
        started_at=make.moment(),
        attempts=attempts,
        totals=totals,
        revision=Revision(commit="c0ffee" + "0" * 34, described="c0ffee0", dirty=False),
    )


def test_an_imported_campaign_comes_back_as_it_was_given(repository: Repository, make: Make) -> None:
    given = imported(make, make.attempt(minutes=5), make.attempt("dup_test"))
    number, is_new = repository.add_imported(given)
    stored = repository.campaign(number)
    assert is_new
    assert (stored.identity, stored.kernel, stored.revision) == (given.identity, "duet", given.revision)
    assert (stored.origin, stored.source) == (Origin.HAND_KEPT, "parity.md")
    assert (stored.state, stored.isolation) == (CampaignState.FINISHED, Isolation.UNKNOWN)
    assert (stored.started_at, stored.planned) == (make.moment(), 2)


def test_it_was_over_when_its_last_attempt_was(repository: Repository, make: Make) -> None:
    number, _ = repository.add_imported(imported(make, make.attempt(minutes=5), make.attempt()))
    assert repository.campaign(number).finished_at == make.moment(5 + 1.25 / 60)


def test_its_attempts_keep_each_their_logs(repository: Repository, make: Make) -> None:
    attempts = (
        make.attempt("a", transcript=b"one"),
        make.attempt("b"),
        make.attempt("c", transcript=b"three"),
    )
    number, _ = repository.add_imported(imported(make, *attempts))
    contents = [
        [log.path.read_bytes() for log in repository.logs_of(attempt.id)]
        for attempt in repository.campaign_attempts(number)
    ]
    assert contents == [[b"one"], [], [b"three"]]


def test_the_same_campaign_again_changes_nothing(repository: Repository, make: Make) -> None:
    given = imported(make, make.attempt(), totals=TOTALS)
    assert repository.add_imported(given) == (1, True)
    assert repository.add_imported(given) == (1, False)
    assert len(repository.attempts_of("fork_test")) == 1


def test_what_pages_say_is_kept_by_campaign(repository: Repository, make: Make) -> None:
    repository.start_campaign(make.plan())
    number, _ = repository.add_imported(imported(make, totals=TOTALS))
    assert repository.reported_totals() == {number: TOTALS}


def test_a_campaign_that_cannot_be_stored_whole_leaves_nothing(repository: Repository, make: Make) -> None:
    twice = (TOTALS[0], TOTALS[0])
    with pytest.raises(Exception, match="UNIQUE"):
        repository.add_imported(imported(make, make.attempt(), totals=twice))
    assert repository.campaigns() == ()
    assert repository.attempts_of("fork_test") == ()


def test_an_old_campaign_that_comes_late_is_still_old(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan(minutes=60))
    repository.add_attempt(campaign, make.attempt(outcome=Outcome.PASS, minutes=60))
    repository.add_imported(imported(make, make.attempt(outcome=Outcome.FAIL)))
    assert [attempt.verdict.outcome for attempt in repository.newest_attempts()] == [Outcome.PASS]
    assert [attempt.verdict.outcome for attempt in repository.first_attempts()] == [Outcome.FAIL]
