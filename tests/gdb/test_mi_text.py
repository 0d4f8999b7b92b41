from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygdbmi.gdbmiparser import parse_response

from gdb.debugger.mi_text import (
    DEEPEST,
    LONGEST_TEXT,
    MiValue,
    find_fault,
    number,
    parse_number,
    rows,
    text,
    texts,
)
from tests.gdb.fuzz_mi import REAL_LINES, fuzz

NAME = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True)
STRING = st.text(st.characters(min_codepoint=1, max_codepoint=0x24FF, exclude_categories=["Cs"]), max_size=12)


def quoted(content: str) -> str:
    """Quote as GDB does: what is not printable ASCII as octal bytes."""
    plain = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(plain.get(c) or (c if " " <= c <= "~" else octal(c)) for c in content) + '"'


def octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode())


def written(value: MiValue) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"[{','.join(written(entry) for entry in value)}]"
    return f"{{{','.join(f'{name}={written(entry)}' for name, entry in value.items())}}}"


VALUE = st.recursive(
    STRING, lambda v: st.lists(v, max_size=4) | st.dictionaries(NAME, v, max_size=4), max_leaves=12
)


@given(st.dictionaries(NAME, VALUE, min_size=1, max_size=4))
def test_whatever_gdb_writes_passes_and_is_read_back(payload: dict[str, MiValue]) -> None:
    line = "5^done," + ",".join(f"{name}={written(value)}" for name, value in payload.items())
    assert find_fault(line) is None
    assert parse_response(line) == {"type": "result", "message": "done", "payload": payload, "token": 5}


@pytest.mark.parametrize("line", REAL_LINES[:-1])
def test_real_lines_pass(line: str) -> None:
    assert find_fault(line) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('^done,a=["x"', "1 brackets are not closed"),
        ('^done,a={b=["x"}', "no comma at character 15"),
        ('^done,a="x', "no value at character 8"),
        ("^done,a=x", "no value at character 8"),
        ("^done,a=", "no value at character 8"),
        ('^done,"x"', "no name at character 6"),
        ("^done,", "no name at character 6"),
        ('^done,a="\\q"', "no value at character 8"),
        ('^done,a="\\777"', "no value at character 8"),
        ("^", "a record without a token or class of MI's"),
        ("٣^done", "a record without a token or class of MI's"),
        ("1234567890^done", "a record without a token or class of MI's"),
        ('~"a"b"', "a text that is not quoted as MI quotes"),
        ('~"a', "a text that is not quoted as MI quotes"),
        ('~"' + "x" * LONGEST_TEXT + '"', f"a text of more than {LONGEST_TEXT} characters"),
        ("^done,a=" + "[" * (DEEPEST + 1), f"brackets more than {DEEPEST} deep"),
        ("^" + "x" * (2 << 20), "a line of more than 2097152 characters"),
    ],
)
def test_a_line_that_pygdbmi_cannot_take_is_refused_with_a_reason(line: str, reason: str) -> None:
    assert find_fault(line) == reason


@pytest.mark.parametrize("line", [line for line in REAL_LINES[1:10] if not line.startswith("~")])
def test_a_record_cut_anywhere_is_whole_or_refused(line: str) -> None:
    for length in range(len(line)):
        if find_fault(line[:length]) is None:
            parse_response(line[:length])


@given(st.text() | st.text('^*=~&@{}[]",=\\017ax', max_size=60).map(lambda tail: "^done," + tail))
def test_what_passes_is_parsed_without_fuss(line: str) -> None:
    line = line.replace("\n", "")
    if find_fault(line) is None:
        parse_response(line)


def test_twenty_thousand_damaged_lines_end_well() -> None:
    assert fuzz(20_000, seed=1) > 1000


def test_values_are_read_whatever_their_kind() -> None:
    row: dict[str, MiValue] = {"addr": "0x10", "line": "12", "list": ["a", {"b": "c"}, "d"]}
    assert (number(row, "addr"), number(row, "line"), number(row, "list")) == (16, 12, None)
    assert (text(row, "line"), text(row, "gone")) == ("12", None)
    assert (texts(row["list"]), texts("x"), texts(None)) == (["a", "d"], ["x"], [])
    assert (rows(row["list"]), rows({"b": "c"}), rows("x")) == ([{"b": "c"}], [{"b": "c"}], [])


@pytest.mark.parametrize("value", ["", "0x", "-1", "1.5", "<unavailable>", "0x" + "f" * 17, "٣", None])
def test_what_is_no_number_is_none(value: str | None) -> None:
    assert parse_number(value) is None
