from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from parity.campaign import Baseline, CampaignState
from parity.errors import UsageError
from parity.flow.document.report import make_report
from parity.flow.exchange.run_file import export_runs, import_runs
from tests.support.run_files import CAPTURE, everything, read_folder, record_all, write_capture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from tests.conftest import Make
    from tests.flow.conftest import Past


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.parity"


def test_everything_arrives_as_it_was(past: Past, other: Repository, file: Path) -> None:
    numbers = record_all(past)
    past.repository.pin_baseline(
        Baseline(name="default", campaign=1, pinned_at=past.make.moment(9), note="the first")
    )
    export_runs(past.repository, numbers, file)
    import_runs(other, file)
    assert everything(other) == everything(past.repository)


def test_the_document_on_another_machine_is_the_same_byte_for_byte(
    past: Past, other: Repository, file: Path, configure: Callable[..., Configuration]
) -> None:
    here = configure("dup_test", "fork_test")
    export_runs(past.repository, record_all(past), file)
    import_runs(other, file)
    there = replace(here, file=other.state_folder.parent / "parity.toml")
    assert make_report(there, other).encode() == make_report(here, past.repository).encode()


def test_the_same_runs_give_the_same_file(past: Past, tmp_path: Path) -> None:
    numbers = record_all(past)
    for name in ("one", "two"):
        export_runs(past.repository, numbers, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_was_written_is_counted(past: Past, file: Path) -> None:
    exported = export_runs(past.repository, record_all(past), file)
    assert (exported.runs, exported.logs, exported.captures, exported.missing) == (3, 2, 2, ())
    assert exported.size_bytes == file.stat().st_size


def test_a_run_that_is_known_stays_as_it_is(past: Past, other: Repository, file: Path) -> None:
    export_runs(past.repository, record_all(past), file)
    import_runs(other, file)
    before = everything(other)
    again = import_runs(other, file)
    assert [(run.number, run.is_new) for run in again.runs] == [(1, False), (2, False), (3, False)]
    assert everything(other) == before


def test_a_run_that_went_on_since_is_told_by_its_attempts(past: Past, other: Repository, file: Path) -> None:
    repository, make = past.repository, past.make
    run = repository.start_campaign(make.plan())
    for minutes in range(2):
        repository.add_attempt(run, make.attempt(minutes=minutes))
        repository.finish_campaign(run, CampaignState.INTERRUPTED, make.moment(minutes))
        export_runs(repository, [run], file)
        (imported,) = import_runs(other, file).runs
    assert (imported.is_new, imported.attempts, imported.attempts_there) == (False, 1, 2)


def test_numbers_that_are_taken_give_way_to_new_ones(
    past: Past, other: Repository, file: Path, make: Make
) -> None:
    here = other.start_campaign(make.plan())
    other.add_attempt(here, make.attempt("pty_test"))
    export_runs(past.repository, record_all(past)[:1], file)
    (imported,) = import_runs(other, file).runs
    assert (imported.number, imported.number_there) == (2, 1)
    assert [attempt.id for attempt in other.campaign_attempts(2)] == [2, 3, 4]
    assert [attempt.test for attempt in other.campaign_attempts(1)] == ["pty_test"]


def test_a_captures_folder_that_is_taken_gives_way_to_a_new_one(
    past: Past, other: Repository, file: Path
) -> None:
    taken = write_capture(other, "20261102-fork")
    (taken / "capture.json").write_bytes(b"another")
    export_runs(past.repository, record_all(past)[:1], file)
    import_runs(other, file)
    (hang,) = [attempt.hang for attempt in other.campaign_attempts(1) if attempt.hang]
    assert hang.folder == taken.with_name("20261102-fork-2")
    assert read_folder(hang.folder) == CAPTURE
    assert (taken / "capture.json").read_bytes() == b"another"


def test_a_baseline_of_another_run_stays_where_it_is_pinned(
    past: Past, other: Repository, file: Path, make: Make
) -> None:
    run, *_ = record_all(past)
    for name in ("default", "release"):
        past.repository.pin_baseline(Baseline(name=name, campaign=run, pinned_at=make.moment()))
    mine = other.start_campaign(make.plan())
    other.pin_baseline(Baseline(name="default", campaign=mine, pinned_at=make.moment()))
    export_runs(past.repository, [run], file)
    imported = import_runs(other, file)
    assert (imported.baselines, imported.baselines_kept) == (("release",), ("default",))
    assert other.baseline("default").campaign == mine


def test_an_imported_run_is_not_resumed_here(past: Past, other: Repository, file: Path) -> None:
    export_runs(past.repository, record_all(past), file)
    import_runs(other, file)
    assert other.resumable_campaign() is None
    found = past.repository.resumable_campaign()
    assert found is not None
    assert found.number == 2


def test_a_run_that_is_under_way_is_not_exported(past: Past, file: Path) -> None:
    run = past.repository.start_campaign(past.make.plan())
    with pytest.raises(UsageError, match=f"run {run} is still under way"):
        export_runs(past.repository, [run], file)
    assert not file.exists()


def test_a_run_that_is_not_there_leaves_an_older_file_alone(past: Past, file: Path) -> None:
    file.write_text("an older one")
    with pytest.raises(UsageError, match="there is no run 7"):
        export_runs(past.repository, [7], file)
    assert file.read_text() == "an older one"
    assert [found.name for found in file.parent.iterdir() if "runs" in found.name] == [file.name]


def test_a_file_that_cannot_be_written_is_told(past: Past, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        export_runs(past.repository, record_all(past), tmp_path / "nowhere" / "runs.parity")


def test_what_is_gone_or_altered_is_told_and_left_out(past: Past, other: Repository, file: Path) -> None:
    numbers = record_all(past)
    repository = past.repository
    (log,) = [log for n in (4, 5) for log in repository.logs_of(n)]
    log.path.write_bytes(b"altered")
    shutil.rmtree(repository.state_folder / "captures" / "20261102-boot")
    exported = export_runs(repository, numbers, file)
    assert set(exported.missing) == {f"logs/{log.sha256}", "captures/20261102-boot"}
    assert (exported.logs, exported.captures) == (1, 1)
    assert import_runs(other, file).missing_logs == 1
    assert other.logs_of(5)[0].sha256 == log.sha256


def test_a_link_in_a_capture_is_not_followed(past: Past, file: Path) -> None:
    numbers = record_all(past)
    (past.repository.state_folder / "captures" / "20261102-fork" / "link").symlink_to("/etc/passwd")
    export_runs(past.repository, numbers, file)
    with zipfile.ZipFile(file) as archive:
        assert not any("link" in name for name in archive.namelist())
