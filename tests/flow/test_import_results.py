from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parity.campaign import Origin
from parity.errors import UnknownNameError, UsageError
from parity.flow.document.planning import read_plan
from parity.flow.exchange.import_file import Format, Wanted, guess_target, parse_moment, sniff_format
from parity.flow.exchange.import_page import plan_page
from parity.flow.exchange.import_results import plan_results
from parity.flow.exchange.import_store import store_entries, store_runs
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from db import Repository
    from parity.configuration import Configuration
    from parity.flow.exchange.import_file import ImportPlan

PAGE = Path(__file__).parents[1] / "interchange" / "pages" / "wombat.md"
TESTS = (
    *(
        "burrow_test",
        "claw_test",
        "den_test",
        "dig_test",
        "disk_test",
        "echo_test",
        "pouch_test",
        "queue_test",
    ),
    *("sleep_test", "spawn_test", "tail_test", "tick_test"),
)
TAP = "1..3\nok 1 - dig_test\nnot ok 2 - den_test\nok 3 - nobody_test\n"
XML = (
    '<testsuites><testsuite name="x86_64" timestamp="2026-01-02T03:04:05"><testcase name="dig_test" time="2"/>'
    '<testcase name="den_test"/></testsuite></testsuites>'
)


@pytest.fixture
def configuration(configure: Callable[..., Configuration]) -> Configuration:
    return configure(*TESTS)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def make(name: str, content: str) -> Path:
        file = tmp_path / name
        file.write_text(content, encoding="utf-8")
        return file

    return make


def test_what_a_file_is_follows_from_its_content(write: Callable[[str, str], Path]) -> None:
    assert sniff_format(write("a.txt", XML)) is Format.JUNIT
    assert sniff_format(write("b.txt", f"\ufeff\n<?xml version='1.0'?>{XML}")) is Format.JUNIT
    assert sniff_format(write("c.txt", TAP)) is Format.TAP
    assert sniff_format(write("d.txt", "[ 0.1] boot\n[ 0.2] KTAP version 1\n")) is Format.TAP
    assert sniff_format(write("e.txt", "# A page\n")) is Format.PAGE
    assert sniff_format(write("f.txt", "PK\x03\x04rest")) is Format.RUN


def test_a_page_that_shows_tap_is_a_page(write: Callable[[str, str], Path]) -> None:
    assert sniff_format(write("page.md", f"# Page\n\n```\n{TAP}```\n")) is Format.PAGE


@pytest.mark.parametrize("content", ["", "hello", "\x7fELF"])
def test_a_file_that_is_nothing_known_says_what_can_be_imported(
    write: Callable[[str, str], Path], content: str
) -> None:
    with pytest.raises(UsageError, match="nothing that can be imported") as raised:
        sniff_format(write("x", content))
    assert "JUnit XML" in str(raised.value.hint)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        sniff_format(tmp_path / "none")


def test_tap_becomes_attempts_of_the_wanted_target(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    wanted = Wanted(target="aarch64", started_at=parse_moment("2026-01-02"), revision="v1.2")
    plan = plan_results(configuration, write("r.tap", TAP), Format.TAP, wanted)
    (campaign,) = plan.campaigns
    assert (campaign.origin, campaign.source, campaign.started_at.day) == (Origin.TAP, "r.tap", 2)
    assert campaign.revision is not None
    assert campaign.revision.commit == "v1.2"
    assert [(attempt.test, attempt.verdict.outcome) for attempt in campaign.attempts] == [
        ("dig_test", Outcome.PASS),
        ("den_test", Outcome.FAIL),
    ]
    assert plan.unknown == ("nobody_test",)


def test_a_suite_that_is_called_like_a_target_is_of_that_target(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    plan = plan_results(configuration, write("r.xml", XML), Format.JUNIT, Wanted(target="aarch64"))
    (campaign,) = plan.campaigns
    assert {attempt.target for attempt in campaign.attempts} == {"x86_64"}
    assert campaign.started_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [attempt.started_at.second for attempt in campaign.attempts] == [5, 7]


def test_a_target_is_guessed_by_the_architecture_in_the_file_name_and_told(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    plan = plan_results(configuration, write("nightly-arm64.tap", TAP), Format.TAP, Wanted())
    assert {attempt.target for attempt in plan.campaigns[0].attempts} == {"aarch64"}
    assert plan.notes[0].startswith("taken for aarch64")


def test_without_a_target_the_user_is_asked(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    with pytest.raises(UsageError, match="which target") as raised:
        plan_results(configuration, write("r.tap", TAP), Format.TAP, Wanted())
    assert raised.value.hint == "--target NAME, one of: aarch64, x86_64"


def test_an_unknown_target_is_refused(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    with pytest.raises(UnknownNameError):
        plan_results(configuration, write("r.tap", TAP), Format.TAP, Wanted(target="arch64"))


def test_results_of_no_known_test_are_refused(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    with pytest.raises(UsageError, match="none of its 1 results is of a test"):
        plan_results(configuration, write("r.tap", "ok 1 dig\n"), Format.TAP, Wanted(target="aarch64"))


def test_a_file_that_says_no_time_is_as_old_as_itself(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    file = write("r.tap", TAP)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    plan = plan_results(configuration, file, Format.TAP, Wanted(target="aarch64"))
    assert plan.campaigns[0].started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert "its file's time" in plan.notes[-1]


def test_the_same_results_are_recognised_whatever_their_file_is_called(
    configuration: Configuration, write: Callable[[str, str], Path], repository: Repository
) -> None:
    wanted = Wanted(target="aarch64")
    file, copy = write("r.tap", TAP), write("copy.tap", TAP)
    os.utime(copy, (1, 1))
    ((first,), (second,)) = (
        store_runs(repository, plan_results(configuration, name, Format.TAP, wanted)) for name in (file, copy)
    )
    assert (first.is_new, second.is_new, second.number) == (True, False, first.number)
    assert len(repository.campaigns()) == 1


def test_other_results_are_another_run(
    configuration: Configuration, write: Callable[[str, str], Path], repository: Repository
) -> None:
    wanted = Wanted(target="aarch64")
    for name, text in (("a.tap", TAP), ("b.tap", TAP.replace("not ok", "ok"))):
        store_runs(repository, plan_results(configuration, write(name, text), Format.TAP, wanted))
    assert len(repository.campaigns()) == 2


def test_a_revision_that_is_none_is_refused(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    with pytest.raises(UsageError, match="is no revision"):
        plan_results(configuration, write("r.tap", TAP), Format.TAP, Wanted(target="aarch64", revision="a b"))


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "0001-01-01T00:00+14:00"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no day or time"):
        parse_moment(text)


@pytest.fixture
def plan(configuration: Configuration) -> ImportPlan:
    return plan_page(configuration, PAGE, Wanted())


def test_a_page_becomes_its_runs_with_their_totals(plan: ImportPlan) -> None:
    told = [
        (f"{campaign.started_at:%Y-%m-%d}", campaign.totals[0].passed, campaign.totals[0].total)
        for campaign in plan.campaigns
    ]
    assert told == [("2025-05-03", 4, 12), ("2025-05-12", 6, 12), ("2025-05-14", 8, 12)]


def test_only_tests_that_are_known_to_have_passed_are_results(plan: ImportPlan) -> None:
    names = [[attempt.test for attempt in campaign.attempts] for campaign in plan.campaigns]
    assert names[0] == []
    assert names[1] == ["pouch_test", "spawn_test"]
    assert len(names[2]) == 8
    evidence = [attempt.verdict.evidence for attempt in plan.campaigns[2].attempts]
    assert evidence[0] == ("wombat.md:67 lists it as passing",)


def test_a_test_whose_pass_is_contradicted_is_no_result(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    text = PAGE.read_text().replace("+2 newly passing: `pouch_test`", "+2 newly passing: `tick_test`")
    found = plan_page(configuration, write("p.md", text), Wanted())
    assert "tick_test" not in {attempt.test for run in found.campaigns for attempt in run.attempts}


def test_the_page_twice_changes_nothing(plan: ImportPlan, repository: Repository, tmp_path: Path) -> None:
    runs = store_runs(repository, plan)
    first = store_entries(tmp_path / "plan", plan, runs)
    again = store_runs(repository, plan)
    second = store_entries(tmp_path / "plan", plan, again)
    assert [run.is_new for run in again] == [False, False, False]
    assert (len(second.written), len(second.kept), second.unchanged) == (0, 0, first.written)


def test_a_page_that_has_grown_adds_its_new_run_alone(
    configuration: Configuration,
    plan: ImportPlan,
    repository: Repository,
    write: Callable[[str, str], Path],
) -> None:
    store_runs(repository, plan)
    entry = (
        "## Session log\n\n### 2025-06-01 (Session 4) - More\n- 9/12 passing (75%), up from 8/12 (66.7%)\n"
    )
    grown = write("grown.md", PAGE.read_text().replace("## Session log\n", entry))
    stored = store_runs(repository, plan_page(configuration, grown, Wanted()))
    assert [run.is_new for run in stored] == [False, False, False, True]


def test_entries_become_a_plan_that_can_be_read(
    plan: ImportPlan, repository: Repository, tmp_path: Path
) -> None:
    runs = store_runs(repository, plan)
    store_entries(tmp_path / "plan", plan, runs)
    made = read_plan(tmp_path / "plan", tests=TESTS, runs={run.number for run in runs})
    assert [(found.id, str(found.date)) for found in made.decisions] == [
        ("WD-1", "2025-05-03"),
        ("WD-2", "2025-05-14"),
    ]
    assert [(item.id, item.state, item.unblocks.tests) for item in made.work] == [
        ("P0", "done", ()),
        ("P1", None, ("sleep_test", "tick_test")),
        ("P2", "doing", ()),
    ]
    assert [(entry.title, entry.run) for entry in made.log] == [
        ("Bytes that were lost", runs[2].number),
        ("Children of their own", runs[1].number),
        ("Session 1", runs[0].number),
    ]
    assert made.work[1].effort == "a day"


def test_people_s_words_are_taken_over_as_they_are(
    plan: ImportPlan, repository: Repository, tmp_path: Path
) -> None:
    store_entries(tmp_path / "plan", plan, store_runs(repository, plan))
    text = (tmp_path / "plan" / "work" / "P2.md").read_text()
    assert text.endswith(
        "**Status**: in progress\n**Effort**: a week\n\n- [x] write the ordering down\n- [ ] fence the ring\n"
    )


def test_a_file_that_is_there_is_never_touched(
    plan: ImportPlan, repository: Repository, tmp_path: Path
) -> None:
    mine = tmp_path / "plan" / "decisions" / "WD-1.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    stored = store_entries(tmp_path / "plan", plan, store_runs(repository, plan))
    assert stored.kept == (mine,)
    assert mine.read_text() == "mine"


def test_a_page_that_speaks_of_no_target_s_architecture_needs_to_be_told(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    text = PAGE.read_text().replace("ARM64", "the port").replace("x86-64", "the other")
    with pytest.raises(UsageError, match="which target"):
        plan_page(configuration, write("p.md", text), Wanted())
    assert plan_page(configuration, write("p.md", text), Wanted(target="x86_64")).campaigns


def test_markdown_that_is_no_parity_page_is_refused(
    configuration: Configuration, write: Callable[[str, str], Path]
) -> None:
    with pytest.raises(UsageError, match="says nothing that a parity page says"):
        plan_page(configuration, write("p.md", "# Hello aarch64\n"), Wanted())


def test_a_page_takes_no_time_from_outside(configuration: Configuration) -> None:
    with pytest.raises(UsageError, match="says itself when"):
        plan_page(configuration, PAGE, Wanted(revision="abc"))


def test_of_two_targets_of_one_architecture_the_port_is_guessed_and_linux_never(
    configure: Callable[..., Configuration],
) -> None:
    configuration = configure("a", targets=("new", "x86_64", "linux-aarch64", "old"))
    assert guess_target(configuration, "for ARM64 and x86-64")[0] == "new"  # type: ignore[index]
    assert guess_target(configuration, "for amd64")[0] == "x86_64"  # type: ignore[index]
    assert guess_target(configuration, "for riscv") is None
