from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from parity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

TAP = "1..3\nok 1 - dup_test\nnot ok 2 - fork_test\nok 3 - other_test\n"
PAGE = """\
# Duet on ARM64

## Results (2026-01-02)

| Metric | Baseline (2026-01-01) | Current |
|---|---|---|
| PASS | 1 | 2 |
| FAIL | 2 | 1 |

### Passing tests (3)

```
dup_test fork_test
```

## Decisions

### D-1: Keep it\x1b small

Yes.

**Date**: 2026-01-01
"""


@pytest.fixture
def results(project: Path) -> Path:
    file = project / "results.tap"
    file.write_text(TAP)
    return file


@pytest.fixture
def page(project: Path) -> Path:
    file = project / "page.md"
    file.write_text(PAGE)
    return file


def test_results_are_stored_and_shown_by_status(parity: Callable[..., Result], results: Path) -> None:
    told = parity("import", str(results), "--target", "aarch64", "--started", "2026-01-02").stdout
    assert told.splitlines() == [
        "stored as run 1: 2026-01-02 00:00 UTC, 2 results of single tests",
        "not in parity.toml, and left out: other_test",
    ]
    status = json.loads(parity("status", "--json").stdout)
    assert status["rates"]["aarch64"]["passed"] == 1


def test_the_same_file_twice_changes_nothing(parity: Callable[..., Result], results: Path) -> None:
    parity("import", str(results), "--target", "aarch64")
    again = json.loads(parity("import", str(results), "--target", "aarch64", "--json").stdout)
    assert [(run["run"], run["new"]) for run in again["runs"]] == [(1, False)]


def test_a_dry_run_stores_and_writes_nothing(
    parity: Callable[..., Result], page: Path, project: Path
) -> None:
    told = parity("import", str(page), "--dry-run").stdout
    assert "would store 2026-01-02 00:00 UTC, 2/3 on aarch64, 2 results of single tests" in told
    assert "line 18: would write decisions/D-1.md" in told
    assert not (project / ".parity").exists()
    assert not (project / "plan").exists()


def test_a_page_is_taken_over_and_what_contradicts_itself_is_told(
    parity: Callable[..., Result], page: Path, project: Path
) -> None:
    result = parity("import", str(page))
    assert result.exit_code == 0
    assert "stored as run 1: 2026-01-01 00:00 UTC, 1/3 on aarch64" in result.stdout
    assert "page.md takes run 1 for the baseline" in result.stdout
    assert f"wrote {project}/plan/decisions/D-1.md" in result.stdout
    assert 'line 10: count: "Passing tests (3)" is followed by 2 names, not 3' in result.stdout


def test_contradictions_fail_a_strict_import(parity: Callable[..., Result], page: Path) -> None:
    assert parity("import", str(page), "--strict").exit_code == 1


def test_a_page_without_contradictions_passes_a_strict_import(
    parity: Callable[..., Result], page: Path
) -> None:
    page.write_text(PAGE.replace("(3)", "(2)"))
    assert parity("import", str(page), "--strict").exit_code == 0


def test_text_of_a_page_never_reaches_the_terminal_or_the_plan_raw(
    parity: Callable[..., Result], page: Path, project: Path
) -> None:
    page.write_text(PAGE.replace("fork_test\n", "fork_test dup\x1b_test\n"))
    assert "\x1b" not in parity("import", str(page)).stdout
    title = (project / "plan" / "decisions" / "D-1.md").read_text().splitlines()[3]
    assert "\x1b" not in title


def test_json_has_every_contradiction_with_its_line(parity: Callable[..., Result], page: Path) -> None:
    told = json.loads(parity("import", str(page), "--json").stdout)
    assert told["format"] == "page"
    assert told["contradictions"] == [
        {
            "line": 10,
            "kind": "count",
            "sentence": '"Passing tests (3)" is followed by 2 names, not 3',
        }
    ]


@pytest.mark.usefixtures("measured")
def test_an_exported_run_is_recognised_when_it_comes_back(
    parity: Callable[..., Result], project: Path
) -> None:
    file = project / "run.parity"
    parity("export", "-o", str(file))
    assert "run 1 of the file is known already, as run 1" in parity("import", str(file)).stdout
    told = json.loads(parity("import", str(file), "--json").stdout)
    assert [run["new"] for run in told["runs"]] == [False]


@pytest.mark.usefixtures("measured")
def test_a_run_s_file_takes_no_target(parity: Callable[..., Result], project: Path) -> None:
    file = project / "run.parity"
    parity("export", "-o", str(file))
    error = parity("import", str(file), "--target", "aarch64").exception
    assert isinstance(error, UsageError)
    assert "is taken whole" in error.message


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("ending", ["xml", "tap", "ktap"])
def test_what_is_exported_can_be_imported(parity: Callable[..., Result], project: Path, ending: str) -> None:
    file = project / f"run.{ending}"
    parity("export", "-o", str(file))
    told = json.loads(parity("import", str(file), "--json", "--dry-run").stdout)
    assert (told["runs"][0]["results"], told["unknown_tests"]) == (4, [])


def test_a_file_that_is_not_there_is_an_error(parity: Callable[..., Result], project: Path) -> None:
    error = parity("import", str(project / "none.xml")).exception
    assert isinstance(error, UsageError)
    assert "No such file" in error.message


def test_results_of_a_day_to_come_are_refused(parity: Callable[..., Result], results: Path) -> None:
    error = parity("import", str(results), "--target", "aarch64", "--started", "9000-01-01").exception
    assert isinstance(error, UsageError)
    assert "is not yet over" in error.message
