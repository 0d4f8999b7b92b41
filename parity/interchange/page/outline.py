"""A Markdown page as headings with what stands below each, every piece with its line: structure, no meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

_PARSER: Final = MarkdownIt("commonmark", {"maxNesting": 20}).enable(["table", "strikethrough"])

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
"""As CommonMark has it; `str.splitlines` knows more, and would count otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text, free of markup: of a paragraph, of a list's item, a cell or a heading."""

    number: int
    """In the file, from 1."""
    text: str
    codes: tuple[str, ...] = ()
    """What stands in code spans."""
    struck: str = ""
    """The part of the text that is struck through."""
    depth: int = 0
    """In how many lists it stands: 0 outside any."""

    @property
    def is_struck(self) -> bool:
        """Whether any of it is struck through."""
        return bool(self.struck.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; every row has as many cells as the header."""

    header: tuple[Line, ...]
    rows: tuple[tuple[Line, ...], ...]

    @property
    def number(self) -> int:
        """The header's line."""
        return self.header[0].number

    def column(self, *words: str) -> int | None:
        """Return the first column in whose name a word begins with one of these, which are lower case."""
        for index, cell in enumerate(self.header):
            if _has_word(cell.text, words):
                return index
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """A block of code."""

    number: int
    """The line of the first of `lines`."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands below it, up to the next heading of any level."""

    level: int
    """1 to 6; 0 for what stands before the first heading."""
    title: Line
    parents: tuple[str, ...]
    """The titles of the headings that it stands below, the outermost first."""
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    blocks: tuple[CodeBlock, ...]
    body: str
    """All that it holds as it was written, the headings below it included."""

    def is_below(self, *words: str) -> bool:
        """Return whether in a heading above a word begins with one of these, which are lower case."""
        return any(_has_word(title, words) for title in self.parents)


def _has_word(text: str, beginnings: Sequence[str]) -> bool:
    return any(word.startswith(tuple(beginnings)) for word in re.findall(r"\w+", text.casefold()))


@dataclass(slots=True)
class _Draft:
    level: int
    title: Line
    start: int
    """The index of the line after the heading."""
    lines: list[Line] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    blocks: list[CodeBlock] = field(default_factory=list)


def read_outline(text: str) -> tuple[Section, ...]:
    """Read a page of Markdown as GitHub has it (CommonMark with tables and strikethrough); any text is one."""
    tokens = _PARSER.parse(text)
    source = _LINE_END.split(text)
    drafts = [_Draft(level=0, title=Line(number=1, text=""), start=0)]
    depth = 0
    position = 0
    while position < len(tokens):
        token = tokens[position]
        depth += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if token.type == "table_open":
            end = _find(tokens, position, "table_close")
            drafts[-1].tables.extend(_read_table(tokens[position:end]))
            position = end
        elif token.type == "heading_open" and depth == 0:
            title = next(iter(_read_lines(tokens[position + 1], 0)), Line(number=_number(token), text=""))
            drafts.append(_Draft(level=int(token.tag[1:]), title=title, start=_end(token)))
            position += 1
        else:
            _read_block(token, drafts[-1], depth)
        position += 1
    return tuple(_finish(drafts, source))


def _read_block(token: Token, draft: _Draft, depth: int) -> None:
    if token.type == "inline":
        draft.lines.extend(_read_lines(token, depth))
    elif token.type in ("fence", "code_block"):
        first = _number(token) + (token.type == "fence")
        draft.blocks.append(
            CodeBlock(number=first, lines=tuple(token.content.removesuffix("\n").split("\n")))
        )


def _read_table(tokens: Sequence[Token]) -> Iterator[Table]:
    """Read the table's rows; a cell is followed by at most one inline token."""
    rows: list[tuple[Line, ...]] = []
    cells: list[Line] = []
    for token in tokens:
        if token.type == "inline":
            found = tuple(_read_lines(token, 0))
            cells.append(found[0] if found else Line(number=_number(token), text=""))
        elif token.type == "tr_close":
            rows.append(tuple(cells))
            cells = []
    if rows and rows[0]:
        yield Table(header=rows[0], rows=tuple(rows[1:]))


def _read_lines(token: Token, depth: int) -> Iterator[Line]:
    """Yield the lines of inline content, each with its number."""
    codes: list[str] = []
    number, text, struck, open_marks = _number(token), "", "", 0
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            yield Line(number=number, text=text.strip(), codes=tuple(codes), struck=struck, depth=depth)
            number, text, codes, struck = number + 1, "", [], ""
        open_marks += {"s_open": 1, "s_close": -1}.get(child.type, 0)
        shown = child.content if child.type in ("text", "code_inline", "image") else ""
        text += shown
        struck += shown if open_marks else ""
        codes += [child.content] if child.type == "code_inline" else []
    yield Line(number=number, text=text.strip(), codes=tuple(codes), struck=struck, depth=depth)


def _finish(drafts: Sequence[_Draft], source: Sequence[str]) -> Iterator[Section]:
    """Yield the sections, each with the headings above it and all that is below it."""
    ends = _ends(drafts, len(source))
    above: list[_Draft] = []
    for draft, end in zip(drafts, ends, strict=True):
        above = [other for other in above if 0 < other.level < draft.level]
        yield Section(
            level=draft.level,
            title=draft.title,
            parents=tuple(other.title.text for other in above),
            lines=tuple(draft.lines),
            tables=tuple(draft.tables),
            blocks=tuple(draft.blocks),
            body=_body(source[draft.start : end]),
        )
        above.append(draft)


def _ends(drafts: Sequence[_Draft], length: int) -> list[int]:
    """Return for each section the index of the line after its last: the next heading that is not below it."""
    next_at: dict[int, int] = {}
    ends: list[int] = []
    for draft in reversed(drafts):
        ends.append(min((at for level, at in next_at.items() if level <= draft.level), default=length))
        next_at[draft.level] = draft.title.number - 1
    return ends[::-1]


def _body(lines: Sequence[str]) -> str:
    """Return the lines without the blank ones and the rule that part them from the next heading."""
    kept = list(lines)
    while kept and kept[-1].strip() in ("", "---", "***", "___"):
        kept.pop()
    return "\n".join(kept).strip("\n")


def _find(tokens: Sequence[Token], start: int, kind: str) -> int:
    return next(index for index in range(start, len(tokens)) if tokens[index].type == kind)


def _number(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1


def _end(token: Token) -> int:
    return token.map[1] if token.map else 0
