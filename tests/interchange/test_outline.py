from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from parity.interchange.page.outline import read_outline

PAGE = (Path(__file__).parent / "pages" / "wombat.md").read_text(encoding="utf-8")
TEXT = """\
before

# One

first line
second `code` ~~gone~~

- item
  - [ ] nested
    goes on

## Two

| A | B |
|---|---|
| ~~x~~ `y` | ~6 |

### Three
```
inside
more
```

---

# Four
"""


def test_headings_know_what_they_stand_below() -> None:
    titles = [(section.level, section.title.text, section.parents) for section in read_outline(TEXT)]
    assert titles == [
        (0, "", ()),
        (1, "One", ()),
        (2, "Two", ("One",)),
        (3, "Three", ("One", "Two")),
        (1, "Four", ()),
    ]


def test_a_line_of_a_paragraph_has_its_own_number() -> None:
    lines = read_outline(TEXT)[1].lines
    assert [(line.number, line.text, line.codes, line.struck, line.depth) for line in lines] == [
        (5, "first line", (), "", 0),
        (6, "second code gone", ("code",), "gone", 0),
        (8, "item", (), "", 1),
        (9, "[ ] nested", (), "", 2),
        (10, "goes on", (), "", 2),
    ]


def test_a_table_has_a_cell_for_every_column() -> None:
    (table,) = read_outline(TEXT)[2].tables
    assert [cell.text for cell in table.header] == ["A", "B"]
    assert [[(cell.number, cell.text, cell.struck) for cell in row] for row in table.rows] == [
        [(16, "x y", "x"), (16, "~6", "")]
    ]


def test_a_block_of_code_begins_with_the_line_after_the_fence() -> None:
    (block,) = read_outline(TEXT)[3].blocks
    assert (block.number, block.lines) == (20, ("inside", "more"))


def test_a_body_is_as_it_was_written_without_the_rule_after_it() -> None:
    sections = read_outline(TEXT)
    assert sections[3].body == "```\ninside\nmore\n```"
    assert sections[2].body.endswith("### Three\n```\ninside\nmore\n```")


@given(st.lists(st.one_of(st.sampled_from(PAGE.splitlines()), st.text(max_size=20)), max_size=40))
def test_every_line_that_is_told_holds_what_it_is_told_to(lines: list[str]) -> None:
    text = "\n".join(lines)
    count = len(re.split(r"\r\n|\r|\n", text))
    for section in read_outline(text):
        for line in (section.title, *section.lines):
            assert 1 <= line.number <= count
        for table in section.tables:
            assert {len(row) for row in table.rows} <= {len(table.header)}


def test_a_form_feed_ends_no_line() -> None:
    sections = read_outline("a\x0cb\n\n# One\ntext\x0bmore\n# Two\n")
    assert [(section.title.number, section.body) for section in sections[1:]] == [
        (3, "text\x0bmore"),
        (5, ""),
    ]
