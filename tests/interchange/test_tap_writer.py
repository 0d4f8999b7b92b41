from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from parity.flow.exchange.tap_results import read_tap
from parity.interchange.tap_writer import render_ktap, render_tap
from parity.outcome import Outcome
from runners.verdict.ktap import parse_ktap
from tests.interchange.conftest import attempt_record, case_result, run_results

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.interchange.results import RunResults


def test_a_run_is_written_as_tap_as_it_always_was(
    results: RunResults, golden: Callable[[str, str], None]
) -> None:
    golden("export.tap", render_tap(results))


def test_a_run_is_written_as_ktap_as_it_always_was(
    results: RunResults, golden: Callable[[str, str], None]
) -> None:
    golden("export.ktap", render_ktap(results))


def test_a_case_that_failed_once_is_not_ok(results: RunResults) -> None:
    outcomes = {
        found.name: found.outcome
        for found in read_tap(render_tap(results)).results
        if found.suite == "aarch64"
    }
    assert outcomes["wc_test"] is Outcome.FAIL


def test_tests_that_were_never_reached_leave_the_plan_unkept(results: RunResults) -> None:
    lines = render_tap(results).splitlines()
    second = lines[lines.index("# Subtest: x86_64") :]
    assert second[1:] == ["    1..2", "    ok 1 - dup_test", "not ok 2 - x86_64"]


def test_the_yaml_block_is_yaml(results: RunResults) -> None:
    text = render_tap(results)
    block = text.split("      ---\n")[1].split("      ...\n")[0]
    told = yaml.safe_load(block)
    assert told["outcome"] == "crash"
    assert told["transcript"] == ["one", "two\\x1b[2J"]


def test_ktap_says_what_timed_out_and_what_was_expected(results: RunResults) -> None:
    text = render_ktap(results)
    assert "not ok 4 pipe_test # XFAIL the lock is being rewritten" in text
    hung = run_results(case_result(attempt_record(1, "a", Outcome.HANG, "silence")))
    assert "not ok 1 a # TIMEOUT silence" in render_ktap(hung)


@given(st.text(min_size=1).filter(lambda name: name.strip()), st.text(), st.sampled_from(Outcome))
@example("a # SKIP b", "---\n...", Outcome.FAIL)
@example("\\", "\\#", Outcome.SKIP)
@example("ok 1 - b", "not ok", Outcome.PASS)
def test_no_name_and_no_evidence_makes_another_result_of_one(
    name: str, evidence: str, outcome: Outcome
) -> None:
    results = run_results(case_result(attempt_record(1, name, outcome, evidence)))
    wanted = outcome if outcome.is_wanted else Outcome.FAIL
    for text in (render_tap(results), render_ktap(results)):
        leaf, summary = parse_ktap(text.replace("\\#", "-").replace("\\\\", "-")).results
        assert (leaf.outcome, summary.depth) == (wanted, 0)


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=6))
def test_the_target_is_ok_exactly_if_all_its_tests_are(outcomes: list[Outcome]) -> None:
    cases = (
        case_result(attempt_record(number, f"t{number}", outcome))
        for number, outcome in enumerate(outcomes, 1)
    )
    last = render_tap(run_results(*cases)).splitlines()[-1]
    assert last == f"{'ok' if all(outcome.is_wanted for outcome in outcomes) else 'not ok'} 1 - aarch64"


def test_failures_that_are_expected_leave_the_target_ok() -> None:
    results = run_results(case_result(attempt_record(1, "a", Outcome.FAIL), expected="known"))
    assert render_tap(results).splitlines()[-1] == "ok 1 - aarch64"
    assert "    not ok 1 - a # TODO known" in render_tap(results)
