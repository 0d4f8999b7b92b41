from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from parity.markdown import code, codes, columns, fence, link, text
from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable("table")

# What a hostile guest would print, more often than chance would have it.
MARKUP = (
    "|", "\\", "`", "``", "```\n", "<b>", "</td>", "&lt;", "&#124;", "\n", "\r", "\x1b[2J", "\u202e", "*", "_", "~~",
    "[x](y)", "![", "@me", "#1", "$x$", " ", "a", "<!--", "-->", "http://x.y",
)  # fmt: skip
hostile = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(MARKUP), max_size=12).map("".join))


def cells(markdown: str) -> list[Token]:
    """Return the inline content of the first row's cells in a table of two columns."""
    tokens = PARSER.parse(f"| one | two |\n|---|---|\n| {markdown} | end |\n\nafter\n")
    assert [token.type for token in tokens].count("tr_open") == 2
    assert tokens[-2].content == "after"
    start = next(index for index, token in enumerate(tokens) if token.type == "td_open")
    return [token for token in tokens[start:] if token.type == "inline"][:-1]


@given(hostile)
@example("a\\|b")
@example("\\\\|")
@example("`|`")
@example("ends in \\")
def test_code_in_a_table_is_one_cell_with_one_code_span(content: str) -> None:
    first, second = cells(code(content))
    assert second.content == "end"
    line = printable_line(content).replace("\\|", "\\\\x7c")
    assert [(token.type, token.content) for token in first.children or []] == (
        [("code_inline", line)] if line else []
    )


@given(hostile)
def test_text_in_a_table_is_one_cell_of_plain_text(content: str) -> None:
    first, second = cells(text(content))
    assert second.content == "end"
    assert {token.type for token in first.children or []} <= {"text"}
    assert "".join(token.content for token in first.children or []) == printable_line(content)


@given(hostile)
def test_no_pipe_in_a_code_span_follows_two_backslashes(content: str) -> None:
    # cmark-gfm, GitHub's renderer, would take the first for an escape of the second and end the cell there.
    assert re.search(r"\\\\\|", code(content)) is None


@given(st.lists(hostile, max_size=4))
def test_a_fence_holds_every_line_and_ends_where_it_should(lines: list[str]) -> None:
    tokens = PARSER.parse(f"{fence(lines)}\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content.splitlines() == [" ".join(printable(line).splitlines()) for line in lines]


@pytest.mark.parametrize(
    "name", ["x86_64", "fork_test", "linux-aarch64", "62.5% (50/80)", "+10 tests (+12.5)"]
)
def test_plain_names_and_figures_stay_as_they_are(name: str) -> None:
    assert text(name) == name


def test_a_control_character_shows_as_an_escape() -> None:
    assert code("\x1b[2Jgone") == r"`\x1b[2Jgone`"


def test_nothing_is_nothing() -> None:
    assert code("") == ""
    assert codes([]) == ""


def test_several_words_have_commas_between_them() -> None:
    assert codes(["dup_test", "fork_test"]) == "`dup_test`, `fork_test`"


def test_columns_are_as_many_as_fit_and_read_from_left_to_right() -> None:
    assert columns(["a_test", "bb_test", "c_test"], width=18) == ("a_test   bb_test", "c_test")


def test_a_name_wider_than_the_page_has_a_line_of_its_own() -> None:
    assert columns(["a" * 30, "b"], width=20) == ("a" * 30, "b")


@given(hostile)
@example("captures/1 (x) [y] <z>")
@example("../a|b")
@example("javascript:alert(1)")
def test_a_link_leads_to_the_path_and_reads_as_it(path: str) -> None:
    (content, _) = cells(link(path) or "-")
    links = [child for child in content.children or () if child.type == "link_open"]
    assert [unquote(str(found.attrs["href"])) for found in links] == ([path] if printable_line(path) else [])
    assert all(":" not in str(found.attrs["href"]) for found in links)
