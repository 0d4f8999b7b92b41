from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.campaign import CampaignState
from parity.errors import UsageError
from parity.flow.results.baselines import pin_run

if TYPE_CHECKING:
    from tests.flow.conftest import Past


def test_a_pinned_run_has_its_name_time_and_note(past: Past) -> None:
    run = past.run(0, {})
    now = past.make.moment(90)
    baseline = pin_run(past.repository, "default", run, note="the\nfirst", now=now)
    assert past.repository.baseline("default") == baseline
    assert (baseline.campaign, baseline.pinned_at, baseline.note) == (run, now, "the first")


def test_where_no_run_is_named_the_newest_that_finished_is_pinned(past: Past) -> None:
    past.run(0, {})
    past.run(1, {}, state=CampaignState.INTERRUPTED)
    assert pin_run(past.repository, "default", now=past.make.moment()).campaign == 1


def test_where_none_finished_it_is_said(past: Past) -> None:
    past.run(0, {}, state=CampaignState.FAILED)
    with pytest.raises(UsageError, match="no run has finished yet"):
        pin_run(past.repository, "default", now=past.make.moment())
