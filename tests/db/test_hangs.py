from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from db import open_repository, queries
from db.hangs import hang_record, hang_row, signature_key
from parity.attempt import BootFailure
from parity.diagnosis import Cause, Confidence, Diagnosis, Hang, Suspicion
from parity.hangs import Recurrence
from parity.outcome import Outcome
from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from db import Repository
    from parity.attempt import StoredAttempt
    from tests.conftest import Make

URL = "sqlite:///.parity/parity.db"


def hung(make: Make, repository: Repository, number: int = 1) -> Hang:
    return make.hang(repository.state_folder / "captures" / str(number))


def test_a_hang_comes_back_as_it_was_given(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    hang = hung(make, repository)
    suspicion = Suspicion(cause=Cause.SLOW, confidence=Confidence.LOW, sentence="it gets on")
    diagnosis = replace(hang.diagnosis, runners_up=(suspicion,), missing=("LOCK events",))
    whole = replace(hang, diagnosis=diagnosis)
    number = repository.add_attempt(campaign, make.attempt(outcome=Outcome.HANG, hang=whole))
    assert repository.attempt(number).hang == whole


def test_an_attempt_without_a_capture_has_no_hang(repository: Repository, make: Make) -> None:
    number = repository.add_attempt(repository.start_campaign(make.plan()), make.attempt())
    assert repository.attempt(number).hang is None


def test_a_failed_boots_hang_comes_back_as_it_was_given(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    failure = BootFailure(
        target="aarch64",
        started_at=make.moment(),
        duration_s=20.0,
        reason="no prompt",
        hang=hung(make, repository),
    )
    repository.add_boot_failure(campaign, failure)
    (stored,) = repository.boot_failures(campaign)
    assert stored.hang == failure.hang


def test_a_capture_is_found_after_results_and_captures_moved(tmp_path: Path, make: Make) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    with open_repository(URL, before / ".parity") as repository:
        campaign = repository.start_campaign(make.plan())
        number = repository.add_attempt(campaign, make.attempt(hang=hung(make, repository)))
    shutil.move(before, after)
    with open_repository(URL, after / ".parity") as repository:
        hang = repository.attempt(number).hang
        assert hang is not None
        assert hang.folder == after / ".parity" / "captures" / "1"


@pytest.mark.parametrize("folder", ["/var/captures/1", "/results/.parity/../elsewhere/1"])
def test_a_capture_elsewhere_stays_where_it_is(make: Make, folder: str) -> None:
    row = hang_row(make.hang(Path(folder)), Path("/results/.parity"))
    moved = hang_record(row, Path("/moved/.parity"))
    assert moved is not None
    assert str(moved.folder) == {"/var/captures/1": folder}.get(folder, "/results/elsewhere/1")


def test_a_capture_below_a_relative_state_folder_comes_back_absolute(make: Make) -> None:
    row = hang_row(make.hang(Path(".parity/captures/1")), Path(".parity"))
    hang = hang_record(row, Path(".parity"))
    assert row.folder == "captures/1"
    assert hang is not None
    assert hang.folder == Path.cwd() / ".parity/captures/1"


def test_what_a_newer_parity_named_reads_as_unknown_and_says_so(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    number = repository.add_attempt(campaign, make.attempt(hang=hung(make, repository)))
    with repository.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE hang SET cause = 'cosmic-ray', confidence = 'certain',"
                """ runners_up = '[{"cause": "gremlins", "sentence": "s"}]'"""
            )
        )
    hang = repository.attempt(number).hang
    assert hang is not None
    diagnosis = hang.diagnosis
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.UNKNOWN, Confidence.LOW)
    assert diagnosis.missing == ("a parity that knows the cause 'cosmic-ray'",)
    assert [suspicion.cause for suspicion in diagnosis.runners_up] == [Cause.UNKNOWN]


def test_the_newest_hang_is_the_newest_attempt_with_a_capture(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    for minutes, target in enumerate(("aarch64", "aarch64", "x86_64")):
        hang = hung(make, repository, minutes)
        repository.add_attempt(campaign, make.attempt(target=target, minutes=minutes, hang=hang))
    repository.add_attempt(campaign, make.attempt(minutes=3))
    repository.add_attempt(campaign, make.attempt("dup_test", minutes=4, hang=hung(make, repository, 4)))

    def found(test: str | None = None, target: str | None = None) -> int | None:
        attempt = repository.newest_hang(test, target=target)
        return attempt.id if attempt else None

    assert found("fork_test") == 3
    assert found("fork_test", "aarch64") == 2
    assert found() == 5
    assert found("pty_test") is None


@pytest.mark.parametrize(
    "read",
    [
        lambda repository: repository.newest_attempts(),
        lambda repository: repository.first_attempts(),
        lambda repository: repository.campaign_attempts(1),
        lambda repository: repository.attempts_of("fork_test"),
    ],
)
def test_hangs_are_read_in_the_statement_that_reads_their_attempts(
    repository: Repository, make: Make, read: Callable[[Repository], tuple[StoredAttempt, ...]]
) -> None:
    campaign = repository.start_campaign(make.plan())
    for number in range(5):
        hang = hung(make, repository, number)
        repository.add_attempt(campaign, make.attempt(minutes=number, hang=hang))
        repository.add_attempt(campaign, make.attempt(f"test{number}", minutes=number, hang=hang))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(repository.engine, "before_cursor_execute", note)
    attempts = read(repository)
    assert all(attempt.hang for attempt in attempts)
    assert len(statements) == 1


def test_a_hang_goes_with_its_attempt(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(hang=hung(make, repository)))
    with repository.engine.begin() as connection:
        connection.execute(text("DELETE FROM campaign"))
        assert connection.execute(text("SELECT count(*) FROM hang")).scalar() == 0


@pytest.mark.parametrize("change", ["UPDATE hang SET attempt = NULL", "UPDATE hang SET boot_failure = 1"])
def test_a_hang_has_exactly_one_owner(repository: Repository, make: Make, change: str) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(hang=hung(make, repository)))
    repository.add_boot_failure(
        campaign, BootFailure(target="aarch64", started_at=make.moment(), duration_s=1.0, reason="r")
    )
    with pytest.raises(IntegrityError, match="one_owner"), repository.engine.begin() as connection:
        connection.execute(text(change))


def test_a_cause_recurs_over_runs_and_tests_wherever_they_came_for_the_lock(
    repository: Repository, make: Make
) -> None:
    for run, (test, frames) in enumerate([("a", ("f",)), ("a", ("g", "f")), ("b", ("g",))]):
        campaign = repository.start_campaign(make.plan(minutes=run))
        hang = make.hang(Path("/c"), frames=frames)
        repository.add_attempt(campaign, make.attempt(test, minutes=run, hang=hang))
    other = make.hang(Path("/c"), subject="pipe_lock")
    repository.add_attempt(campaign, make.attempt("c", hang=other))
    found = repository.recurrence(make.hang(Path("/c")).diagnosis)
    assert found == Recurrence(attempts=3, tests=2, first_run=1)
    assert repository.recurrence(make.hang(Path("/c"), Cause.TIMER_LOST).diagnosis) is None


def test_a_recurrence_is_found_by_the_index(repository: Repository) -> None:
    statement = queries.recurrence("lock-leaked | root_lock").compile(
        repository.engine, compile_kwargs={"literal_binds": True}
    )
    with repository.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert any("ix_hang_signature" in row[-1] for row in plan)
    assert not any(row[-1].startswith("SCAN") for row in plan)


def test_long_signatures_that_differ_at_the_end_have_different_keys_that_can_be_indexed() -> None:
    keys = [signature_key("lock-leaked | " + "f" * 1000 + end) for end in "ab"]
    assert keys[0] != keys[1]
    assert {len(key) for key in keys} == {255}


words = st.text(max_size=20)


@settings(max_examples=60)
@given(
    diagnosis=st.builds(
        Diagnosis,
        cause=st.sampled_from(Cause),
        confidence=st.sampled_from(Confidence),
        sentence=words.map(printable),
        evidence=st.lists(words).map(tuple),
        subject=words.map(printable),
        frames=st.lists(words).map(tuple),
        runners_up=st.lists(
            st.builds(
                Suspicion,
                cause=st.sampled_from(Cause),
                confidence=st.sampled_from(Confidence),
                sentence=words,
            )
        ).map(tuple),
        missing=st.lists(words).map(tuple),
    )
)
def test_whatever_a_diagnosis_says_comes_back(diagnosis: Diagnosis) -> None:
    hang = Hang(folder=Path("/r/.parity/captures/1"), diagnosis=diagnosis, pause_s=0.5, took_s=1.5)
    assert hang_record(hang_row(hang, Path("/r/.parity")), Path("/r/.parity")) == hang


def test_text_that_no_database_takes_is_stored_made_printable(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    hang = make.hang(Path("/c"), sentence="a\0b \ud800", subject="\udcff", frames=("\ud800\0",))
    stored = repository.attempt(repository.add_attempt(campaign, make.attempt(hang=hang))).hang
    assert stored is not None
    assert (stored.diagnosis.sentence, stored.diagnosis.subject) == ("a\\x00b \\ud800", "\\udcff")
