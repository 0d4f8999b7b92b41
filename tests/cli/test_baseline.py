from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.campaign import CampaignState
from parity.cli import completion
from parity.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.conftest import Make


@pytest.fixture(autouse=True)
def finished(measured: Path, make: Make) -> None:
    """After a run whose process went away, one that finished, and one that did not."""
    with open_repository("sqlite:///.parity/parity.db", measured / ".parity") as repository:
        for minutes, state in ((60, CampaignState.FINISHED), (120, CampaignState.INTERRUPTED)):
            campaign = repository.start_campaign(make.plan(minutes=minutes))
            repository.finish_campaign(campaign, state, make.moment(minutes + 1))


def test_the_newest_finished_run_is_pinned_where_none_is_named(parity: Callable[..., Result]) -> None:
    assert parity("baseline", "pin", "default").stdout == "default is run 2 of 2026-11-02 13:00\n"


def test_a_run_is_pinned_by_its_number(parity: Callable[..., Result]) -> None:
    assert parity("baseline", "pin", "before", "1").stdout == "before is run 1 of 2026-11-02 12:00\n"


def test_baselines_are_listed_in_plain_aligned_words(parity: Callable[..., Result]) -> None:
    parity("baseline", "pin", "default", "1", "--note", "before the \x1b[2J rewrite")
    assert parity("baseline", "list").stdout.splitlines() == [
        "name     run  started (UTC)     revision  note",
        "default  1    2026-11-02 12:00  c0ffee0   before the \\x1b[2J rewrite",
    ]


def test_no_baseline_is_said_with_how_to_pin_one(parity: Callable[..., Result]) -> None:
    assert "pin one with: parity baseline pin" in parity("baseline", "list").stdout


def test_json_tells_name_run_and_note(parity: Callable[..., Result]) -> None:
    pinned = json.loads(parity("baseline", "pin", "default", "1", "--note", "why", "--json").stdout)
    assert (pinned["name"], pinned["run"], pinned["note"]) == ("default", 1, "why")
    assert json.loads(parity("baseline", "list", "--json").stdout) == {"baselines": [pinned]}


def test_a_removed_baseline_is_no_longer_listed(parity: Callable[..., Result]) -> None:
    parity("baseline", "pin", "default", "1")
    assert parity("baseline", "remove", "default").stdout == "removed default; run 1 stays\n"
    assert json.loads(parity("baseline", "list", "--json").stdout) == {"baselines": []}


def test_a_name_that_is_not_pinned_is_told_with_the_nearest_one(parity: Callable[..., Result]) -> None:
    parity("baseline", "pin", "release", "1")
    error = parity("baseline", "remove", "releas").exception
    assert isinstance(error, UnknownNameError)
    assert error.hint == "did you mean release?"


@pytest.mark.parametrize("name", ["", "a b", "../up", "x" * 65, "\x1b[2J"])
def test_what_is_no_name_is_refused(parity: Callable[..., Result], name: str) -> None:
    error = parity("baseline", "pin", name, "1").exception
    assert isinstance(error, UsageError)
    assert "is no name for a baseline" in error.message


def test_a_run_that_is_not_there_is_the_callers_mistake(parity: Callable[..., Result]) -> None:
    error = parity("baseline", "pin", "default", "9").exception
    assert isinstance(error, UsageError)
    assert error.message == "there is no run 9"


def test_names_and_runs_are_completed(
    parity: Callable[..., Result], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parity("baseline", "pin", "release", "1")
    monkeypatch.chdir(project)
    assert completion.complete_baseline("re") == ["release"]
    assert completion.complete_run("") == ["3", "2", "1"]


def test_completing_where_nothing_was_run_is_silent(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    assert completion.complete_run("") == []
