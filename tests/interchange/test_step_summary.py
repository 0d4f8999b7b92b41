from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from parity.campaign import ReportedTotal
from parity.interchange.step_summary import render_summary
from parity.outcome import Outcome
from tests.interchange.conftest import attempt_record, case_result, run_results

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.interchange.results import RunResults


def test_a_run_is_told_as_it_always_was(results: RunResults, golden: Callable[[str, str], None]) -> None:
    golden("export-summary.md", render_summary(results))


def test_a_run_without_attempts_says_so() -> None:
    assert "No test was attempted." in render_summary(run_results())


def test_what_a_page_reports_is_told_beside_what_is_known_of_single_tests() -> None:
    results = run_results(case_result(attempt_record(1, "a")))
    reported = {"aarch64": ReportedTotal(target="aarch64", passed=5, total=8)}
    told = render_summary(replace(results, reported=reported, run=replace(results.run, source="page.md")))
    assert "`page.md` gives 62.5% (5/8) for aarch64" in told


def test_an_unsteady_test_is_among_those_that_fail_newly(results: RunResults) -> None:
    lines = render_summary(results).splitlines()
    at = lines.index("**Failing newly: 2**")
    assert any("wc_test" in line and "fail (not always)" in line for line in lines[at : at + 6])


@given(st.integers(min_value=1, max_value=60), st.integers(min_value=600, max_value=4000))
def test_it_is_never_longer_than_allowed_and_says_what_it_leaves_out(count: int, limit: int) -> None:
    cases = (
        case_result(attempt_record(number, f"t{number}_test", Outcome.FAIL, "é" * 80))
        for number in range(1, count + 1)
    )
    told = render_summary(run_results(*cases), limit_bytes=limit)
    assert len(told.encode()) <= limit
    shown = sum(line.startswith("| `t") for line in told.splitlines())
    assert shown == count or f"…and {count - shown} more lines" in told


@given(st.text(), st.text(min_size=1))
def test_guest_text_is_never_markup(evidence: str, test: str) -> None:
    results = run_results(case_result(attempt_record(1, test, Outcome.FAIL, evidence)))
    tokens = MarkdownIt("commonmark").enable("table").parse(render_summary(results))
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "code_inline", "strong_open", "strong_close"}
    assert "html_block" not in {token.type for token in tokens}
