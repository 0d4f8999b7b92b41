"""What stands in the way, how far the plan is, how long tests take, and what is to be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gdb.captures.capture_folder import write_capture
from gdb.trace.event_types import Event
from parity.campaign import Baseline, CampaignState
from parity.document import build_document
from parity.document.work import WorkStatus
from parity.flow.document.report import make_report, read_history
from parity.outcome import Outcome
from tests.support.captures import capture, idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parity.configuration import Configuration
    from parity.document import Document
    from parity.document.work import WorkProgress
    from tests.flow.conftest import Past

    Read = Callable[[], Document]

TESTS = ("a_test", "b_test", "c_test", "d_test")
End = tuple[Outcome, str, int | None]
PASS: End = (Outcome.PASS, "the test exited with status 0", None)
SKIP: End = (Outcome.SKIP, "no device", None)
FAIL: End = (Outcome.FAIL, "assertion failed", None)
NO_CALL: End = (Outcome.FAIL, "errno 38", 38)
NO_ROUTE: End = (Outcome.FAIL, "errno 101", 101)
STUCK: End = (Outcome.HANG, "no output", None)

WORK = "---\nkind: work\nid: P1\ntitle: Work\npriority: 1\n{fields}\n---\n"


@pytest.fixture
def read(configure: Callable[..., Configuration], past: Past) -> Read:
    configuration = configure(*TESTS)
    return lambda: build_document(read_history(configuration, past.repository))


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str], None]:
    """Write one work item with the given fields."""

    def write(fields: str) -> None:
        (tmp_path / "plan").mkdir(exist_ok=True)
        (tmp_path / "plan" / "work.md").write_text(WORK.format(fields=fields))

    return write


def port(*ends: End) -> dict[tuple[str, str], End]:
    return {("aarch64", test): end for test, end in zip(TESTS, ends, strict=False)}


def reference(*ends: End) -> dict[tuple[str, str], End]:
    return {("x86_64", test): end for test, end in zip(TESTS, ends, strict=False)}


def item(document: Document) -> WorkProgress:
    (work,) = document.work
    return work


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ((PASS, SKIP, FAIL), (WorkStatus.DONE, ())),
        ((PASS, FAIL, PASS), (WorkStatus.DOING, ("b_test",))),
        ((FAIL, FAIL, PASS), (WorkStatus.TODO, ("a_test", "b_test"))),
    ],
)
def test_named_tests_are_open_until_they_pass_or_are_skipped(
    past: Past,
    read: Read,
    plan: Callable[[str], None],
    now: tuple[End, ...],
    told: tuple[WorkStatus, tuple[str, ...]],
) -> None:
    plan("unblocks: {tests: ['[ab]_test']}")
    past.run(0, port(*now))
    assert (item(read()).status, item(read()).left) == told


def test_a_test_that_was_never_run_is_open(past: Past, read: Read, plan: Callable[[str], None]) -> None:
    plan("unblocks: {tests: [a_test, d_test]}")
    past.run(0, port(PASS))
    assert item(read()).left == ("d_test",)


def test_what_fails_with_a_named_error_is_open_for_as_long_as_it_fails_so(
    past: Past, read: Read, plan: Callable[[str], None]
) -> None:
    plan("unblocks: {errors: ENOSYS}")
    past.run(0, port(NO_CALL, NO_CALL, NO_ROUTE))
    past.run(1, port(FAIL, NO_CALL))
    assert (item(read()).tests, item(read()).left) == (("a_test", "b_test"), ("b_test",))


def test_work_that_is_done_stays_done_when_the_baseline_moves(
    past: Past, read: Read, plan: Callable[[str], None]
) -> None:
    plan("unblocks: {errors: ENOSYS}")
    past.run(0, port(NO_CALL))
    mended = past.run(1, port(PASS))
    past.repository.pin_baseline(
        Baseline(name="default", campaign=mended, pinned_at=past.make.moment(), note="")
    )
    done = item(read())
    assert (done.status, done.done_in and done.done_in.number) == (WorkStatus.DONE, mended)


def test_what_passed_from_the_first_run_on_was_done_in_none(
    past: Past, read: Read, plan: Callable[[str], None]
) -> None:
    plan("unblocks: {tests: a_test}")
    past.run(0, port(PASS))
    assert (item(read()).status, item(read()).done_in) == (WorkStatus.DONE, None)


def test_what_no_test_shows_is_not_seen(past: Past, read: Read, plan: Callable[[str], None]) -> None:
    plan("unblocks: {errors: EDQUOT, causes: lock-cycle}")
    past.run(0, port(FAIL))
    assert item(read()).status is WorkStatus.UNSEEN


@pytest.mark.parametrize(
    ("cause", "left"),
    [("lock-leaked", ("a_test", "b_test")), ("lock-leaked b_lock", ("b_test",)), ("slow", ())],
)
def test_a_cause_may_be_narrowed_to_one_lock(
    past: Past, read: Read, plan: Callable[[str], None], cause: str, left: tuple[str, ...]
) -> None:
    plan(f"unblocks: {{causes: {cause}}}")
    folder = past.repository.state_folder / "captures"
    hangs = {
        ("aarch64", f"{name}_test"): past.make.hang(folder / name, subject=f"{name}_lock") for name in "ab"
    }
    past.run(0, port(STUCK, STUCK), hangs=hangs)
    assert item(read()).left == left


def test_the_port_alone_says_how_far_work_is(past: Past, read: Read, plan: Callable[[str], None]) -> None:
    plan("unblocks: {tests: a_test, errors: ENOSYS}")
    past.run(0, port(PASS) | reference(FAIL, NO_CALL))
    assert item(read()).tests == ("a_test",)


def test_what_unblocks_most_comes_first_and_adds_up(past: Past, read: Read) -> None:
    past.run(0, port(NO_ROUTE, NO_CALL, NO_CALL, FAIL) | reference(PASS, PASS, FAIL, PASS))
    assert [
        (blocker.error, blocker.tests, blocker.gaps, blocker.cumulative, str(blocker.rate))
        for blocker in read().queue
    ] == [
        ("ENOSYS (38)", ("b_test", "c_test"), 1, 2, "50.0% (2/4)"),
        ("ENETUNREACH (101)", ("a_test",), 1, 3, "75.0% (3/4)"),
        ("-", ("d_test",), 1, 4, "100% (4/4)"),
    ]


def test_one_cause_is_one_blocker_however_its_attempts_ended(past: Past, read: Read) -> None:
    folder = past.repository.state_folder / "captures"
    hangs = {("aarch64", f"{name}_test"): past.make.hang(folder / name) for name in "ab"}
    past.run(0, port(STUCK, (Outcome.TIMEOUT, "late", 38)), hangs=hangs)
    (blocker,) = read().queue
    assert blocker.tests == ("a_test", "b_test")


def test_open_work_is_named_beside_what_it_would_unblock(
    past: Past, read: Read, plan: Callable[[str], None]
) -> None:
    plan("unblocks: {tests: a_test}")
    past.run(0, port(NO_CALL, NO_ROUTE))
    document = read()
    assert [document.planned_as(blocker) for blocker in document.queue] == [("P1",), ()]


def test_what_is_planned_for_is_not_to_be_planned_again(
    past: Past, read: Read, plan: Callable[[str], None]
) -> None:
    plan("unblocks: {errors: ENOSYS}")
    past.run(0, port(NO_CALL, NO_ROUTE, PASS, FAIL))
    assert [blocker.error for blocker in read().actions.unplanned] == ["ENETUNREACH (101)"]


def test_what_is_left_of_a_run_is_the_first_thing_to_do(past: Past, read: Read) -> None:
    past.run(0, port(PASS), state=CampaignState.INTERRUPTED, planned=4)
    assert read().actions.resume


def test_nothing_is_left_to_do_where_all_passes(past: Past, read: Read) -> None:
    past.run(0, port(PASS, PASS, PASS, PASS) | reference(PASS, PASS, PASS, PASS))
    assert not read().actions


def test_times_are_compared_of_what_passes_on_both(past: Past, read: Read) -> None:
    past.run(0, port(PASS, PASS, FAIL) | reference(PASS, FAIL, PASS))
    times = read().times
    assert times is not None
    assert (times.tests, times.ratio, times.slowest) == (1, 1.0, ())


def test_the_baseline_is_the_run_that_is_pinned(past: Past, read: Read) -> None:
    past.run(0, port(FAIL, FAIL))
    second = past.run(1, port(PASS))
    past.run(2, port(PASS, PASS))
    past.repository.pin_baseline(
        Baseline(name="default", campaign=second, pinned_at=past.make.moment(), note="")
    )
    (progress,) = [row for row in read().progress if row.target == "aarch64"]
    assert (str(progress.baseline), str(progress.now)) == ("25.0% (1/4)", "50.0% (2/4)")


def test_the_trace_of_the_newest_capture_is_told(configure: Callable[..., Configuration], past: Past) -> None:
    folder = past.repository.state_folder / "captures" / "1-a_test"
    folder.mkdir(parents=True)
    events = [(cpu, Event.TIMER_TICK, tick) for tick in range(5) for cpu in (0, 1)]
    write_capture(folder, capture(idle(), idle(), events=events))
    past.run(0, port(STUCK), hangs={("aarch64", "a_test"): past.make.hang(folder)})
    page = make_report(configure(*TESTS), past.repository)
    assert "\n| Rings | 2 CPUs, " in page
    assert "\n| Events | 10 held of 10 written |\n" in page
    assert "\n| CPUs that speak | 2 of 2 |\n" in page
    assert "<summary>Validation on aarch64, from some_test</summary>" in page


def test_a_capture_that_is_gone_tells_nothing_of_the_trace(
    configure: Callable[..., Configuration], past: Past
) -> None:
    gone = past.repository.state_folder / "captures" / "gone"
    past.run(0, port(STUCK), hangs={("aarch64", "a_test"): past.make.hang(gone)})
    assert "## Tracing" not in make_report(configure(*TESTS), past.repository)
