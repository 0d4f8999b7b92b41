from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.configuration import load_configuration
from parity.errors import PlanError
from parity.flow.document.planning import read_checked_plan, read_plan
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parity.configuration import Configuration
    from tests.flow.conftest import Past

LOG = "---\nkind: log\ndate: 2026-11-21\ntitle: {title}\n{more}---\n"


def write(folder: Path, name: str, title: str = "x", more: str = "") -> Path:
    file = folder / "plan" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(LOG.format(title=title, more=more))
    return file


def test_a_folder_that_is_not_there_is_an_empty_plan(tmp_path: Path) -> None:
    assert not read_plan(tmp_path / "plan")


def test_entries_are_found_in_folders_within(tmp_path: Path) -> None:
    write(tmp_path, "log/1.md")
    assert read_plan(tmp_path / "plan").log[0].place.file == "plan/log/1.md"


def test_what_explains_the_folder_is_no_entry(tmp_path: Path) -> None:
    write(tmp_path, "README.md").write_text("# The plan\n")
    assert not read_plan(tmp_path / "plan")


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "1.md", more="rnu: 1\n")
    write(tmp_path, "2.md").write_bytes(b"\xff")
    write(tmp_path, "3.md", more="run: 9\n")
    with pytest.raises(PlanError) as caught:
        read_plan(tmp_path / "plan", runs=(1,))
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [
        ("plan/1.md", 5),
        ("plan/2.md", 1),
        ("plan/3.md", 5),
    ]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "1.md")
    outside = tmp_path / "secret.md"
    outside.write_text("no entry")
    (tmp_path / "plan" / "2.md").symlink_to(outside)
    assert len(read_plan(tmp_path / "plan").log) == 1


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with write(tmp_path, "1.md").open("r+b") as stream:
        stream.truncate(1 << 36)
    with pytest.raises(PlanError, match="longer than"):
        read_plan(tmp_path / "plan")


def test_entries_may_name_the_runs_that_there_are(
    configure: Callable[..., Configuration], past: Past, tmp_path: Path
) -> None:
    past.run(0, {("aarch64", "cat_test"): (Outcome.PASS, "", None)})
    write(tmp_path, "1.md", more="run: 1\n")
    assert read_checked_plan(configure("cat_test"), past.repository).log[0].run == 1


def test_a_folder_that_parity_toml_names_has_to_be_there(configure: Callable[..., Configuration]) -> None:
    file = configure("cat_test").file
    file.write_text(file.read_text().replace("goal_percent", 'plan = "plans"\ngoal_percent'))
    with pytest.raises(PlanError, match="there is no folder"):
        read_checked_plan(load_configuration(file), None)
