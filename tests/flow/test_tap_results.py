from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parity.errors import UsageError
from parity.flow.exchange.tap_results import read_tap
from parity.outcome import Outcome

NESTED = """\
TAP version 14
1..2
# Subtest: aarch64
    1..3
    ok 1 - dup_test # time=3
    ok 2 - a\\#b # SKIP no terminal
    not ok 3 - fork_test
      ---
      message: ok 4 - pty_test
      ...
not ok 1 - aarch64
ok 2 - alone
"""


def outcomes(text: str) -> list[tuple[str, str, Outcome]]:
    return [(found.suite, found.name, found.outcome) for found in read_tap(text).results]


def test_subtests_count_and_what_sums_them_up_does_not() -> None:
    assert outcomes(NESTED) == [
        ("aarch64", "dup_test", Outcome.PASS),
        ("aarch64", "a#b", Outcome.SKIP),
        ("aarch64", "fork_test", Outcome.FAIL),
        ("", "alone", Outcome.PASS),
    ]


def test_ktap_says_more_than_not_ok() -> None:
    text = "KTAP version 1\n1..4\nnot ok 1 a # TIMEOUT\nnot ok 2 b # ERROR no memory\nnot ok 3 c # XFAIL\nok 4 d # TIMEOUT\n"
    assert [found[2] for found in outcomes(text)] == [
        Outcome.TIMEOUT,
        Outcome.ERROR,
        Outcome.FAIL,
        Outcome.TIMEOUT,
    ]


def test_ktap_in_a_kernel_log_is_found_behind_its_time_stamps() -> None:
    text = "[    0.5] booting\n[    1.0] KTAP version 1\n[    1.0] 1..1\n[    1.1] ok 1 dup_test\n"
    assert outcomes(text) == [("", "dup_test", Outcome.PASS)]


@pytest.mark.parametrize("version", ["", "TAP version 13\n"])
def test_older_tap_needs_no_version_and_no_numbers(version: str) -> None:
    text = f"{version}1..4\nok - dup_test\nnot ok 2 - fork_test # TODO later\nok 3 tty_test # skip none\nok 4 x\n"
    assert outcomes(text) == [
        ("", "dup_test", Outcome.PASS),
        ("", "fork_test", Outcome.FAIL),
        ("", "tty_test", Outcome.SKIP),
        ("", "x", Outcome.PASS),
    ]


@pytest.mark.parametrize("line", ["okay dup_test", "ok_dup_test", "nok 1 a", " ok 1 a", "notok"])
def test_a_line_that_only_looks_like_a_result_is_none(line: str) -> None:
    assert [name for _, name, _ in outcomes(f"1..1\n{line}\nok 1 real\n")] == ["real"]


def test_an_escaped_mark_begins_no_directive() -> None:
    assert outcomes("1..1\nnot ok 1 - a \\# SKIP b\n") == [("", "a # SKIP b", Outcome.FAIL)]


@pytest.mark.parametrize("text", ["1..3\nok 1 a\n", "TAP version 14\n1..3\nok 1 - a\n"])
def test_results_that_did_not_come_are_told(text: str) -> None:
    assert read_tap(text).warnings == ("3 results were announced, 1 came",)


def test_bailing_out_is_told() -> None:
    assert read_tap("ok 1 a\nBail out! no disk\x1b[2J\n").warnings == ("it bailed out: no disk\\x1b[2J",)


def test_a_file_without_a_result_is_refused() -> None:
    with pytest.raises(UsageError, match="no TAP or KTAP result"):
        read_tap("TAP version 14\n1..0\n")


LINES = st.sampled_from(
    [
        *NESTED.splitlines(),
        "KTAP version 1",
        "TAP version 13",
        "1..9",
        "Bail out!",
        "ok",
        "not ok # TODO",
        "  ...",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=30).map("\n".join))
@example("TAP version 9\nok")
@example("TAP version 14\n ok 1 a\n  ok 2 b\nok 3 c")
def test_any_text_is_read_or_refused_and_no_failure_becomes_a_pass(text: str) -> None:
    with suppress(UsageError):
        for found in read_tap(text).results:
            assert found.outcome is not Outcome.PASS or not found.evidence[0].lstrip().startswith("not ok")
