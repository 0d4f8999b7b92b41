"""Reading KTAP as kernels really print it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parity.outcome import Outcome
from runners.verdict.ktap import KtapReader, parse_ktap

KUNIT = """\
[    0.412345] printk: console [ttyS0] enabled
[    0.500000] KTAP version 1
[    0.500010] 1..2
[    0.500020]     KTAP version 1
[    0.500030]     # Subtest: list_sort
[    0.500040]     # module: list_sort
[    0.500050]     1..1
[    0.500060]     ok 1 list_sort_test
[    0.500070] ok 1 list_sort
[    0.600000][    T1]     KTAP version 1
[    0.600010][    T1]     # Subtest: time
[    0.600020][    T1]     1..3
[    0.600030][    T1]     # time64_to_tm_test: EXPECTATION FAILED at kernel/time/time_test.c:73
[    0.600040][    T1]     not ok 1 time64_to_tm_test
[    0.600050][    T1]     ok 2 leap # SKIP no leap seconds
[    0.600060][    T1]     ok 3 - dash # time=12ms
[    0.600070][    T1] # time: pass:1 fail:1 skip:1 total:3
[    0.600080][    T1] not ok 2 time
[    0.700000] Run /init as init process
"""


def outcomes(text: str) -> dict[str, str]:
    return {result.name: result.outcome for result in parse_ktap(text).results}


def test_a_kunit_boot_log_is_read_through_its_prefixes_and_levels() -> None:
    report = parse_ktap(KUNIT)
    assert [(result.name, result.outcome, result.depth) for result in report.results] == [
        ("list_sort_test", Outcome.PASS, 4),
        ("list_sort", Outcome.PASS, 0),
        ("time64_to_tm_test", Outcome.FAIL, 4),
        ("leap", Outcome.SKIP, 4),
        ("dash", Outcome.PASS, 4),
        ("time", Outcome.FAIL, 0),
    ]
    assert report.is_complete


def test_a_skip_says_why() -> None:
    (result,) = parse_ktap("TAP version 14\nok 1 - a # SKIP: no such device\n").results
    assert (result.outcome, result.reason) == (Outcome.SKIP, "no such device")


def test_a_todo_is_no_pass() -> None:
    assert outcomes("TAP version 14\nok 1 - a # TODO soon\nnot ok 2 b # todo\n") == {"a": "fail", "b": "fail"}


def test_a_truncated_log_is_not_complete() -> None:
    assert not parse_ktap(KUNIT[: KUNIT.index("not ok 2")]).is_complete


def test_a_log_without_a_plan_is_never_complete() -> None:
    assert not parse_ktap("KTAP version 1\nok 1 a\n").is_complete


def test_result_lines_before_a_version_line_are_ordinary_output() -> None:
    assert parse_ktap("ok 1 a\nnot ok 2 b\n").results == ()


def test_a_result_points_at_its_line() -> None:
    for result in parse_ktap(KUNIT).results:
        assert KUNIT[result.start : result.end].strip() == result.line


def test_hostile_runs_of_spaces_and_hashes_are_read_in_linear_time() -> None:
    spaces = " " * 200_000
    hostile = f"KTAP version 1\nok 1 a{spaces}b\nok 2 {'# ' * 100_000}x\nok 3 c{spaces}# SKIP{spaces}d\n"
    assert [result.name[:1] for result in parse_ktap(hostile).results] == ["a", "", "c"]


LINES = st.sampled_from(
    [
        "KTAP version 1",
        "1..2",
        "ok 1 a",
        "not ok 2 b # TODO",
        "    ok 1 c # SKIP",
        "[ 1.0] ok 3 d",
        "#",
        "ok",
        "",
    ]
)


@given(st.lists(LINES | st.text(max_size=20)), st.data())
def test_any_way_of_cutting_a_log_gives_the_same_report(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    reader, position = KtapReader(), 0
    while position < len(text):
        size = data.draw(st.integers(1, len(text)))
        reader.feed(text[position : position + size])
        position += size
    assert reader.finish() == parse_ktap(text)
