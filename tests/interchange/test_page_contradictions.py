"""One page that is consistent, and everything that can be wrong in it, put in one at a time and all at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.interchange.page import Contradiction, Finding, find_contradictions, parse_page

PAGE = (Path(__file__).parent / "pages" / "wombat.md").read_text(encoding="utf-8")
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


class Fault(NamedTuple):
    """A line that somebody wrote otherwise, and what is then found where."""

    before: str
    after: str
    kind: Contradiction
    words: str
    at: str = ""
    """What the line holds that it is found on; the altered one where empty."""


FAULTS = {
    "a list's heading": Fault(
        "### Passing tests (8)",
        "### Passing tests (9)",
        Contradiction.COUNT,
        "is followed by 8 names, not 9",
    ),
    "a table's title": Fault(
        "### Tests fixed by page tables (+2, 2025-05-12 Session 2)",
        "### Tests fixed by page tables (+3, 2025-05-12 Session 2)",
        Contradiction.COUNT,
        "is followed by 2 names, not 3",
    ),
    "a list in the log": Fault(
        "- **+2 new tests passing**:",
        "- **+1 new tests passing**:",
        Contradiction.COUNT,
        "is followed by 2 names, not 1",
    ),
    "fixed and not listed": Fault(
        "| `pouch_test` | carries |",
        "| `tick_test` | carries |",
        Contradiction.NOT_LISTED,
        "tick_test is said to pass here, but is not listed as passing from line 64 on",
    ),
    "said to pass and not listed": Fault(
        "Children shared their parent's tables.",
        "Children shared their parent's tables; queue_test: PASS",
        Contradiction.NOT_LISTED,
        "queue_test is said to pass here",
    ),
    "more named than gained": Fault(
        "  - `echo_test`, `tail_test`",
        "  - `echo_test`, `tail_test`, `den_test`",
        Contradiction.TOTAL,
        "6 and the 3 that are named on line 96 make 9, not 8",
        at="8/12 passing (66.7%), up from",
    ),
    "a run from another total": Fault(
        "up from 6/12 (50%)",
        "up from 5/12 (41.7%)",
        Contradiction.TOTAL,
        "comes from 5/12, but line 100 ended with 6/12",
        at="up from 5/12",
    ),
    "fewer listed than counted": Fault(
        "spawn_test    tail_test\n",
        "spawn_test\n",
        Contradiction.TOTAL,
        "7 tests are listed as passing, but line 9 says 8/12",
        at="### Passing tests",
    ),
    "a change": Fault(
        "| FAIL | 8 | 4 | -4 |",
        "| FAIL | 8 | 4 | -3 |",
        Contradiction.TOTAL,
        '"FAIL": from 8 to 4 is -4, not -3',
    ),
    "a gain": Fault(
        "+4 tests since the baseline.",
        "+5 tests since the baseline.",
        Contradiction.TOTAL,
        "says +5, but from 4/12 to 8/12 (line 9) is +4",
    ),
    "failures that do not add up": Fault(
        "| disk queue runs dry | ~2 |",
        "| disk queue runs dry | ~4 |",
        Contradiction.TOTAL,
        "the open rows come to 6 tests, but 4 fail by line 9",
        at="| clock interrupt never comes",
    ),
    "a percentage": Fault(
        "up from 4/12 (33.3%)",
        "up from 4/12 (33.4%)",
        Contradiction.PERCENTAGE,
        "4/12 is 33.3%, not 33.4%",
    ),
    "a percentage in a table": Fault(
        "| Pass rate | 33.3% | 66.7% |",
        "| Pass rate | 33.3% | 68% |",
        Contradiction.PERCENTAGE,
        "8/12 is 67%, not 68%",
    ),
    "a name twice": Fault(
        "dig_test      echo_test   pouch_test",
        "dig_test  den_test  echo_test   pouch_test",
        Contradiction.DUPLICATE,
        "has den_test twice: it is on line 67 as well",
    ),
    "a name that is none": Fault(
        "burrow_test   claw_test",
        "burow_test   claw_test",
        Contradiction.UNKNOWN_TEST,
        "no test is called burow_test (did you mean burrow_test",
    ),
    "two totals of today": Fault(
        "| PASS | 4 | 8 | +4 |\n| FAIL | 8 | 4 | -4 |",
        "| PASS | 4 | 9 | +5 |\n| FAIL | 8 | 3 | -5 |",
        Contradiction.DIFFERENT,
        "gives 9/12 for the current state, line 9 8/12",
        at="| PASS |",
    ),
    "a newest run that is not today's": Fault(
        "**66.7% (8/12)**",
        "**75% (9/12)**",
        Contradiction.DIFFERENT,
        "the newest run came to 8/12, but line 9 calls 9/12 current",
        at="8/12 passing (66.7%), up from",
    ),
    "two sizes": Fault(
        "1. clock interrupt configuration - 2 tests",
        "1. clock interrupt configuration - 5 tests",
        Contradiction.DIFFERENT,
        '"clock interrupt configuration - 5 tests" on line 19 5',
        at="### Priority 1",
    ),
    "done and open": Fault(
        "1. ~~Mend page tables of children~~ DONE",
        "1. Page tables of children",
        Contradiction.STATUS,
        '"Page tables of children" is open here, but',
    ),
    "a priority twice": Fault(
        "### Priority 2: Disk queue ordering",
        "### Priority 1: Disk queue ordering",
        Contradiction.PRIORITY,
        '"Disk queue ordering" has priority 1, as "Clock interrupt configuration" has on line 41',
    ),
    "no priority": Fault(
        "### Priority 2: Disk queue ordering",
        "### Disk queue ordering",
        Contradiction.PRIORITY,
        '"Disk queue ordering" has no priority',
    ),
    "two priorities": Fault(
        "| masked | P1 | TODO |",
        "| masked | P7 | TODO |",
        Contradiction.PRIORITY,
        'has priority 7, but "Clock interrupt configuration" on line 41 has 1',
    ),
    "a session that never was": Fault(
        "2025-05-12 Session 2)\n",
        "2025-05-12 Session 1)\n",
        Contradiction.DATE,
        "is of session 1 of 2025-05-12, which the log does not have",
    ),
}


def find(text: str) -> tuple[Finding, ...]:
    return find_contradictions(parse_page(text, tests=TESTS), tests=TESTS)


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def test_a_page_that_fits_together_has_no_contradiction() -> None:
    assert find(PAGE) == ()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_on_its_line(name: str) -> None:
    fault = FAULTS[name]
    assert PAGE.count(fault.before) == 1
    text = PAGE.replace(fault.before, fault.after)
    line = line_of(text, fault.at or fault.after.splitlines()[0])
    told = [(found.line, found.kind) for found in find(text) if fault.words in found.sentence]
    assert told == [(line, fault.kind)], find(text)


def test_every_kind_is_among_the_faults() -> None:
    assert {fault.kind for fault in FAULTS.values()} == set(Contradiction)


def test_faults_do_not_hide_one_another() -> None:
    text = PAGE
    for kind in Contradiction:
        fault = next(fault for fault in FAULTS.values() if fault.kind is kind and fault.before in text)
        text = text.replace(fault.before, fault.after)
    assert {found.kind for found in find(text)} == set(Contradiction)


def test_without_a_list_of_tests_no_name_is_unknown() -> None:
    page = parse_page(PAGE.replace("dig_test ", "digg_test "))
    assert Contradiction.UNKNOWN_TEST not in {found.kind for found in find_contradictions(page)}


def test_a_test_that_the_log_says_was_lost_need_not_be_listed() -> None:
    text = PAGE.replace(
        "  - `echo_test`, `tail_test`", "  - `echo_test`, `tail_test`\n- newly failing: `disk_test`"
    )
    text = text.replace("Children shared their parent's tables.", "disk_test: PASS")
    assert "disk_test" not in "".join(found.sentence for found in find(text))


LINES = PAGE.splitlines()


@given(st.lists(st.sampled_from(LINES), max_size=60), st.lists(st.text(max_size=30), max_size=5))
def test_any_page_is_compared_without_an_error(lines: list[str], others: list[str]) -> None:
    text = "\n".join((*lines, *others))
    for found in find(text):
        assert 1 <= found.line <= len(re.split(r"\r\n|\r|\n", text))


@given(st.text())
def test_any_text_is_compared_without_an_error(text: str) -> None:
    find(text)
