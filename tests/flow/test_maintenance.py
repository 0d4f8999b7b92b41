from __future__ import annotations

import os
import shutil
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import open_repository
from parity.attempt import BootFailure, Log, LogKind
from parity.campaign import Baseline, CampaignState, ImportedCampaign, Origin, ReportedTotal
from parity.errors import UsageError
from parity.flow.results.maintenance import PruneOrder, check_results, parse_age, prune_results
from parity.outcome import Outcome
from tests.conftest import Make

if TYPE_CHECKING:
    from pathlib import Path

    from db import Repository
    from parity.diagnosis import Hang

URL = "sqlite:///.parity/parity.db"
OLD = timedelta(days=30)
ALL = PruneOrder(keep=1)


def run(repository: Repository, day: int, *outcomes: Outcome, make: Make, image: str = "ab" * 32) -> int:
    """Record a finished run that attempts tests a, b, c, ... once each, with a log of its own each."""
    campaign = repository.start_campaign(make.plan(minutes=1440 * day))
    repository.add_target(campaign, make.facts(image=image))
    for test, outcome in zip("abcdefgh", outcomes, strict=False):
        repository.add_attempt(
            campaign,
            make.attempt(test, outcome, minutes=1440 * day, transcript=f"{campaign} {test}".encode()),
        )
    repository.finish_campaign(campaign, CampaignState.FINISHED, make.moment(1440 * day + 1))
    return campaign


def numbers(repository: Repository) -> list[int]:
    return sorted(campaign.number for campaign in repository.campaigns())


def stored_logs(repository: Repository) -> list[bytes]:
    return sorted(path.read_bytes() for path in repository.logs.files())


def prune(repository: Repository, make: Make, order: PruneOrder = ALL, *, day: int = 100) -> tuple[int, ...]:
    return prune_results(repository, order, now=make.moment(1440 * day)).runs


def add_capture(repository: Repository, name: str, *, age: timedelta, make: Make) -> Path:
    """Make a capture's folder that was last changed so long before day 100."""
    folder = repository.state_folder / "captures" / name
    folder.mkdir(parents=True)
    (folder / "capture.json").write_text("{}")
    then = (make.moment(1440 * 100) - age).timestamp()
    os.utime(folder, (then, then))
    return folder


def test_what_was_just_recorded_is_whole(repository: Repository, make: Make) -> None:
    run(repository, 0, Outcome.PASS, Outcome.FAIL, make=make)
    assert check_results(repository, now=make.moment()) == ()


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda path: path.unlink(), "missing (attempt 1 of a)"),
        (
            lambda path: path.write_bytes(b"1 b"),
            "altered: its content is not what it was stored as (attempt 1 of a)",
        ),
        (
            lambda path: path.write_bytes(b""),
            "altered: its content is not what it was stored as (attempt 1 of a)",
        ),
    ],
)
def test_a_log_that_was_harmed_is_found(
    repository: Repository, make: Make, harm: object, problem: str
) -> None:
    run(repository, 0, Outcome.PASS, make=make)
    (log,) = repository.logs_of(1)
    assert callable(harm)
    harm(log.path)
    (finding,) = check_results(repository, now=make.moment())
    assert finding.subject == f"logs/{log.sha256[:2]}/{log.sha256}"
    assert finding.problem == problem


def test_a_quick_look_takes_sizes_for_contents(repository: Repository, make: Make) -> None:
    run(repository, 0, Outcome.PASS, make=make)
    (log,) = repository.logs_of(1)
    log.path.write_bytes(b"1 b")
    assert check_results(repository, now=make.moment(), thorough=False) == ()
    log.path.write_bytes(b"1")
    assert len(check_results(repository, now=make.moment(), thorough=False)) == 1


def test_a_log_of_a_failed_boot_is_told_by_its_run(repository: Repository, make: Make) -> None:
    campaign = run(repository, 0, make=make)
    log = Log(kind=LogKind.RAW, port="console", content=b"half a bo")
    failure = BootFailure(target="aarch64", started_at=make.moment(), duration_s=1.0, reason="r", logs=(log,))
    repository.add_boot_failure(campaign, failure)
    (path,) = repository.logs.files()
    path.unlink()
    (finding,) = check_results(repository, now=make.moment())
    assert finding.problem == "missing (a failed boot of run 1)"


def hung(repository: Repository, make: Make, name: str) -> Hang:
    return make.hang(repository.state_folder / "captures" / name)


def test_a_capture_that_is_gone_or_no_capture_is_found(repository: Repository, make: Make) -> None:
    campaign = run(repository, 0, make=make)
    for name in ("gone", "spoilt"):
        repository.add_attempt(campaign, make.attempt(hang=hung(repository, make, name)))
    add_capture(repository, "spoilt", age=OLD, make=make)
    gone, spoilt = check_results(repository, now=make.moment())
    assert (gone.subject, gone.problem) == ("captures/gone", "missing; its diagnosis is kept")
    assert (spoilt.subject, "it is not what `parity run` writes" in spoilt.problem) == (
        "captures/spoilt",
        True,
    )


def test_what_nobody_refers_to_is_found(repository: Repository, make: Make) -> None:
    run(repository, 0, Outcome.PASS, make=make)
    stray = repository.logs.put(b"stray")
    add_capture(repository, "stray", age=OLD, make=make)
    found = [finding.subject for finding in check_results(repository, now=make.moment(1440 * 100))]
    assert found == [f"logs/{stray.sha256[:2]}/{stray.sha256}", "captures/stray"]


def test_a_young_capture_may_be_of_an_attempt_under_way(repository: Repository, make: Make) -> None:
    folder = add_capture(repository, "young", age=timedelta(hours=1), make=make)
    assert check_results(repository, now=make.moment(1440 * 100)) == ()
    prune(repository, make)
    assert folder.exists()


def test_a_folder_that_is_gone_does_not_fill_the_terminal(repository: Repository, make: Make) -> None:
    campaign = run(repository, 0, make=make)
    for number in range(102):
        repository.add_attempt(campaign, make.attempt(transcript=b"%d" % number))
    shutil.rmtree(repository.logs.folder)
    *told, last = check_results(repository, now=make.moment())
    assert len(told) == 100
    assert (last.subject, last.problem) == ("logs", "more than 100 of them are not as they should be")


def test_a_row_that_refers_to_none_is_found(repository: Repository, make: Make) -> None:
    run(repository, 0, Outcome.PASS, make=make)
    with sqlite3.connect(repository.state_folder / "parity.db") as connection:
        connection.execute("DELETE FROM campaign")
    connection.close()
    problems = [finding.problem for finding in check_results(repository, now=make.moment())]
    assert any("of attempt refers to a row of campaign that is gone" in problem for problem in problems)


def test_a_damaged_page_is_found(repository: Repository, make: Make) -> None:
    for day in range(40):
        run(repository, day, *[Outcome.FAIL] * 8, make=make)
    with repository.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    repository.engine.dispose()
    file = repository.state_folder / "parity.db"
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    file.write_bytes(content)
    findings = check_results(repository, now=make.moment())
    assert findings
    assert all("the file is damaged" in finding.problem for finding in findings)


def test_a_run_of_which_nothing_is_needed_goes_with_its_logs(repository: Repository, make: Make) -> None:
    for day in range(4):
        run(repository, day, Outcome.PASS, make=make)
    assert prune(repository, make) == (2, 3)
    assert numbers(repository) == [1, 4]
    assert stored_logs(repository) == [b"1 a", b"4 a"]


def test_with_no_age_and_no_number_only_files_that_nobody_refers_to_go(
    repository: Repository, make: Make
) -> None:
    for day in range(3):
        run(repository, day, Outcome.PASS, make=make)
    repository.logs.put(b"stray")
    assert prune(repository, make, PruneOrder()) == ()
    assert stored_logs(repository) == [b"1 a", b"2 a", b"3 a"]


def test_runs_that_are_younger_stay(repository: Repository, make: Make) -> None:
    for day in range(5):
        run(repository, day, Outcome.PASS, make=make)
    assert prune(repository, make, PruneOrder(older_than=timedelta(days=2)), day=4) == (2,)


def test_the_newest_runs_stay(repository: Repository, make: Make) -> None:
    for day in range(5):
        run(repository, day, Outcome.PASS, make=make)
    assert prune(repository, make, PruneOrder(keep=3)) == (2,)


def test_a_dry_run_says_the_same_and_changes_nothing(repository: Repository, make: Make) -> None:
    for day in range(6):
        second = Outcome.FAIL if day == 2 else Outcome.PASS
        run(repository, day, Outcome.PASS, second, make=make, image=f"{day}" * 64)
    logs = stored_logs(repository)
    dry = prune_results(repository, PruneOrder(keep=1, dry_run=True), now=make.moment(1440 * 100))
    assert (numbers(repository), stored_logs(repository)) == ([1, 2, 3, 4, 5, 6], logs)
    done = prune_results(repository, ALL, now=make.moment(1440 * 100))
    assert (dry.runs, dry.logs, dry.files, dry.freed_bytes) == (
        done.runs,
        done.logs,
        done.files,
        done.freed_bytes,
    )
    assert done.runs == (2, 5)
    assert done.logs == 2


def test_a_pinned_run_stays_whole(repository: Repository, make: Make) -> None:
    for day in range(4):
        run(repository, day, Outcome.PASS, make=make)
    repository.pin_baseline(Baseline(name="release", campaign=2, pinned_at=make.moment()))
    assert prune(repository, make) == (3,)
    assert b"2 a" in stored_logs(repository)


def test_a_run_under_way_in_another_process_stays(repository: Repository, make: Make) -> None:
    for day in range(2):
        run(repository, day, Outcome.PASS, make=make)
    with open_repository(URL, repository.state_folder) as another:
        under_way = another.start_campaign(make.plan(minutes=1440 * 2))
        another.add_attempt(under_way, make.attempt("a", minutes=1440 * 2, transcript=b"under way"))
        run(repository, 3, Outcome.PASS, make=make)
        assert prune(repository, make) == (2,)
    assert b"under way" in stored_logs(repository)


def test_the_run_that_would_be_resumed_stays(repository: Repository, make: Make) -> None:
    run(repository, 0, Outcome.PASS, make=make)
    interrupted = run(repository, 1, Outcome.PASS, make=make)
    repository.finish_campaign(interrupted, CampaignState.INTERRUPTED, make.moment(1441))
    run(repository, 2, Outcome.PASS, make=make)
    assert prune(repository, make) == ()


def test_an_imported_pages_totals_stay(repository: Repository, make: Make) -> None:
    for day in range(1, 3):
        run(repository, day, Outcome.PASS, make=make)
    page = ImportedCampaign(
        identity="ab" * 16,
        kernel="duet",
        origin=Origin.HAND_KEPT,
        source="page.md",
        started_at=make.moment(),
        attempts=(),
        totals=(ReportedTotal(target="aarch64", passed=1, total=2),),
    )
    number, _ = repository.add_imported(page)
    prune(repository, make, PruneOrder(keep=1, failures=True))
    assert number in repository.reported_totals()


def test_failures_stay_with_their_logs_and_the_passes_beside_them_without(
    repository: Repository, make: Make
) -> None:
    for day in range(4):
        run(repository, day, Outcome.FAIL, Outcome.PASS, make=make)
    assert prune(repository, make) == ()
    assert stored_logs(repository) == [b"1 a", b"1 b", b"2 a", b"3 a", b"4 a", b"4 b"]
    assert len(repository.attempts_of("b")) == 4


def test_failures_go_where_that_is_asked_for(repository: Repository, make: Make) -> None:
    for day in range(4):
        campaign = run(repository, day, Outcome.FAIL, make=make)
        hang = hung(repository, make, f"run{campaign}")
        repository.add_attempt(campaign, make.attempt("z", Outcome.HANG, minutes=1440 * day, hang=hang))
        add_capture(repository, f"run{campaign}", age=OLD, make=make)
    assert prune(repository, make, PruneOrder(keep=1, failures=True)) == (2, 3)
    assert stored_logs(repository) == [b"1 a", b"4 a"]
    captures = sorted(path.name for path in (repository.state_folder / "captures").iterdir())
    assert captures == ["run1", "run4"]


def test_a_failed_boot_is_a_failure(repository: Repository, make: Make) -> None:
    for day in range(3):
        campaign = run(repository, day, Outcome.PASS, make=make)
        failure = BootFailure(target="aarch64", started_at=make.moment(), duration_s=1.0, reason="r")
        repository.add_boot_failure(campaign, failure)
    assert prune(repository, make) == ()
    assert prune(repository, make, PruneOrder(keep=1, failures=True)) == (2,)


def test_images_that_no_run_is_left_of_go(repository: Repository, make: Make) -> None:
    images = repository.state_folder / "images"
    images.mkdir()
    for name, day in (("named", -90), ("too old", -9), ("a disk of the first run's", 0)):
        (images / name).write_bytes(b"content")
        os.utime(images / name, (make.moment(1440 * day).timestamp(),) * 2)
    run(repository, 0, Outcome.PASS, make=make, image="named")
    prune(repository, make)
    assert sorted(path.name for path in images.iterdir()) == ["a disk of the first run's", "named"]


def test_what_is_left_is_whole(repository: Repository, make: Make) -> None:
    for day in range(6):
        run(repository, day, Outcome.PASS, Outcome.FAIL if day % 2 else Outcome.PASS, make=make)
    prune(repository, make, PruneOrder(keep=2, failures=True))
    assert check_results(repository, now=make.moment(1440 * 100)) == ()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(st.lists(st.sampled_from(Outcome), max_size=3), min_size=1, max_size=7),
    keep=st.integers(1, 4),
    failures=st.booleans(),
)
def test_pruning_forgets_no_newest_no_first_result_and_no_change(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[list[Outcome]],
    keep: int,
    failures: bool,  # noqa: FBT001 - Hypothesis passes it by name
) -> None:
    make = Make()
    with open_repository(URL, tmp_path_factory.mktemp("pruned") / ".parity") as repository:
        for day, outcomes in enumerate(history):
            run(repository, day, *outcomes, make=make)

        def remembered() -> tuple[object, ...]:
            return (
                repository.newest_attempts(),
                repository.first_attempts(),
                repository.pass_changes(),
                repository.unstable_attempts(),
            )

        before = remembered()
        prune(repository, make, PruneOrder(keep=keep, failures=failures))
        assert remembered() == before
        assert check_results(repository, now=make.moment(1440 * 100)) == ()
        assert len(numbers(repository)) >= min(keep, len(history))


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("36h", timedelta(hours=36)),
        ("90d", timedelta(days=90)),
        ("12w", timedelta(weeks=12)),
        (" 1 d ", timedelta(days=1)),
    ],
)
def test_an_age_is_hours_days_or_weeks(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5d", "1y", "99999999d", "1d1h"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no age"):
        parse_age(text)
