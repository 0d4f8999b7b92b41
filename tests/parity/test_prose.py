from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from parity.prose import prose


def tokens(page: str) -> list[tuple[str, str]]:
    """Return the types and tags of a page's blocks."""
    return [(token.type, token.tag) for token in MarkdownIt("commonmark").enable("table").parse(page)]


@pytest.mark.parametrize(
    "body",
    [
        "Words, `code <b>` and [a link](https://example.org/?a=1&b=2).",
        "- one\n- two\n  - three\n\n1. first",
        "| a | b |\n|---|---|\n| `x` | y |",
        "```c\nif (a < b) <tag>\n```",
        "    indented <tag>",
        "<https://example.org> and 1 < 2",
        "# in a fence is none:\n\n~~~\n# comment\n~~~".partition("\n\n")[2],
    ],
)
def test_what_people_write_stays_as_it_is(body: str) -> None:
    assert prose(body, below=3) == body


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("# Large", "#### Large"),
        ("### Small", "###### Small"),
        ("###### Smallest", "###### Smallest"),
        ("Underlined\n==========\n\nText", "#### Underlined\n\n\nText"),
        ("Two\nlines\n---\n", "##### Two lines\n\n"),
        ("- # In a list", "- #### In a list"),
        ("> Quoted\n> ---", "> Quoted\n> "),
    ],
)
def test_headings_become_smaller_than_the_one_above(body: str, shown: str) -> None:
    assert prose(body, below=3).rstrip("\n") == shown.rstrip("\n")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("a <b>bold</b> word and `<b>`", "a &lt;b>bold&lt;/b> word and `<b>`"),
        ("<!-- hidden\n\n# not shown -->", "&lt;!-- hidden\n\n#### not shown -->"),
        ("</details>", "&lt;/details>"),
        ("\\<b> <i>", "\\<b> &lt;i>"),
    ],
)
def test_html_is_shown_as_text(body: str, shown: str) -> None:
    assert prose(body, below=3) == shown


@pytest.mark.parametrize("opening", ["```", "````python", "~~~"])
def test_a_fence_that_is_left_open_is_closed(opening: str) -> None:
    page = prose(f"{opening}\ncode", below=3) + "\n\n## Next\n"
    assert tokens(page)[-3:] == [("heading_open", "h2"), ("inline", ""), ("heading_close", "h2")]


def test_a_fence_that_is_closed_is_left_alone() -> None:
    assert prose("```\ncode\n```", below=3) == "```\ncode\n```"


def test_nothing_is_nothing() -> None:
    assert prose("\n\n", below=3) == ""


def test_what_would_repaint_a_terminal_is_written_out() -> None:
    assert prose("a\x1b[31mb\u202e", below=3) == "a\\x1b[31mb\\u202e"


PIECES = st.sampled_from(
    [
        *(
            "# ",
            "## ",
            "===",
            "---",
            "```",
            "~~~",
            "<b>",
            "</details>",
            "<!--",
            "-->",
            "`",
            "``",
            "\\",
            "> ",
            "- ",
        ),
        *(
            "1. ",
            "    ",
            "\t",
            "<?",
            "<![CDATA[",
            "<a\n",
            "href='",
            "|",
            "[x]: ",
            "text",
            " ",
            "\n",
            "\n\n",
            "\x0b",
        ),
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=25).map("".join))
@example("<a\n\n`")
@example("> ```\n# x")
def test_no_body_opens_html_adds_a_large_heading_or_swallows_what_follows(body: str) -> None:
    page = f"## Above\n\n{prose(body, below=3)}\n\n## Below\n"
    parsed = MarkdownIt("commonmark").enable("table").parse(page)
    children = [child for token in parsed for child in token.children or ()]
    assert not any("html" in token.type for token in (*parsed, *children))
    large = [token for token in parsed if token.type == "heading_open" and token.tag in ("h1", "h2", "h3")]
    assert [token.tag for token in large] == ["h2", "h2"]
    assert parsed[-2].content == "Below"
