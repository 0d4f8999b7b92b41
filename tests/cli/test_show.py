from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from parity.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("measured")


def test_attempts_evidence_transcript_and_log_are_shown(parity: Callable[..., Result]) -> None:
    shown = parity("show", "fork_test").stdout
    assert "attempt 3 of fork_test on aarch64: crash" in shown
    assert "  KERNEL PANIC: frames" in shown
    assert "  | one\n  | two\\x1b[2J\n" in shown
    assert ".parity/logs/" in shown


def test_attempts_are_listed_newest_first(parity: Callable[..., Result]) -> None:
    lines = parity("show", "fork_test").stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["attempt", "4", "3"]


def test_guest_text_never_reaches_the_terminal_raw(parity: Callable[..., Result]) -> None:
    assert "\x1b" not in parity("show", "fork_test").stdout


def test_as_many_lines_as_wanted_are_shown(parity: Callable[..., Result]) -> None:
    shown = parity("show", "fork_test", "--lines", "1").stdout
    assert "  | two" in shown
    assert "  | one" not in shown


def test_one_attempt_can_be_chosen(parity: Callable[..., Result]) -> None:
    shown = parity("show", "fork_test", "--attempt", "4").stdout
    assert "attempt 4 of fork_test on x86_64: pass" in shown
    assert "attempt 3" not in shown


def test_json_has_every_attempt_with_its_logs(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("show", "fork_test", "--target", "aarch64", "--json").stdout)
    (attempt,) = told["attempts"]
    assert attempt["outcome"] == "crash"
    assert attempt["logs"][0]["kind"] == "transcript"
    assert told["transcripts"] == {"3": ["one", "two\\x1b[2J"]}


def test_a_test_that_was_never_run_says_how_to_run_it(parity: Callable[..., Result]) -> None:
    error = parity("show", "pty_test").exception
    assert isinstance(error, UsageError)
    assert error.hint == "parity run pty_test"


def test_an_unknown_test_is_an_error_that_offers_the_nearest(parity: Callable[..., Result]) -> None:
    error = parity("show", "fork_tst").exception
    assert isinstance(error, UnknownNameError)
    assert "fork_test" in error.near


def test_a_log_that_was_removed_by_hand_hides_nothing_else(
    parity: Callable[..., Result], project: Path
) -> None:
    shutil.rmtree(project / ".parity" / "logs")
    shown = parity("show", "fork_test").stdout
    assert "its log is gone" in shown
    assert "KERNEL PANIC: frames" in shown
