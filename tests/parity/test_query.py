from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.campaign import Case
from parity.diagnosis import Cause
from parity.errors import QueryError
from parity.expectations import Coverage, Expectation, collect_expectations
from parity.outcome import Outcome
from parity.query import Background, complete_words, parse_query
from tests.support.standings import attempt, standing

if TYPE_CHECKING:
    from parity.standing import TestStanding

WORDS = (
    *("fork_*", "dup_test", "flaky", "never-run", "expected", "unexpected", "gap", "fail", "pair:parity"),
    *(
        "aarch64:pass",
        "on:x86_64",
        "outcome:hang",
        "error:ENOSYS",
        "cause:lock-cycle",
        "signal:SEGV",
        "exit:-1",
    ),
    *(
        "run:2",
        "since:2026-11-02",
        "before:2026-11-02T12:30",
        "slower-than:2s",
        "faster-than:1.5m",
        "test:gap",
    ),
)


def row(*attempts: object, test: str = "fork_test") -> TestStanding:
    found = [one for one in attempts if not isinstance(one, Case)]
    excluded = tuple(one for one in attempts if isinstance(one, Case))
    return standing(*found, excluded=excluded, tests=(test,)).tests[0]  # type: ignore[arg-type]


GAP = row(
    attempt(target="x86_64", minutes=5, duration_s=0.5),
    attempt(
        outcome=Outcome.HANG,
        run=2,
        error_number=38,
        signal=11,
        exit_status=3,
        minutes=60,
        duration_s=3.0,
        cause=Cause.LOCK_CYCLE,
    ),
)
"""fork_test passes on x86_64 in run 1 at 12:05 and hangs on aarch64 in run 2 at 13:00."""

ROWS = (
    GAP,
    row(attempt("dup_test"), attempt("dup_test", target="x86_64"), test="dup_test"),
    row(attempt("dup_test", Outcome.FAIL), test="dup_test"),
    row(test="never_test"),
    row(attempt(), Case(target="x86_64", test="fork_test")),
)


@pytest.mark.parametrize(
    "text",
    [
        "fork_test",
        "fork_*",
        "test:fork_test",
        "gap",
        "pair:gap",
        "hang",
        "outcome:hang",
        "aarch64:hang",
        "on:aarch64 outcome:hang",
        "error:ENOSYS",
        "error:38",
        "cause:lock-cycle",
        "signal:SIGSEGV",
        "signal:segv",
        "exit:3",
        "run:2",
        "since:2026-11-02T13:00",
        "before:2026-11-02T13:00",
        "slower-than:2s",
        "faster-than:600ms",
        "unexpected",
        "fork_* aarch64:hang gap",
        "x86_64:pass and aarch64:hang",
        "x86_64:hang or aarch64:hang",
        "not aarch64:pass",
        "not (fork_* and x86_64:hang)",
        "dup_test and fork_test or gap",
        "NOT dup_test AND gap",
    ],
)
def test_a_query_is_true_of_what_it_describes(text: str) -> None:
    assert parse_query(text).matches(GAP)


@pytest.mark.parametrize(
    "text",
    [
        "fork",
        "test:gap",
        "parity",
        "aarch64:pass",
        "error:ENOENT",
        "error:38 pass",
        "cause:slow",
        "run:3",
        "since:2026-11-02T13:01",
        "before:2026-11-02T12:05",
        "slower-than:3s",
        "never-run",
        "flaky",
        "expected",
        "dup_test and (fork_test or gap)",
    ],
)
def test_a_query_is_false_of_everything_else(text: str) -> None:
    assert not parse_query(text).matches(GAP)


def test_adjacent_words_describe_one_and_the_same_result() -> None:
    assert parse_query("pass and since:2026-11-02T13:00").matches(GAP)
    assert not parse_query("pass since:2026-11-02T13:00").matches(GAP)


def test_what_was_never_run_can_be_asked_by_target() -> None:
    only_port = row(attempt())
    assert parse_query("x86_64:never-run").matches(only_port)
    assert not parse_query("aarch64:never-run").matches(only_port)


def test_a_test_that_is_not_meant_for_a_target_has_no_result_there() -> None:
    apart = row(attempt(), Case(target="x86_64", test="fork_test"))
    assert not parse_query("x86_64:never-run").matches(apart)


def test_flaky_is_what_the_background_says_is_flaky_on_that_target() -> None:
    background = Background(flaky=frozenset({Case(target="aarch64", test="fork_test")}))
    assert parse_query("aarch64:flaky").matches(GAP, background)
    assert not parse_query("x86_64:flaky").matches(GAP, background)


def test_expected_is_the_announced_failure_alone() -> None:
    case = Case(target="aarch64", test="fork_test")
    known = Expectation(
        test="fork_test",
        target="aarch64",
        outcome=Outcome.HANG,
        reason="known",
        evidence=Coverage(cause=Cause.LOCK_CYCLE),
        cases=(case,),
    )
    background = Background(expectations=collect_expectations([known]))
    assert parse_query("expected").matches(GAP, background)
    assert not parse_query("unexpected").matches(GAP, background)
    other = row(attempt(outcome=Outcome.FAIL))
    assert parse_query("unexpected and not expected").matches(other, background)
    assert parse_query("unexpected").matches(row(attempt()), background)


@pytest.mark.parametrize(
    ("text", "place", "problem", "hint"),
    [
        ("", 0, "the query is empty", "such as: aarch64:fail and x86_64:pass"),
        ("gap and", 7, "the query ends too early", "here may stand: not, (, a word"),
        ("and gap", 0, "'and' cannot stand here", "here may stand: not, (, a word"),
        ("(gap", 4, "the query ends too early", "here may stand: and, or, ), a word"),
        ("gap )", 4, "')' cannot stand here", "here may stand: and, or, a word, the end"),
        ("gap (flaky)", 4, "'(' cannot stand here", "here may stand: and, or, a word, the end"),
        ("flaky aarch64:fial", 14, "no result on aarch64 can be 'fial'", "did you mean fail?"),
        ("cuase:lock-cycle", 0, "no key is called 'cuase'", "did you mean cause?"),
        ("cause:lock-cyle", 6, "no cause is called 'lock-cyle'", "did you mean lock-cycle or lock-leaked?"),
        ("since:soon", 6, "'soon' is no date", "YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC: 2026-11-01"),
        ("slower-than:2", 12, "'2' is no duration", "a number with ms, s or m behind it: 2s, 500ms"),
        (
            "since:0001-01-01T00:00+14:00",
            6,
            "'0001-01-01T00:00+14:00' is no date",
            "YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC: 2026-11-01",
        ),
        ("run:last", 4, "'last' is no run's number", "such as run:12"),
        ("exit:one", 5, "'one' is no exit status", "a number, such as exit:1"),
        (":gap", 0, "a colon with nothing before it", "KEY:VALUE, such as outcome:hang"),
        ("test:", 5, "test: needs a name or glob behind it", None),
        ("on:", 3, "on: needs a target behind it", None),
        (
            "aarch64:fail x86_64:pass",
            13,
            "one result is not on both aarch64 and x86_64",
            "adjacent words describe one result; write `and` between to combine two",
        ),
    ],
)
def test_a_fault_has_its_place_its_problem_and_a_way_out(
    text: str, place: int, problem: str, hint: str | None
) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert (caught.value.place, caught.value.problem, caught.value.hint) == (place, problem, hint)


def test_the_message_points_at_the_place() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("gap and outcome:fial")
    assert caught.value.message.splitlines() == [
        "no outcome is called 'fial'",
        "  gap and outcome:fial",
        "                  ^",
    ]


def test_the_place_is_right_in_a_long_query_of_which_only_a_part_is_shown() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("gap or " * 100 + "outcome:fial" + " or gap" * 100)
    _, shown, caret = caught.value.message.splitlines()
    assert shown[caret.index("^") :].startswith("fial or gap")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("flakey", "did you mean flaky?"),
        ("outcom:hang", "did you mean outcome?"),
        ("frok_test", "did you mean fork_test?"),
        ("arch64:pass", "did you mean aarch64?"),
        ("zzz:pass", "targets: aarch64, x86_64"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_that_offers_the_nearest(text: str, hint: str) -> None:
    query = parse_query(f"gap and {text}")
    with pytest.raises(QueryError) as caught:
        query.check_names(tests=("dup_test", "fork_test"), targets=("aarch64", "x86_64"))
    assert caught.value.place == 8
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint.rstrip("?"))


def test_names_that_are_there_are_no_error() -> None:
    parse_query("fork_* aarch64:fail or on:x86_64").check_names(
        tests=("fork_test",), targets=("aarch64", "x86_64")
    )


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(QueryError, match="longer than 2000 characters"):
        parse_query("gap or " * 300 + "gap")


@pytest.mark.parametrize("text", ["(" * 200 + "gap" + ")" * 200, "not " * 200 + "gap"])
def test_a_query_that_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="more than 50 parentheses and nots"):
        parse_query(text)


def test_every_word_that_is_offered_can_be_read() -> None:
    tests, targets = ("fork_test",), ("aarch64",)
    for word in complete_words(tests=tests, targets=targets):
        if not word.endswith(":"):
            parse_query(word).check_names(tests=tests, targets=targets)


def test_it_knows_what_the_answer_depends_on() -> None:
    assert parse_query("gap and not flaky").asks_for_flaky
    assert parse_query("gap or unexpected").asks_for_expectations
    assert not parse_query("gap").asks_for_flaky
    assert not parse_query("test:flaky").asks_for_flaky


def _is_read(text: str) -> bool:
    """Whether it names no two targets for one result."""
    try:
        parse_query(text)
    except QueryError:
        return False
    return True


QUERIES = st.recursive(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    lambda parts: st.one_of(
        parts.map("not ({})".format),
        st.tuples(parts, parts).map("({0[0]}) and ({0[1]})".format),
        st.tuples(parts, parts).map("({0[0]}) or ({0[1]})".format),
    ),
    max_leaves=8,
).filter(_is_read)


@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from([*WORDS, "and", "or", "not", "(", ")", ":", "x:"])).map(" ".join)
    )
)
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    place = 0
    try:
        parse_query(text).matches(GAP)
    except QueryError as error:
        place = error.place
    assert 0 <= place <= len(text)


@given(QUERIES)
def test_printing_and_reading_again_is_the_identity(text: str) -> None:
    query = parse_query(text)
    again = parse_query(str(query))
    assert again == query
    assert str(again) == str(query)


@given(QUERIES, QUERIES, st.sampled_from(ROWS))
def test_de_morgan_holds(one: str, other: str, found: TestStanding) -> None:
    def ask(text: str) -> bool:
        return parse_query(text).matches(found)

    assert ask(f"not (({one}) and ({other}))") == ask(f"not ({one}) or not ({other})")
    assert ask(f"not (({one}) or ({other}))") == ask(f"not ({one}) and not ({other})")
