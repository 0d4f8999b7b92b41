"""Runs one after another, and what the trend, the log and the queue make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.attempt import Isolation, StoredAttempt, Verdict
from parity.campaign import CampaignState, Case, PassChange, ReportedTotal, StoredCampaign
from parity.document import History
from parity.document.chronicle import Chronicle, write_chronicle
from parity.document.session_log import write_log
from parity.document.trend import draw_chart, find_trend
from parity.outcome import Outcome
from parity.planning import LogEntry, Plan
from parity.standing import Scope, build_standing

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
TESTS = ("a_test", "b_test", "c_test")
Results = dict[str, Outcome]


def campaign(number: int) -> StoredCampaign:
    return StoredCampaign(
        number=number,
        identity=f"{number:032x}",
        kernel="duet",
        state=CampaignState.FINISHED,
        started_at=NOON + timedelta(hours=number),
        finished_at=None,
        isolation=Isolation.BOOT,
        revision=None,
        arguments=(),
        timeout_s=None,
        planned=3,
    )


def attempt(number: int, run: int, test: str, outcome: Outcome) -> StoredAttempt:
    return StoredAttempt(
        id=number,
        campaign=run,
        target="aarch64",
        test=test,
        verdict=Verdict(outcome=outcome, evidence=()),
        nonce="",
        isolation=Isolation.BOOT,
        started_at=NOON,
        duration_s=1.0,
        boot_s=None,
        fingerprint=None,
    )


def history(*runs: Results, reported: dict[int, int] | None = None) -> History:
    """Return the history of runs on one target, each with the outcomes of the tests that it ran."""
    newest: dict[str, StoredAttempt] = {}
    passes: dict[str, bool] = {}
    changes: list[PassChange] = []
    for run, results in enumerate(runs, 1):
        for test, outcome in results.items():
            newest[test] = attempt(len(changes), run, test, outcome)
            passed = outcome is Outcome.PASS
            if outcome.is_measured and passes.get(test) is not passed:
                passes[test] = passed
                changes.append(
                    PassChange(
                        campaign=run, target="aarch64", test=test, attempt=len(changes), outcome=outcome
                    )
                )
    scope = Scope(kernel="duet", tests=TESTS, targets=("aarch64",), excluded=frozenset())
    return History(
        scope=scope,
        campaigns=tuple(campaign(number) for number in range(len(runs), 0, -1)),
        newest=tuple(newest.values()),
        baseline=(),
        pinned=None,
        before_last=(),
        last=(),
        boot_failures=(),
        unstable=(),
        facts=(),
        changes=tuple(changes),
        reported={
            run: (ReportedTotal(target="aarch64", passed=passed, total=80),)
            for run, passed in (reported or {}).items()
        },
    )


def chronicle(*runs: Results, reported: dict[int, int] | None = None) -> Chronicle:
    found = history(*runs, reported=reported)
    return write_chronicle(found, build_standing(found.scope, found.newest))


PASS, FAIL, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.ERROR


def test_what_is_measured_for_the_first_time_is_no_change() -> None:
    (run,) = chronicle({"a_test": PASS, "b_test": FAIL}).runs
    assert run.is_quiet
    assert str(run.rates["aarch64"]) == "33.3% (1/3)"


def test_a_run_has_what_it_gained_and_lost() -> None:
    _, run = chronicle({"a_test": FAIL, "b_test": PASS}, {"a_test": PASS, "b_test": FAIL}).runs
    assert (run.gained, run.lost) == ({"aarch64": ("a_test",)}, {"aarch64": ("b_test",)})


def test_a_test_belongs_to_the_run_since_which_it_passes() -> None:
    found = chronicle({"a_test": FAIL}, {"a_test": PASS}, {"a_test": FAIL}, {"a_test": PASS})
    assert [group.campaign.number for group in found.fixed] == [4]
    assert found.regressions == ()


def test_a_test_that_never_passed_is_no_regression() -> None:
    assert chronicle({"a_test": FAIL}, {"a_test": FAIL}).regressions == ()


def test_a_test_that_failed_again_is_a_regression_and_no_fix() -> None:
    found = chronicle({"a_test": FAIL}, {"a_test": PASS}, {"a_test": FAIL})
    assert found.fixed == ()
    assert [(group.campaign.number, group.tests) for group in found.regressions] == [
        (3, {"aarch64": ("a_test",)})
    ]


def test_a_fix_whose_newest_attempt_measured_nothing_is_not_counted() -> None:
    found = chronicle({"a_test": FAIL}, {"a_test": PASS}, {"a_test": ERROR})
    assert found.fixed == ()
    assert found.runs[-1].rates["aarch64"].passed == 0


def test_what_a_page_reports_goes_before_what_it_lists() -> None:
    first, second = chronicle({"a_test": PASS}, {"b_test": PASS}, reported={1: 33}).runs
    assert [str(run.rates["aarch64"]) for run in (first, second)] == ["41.3% (33/80)", "66.7% (2/3)"]


def test_tests_out_of_scope_are_left_out() -> None:
    found = chronicle({"gone_test": FAIL}, {"gone_test": PASS})
    assert (found.fixed, found.changed_in) == ((), {})


@given(
    st.lists(
        st.dictionaries(st.sampled_from(TESTS), st.sampled_from([PASS, FAIL, ERROR, Outcome.SKIP])),
        min_size=1,
        max_size=8,
    )
)
def test_the_last_run_ends_at_how_the_tests_stand(runs: list[Results]) -> None:
    found = history(*runs)
    standing = build_standing(found.scope, found.newest)
    last = write_chronicle(found, standing).runs[-1]
    assert all(rate == standing.rate(target) for target, rate in last.rates.items())
    changed = {Case(target="aarch64", test=test) for test in TESTS}
    assert write_chronicle(found, standing).changed_in.keys() <= changed


def alternating(count: int) -> list[Results]:
    return [{"a_test": PASS if number % 2 else FAIL, "b_test": PASS} for number in range(count)]


def test_a_picture_has_the_first_point_the_last_one_and_not_too_many() -> None:
    found = chronicle(*alternating(500))
    trend = find_trend(history({}).scope, found)
    assert trend is not None
    assert (len(trend.points), trend.left_out) == (30, 470)
    assert [point.campaign.number for point in (trend.points[0], trend.points[-1])] == [1, 500]


def test_runs_that_changed_nothing_are_no_points() -> None:
    found = chronicle(*({"a_test": FAIL} for _ in range(5)), {"a_test": PASS}, {"a_test": PASS})
    trend = find_trend(history({}).scope, found)
    assert trend is not None
    assert [point.campaign.number for point in trend.points] == [1, 6, 7]


@pytest.mark.parametrize("runs", [[], [{"a_test": PASS}]])
def test_one_run_makes_no_picture(runs: list[Results]) -> None:
    assert find_trend(history({}).scope, chronicle(*runs)) is None


def test_the_picture_is_a_chart_as_mermaid_reads_it() -> None:
    trend = find_trend(history({}).scope, chronicle(*alternating(3)))
    assert trend is not None
    assert draw_chart(trend, ["#1f77b4", "#e8590c"])[4:] == (
        '      plotColorPalette: "#1f77b4"',
        "---",
        "xychart-beta",
        '    title "Tests that pass, in percent"',
        '    x-axis "run" ["1", "2", "3"]',
        '    y-axis "percent" 0 --> 100',
        "    line [33.3, 66.7, 33.3]",
    )


def entry(day: int, *, run: int | None = None, title: str = "x") -> LogEntry:
    return LogEntry(date=date(2026, 11, day), title=title, run=run)


def test_the_log_puts_an_entry_beside_its_run_and_others_on_their_day() -> None:
    plan = Plan(log=(entry(20), entry(3, run=1), entry(1)))
    items = write_log(plan, chronicle({"a_test": PASS})).items
    assert [(item.entry is not None, item.run is not None) for item in items] == [
        (True, False),
        (True, True),
        (True, False),
    ]


def test_entries_of_one_day_keep_the_plans_order_around_a_run() -> None:
    plan = Plan(log=(entry(2, title="late"), entry(2, run=1, title="noon"), entry(2, title="early")))
    first = write_chronicle(found := history({"a_test": PASS}), build_standing(found.scope, found.newest))
    run = replace(first.runs[0], campaign=replace(first.runs[0].campaign, started_at=NOON))
    items = write_log(plan, replace(first, runs=(run,))).items
    assert [item.entry.title for item in items if item.entry] == ["late", "noon", "early"]


def test_two_entries_about_one_run_are_both_told() -> None:
    plan = Plan(log=(entry(3, run=1, title="second"), entry(3, run=1, title="first")))
    items = write_log(plan, chronicle({"a_test": PASS})).items
    assert sorted(item.entry.title for item in items if item.entry) == ["first", "second"]


def test_quiet_runs_between_the_first_and_the_last_are_told_in_one() -> None:
    found = chronicle(*({"a_test": PASS} for _ in range(6)))
    assert [[run.campaign.number for run in item.runs] for item in write_log(Plan(), found).items] == [
        [6],
        [5, 4, 3, 2],
        [1],
    ]


def test_a_quiet_run_that_somebody_wrote_about_is_told_alone() -> None:
    found = chronicle(*({"a_test": PASS} for _ in range(3)))
    items = write_log(Plan(log=(entry(2, run=2),)), found).items
    assert [len(item.runs) for item in items] == [1, 1, 1]


def test_a_long_history_is_told_from_its_end_but_for_what_people_wrote_about() -> None:
    log = write_log(Plan(log=(entry(2, run=3),)), chronicle(*alternating(500)))
    told = [run.campaign.number for item in log.items for run in item.runs]
    assert (len(told), log.earlier_runs) == (41, 459)
    assert told[-1] == 3
