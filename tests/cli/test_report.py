from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("measured")


def test_the_document_is_written_beside_parity_toml(parity: Callable[..., Result], project: Path) -> None:
    page = project / "arm64-parity.md"
    assert parity("report").stdout == f"wrote {page}\n"
    assert page.read_text().startswith("# duet: aarch64 parity with x86_64\n")


def test_writing_again_says_that_nothing_changed(parity: Callable[..., Result], project: Path) -> None:
    parity("report")
    assert parity("report").stdout == f"unchanged: {project / 'arm64-parity.md'}\n"


def test_a_dash_writes_to_standard_output_alone(parity: Callable[..., Result], project: Path) -> None:
    assert parity("report", "-o", "-").stdout.startswith("# duet")
    assert not (project / "arm64-parity.md").exists()


def test_a_checked_document_that_is_up_to_date_is_as_wanted(parity: Callable[..., Result]) -> None:
    parity("report")
    assert parity("report", "--check").exit_code == 0


def test_a_checked_document_that_is_stale_fails_and_is_left_alone(
    parity: Callable[..., Result], project: Path
) -> None:
    page = project / "arm64-parity.md"
    page.write_text("# An old page\n")
    result = parity("report", "--check")
    assert result.exit_code == 1
    assert "is stale" in result.stdout
    assert "# An old page" in result.stdout
    assert page.read_text() == "# An old page\n"


def test_json_tells_where_and_whether_it_changed(parity: Callable[..., Result], project: Path) -> None:
    told = json.loads(parity("report", "--json").stdout)
    assert told == {"file": str(project / "arm64-parity.md"), "written": True, "changed": True}
