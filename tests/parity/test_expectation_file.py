from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.campaign import Case
from parity.diagnosis import Cause
from parity.errors import ExpectationError
from parity.expectation_file import parse_expectations
from parity.expectations import Coverage, Expectations
from parity.outcome import Outcome

CASES = tuple(
    Case(target=target, test=test)
    for target in ("aarch64", "x86_64")
    for test in ("dns_test", "fork_test", "tcp_socket_test", "udp_socket_test")
    if (target, test) != ("x86_64", "dns_test")
)

ENTRY = """
[[expect]]
test = "fork_test"
target = "aarch64"
outcome = "fail"
reason = "known"
"""


def parse(text: str) -> Expectations:
    return parse_expectations(text, file=Path("expectations.toml"), cases=CASES)


def fault(text: str) -> ExpectationError:
    with pytest.raises(ExpectationError) as caught:
        parse(text)
    return caught.value


def test_an_entry_is_read_with_all_that_it_says() -> None:
    (entry,) = parse(
        ENTRY
        + """
        link = "https://example.org/7"
        owner = "kim"
        expires = 2026-12-01
        evidence = { error = "ENOSYS", cause = "lock-cycle", text = "socket(*)" }
        """
    ).entries
    assert (entry.test, entry.target, entry.outcome) == ("fork_test", "aarch64", Outcome.FAIL)
    assert (entry.reason, entry.link, entry.owner) == ("known", "https://example.org/7", "kim")
    assert entry.expires == date(2026, 12, 1)
    assert entry.evidence == Coverage(error_number=38, cause=Cause.LOCK_CYCLE, text="socket(*)")
    assert entry.line == 2
    assert entry.cases == (Case(target="aarch64", test="fork_test"),)


def test_an_entry_may_be_about_all_tests_of_a_glob() -> None:
    (entry,) = parse(ENTRY.replace("fork_test", "*_socket_test")).entries
    assert [case.test for case in entry.cases] == ["tcp_socket_test", "udp_socket_test"]


def test_an_error_may_be_a_number() -> None:
    (entry,) = parse(ENTRY + "evidence = { error = 95 }").entries
    assert entry.evidence == Coverage(error_number=95)


@pytest.mark.parametrize("text", ["", "# nothing is expected to fail\n"])
def test_a_file_without_entries_expects_nothing(text: str) -> None:
    assert parse(text).entries == ()


@pytest.mark.parametrize(
    ("text", "line", "problem", "hint"),
    [
        (
            ENTRY.replace("fork_test", "frok_test"),
            3,
            "test: no test on aarch64 is called 'frok_test'",
            "fork_test",
        ),
        (ENTRY.replace("fork_test", "zzz*"), 3, "test: no test on aarch64 is called 'zzz*'", "parity list"),
        (
            ENTRY.replace("aarch64", "arch64"),
            4,
            "target: no target is called 'arch64'",
            "did you mean aarch64",
        ),
        (
            ENTRY.replace("aarch64", "x86_64").replace("fork", "dns"),
            3,
            "test: no test on x86_64 is called 'dns_test'",
            "did you mean udp_socket_test",
        ),
        (
            ENTRY.replace('"fail"', '"fial"'),
            5,
            "outcome: is no outcome that can be expected",
            "did you mean fail",
        ),
        (ENTRY.replace('"fail"', '"pass"'), 5, "outcome: is no outcome that can be expected", "one of fail"),
        (ENTRY.replace('"fail"', '"error"'), 5, "outcome: is no outcome that can be expected", ""),
        (ENTRY.replace('reason = "known"', ""), 2, "reason: is missing", ""),
        (ENTRY.replace('"known"', '""'), 6, "reason: string should have at least 1 character", ""),
        (ENTRY + 'reasn = "known"', 7, "reasn: unknown key", "did you mean reason"),
        (ENTRY + 'expires = "soon"', 7, "expires: input should be a valid date", ""),
        (ENTRY + "evidence = { eror = 38 }", 7, "evidence.eror: unknown key", "did you mean error"),
        (ENTRY + 'evidence = { error = "ENOSSY" }', 7, "evidence.error", "ENOSYS"),
        (ENTRY + 'evidence = { cause = "lock" }', 7, "evidence.cause: is no cause of a hang", "lock"),
        (ENTRY + "evidence = {}", 7, "evidence: says nothing", "error, cause or text"),
        (ENTRY + 'evidence = "ENOSYS"', 7, "evidence: must be a table", ""),
        (
            ENTRY + ENTRY,
            8,
            "fork_test on aarch64 is expected so in line 2 already",
            "one entry for one failure",
        ),
        (
            ENTRY + ENTRY.replace("fork_test", "*_test"),
            8,
            "fork_test on aarch64 is expected so in line 2 already",
            "one entry for one failure",
        ),
        ("\n\nexpcet = []\n", 3, "expcet: unknown key", "[[expect]]"),
        ("\n[expect]\ntest = 1\n", 2, "expect: must be a list of tables", "double brackets"),
        ("\n\n[[expect]\n", 3, "is not valid TOML", ""),
        (ENTRY + "x = ", 7, "is not valid TOML", ""),
    ],
)
def test_a_fault_is_told_with_its_line_and_a_way_out(text: str, line: int, problem: str, hint: str) -> None:
    found = fault(text)
    assert found.line == line
    assert found.problem.startswith(problem)
    assert hint in (found.hint or "")
    assert found.message.startswith(f"expectations.toml:{line}: ")


def test_a_header_within_a_string_or_a_comment_moves_no_line() -> None:
    confusing = ENTRY.replace('"known"', "'''\n[[expect]]\n'''") + "# [[expect]]\n"
    assert fault(confusing + ENTRY.replace("fork_test", "frok_test")).line == 12


def test_entries_that_are_not_written_as_tables_are_on_the_first_line() -> None:
    inline = 'expect = [{ test = "frok_test", target = "aarch64", outcome = "fail", reason = "known" }]\n'
    assert fault(f"# a comment\n{inline}").line == 1


def test_the_same_test_may_be_expected_to_fail_in_two_ways() -> None:
    both = parse(ENTRY + 'evidence = { error = "ENOSYS" }\n' + ENTRY + 'evidence = { error = "EINVAL" }\n')
    assert [entry.line for entry in both.entries] == [2, 9]


KEYS = st.sampled_from(["test", "target", "outcome", "reason", "evidence", "expires", "link", "expect", "x"])
VALUES = st.sampled_from(
    [
        '"fork_test"',
        '"aarch64"',
        '"fail"',
        "1",
        "[]",
        "{}",
        "2026-12-01",
        "2026-12-01T00:00:00",
        '{ error = "x" }',
    ]
)


@given(
    st.one_of(
        st.text(),
        st.lists(
            st.one_of(
                st.just("[[expect]]"),
                st.just("'''"),
                st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
            )
        ).map("\n".join),
    )
)
def test_any_text_gives_expectations_or_an_error_with_a_line_of_it(text: str) -> None:
    line = 1
    try:
        parse(text)
    except ExpectationError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + 1
