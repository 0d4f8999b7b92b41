from __future__ import annotations

from datetime import date

import pytest

from parity.errors import PlanError, PlanFault
from parity.planning import (
    Decision,
    DecisionStatus,
    Entry,
    LogEntry,
    Place,
    Unblocks,
    WorkItem,
    WorkState,
    build_plan,
)

DAY = date(2026, 11, 21)
TESTS = ("fork_test", "tcp_client_test")


def decision(identifier: str, *, successor: str | None = None) -> Decision:
    return Decision(
        id=identifier,
        title="x",
        date=DAY,
        status=DecisionStatus.SUPERSEDED if successor else DecisionStatus.ACCEPTED,
        superseded_by=successor,
        place=Place(file=f"plan/{identifier}.md", lines={"id": 3, "superseded_by": 7}),
    )


def work(identifier: str, unblocks: Unblocks | None = None, *, priority: int = 0) -> WorkItem:
    return WorkItem(
        id=identifier,
        title="x",
        priority=priority,
        unblocks=unblocks or Unblocks(),
        state=None if unblocks else WorkState.TODO,
        place=Place(file=f"plan/{identifier}.md", lines={"id": 3, "unblocks.tests": 8}),
    )


def faults(*entries: Entry, runs: tuple[int, ...] | None = None) -> list[str]:
    with pytest.raises(PlanError) as caught:
        build_plan(entries, tests=TESTS, runs=runs)
    return [str(fault) for fault in caught.value.faults]


def test_decisions_are_in_the_order_of_the_numbers_in_their_ids() -> None:
    plan = build_plan([decision("KD-10"), decision("KD-9")])
    assert [entry.id for entry in plan.decisions] == ["KD-9", "KD-10"]


def test_the_most_urgent_work_comes_first() -> None:
    plan = build_plan([work("b", priority=3), work("c", priority=-1), work("a", priority=3)])
    assert [item.id for item in plan.work] == ["c", "a", "b"]


def test_the_log_begins_with_the_newest_entry() -> None:
    days = [LogEntry(date=date(2026, 11, day), title=str(day)) for day in (3, 21, 7)]
    assert [entry.title for entry in build_plan(days).log] == ["21", "7", "3"]


def test_of_one_day_the_entry_of_the_later_file_is_the_newer_one() -> None:
    entries = [LogEntry(date=DAY, title=name, place=Place(file=name)) for name in ("s10.md", "s9.md")]
    assert [entry.title for entry in build_plan(entries).log] == ["s10.md", "s9.md"]


def test_an_id_that_is_taken_is_told_with_both_places() -> None:
    twin = Decision(id="KD-1", title="y", date=DAY, place=Place(file="plan/twin.md", lines={"id": 4}))
    assert faults(decision("KD-1"), twin) == [
        "plan/twin.md:4: id KD-1 is taken: plan/KD-1.md:3 (give it another)"
    ]


def test_a_successor_that_is_not_there_is_told() -> None:
    assert faults(decision("KD-1", successor="KD-3"), decision("KD-2")) == [
        "plan/KD-1.md:7: no decision is called KD-3 (did you mean KD-2 or KD-1?)"
    ]


def test_decisions_that_supersede_one_another_in_a_circle_are_told() -> None:
    found = faults(decision("KD-1", successor="KD-2"), decision("KD-2", successor="KD-1"))
    assert found[0] == "plan/KD-1.md:7: KD-1 is superseded by itself in the end"


def test_a_circle_of_others_ends_too() -> None:
    found = faults(
        decision("KD-1", successor="KD-2"),
        decision("KD-2", successor="KD-3"),
        decision("KD-3", successor="KD-2"),
    )
    assert [fault.split(":")[0] for fault in found] == ["plan/KD-2.md", "plan/KD-3.md"]


def test_a_test_that_parity_toml_does_not_have_is_told() -> None:
    (fault,) = faults(work("P1", Unblocks(tests=("tcp_*", "frok_test"))))
    assert fault == "plan/P1.md:8: no test is called 'frok_test' (did you mean fork_test?)"


@pytest.mark.parametrize("unblocks", [Unblocks(errors=("ENOSIS",)), Unblocks(causes=("lock-leeked a_lock",))])
def test_an_error_or_a_cause_that_nobody_knows_is_told(unblocks: Unblocks) -> None:
    (fault,) = faults(work("P1", unblocks))
    assert "did you mean" in fault


def test_a_log_entry_of_a_run_that_is_not_there_is_told() -> None:
    (fault,) = faults(LogEntry(date=DAY, title="x", run=7), runs=(1, 2))
    assert "there is no run 7" in fault


def test_runs_and_tests_are_not_checked_where_nobody_knows_them() -> None:
    plan = build_plan([LogEntry(date=DAY, title="x", run=7), work("P1", Unblocks(tests=("x",)))])
    assert (len(plan.log), len(plan.work)) == (1, 1)


def test_faults_of_entries_are_told_with_those_between_them() -> None:
    with pytest.raises(PlanError) as caught:
        build_plan([decision("a", successor="b")], faults=[PlanFault("plan/0.md", 1, "is no YAML")])
    assert [fault.file for fault in caught.value.faults] == ["plan/0.md", "plan/a.md"]


def test_very_many_faults_do_not_fill_the_screen() -> None:
    error = PlanError([PlanFault("x.md", line, "wrong") for line in range(1, 80)])
    assert error.message.splitlines()[-1] == "and 29 more"
