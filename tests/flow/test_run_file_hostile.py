"""Files of runs that no parity wrote."""

from __future__ import annotations

import json
import sqlite3
import stat
import zipfile
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import open_repository
from parity.errors import HarnessError, UsageError
from parity.flow.exchange.run_file import export_runs, import_runs
from tests.support.run_files import URL, everything, record_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db import Repository
    from tests.flow.conftest import Past


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.parity"


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
