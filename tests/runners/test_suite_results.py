"""One boot's results, told apart test by test."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from parity.configuration import SuiteDelivery, Target
from parity.outcome import Outcome
from runners.verdict.observation import Ending, Observation, QemuExit
from runners.verdict.suite_results import SuiteResult, judge_suite

TESTS: Final = ("fork_test", "pipe_test", "shell_pipe_test")


def target(**delivery: str) -> Target:
    return Target.model_validate(
        {
            "arch": "x86_64",
            "machine": "pc",
            "delivery": {"kind": "suite", **delivery},
            "verdict": {"panic": ["KERNEL PANIC: .*"]},
        }
    )


PLAIN: Final = target(
    start=r"^RUN (?P<test>\w+)",
    result=r"\b(?P<test>[A-Z_]+_TEST)_(?:(?P<pass>PASSED)|(?P<fail>FAILED)|(?P<skip>SKIPPED))\b",
)
INTERLEAVED: Final = target(
    result=r"\b(?P<test>[A-Z_]+_TEST)_(?:(?P<pass>PASSED)|(?P<fail>FAILED)|(?P<skip>SKIPPED))\b"
)


def judge(
    text: str,
    *,
    kernel_log: str | None = None,
    ending: Ending = Ending.COMPLETED,
    ended: QemuExit | None = None,
    by: Target = PLAIN,
) -> dict[str, SuiteResult]:
    assert isinstance(by.delivery, SuiteDelivery)
    seen = Observation(
        fields={"test": "fork_test", "nonce": "n", "arch": "x86_64", "target": "x86_64"},
        ending=ending,
        waited_s=9.0,
        transcripts={"console": text} if kernel_log is None else {"console": text, "kernel": kernel_log},
        exit=ended,
    )
    return {result.test: result for result in judge_suite(seen, TESTS, by.delivery, by.verdict)}


def outcomes(results: dict[str, SuiteResult]) -> list[str]:
    return [results[test].verdict.outcome for test in TESTS]


def test_markers_in_capitals_belong_to_the_test_of_that_name_alone() -> None:
    results = judge("RUN fork_test\nFORK_TEST_PASSED\nRUN shell_pipe_test\nSHELL_PIPE_TEST_FAILED\n")
    assert outcomes(results) == ["pass", "not-run", "fail"]


def test_results_that_contradict_one_another_count_as_the_worst() -> None:
    results = judge("FORK_TEST_SKIPPED\nFORK_TEST_PASSED\nPIPE_TEST_PASSED\nPIPE_TEST_FAILED\n")
    assert outcomes(results) == ["skip", "fail", "not-run"]


def test_a_panic_after_a_result_crashes_the_test_that_ran_last() -> None:
    results = judge(
        "FORK_TEST_PASSED\nPIPE_TEST_PASSED\nKERNEL PANIC: x\n", ending=Ending.PANICKED, by=INTERLEAVED
    )
    assert outcomes(results) == ["pass", "crash", "not-run"]


def test_what_a_dead_kernel_still_reports_is_no_pass() -> None:
    results = judge("FORK_TEST_PASSED\nKERNEL PANIC: x\nPIPE_TEST_PASSED\nSHELL_PIPE_TEST_FAILED\n")
    assert outcomes(results) == ["crash", "crash", "fail"]


def test_a_panic_on_another_port_leaves_the_results_before_the_last_alone() -> None:
    results = judge("FORK_TEST_PASSED\nPIPE_TEST_PASSED\n", kernel_log="KERNEL PANIC: x\n", by=INTERLEAVED)
    assert outcomes(results) == ["pass", "crash", "not-run"]


def test_a_test_that_started_and_never_reported_is_judged_by_the_boots_end() -> None:
    text = "RUN fork_test\nFORK_TEST_PASSED\nRUN pipe_test\n"
    assert outcomes(judge(text, ending=Ending.QUIET)) == ["pass", "hang", "not-run"]
    assert outcomes(judge(text, ending=Ending.BUDGET)) == ["pass", "timeout", "not-run"]
    assert outcomes(judge(text + "KERNEL PANIC: x\n", ending=Ending.PANICKED)) == ["pass", "crash", "not-run"]
    reset = QemuExit(status=0, reason="guest-reset")
    assert outcomes(judge(text, ending=Ending.EXITED, ended=reset)) == ["pass", "crash", "not-run"]


def test_tests_without_a_result_are_no_ones_fault_when_qemu_was_killed() -> None:
    killed = QemuExit(status=-9, reason=None)
    results = judge("RUN fork_test\nFORK_TEST_PASSED\nRUN pipe_test\n", ending=Ending.EXITED, ended=killed)
    assert outcomes(results) == ["pass", "error", "error"]
    assert "SIGKILL" in results["pipe_test"].verdict.evidence[0]


def test_each_test_gets_the_text_since_the_result_before_it() -> None:
    results = judge("boot\nFORK_TEST_PASSED\nerrno 101\nPIPE_TEST_FAILED\n")
    assert results["pipe_test"].transcript == "\nerrno 101\nPIPE_TEST_FAILED"
    assert results["pipe_test"].verdict.error_number == 101
    assert results["fork_test"].verdict.error_number is None


LINES = st.sampled_from(
    [
        *(f"{test.upper()}_{word}" for test in TESTS for word in ("PASSED", "FAILED")),
        "KERNEL PANIC: x",
        "RUN fork_test",
    ]
)


@given(st.lists(LINES | st.text(max_size=20), max_size=15), st.sampled_from(Ending))
def test_only_a_test_that_said_so_passes(lines: list[str], ending: Ending) -> None:
    for test, result in judge("\n".join(lines), ending=ending).items():
        if result.verdict.outcome is Outcome.PASS:
            assert any(f"{test.upper()}_PASSED" in line for line in lines)
            assert not any(line == f"{test.upper()}_FAILED" for line in lines)
