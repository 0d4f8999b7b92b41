from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parity.errors import UsageError
from parity.interchange.junit_reader import read_junit
from parity.interchange.junit_writer import render_junit
from parity.outcome import Outcome
from tests.interchange.conftest import attempt_record, case_result, run_results

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.interchange.results import FoundResult, RunResults

OUTCOMES = st.sampled_from(Outcome)


def read(text: str) -> tuple[FoundResult, ...]:
    return read_junit(text.encode()).results


def parse(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own


def suite(inside: str) -> str:
    return f'<testsuites><testsuite name="s">{inside}</testsuite></testsuites>'


def test_a_run_is_written_as_it_always_was(results: RunResults, golden: Callable[[str, str], None]) -> None:
    golden("export-junit.xml", render_junit(results))


def test_every_outcome_comes_back_as_it_went(results: RunResults) -> None:
    found = [(result.suite, result.name, result.outcome) for result in read(render_junit(results))]
    assert found == [
        ("aarch64", "dup_test", Outcome.PASS),
        ("aarch64", "tty_test", Outcome.SKIP),
        ("aarch64", "fork_test", Outcome.CRASH),
        ("aarch64", "pipe_test", Outcome.HANG),
        ("aarch64", "wc_test", Outcome.FAIL),
        ("aarch64", "wc_test", Outcome.PASS),
        ("x86_64", "dup_test", Outcome.PASS),
        ("x86_64", "fork_test", Outcome.NOT_RUN),
    ]


@given(st.lists(OUTCOMES, min_size=1, max_size=5))
def test_no_failed_attempt_is_lost(outcomes: list[Outcome]) -> None:
    case = case_result(*(attempt_record(number, "a", outcome) for number, outcome in enumerate(outcomes, 1)))
    found = [result.outcome for result in read(render_junit(run_results(case)))]
    earlier = [outcome for outcome in outcomes[:-1] if not outcome.is_wanted]
    assert found == [*earlier, outcomes[-1]]


@given(st.text())
@example("\x00\x1b[2J\ufffe\ud800]]>&<")
def test_whatever_a_guest_prints_is_valid_xml(printed: str) -> None:
    case = case_result(attempt_record(1, "a", Outcome.CRASH, printed, "more"))
    root = parse(render_junit(run_results(case)))
    assert root.find(".//error") is not None


def test_the_counts_of_a_suite_are_those_of_its_cases(results: RunResults) -> None:
    root = parse(render_junit(results))
    counts = [[element.get(name) for name in ("tests", "failures", "errors")] for element in root]
    assert counts == [["5", "0", "2"], ["2", "0", "1"]]


def test_a_failure_has_its_evidence_and_the_end_of_the_transcript(results: RunResults) -> None:
    root = parse(render_junit(results))
    told = root.findtext(".//testcase[@name='fork_test']/system-out") or ""
    assert told.splitlines() == [
        "KERNEL PANIC: frames <0> \\ & ]]>",
        "the transcript ends:",
        "| one",
        "| two\\x1b[2J",
    ]


def test_a_result_of_another_program_is_a_failure_whatever_it_is_called() -> None:
    found = read(
        suite('<testcase name="a"><error type="java.lang.Error" message="m">at x\nat y</error></testcase>')
    )
    assert [(result.outcome, result.evidence) for result in found] == [(Outcome.FAIL, ("m", "at x", "at y"))]


def test_of_several_results_of_a_case_the_worst_counts() -> None:
    (found,) = read(suite('<testcase name="a"><skipped/><failure message="f"/></testcase>'))
    assert found.outcome is Outcome.FAIL


def test_no_type_makes_a_result_a_pass() -> None:
    (found,) = read(suite('<testcase name="a"><failure type="pass"/></testcase>'))
    assert found.outcome is Outcome.FAIL


def test_a_skip_without_a_message_says_what_it_is() -> None:
    (found,) = read(suite('<testcase name="a"><skipped/></testcase>'))
    assert found.evidence == ("the file has it as skipped",)


def test_suites_within_suites_are_read() -> None:
    (found,) = read(suite('<testsuite name="inner"><testcase name="a" time="1,000.5"/></testsuite>'))
    assert (found.suite, found.duration_s) == ("inner", 1000.5)


@pytest.mark.parametrize("time", ["nan", "inf", "-1", "1e400", "x", "", "9" * 50])
def test_a_time_that_cannot_be_is_none(time: str) -> None:
    (found,) = read(suite(f'<testcase name="a" time="{time}"/>'))
    assert found.duration_s == 0.0


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05+00:00"),
        ("yesterday", "None"),
        ("0001-01-01T00:00:00+14:00", "None"),
    ],
)
def test_the_first_suite_says_when_it_began(moment: str, told: str) -> None:
    found = read_junit(f'<testsuite timestamp="{moment}"/>'.encode())
    assert str(found.started_at and found.started_at.isoformat()) == told


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuites>&b;</testsuites>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB.encode(), "document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuites/>', "document type"),
        (BOMB.encode("utf-16"), "document type"),
        (b"<testsuite>" * 40, "within one another"),
        (b"<html/>", "its root is <html>"),
        (b"<testsuite", "no XML: line 1"),
        (b"", "no XML: line 1"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "unknown encoding"),
        (suite('<testcase name="&a;"/>').encode(), "undefined entity"),
    ],
)
def test_a_hostile_or_foreign_document_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match="XML") as raised:
        read_junit(content)
    assert words in raised.value.message


@given(st.binary())
@example(b"\xff\xfe<\x00")
@example(b'<?xml version="1.0" encoding="utf-7"?><testsuite/>')
@example(b'<?xml version="1.0" encoding="idna"?><testsuite/>')
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(UsageError):
        read_junit(content)


TAGS = st.sampled_from(
    [
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
        "flakyError",
        "rerunFailure",
        "system-out",
        "other",
    ]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["name", "time", "type", "message", "timestamp", "tests"]),
    st.text(alphabet=st.characters(exclude_categories=["C"]), max_size=12),
    max_size=4,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> ElementTree.Element:
    element = ElementTree.Element(draw(TAGS), draw(ATTRIBUTES))
    element.text = draw(st.sampled_from(["", "text", " \n "]))
    if depth:
        element.extend(draw(st.lists(elements(depth=depth - 1), max_size=3)))
    return element


@given(st.lists(elements(), max_size=3))
def test_any_nesting_of_elements_is_read(inside: list[ElementTree.Element]) -> None:
    root = ElementTree.Element("testsuites")
    root.extend(inside)
    for found in read_junit(ElementTree.tostring(root)).results:
        assert found.evidence
