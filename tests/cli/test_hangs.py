"""What commands other than `parity diagnose` say of hangs."""

from __future__ import annotations

import json
import re
import shutil
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from db import open_repository
from parity.cli.hangs import format_size, show_groups, show_hang
from parity.cli.progress import describe_attempt
from parity.diagnosis import Cause
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from typer.testing import Result

    from parity.attempt import Attempt
    from tests.conftest import Make

SPINS = "CPU 1 spins on root_lock, which nobody holds"


@pytest.fixture
def capture(project: Path) -> Path:
    """A capture's folder, with 3000 bytes in two files."""
    folder = project / ".parity" / "captures" / "1-dup_test"
    (folder / "rings").mkdir(parents=True)
    (folder / "capture.json").write_bytes(b"{" * 1000)
    (folder / "rings" / "cpu0.bin").write_bytes(b"\0" * 2000)
    return folder


@pytest.fixture(autouse=True)
def stuck(measured: Path, make: Make, capture: Path) -> None:
    """After the first run, the port hung in two tests, on one lock."""
    with open_repository("sqlite:///.parity/parity.db", measured / ".parity") as repository:
        campaign = repository.start_campaign(make.plan(minutes=60))
        for number, test in enumerate(("dup_test", "pty_test")):
            attempt = make.attempt(
                test,
                Outcome.HANG,
                evidence="no output for 5 s",
                minutes=60 + number,
                hang=make.hang(capture, missing=("LOCK events \x1b[2J",)),
            )
            repository.add_attempt(campaign, attempt)


def test_an_attempt_is_shown_with_its_diagnosis_and_where_and_how_large_its_capture_is(
    parity: Callable[..., Result], capture: Path
) -> None:
    shown = parity("show", "dup_test", "--target", "aarch64").stdout
    assert f"  no output for 5 s\nlock leaked (medium confidence): {SPINS}\n" in shown
    assert re.search(rf"\ncapture \(\d+ KiB\): {capture}\n", shown)
    assert "\nparity diagnose 5 shows the evidence\n" in shown


def test_a_sentence_that_is_among_the_evidence_is_not_said_twice(make: Make, capture: Path) -> None:
    out = StringIO()
    hang = make.hang(capture)
    show_hang(Console(file=out, width=200), hang, said=(f"{SPINS} (looked into after 5.0 s)",), size_bytes=0)
    assert out.getvalue() == f"lock leaked (medium confidence)\ncapture (0 bytes): {capture}\n"


def test_how_often_the_same_cause_stopped_tests_is_told(parity: Callable[..., Result]) -> None:
    assert (
        "\nthe same cause stopped 2 attempts of 2 tests, first in run 2\n"
        in parity("show", "dup_test").stdout
    )


def test_what_was_missing_is_shown_harmless(parity: Callable[..., Result]) -> None:
    assert "  missing: LOCK events \\x1b[2J\n" in parity("show", "dup_test").stdout


def test_a_capture_that_was_removed_by_hand_hides_no_diagnosis(
    parity: Callable[..., Result], capture: Path
) -> None:
    shutil.rmtree(capture)
    shown = parity("show", "dup_test").stdout
    assert f"its capture is gone: {capture}" in shown
    assert SPINS in shown


def test_an_attempt_without_a_capture_says_nothing_of_one(parity: Callable[..., Result]) -> None:
    assert "capture" not in parity("show", "fork_test").stdout


def test_json_of_an_attempt_has_the_diagnosis(parity: Callable[..., Result], capture: Path) -> None:
    told = json.loads(parity("show", "dup_test", "--target", "aarch64", "--json").stdout)
    hang = told["attempts"][0]["hang"]
    assert (hang["cause"], hang["confidence"], hang["sentence"]) == ("lock-leaked", "medium", SPINS)
    assert (hang["subject"], hang["frames"]) == ("root_lock", ["root_fs", "sys_open"])
    assert (hang["capture"], hang["pause_s"]) == (str(capture), 0.07)
    assert told["attempts"][1]["hang"] is None


def test_the_status_says_how_many_tests_one_cause_blocks(parity: Callable[..., Result]) -> None:
    shown = parity("status").stdout
    assert f"\n1 cause blocks 2 tests on aarch64\n  2 tests on aarch64: {SPINS} (medium confidence)" in shown


def test_the_status_of_other_tests_says_nothing_of_it(parity: Callable[..., Result]) -> None:
    assert "blocks" not in parity("status", "fork_test").stdout


def test_json_of_the_status_has_each_diagnosis(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("status", "dup_test", "--json").stdout)
    results = told["tests"][0]["results"]
    assert results["aarch64"]["hang"]["sentence"] == SPINS
    assert results["x86_64"]["hang"] is None


def test_a_line_of_a_run_tells_a_hang_by_its_diagnosis(make: Make, capture: Path) -> None:
    attempt = make.attempt(outcome=Outcome.HANG, evidence="no output for 5 s", hang=make.hang(capture))
    line = describe_attempt(attempt, width=8).plain
    assert line.endswith(f"  perhaps: {SPINS}")


def written(attempts: Iterable[Attempt]) -> str:
    out = StringIO()
    show_groups(Console(file=out), attempts)
    return out.getvalue()


def test_a_runs_summary_names_each_cause_once_the_largest_first(make: Make, capture: Path) -> None:
    attempts = [
        make.attempt(
            "fork_test", Outcome.HANG, hang=make.hang(capture, Cause.TIMER_LOST, sentence="no ticks")
        ),
        *(
            make.attempt(f"open_{number}", Outcome.HANG, hang=make.hang(capture, frames=(f"sys_{number}",)))
            for number in range(35)
        ),
    ]
    assert written(attempts).splitlines() == [
        "2 causes block 36 tests on aarch64",
        f"  35 tests on aarch64: {SPINS} (medium confidence); such as open_0",
        "  1 test on aarch64: no ticks (medium confidence); such as fork_test",
    ]


def test_a_run_in_which_nothing_is_stuck_says_nothing(make: Make, capture: Path) -> None:
    slow = make.attempt(outcome=Outcome.TIMEOUT, hang=make.hang(capture, Cause.SLOW))
    assert written([make.attempt(), slow]) == ""


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(0, "0 bytes"), (1023, "1023 bytes"), (3000, "3 KiB"), (1_600_000, "1.5 MiB")]
)
def test_a_size_is_told_in_the_unit_that_matters(size_bytes: int, words: str) -> None:
    assert format_size(size_bytes) == words
