from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import open_repository
from parity.attempt import BootFailure, Log, LogKind
from parity.campaign import Baseline, CampaignState, ImportedCampaign, Origin, ReportedTotal
from parity.errors import HarnessError, UsageError
from parity.flow.report import make_report
from parity.flow.run_file import export_runs, import_runs
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from tests.conftest import Make
    from tests.flow.conftest import Past

URL = "sqlite:///.parity/parity.db"
PASS = (Outcome.PASS, "the test exited with status 0", None)
STUCK = (Outcome.HANG, "no output for 5 s", None)
CAPTURE = {"capture.json": b"{}", "core": b"\x7fELF" * 999, "memory/0xffff000040081000.bin": b"\0" * 4096}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Repository]:
    """The results database of another machine."""
    with open_repository(URL, tmp_path / "other" / ".parity") as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.parity"


def write_capture(repository: Repository, name: str) -> Path:
    folder = repository.state_folder / "captures" / name
    for part, content in CAPTURE.items():
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).write_bytes(content)
    return folder


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        found.relative_to(folder).as_posix(): found.read_bytes()
        for found in folder.rglob("*")
        if found.is_file()
    }


def record_all(past: Past) -> tuple[int, ...]:
    """Record two runs that have a bit of everything, and a page's; return their numbers."""
    repository, make = past.repository, past.make
    hang = make.hang(write_capture(repository, "20261102-fork"))
    first = past.run(
        0,
        {("aarch64", "fork_test"): STUCK, ("x86_64", "fork_test"): PASS, ("aarch64", "dup_test"): PASS},
        hangs={("aarch64", "fork_test"): hang},
    )
    second = repository.start_campaign(make.plan(("aarch64", "fork_test"), minutes=60))
    repository.add_attempt(second, make.attempt(outcome=Outcome.FAIL, minutes=60))
    repository.add_target(second, make.facts(image="cd" * 32))
    repository.add_attempt(second, make.attempt(minutes=61, transcript=b"duet> fork_test\n"))
    repository.add_boot_failure(
        second,
        BootFailure(
            target="aarch64",
            started_at=make.moment(62),
            duration_s=20.0,
            reason="no prompt within 20 s",
            logs=(Log(kind=LogKind.RAW, port="console", content=b"half a bo\xff"),),
            hang=make.hang(write_capture(repository, "20261102-boot")),
        ),
    )
    repository.finish_campaign(second, CampaignState.INTERRUPTED, make.moment(63))
    page, _ = repository.add_imported(
        ImportedCampaign(
            identity="ab" * 16,
            kernel="duet",
            origin=Origin.HAND_KEPT,
            source="page.md",
            started_at=make.moment(-60),
            attempts=(make.attempt("dup_test", minutes=-60),),
            totals=(ReportedTotal(target="aarch64", passed=33, total=80),),
        )
    )
    return first, second, page


def everything(repository: Repository) -> dict[str, object]:
    """Return what a database holds, less what must differ: where files are, and whence measured runs came."""
    campaigns = repository.campaigns()
    state_folder = repository.state_folder

    def plain(value: Any) -> str:
        return repr(value).replace(str(state_folder), "STATE")

    return {
        "campaigns": [replace(campaign, source="") for campaign in campaigns],
        "facts": [repository.campaign_facts(campaign.number) for campaign in campaigns],
        "attempts": [plain(repository.campaign_attempts(campaign.number)) for campaign in campaigns],
        "logs": [
            plain(repository.logs_of(attempt.id))
            for campaign in campaigns
            for attempt in repository.campaign_attempts(campaign.number)
        ],
        "boots": [plain(repository.boot_failures(campaign.number)) for campaign in campaigns],
        "totals": repository.reported_totals(),
        "remaining": [repository.remaining_cases(campaign.number) for campaign in campaigns],
        "baselines": repository.baselines(),
        "files": {
            folder: read_folder(state_folder / folder)
            for folder in ("logs", "captures")
            if (state_folder / folder).exists()
        },
    }


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


# What follows are files that no parity wrote.


def rewrite(file: Path, change: Callable[[str, bytes], bytes | None], **added: bytes) -> None:
    """Write a file anew, each entry changed or left out."""
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, old in content.items():
            if (new := change(name, old)) is not None:
                archive.writestr(name, new)
        for name, new in added.items():
            archive.writestr(name, new)


def keep(_name: str, content: bytes) -> bytes:
    return content


def refuse(other: Repository, file: Path, match: str) -> None:
    before = everything(other)
    outside = {found for found in file.parent.rglob("*") if not found.is_relative_to(other.state_folder)}
    with pytest.raises(UsageError, match=match):
        import_runs(other, file)
    assert {name: everything(other)[name] for name in before} == before
    assert outside == {
        found for found in file.parent.rglob("*") if not found.is_relative_to(other.state_folder)
    }


@pytest.fixture
def exported(past: Past, file: Path) -> Path:
    export_runs(past.repository, record_all(past), file)
    return file


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "logs/../../evil",
        "logs/" + "g" * 64,
        "captures/20261102-fork/../../../evil",
        "captures/../evil",
        "captures/.hidden/x",
        "captures/a/b/c/d/e/f",
        "captures/a\\..\\evil/x",
        "captures/a/\x1b[2J",
        "captures/a/",
        "parity.db",
    ],
)
def test_an_entry_that_parity_does_not_write_is_refused(other: Repository, exported: Path, name: str) -> None:
    rewrite(exported, keep, **{name: b"evil"})
    refuse(other, exported, "it has an entry called")


def test_a_link_is_refused(other: Repository, exported: Path) -> None:
    with zipfile.ZipFile(exported, "a") as archive:
        link = zipfile.ZipInfo("captures/a/core")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    refuse(other, exported, "is no plain file")


def test_two_entries_of_one_name_are_refused(other: Repository, exported: Path) -> None:
    with zipfile.ZipFile(exported, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("run.json", b"{}")
    refuse(other, exported, "two of its entries have one name")


def test_a_packing_that_parity_does_not_write_is_refused(other: Repository, exported: Path) -> None:
    with zipfile.ZipFile(exported, "a") as archive:
        archive.writestr("captures/a/core", b"x", zipfile.ZIP_LZMA)
    refuse(other, exported, "encrypted or packed")


def test_a_bomb_is_refused_before_it_is_unpacked(other: Repository, exported: Path) -> None:
    with zipfile.ZipFile(exported, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("captures/a/core", bytes(1 << 20))
    content = bytearray(exported.read_bytes())
    entry = content.rindex(b"captures/a/core") - 46
    content[entry + 24 : entry + 28] = (0xFFFF_FFF0).to_bytes(4, "little")  # what it claims to hold
    exported.write_bytes(content)
    with pytest.raises(UsageError, match="has 1073741824 left"):
        import_runs(other, exported, measure_free=lambda _folder: 1 << 30)
    assert everything(other)["files"] == {}


def test_more_than_any_parity_writes_is_refused(other: Repository, exported: Path) -> None:
    with zipfile.ZipFile(exported, "a") as archive:
        for number in range(17):
            archive.writestr(f"captures/a/core{number}", b"x")
    content = bytearray(exported.read_bytes())
    for number in range(17):
        entry = content.rindex(b"captures/a/core%d" % number) - 46
        content[entry + 24 : entry + 28] = (0xFFFF_FFF0).to_bytes(4, "little")
    exported.write_bytes(content)
    refuse(other, exported, "larger than anything that parity writes")


def test_a_list_of_entries_beyond_measure_is_refused_before_it_is_read(
    other: Repository, exported: Path
) -> None:
    content = bytearray(exported.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = (40 << 20).to_bytes(4, "little")
    exported.write_bytes(content)
    refuse(other, exported, "too many entries")


def test_a_log_with_another_content_is_refused(other: Repository, exported: Path) -> None:
    rewrite(exported, lambda name, content: b"forged" if name.startswith("logs/") else content)
    refuse(other, exported, "has another content")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no zip file"),
        (b"These are my notes. " * 100, "is no zip file"),
        (b"PK\x05\x06" + bytes(18), "run.json is missing"),
    ],
)
def test_a_file_that_is_none_of_paritys_is_refused(
    other: Repository, file: Path, content: bytes, message: str
) -> None:
    file.write_bytes(content)
    refuse(other, file, message)


def test_a_file_that_is_not_there_is_told(other: Repository, file: Path) -> None:
    refuse(other, file, "cannot be read: No such file or directory")


def test_a_file_of_a_newer_parity_is_refused(other: Repository, exported: Path) -> None:
    rewrite(
        exported,
        lambda name, content: (
            content.replace(b'"version": 1', b'"version": 2') if name == "run.json" else content
        ),
    )
    refuse(other, exported, "written by a newer parity")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 1 << 40}, "number: Input should be less than"),
        ({"number": 0}, "number"),
        ({"identity": "../../etc/passwd"}, "identity"),
        ({"identity": "0" * 32}, "is another run"),
        ({"state": "glorious"}, "state"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at"),
        ({"started_at": "2026-11-02T12:00:00"}, "started_at"),
        ({"kernel": "k" * 200_000}, "kernel"),
        ({"surprise": 1}, "surprise"),
        ({"attempts": [{}]}, "attempts.0"),
        ({"attempts": 7}, "attempts"),
        ({"planned": -1}, "planned"),
        ({"timeout_s": "NaN"}, "timeout_s"),
    ],
)
def test_a_run_that_says_what_cannot_be_is_refused(
    other: Repository, exported: Path, change: dict[str, object], message: str
) -> None:
    def apply(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | change).encode() if name.startswith("runs/") else content

    rewrite(exported, apply)
    refuse(other, exported, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"facts": 99}, "names facts that the run does not have"),
        ({"number": 1 << 50}, "attempts.0.number"),
        ({"duration_s": 1e300}, "attempts.0.duration_s"),
        ({"test": ""}, "attempts.0.test"),
        ({"outcome": "glorious"}, "attempts.0.outcome"),
    ],
)
def test_an_attempt_that_says_what_cannot_be_is_refused(
    other: Repository, exported: Path, change: dict[str, object], message: str
) -> None:
    def apply(name: str, content: bytes) -> bytes:
        if not name.startswith("runs/"):
            return content
        run = json.loads(content)
        run["attempts"][0].update(change)
        return json.dumps(run).encode()

    rewrite(exported, apply)
    refuse(other, exported, message)


def test_text_that_would_repaint_a_terminal_arrives_printable(other: Repository, exported: Path) -> None:
    rewrite(exported, lambda _name, content: content.replace(b"no output for 5 s", b"\\u001b[2Jgone"))
    import_runs(other, exported)
    evidence = [line for attempt in other.attempts_of("fork_test") for line in attempt.verdict.evidence]
    assert "\\x1b[2Jgone" in evidence


def test_a_run_that_cannot_be_stored_leaves_no_capture_behind(exported: Path, tmp_path: Path) -> None:
    state_folder = tmp_path / "locked" / ".parity"
    with open_repository(URL, state_folder, busy_timeout_s=0.1) as repository:
        with closing(sqlite3.connect(state_folder / "parity.db", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(UsageError, match="locked by another process"):
                import_runs(repository, exported)
        assert repository.campaigns() == ()
    assert not list((state_folder / "captures").glob("*"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_broken_in_a_file_is_told_and_harms_nothing(
    exported: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(exported.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("broken")
    broken = folder / "broken.parity"
    broken.write_bytes(content)
    with open_repository(URL, folder / ".parity") as repository:
        with suppress(UsageError, HarnessError):
            import_runs(repository, broken)
        with closing(repository.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            assert cursor.execute("PRAGMA foreign_key_check").fetchall() == []
        for campaign in repository.campaigns():
            repository.campaign_attempts(campaign.number)
