import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.printable import printable, printable_line

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_nothing_that_comes_out_can_steer_a_terminal(text: str) -> None:
    for character in printable(text):
        assert character in "\n\t" or unicodedata.category(character)[0] in "LMNPS" or character == " "


@given(ANY_TEXT)
def test_what_comes_out_can_be_written_as_utf_8(text: str) -> None:
    printable(text).encode()


@given(ANY_TEXT)
def test_it_changes_nothing_the_second_time(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    "text",
    ["", "fork_test: PASS", "a\tb\nc", "Grüße, 世界 ✓", "e\N{COMBINING ACUTE ACCENT}", "1 < 2 & `x` | y"],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("PASS\rFAIL", r"PASS\rFAIL"),
        ("\x00", r"\x00"),
        ("\x9b31m", r"\x9b31m"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}", r"\u202e"),
        ("\N{ZERO WIDTH JOINER}", r"\u200d"),
        ("\N{LINE SEPARATOR}", r"\u2028"),
        ("\N{NO-BREAK SPACE}", r"\xa0"),
        ("\ud800", r"\ud800"),
        ("\ue000", r"\ue000"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY_TEXT, st.integers(min_value=2, max_value=300))
def test_a_line_is_one_line_and_never_longer_than_its_limit(text: str, limit: int) -> None:
    line = printable_line(text, limit=limit)
    assert len(line) <= limit
    assert not set(line) & set("\n\t\r")


def test_a_long_line_keeps_its_head_and_its_tail() -> None:
    line = printable_line("begin " + "x" * 500 + " end", limit=20)
    assert line.startswith("begin ")
    assert line.endswith(" end")
    assert "…" in line


def test_runs_of_white_space_in_a_line_become_one_space() -> None:
    assert printable_line("  a \r\n\t b  ") == "a b"
