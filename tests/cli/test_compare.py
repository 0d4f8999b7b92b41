from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.cli.completion import complete_side
from parity.errors import UnknownNameError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.conftest import Make


@pytest.fixture(autouse=True)
def twice(measured: Path, make: Make) -> None:
    """A second run: dup_test is lost on aarch64, fork_test crashes for another reason and is lost on x86_64."""
    with open_repository("sqlite:///.parity/parity.db", measured / ".parity") as repository:
        campaign = repository.start_campaign(make.plan(minutes=60))
        for attempt in (
            make.attempt("dup_test", Outcome.HANG, evidence="silent\x1b[2J", minutes=61),
            make.attempt("fork_test", Outcome.CRASH, evidence="KERNEL PANIC: heap", minutes=62),
            make.attempt("fork_test", Outcome.FAIL, target="x86_64", error_number=38, minutes=63),
            make.attempt("pty_test", minutes=64),
        ):
            repository.add_attempt(campaign, attempt)


def test_what_changed_is_told_by_kind_the_worst_first(parity: Callable[..., Result]) -> None:
    result = parity("compare")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "then: the run before (run 1), 2026-11-02 12:00 UTC, kernel c0ffee0",
        "now:  the newest run (run 2), 2026-11-02 13:00 UTC, kernel c0ffee0",
        "new failures: 2",
        "  fork_test on x86_64: pass -> fail: the test said so",
        r"  dup_test on aarch64: pass -> hang: silent\x1b[2J",
        "other reasons: 1",
        "  fork_test on aarch64: crash: KERNEL PANIC: heap",
        "    before: KERNEL PANIC: frames",
        "other pair states: 2",
        "  dup_test: parity -> gap",
        "  fork_test: gap -> both-fail",
        "results that were not there: 1",
        "  pty_test on aarch64",
        "4 results compared, 3 changed",
    ]


def test_two_targets_are_compared_test_by_test(parity: Callable[..., Result]) -> None:
    shown = parity("compare", "x86_64").stdout
    assert shown.startswith("then: x86_64, as of run 2\nnow:  aarch64, as of run 2\n")
    assert "  dup_test on x86_64 and aarch64: pass -> hang" in shown


def test_json_has_both_sides_and_all_changes(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("compare", "1", "2", "--json").stdout)
    assert (told["then"]["run"], told["now"]["run"], told["compared"]) == (1, 2, 4)
    assert [(change["kind"], change["test"], change["target"]) for change in told["changes"]] == [
        ("new-failure", "fork_test", "x86_64"),
        ("new-failure", "dup_test", "aarch64"),
        ("other-evidence", "fork_test", "aarch64"),
    ]
    assert told["changes"][0]["now"]["error_number"] == 38
    assert told["only_now"] == [{"test": "pty_test", "target": "aarch64"}]


def test_a_query_narrows_the_tests(parity: Callable[..., Result]) -> None:
    shown = parity("compare", "--where", "aarch64:hang").stdout
    assert "dup_test" in shown
    assert "fork_test" not in shown
    assert shown.endswith("2 results compared, 1 changed\n")


def test_what_is_no_side_is_an_error_that_offers_the_nearest(parity: Callable[..., Result]) -> None:
    error = parity("compare", "bfore").exception
    assert isinstance(error, UnknownNameError)
    assert error.near == ("before",)


def test_sides_are_completed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert complete_side("b") == ["baseline", "before"]
    assert complete_side("x") == ["x86_64"]
