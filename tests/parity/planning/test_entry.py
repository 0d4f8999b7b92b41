from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.diagnosis import Cause
from parity.error_numbers import ERROR_NAMES
from parity.errors import PlanError, PlanFault
from parity.planning import (
    Decision,
    DecisionStatus,
    Entry,
    LogEntry,
    Unblocks,
    WorkItem,
    WorkState,
    format_entry,
    parse_entry,
)

WORK = """\
---
kind: work
id: P-1
title: "Sockets: all of them"
priority: -1
effort: two days
unblocks:
  tests: [tcp_*, udp_socket_test]
  errors: ENOSYS
  causes:
    - lock-leaked root_lock
---

Begin with `socket(2)`.

    indented code
---
after a rule
"""


def faults(text: str) -> list[str]:
    with pytest.raises(PlanError) as caught:
        parse_entry(text, "plan/x.md")
    return [str(fault) for fault in caught.value.faults]


def log(front: str, body: str = "") -> str:
    return f"---\nkind: log\ndate: 2026-11-21\n{front}\n---\n{body}"


def test_a_work_item_says_what_it_unblocks() -> None:
    item = parse_entry(WORK, "plan/x.md")
    assert item == WorkItem(
        id="P-1",
        title="Sockets: all of them",
        priority=-1,
        effort="two days",
        unblocks=Unblocks(
            tests=("tcp_*", "udp_socket_test"), errors=("ENOSYS",), causes=("lock-leaked root_lock",)
        ),
        body="Begin with `socket(2)`.\n\n    indented code\n---\nafter a rule",
    )


def test_an_entry_knows_the_lines_of_its_fields() -> None:
    place = parse_entry(WORK, "plan/x.md").place
    assert (place.file, place.line("id"), place.line("unblocks.causes")) == ("plan/x.md", 3, 10)


def test_a_body_keeps_its_first_lines_indentation() -> None:
    assert parse_entry(log("title: x", "\n\n    code\n\n"), "x").body == "    code"


@pytest.mark.parametrize("title", ["8 of 80", "on", "42", "2026-11-21", "null and void"])
def test_a_title_is_taken_as_it_is_written(title: str) -> None:
    entry = parse_entry(log(f"title: {title}"), "x")
    assert entry.title == title


def test_line_ends_of_other_systems_are_understood() -> None:
    assert parse_entry(WORK.replace("\n", "\r\n"), "x") == parse_entry(WORK, "x")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no front matter", "plan/x.md:1: has no front matter"),
        ("---\nkind: log\n", "plan/x.md:1: the front matter does not end"),
        ("---\n- a\n---\n", "plan/x.md:1: the front matter has no fields"),
        ("---\n---\n", "plan/x.md:1: the front matter has no fields"),
        ("---\nkind: nothing\n---\n", "plan/x.md:2: no kind is called 'nothing'"),
        ("---\ntitle: x\n---\n", "plan/x.md:1: kind is missing"),
        (log("title: a: b"), "plan/x.md:4: is no YAML: mapping values are not allowed here"),
        (log("title: [x"), "plan/x.md:5: is no YAML"),
        (log("titel: x"), "plan/x.md:4: unknown field 'titel' (did you mean title?)"),
        (log("title: x\ntitle: y"), "plan/x.md:5: 'title' stands twice"),
        (log("title: ''"), "plan/x.md:4: title is empty"),
        (log("title:"), "plan/x.md:4: title must be one value"),
        (log("title: [x]"), "plan/x.md:4: title must be one value"),
        (log("title: &a x\nrun: *a"), "plan/x.md:5: aliases (*name) are not understood"),
        (log("title: [[[[[[x]]]]]]"), "plan/x.md:4: is nested too deeply"),
        (log("title: " + "x" * 301), "plan/x.md:4: title is longer than 300 characters"),
        (log("title: \x07"), "plan/x.md:4: has a character that YAML does not allow"),
        (log("title: x\nrun: 0"), "plan/x.md:5: run is not between 1 and"),
        (log("title: x\nrun: two"), "plan/x.md:5: run is no whole number (got 'two')"),
        (log("title: x\n[a]: b"), "plan/x.md:5: a field's name must be one word"),
        (WORK.replace("priority: -1\n", ""), "plan/x.md:1: priority is missing"),
        (WORK.replace("id: P-1", "id: a b"), "plan/x.md:3: id is no id"),
        (WORK.replace("  errors: ENOSYS", "  error: ENOSYS"), "plan/x.md:9: unknown field 'error' in unblocks"),
        (WORK.replace("[tcp_*, udp_socket_test]", "[]"), "plan/x.md:8: unblocks.tests must be a list of words"),
        (WORK.replace("[tcp_*, udp_socket_test]", "{a: b}"), "plan/x.md:8: unblocks.tests must be a list of words"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(text: str, told: str) -> None:
    assert any(fault.startswith(told) for fault in faults(text)), faults(text)


@pytest.mark.parametrize("day", ["2026-02-30", "21.11.2026", "yesterday", "20261121", "2026-1-1"])
def test_a_day_that_is_none_is_told(day: str) -> None:
    (fault,) = faults(f"---\nkind: log\ntitle: x\ndate: {day}\n---\n")
    assert fault.startswith("plan/x.md:4: ")


def test_all_that_is_wrong_in_an_entry_is_told_at_once() -> None:
    found = faults("---\nkind: decision\nid: KD-1\nstatus: maybe\nwhy: x\n---\n")
    assert [fault.split(": ", 1)[1].split(" (")[0] for fault in found] == [
        "unknown field 'why'",
        "title is missing",
        "date is missing",
        "no status is called 'maybe'",
    ]


def test_a_state_where_the_results_tell_it_is_a_contradiction() -> None:
    (fault,) = faults(WORK.replace("effort: two days", "state: done"))
    assert fault.startswith("plan/x.md:6: the results say how far this is")


def test_a_work_item_of_which_nothing_tells_how_far_it_is_is_incomplete() -> None:
    (fault,) = faults("---\nkind: work\nid: P1\ntitle: x\npriority: 1\n---\n")
    assert "nothing tells how far this is" in fault


@pytest.mark.parametrize("fields", ["status: superseded", "status: accepted\nsuperseded_by: KD-2"])
def test_a_superseded_decision_names_its_successor_and_no_other_does(fields: str) -> None:
    (fault,) = faults(f"---\nkind: decision\nid: KD-1\ntitle: x\ndate: 2026-11-21\n{fields}\n---\n")
    assert "go together" in fault


def test_an_entry_without_end_is_refused() -> None:
    assert faults(log("title: x", "y" * 300_000)) == ["plan/x.md:1: is longer than 256 KiB"]


LINES = st.text(min_size=1, max_size=60).map(lambda text: " ".join(text.split())).filter(bool)
DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))
BODIES = st.text(max_size=200).map(lambda text: text.replace("\r", "").strip())
IDS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
WORDS = st.lists(st.from_regex(r"\A[\w*?.-]{1,20}\Z"), max_size=3).map(tuple)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    successor = draw(st.none() | IDS)
    others = st.sampled_from([status for status in DecisionStatus if status is not DecisionStatus.SUPERSEDED])
    return Decision(
        id=draw(IDS),
        title=draw(LINES),
        date=draw(DAYS),
        status=DecisionStatus.SUPERSEDED if successor else draw(others),
        superseded_by=successor,
        body=draw(BODIES),
    )


@st.composite
def work_items(draw: st.DrawFn) -> WorkItem:
    unblocks = Unblocks(
        tests=draw(WORDS),
        errors=draw(st.lists(st.sampled_from(sorted(ERROR_NAMES.values())), max_size=3).map(tuple)),
        causes=draw(st.lists(st.sampled_from([cause.value for cause in Cause]), max_size=2).map(tuple)),
    )
    return WorkItem(
        id=draw(IDS),
        title=draw(LINES),
        priority=draw(st.integers(-1000, 1_000_000)),
        effort=draw(st.just("") | LINES),
        unblocks=unblocks,
        state=None if unblocks else draw(st.sampled_from(WorkState)),
        body=draw(BODIES),
    )


LOG_ENTRIES = st.builds(
    LogEntry, date=DAYS, title=LINES, run=st.none() | st.integers(1, 2**31), body=BODIES, place=st.none()
)


@given(decisions() | work_items() | LOG_ENTRIES)
def test_an_entry_that_is_written_reads_as_itself(entry: Entry) -> None:
    assert parse_entry(format_entry(entry), "x") == entry


def test_formatting_makes_one_line_of_a_title() -> None:
    entry = LogEntry(date=date(2026, 11, 21), title=" two\nlines ")
    assert "title: two lines\n" in format_entry(entry)


@given(st.text(max_size=300) | st.text(alphabet="-:[]{}&*!|>'\"#%@,? \nkindlogtew\t", max_size=200))
def test_any_front_matter_is_an_entry_or_a_fault_with_a_line(front: str) -> None:
    text = f"---\n{front}\n---\n"
    found: tuple[PlanFault, ...] = (PlanFault("x", 1, "none"),)
    try:
        parse_entry(text, "x")
    except PlanError as error:
        found = error.faults
    lines = sum(map(text.count, "\n\r\x85\u2028\u2029")) + 1
    assert found
    assert all(1 <= fault.line <= lines for fault in found)
