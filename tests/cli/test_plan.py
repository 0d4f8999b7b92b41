from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

WORK = "---\nkind: work\nid: P1\ntitle: Mend fork\npriority: 1\nunblocks: {tests: [fork_test]}\n---\n"
DECISION = (
    "---\nkind: decision\nid: KD-1\ntitle: Pages are copied late\ndate: 2026-11-21\nstatus: accepted\n---\n"
)
LOG = "---\nkind: log\ndate: 2026-11-21\ntitle: A first run\nrun: 1\n---\n"


@pytest.fixture
def plan(project: Path) -> Path:
    folder = project / "plan"
    folder.mkdir()
    for name, text in (("fork.md", WORK), ("late.md", DECISION), ("log.md", LOG)):
        (folder / name).write_text(text)
    return folder


@pytest.mark.usefixtures("plan", "measured")
def test_a_consistent_plan_is_as_wanted(parity: Callable[..., Result]) -> None:
    result = parity("plan", "check")
    assert (result.exit_code, result.stdout) == (
        0,
        "the plan is consistent: 1 decision, 1 work item, 1 log entry\n",
    )


@pytest.mark.usefixtures("plan")
def test_before_the_first_run_the_runs_are_not_checked(parity: Callable[..., Result]) -> None:
    assert parity("plan", "check").exit_code == 0


@pytest.mark.usefixtures("measured")
def test_every_fault_is_told_at_once(parity: Callable[..., Result], plan: Path) -> None:
    (plan / "fork.md").write_text(WORK.replace("fork_test", "frok_test"))
    (plan / "log.md").write_text(LOG.replace("run: 1", "run: 7"))
    error = parity("plan", "check").exception
    assert str(error).splitlines() == [
        "plan/fork.md:6: no test is called 'frok_test' (did you mean fork_test or pty_test or dup_test?)",
        "plan/log.md:5: there is no run 7 in the results (import it (parity import), or leave the field out)",
    ]


@pytest.mark.usefixtures("plan", "measured")
def test_a_list_names_every_entry(parity: Callable[..., Result]) -> None:
    lines = parity("plan", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "KD-1", "P1", "-"]


@pytest.mark.usefixtures("plan", "measured")
def test_a_list_says_how_far_work_is(parity: Callable[..., Result]) -> None:
    (line,) = [line for line in parity("plan", "list").stdout.splitlines() if line.startswith("P1")]
    assert "to do, 0 of 1 test" in line


@pytest.mark.usefixtures("plan")
def test_before_the_first_run_a_list_has_no_progress(parity: Callable[..., Result]) -> None:
    (line,) = [line for line in parity("plan", "list").stdout.splitlines() if line.startswith("P1")]
    assert "no results yet" in line


@pytest.mark.usefixtures("plan", "measured")
def test_json_has_every_entry(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("plan", "list", "--json").stdout)
    assert [told["decisions"][0]["id"], told["work"][0]["id"], told["log"][0]["run"]] == ["KD-1", "P1", 1]
    assert (told["work"][0]["status"], told["work"][0]["left"]) == ("to do", ["fork_test"])


@pytest.mark.usefixtures("measured")
def test_a_report_of_a_faulty_plan_is_not_written(
    parity: Callable[..., Result], plan: Path, project: Path
) -> None:
    (plan / "log.md").write_text(LOG.replace("date", "dat"))
    assert "plan/log.md:3: unknown field 'dat'" in str(parity("report").exception)
    assert not (project / "arm64-parity.md").exists()
