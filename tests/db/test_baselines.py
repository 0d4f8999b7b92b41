from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from parity.campaign import Baseline
from parity.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from db import Repository
    from tests.conftest import Make


def pinned(make: Make, campaign: int, name: str = "default", note: str = "") -> Baseline:
    return Baseline(name=name, campaign=campaign, pinned_at=make.moment(7), note=note)


def test_a_baseline_comes_back_as_it_was_pinned(repository: Repository, make: Make) -> None:
    baseline = pinned(make, repository.start_campaign(make.plan()), note="before the rewrite")
    repository.pin_baseline(baseline)
    assert repository.baseline("default") == baseline


def test_baselines_are_listed_by_name(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    for name in ("release", "default"):
        repository.pin_baseline(pinned(make, campaign, name))
    assert [baseline.name for baseline in repository.baselines()] == ["default", "release"]


def test_pinning_a_name_again_moves_it(repository: Repository, make: Make) -> None:
    for minutes in range(2):
        campaign = repository.start_campaign(make.plan(minutes=minutes))
        repository.pin_baseline(pinned(make, campaign))
    assert [baseline.campaign for baseline in repository.baselines()] == [2]


def test_a_baseline_of_no_run_is_the_callers_mistake(repository: Repository, make: Make) -> None:
    with pytest.raises(UsageError, match="there is no run 9"):
        repository.pin_baseline(pinned(make, 9))


def test_a_removed_baseline_is_gone_and_its_run_is_not(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.pin_baseline(pinned(make, campaign))
    repository.unpin_baseline("default")
    assert repository.baselines() == ()
    assert repository.campaign(campaign).number == campaign


def test_an_unknown_baseline_is_told_with_the_nearest_name(repository: Repository, make: Make) -> None:
    repository.pin_baseline(pinned(make, repository.start_campaign(make.plan()), "release-1"))
    for ask in (repository.baseline, repository.unpin_baseline):
        with pytest.raises(UnknownNameError, match="no baseline is called 'release-2'") as caught:
            ask("release-2")
        assert caught.value.hint == "did you mean release-1?"


def test_a_pinned_run_cannot_be_deleted(repository: Repository, make: Make) -> None:
    repository.pin_baseline(pinned(make, repository.start_campaign(make.plan())))
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), repository.engine.begin() as connection:
        connection.execute(text("DELETE FROM campaign"))
