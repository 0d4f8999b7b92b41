from __future__ import annotations

import re
from pathlib import Path

import pytest

from parity.interchange.page import find_contradictions, parse_page

PAGE = (Path(__file__).parent / "pages" / "wombat.md").read_text(encoding="utf-8")
GUIDE = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")


def log(*lines: str) -> str:
    return "\n".join(("# On ARM64", "## Log", "### 2025-01-02", *(f"- {line}" for line in lines)))


def totals(text: str) -> list[tuple[int, int]]:
    return [(run.total.passed, run.total.total) for run in parse_page(text).totals.runs]


def test_the_runs_of_the_log_come_with_what_they_gained() -> None:
    runs = parse_page(PAGE).totals.runs
    assert [(str(run.day), run.session, str(run.total), str(run.before)) for run in runs] == [
        ("2025-05-03", 1, "4/12", "None"),
        ("2025-05-12", 2, "6/12", "4/12"),
        ("2025-05-14", 3, "8/12", "6/12"),
    ]
    assert runs[2].gained is not None
    assert runs[2].gained.names == ("echo_test", "tail_test")


def test_a_log_that_goes_forward_in_time_is_read_as_well() -> None:
    text = "# ARM64\n## Log\n### 2025-01-01\n- 1/4 passing\n### 2025-01-01\n- 2/4 passing\n### 2025-01-02\n- 3/4 passing\n"
    assert totals(text) == [(1, 4), (2, 4), (3, 4)]


def test_the_total_of_an_entry_is_the_one_of_all_tests() -> None:
    assert totals(log("pipe tests: 3/5 passing", "all: 40/80 passing")) == [(40, 80)]


@pytest.mark.parametrize(
    "line", ["30/80 tests failing", "x86-64: 78/80 passing", "see 2025/01/02", "9/8 passing", "and/or 1/2"]
)
def test_what_is_no_number_of_passing_tests_makes_no_run(line: str) -> None:
    assert totals(log(line)) == []


@pytest.mark.parametrize(
    ("title", "state"),
    [
        ("Priority 1: Handle closed sockets", "todo"),
        ("Priority 1: Sockets [DONE]", "done"),
        ("Priority 1: Sockets ✅", "done"),
        ("Priority 1: ~~Sockets~~", "done"),
        ("P1: Sockets", "todo"),
    ],
)
def test_an_item_of_the_plan_is_done_by_marks_alone(title: str, state: str) -> None:
    (planned,) = parse_page(f"# ARM64\n## Plan\n### {title}\n").entries
    assert getattr(planned.entry, "state", None) == state


@pytest.mark.parametrize(
    ("status", "state"),
    [("FIXED (2025-01-02)", "done"), ("not started", "todo"), ("partially fixed", "doing"), ("open", "todo")],
)
def test_a_status_says_how_far_an_item_is(status: str, state: str) -> None:
    (planned,) = parse_page(f"# ARM64\n## Plan\n### Priority 1: Sockets\n**Status**: {status}\n").entries
    assert getattr(planned.entry, "state", None) == state


def test_two_items_of_one_priority_have_names_of_their_own() -> None:
    page = parse_page("# ARM64\n## Plan\n### P1: a\n### P1: b\n### P1-2: c\n")
    assert len({planned.name for planned in page.entries}) == 3


def test_headings_that_only_sound_like_a_plan_or_a_log_are_none() -> None:
    text = "# ARM64\n## Explanation\n### P1: a\n## Catalogue\n### 2025-01-01\n- 1/2 passing\n"
    page = parse_page(text)
    assert (page.entries, page.totals.runs) == ((), ())


def test_passing_tests_may_be_a_list_or_a_table() -> None:
    listed = "# ARM64\n## Passing tests\n- `a_test`, `b_test` - basics\n\n| Test | What |\n|---|---|\n| `c_test` | x |\n"
    (found,) = parse_page(listed).lists.passing
    assert [(mention.name, mention.line) for mention in found.mentions] == [
        ("a_test", 3),
        ("b_test", 3),
        ("c_test", 7),
    ]


def test_the_example_of_the_guide_is_a_page() -> None:
    example = re.search(r"^    # Toy on ARM64\n.*", GUIDE, re.MULTILINE | re.DOTALL)
    assert example
    text = re.sub(r"^    ", "", example[0], flags=re.MULTILINE)
    page = parse_page(text)
    assert [str(run.total) for run in page.totals.runs] == ["2/4", "3/4"]
    assert len(page.entries) == 2
    assert find_contradictions(page) == ()
