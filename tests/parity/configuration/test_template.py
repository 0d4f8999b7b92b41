import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.configuration.template import FIELDS, Pattern, fill


def test_a_known_field_is_replaced() -> None:
    assert fill("run {nonce} {path}", {"nonce": "n1", "path": "/bin/x"}) == "run n1 /bin/x"


def test_a_field_without_a_value_stays() -> None:
    assert fill("{disk}", {}) == "{disk}"


def test_a_value_that_looks_like_a_field_is_not_filled_again() -> None:
    assert fill("{test}", {"test": "{nonce}", "nonce": "n1"}) == "{nonce}"


@pytest.mark.parametrize("source", ["a{2,3}", "{}", "{2}", "{ test }"])
def test_any_other_brace_stands_for_itself(source: str) -> None:
    assert fill(source, dict.fromkeys(FIELDS, "x")) == source


@given(st.text())
def test_a_value_in_a_pattern_matches_itself_alone(value: str) -> None:
    assert Pattern("<{test}>").compile({"test": value}).fullmatch(f"<{value}>")


def test_line_ends_are_anchors() -> None:
    assert Pattern("^PASS$").compile({}).search("x\nPASS\ny")


def test_where_the_attempt_is_unknown_a_field_matches_any_word() -> None:
    begin = Pattern(r"\[begin {nonce} {path}\]").anywhere()
    assert begin.fullmatch("[begin n1 /bin/x]")
    assert not begin.fullmatch("[begin n1]")


def test_the_group_a_field_stands_in_is_kept() -> None:
    assert isinstance(Pattern(r"(?P<test>{test})").anywhere(), re.Pattern)
