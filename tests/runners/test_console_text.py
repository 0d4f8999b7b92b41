"""From a serial port's bytes to text: total, whatever the chunks, and harmless."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runners.console.console_text import ConsoleDecoder, decode_console

PIECES = st.sampled_from(
    [
        *(b"\x1b", b"[", b"31m", b"?25h", b";", b"]0;", b"\x07", b"\\", b"P", b"(", b"B"),
        *(b"\r", b"\n", b"\x00", b"\x08", b"\xc3", b"\xe2\x82", b"\xac", b"\xff", b"text", b" ", b"x" * 600),
    ]
)
OUTPUT = st.lists(PIECES | st.binary(max_size=8), max_size=30).map(b"".join)


@given(OUTPUT, st.data())
def test_any_way_of_cutting_the_bytes_gives_the_same_text(output: bytes, data: st.DataObject) -> None:
    decoder, text, position = ConsoleDecoder(), "", 0
    while position < len(output):
        size = data.draw(st.integers(1, 9))
        text += decoder.feed(output[position : position + size])
        position += size
    assert text + decoder.finish() == decode_console(output)


@given(OUTPUT)
def test_no_escape_carriage_return_or_invisible_character_is_left(output: bytes) -> None:
    assert not set(decode_console(output)) & set("\x1b\r\x00\x07\x08\x7f")


@given(OUTPUT)
def test_what_is_decoded_can_be_stored_and_decoded_again(output: bytes) -> None:
    text = decode_console(output)
    assert decode_console(text.encode()) == text


def test_colours_titles_and_character_sets_disappear() -> None:
    assert decode_console(b"\x1b]0;title\x07\x1b[1;32mPA\x1b[mSS\x1b(B\x1bP1$r\x1b\\!\n") == "PASS!\n"


def test_carriage_returns_become_newlines_so_that_nothing_stays_hidden() -> None:
    assert decode_console(b"FAIL\rPASS\r\r\nend\r\n\r") == "FAIL\nPASS\nend\n\n"


def test_bytes_that_are_not_utf8_are_written_as_escapes() -> None:
    assert decode_console(b"a\xff\xc3(\xe2\x82") == "a\\xff\\xc3(\\xe2\\x82"


def test_an_unclosed_title_hides_at_most_a_bounded_stretch() -> None:
    log = b"\x1b]0;" + b"A" * 2000 + b"\nKERNEL PANIC: here\n"
    assert "KERNEL PANIC: here" in decode_console(log)


def test_an_escape_at_the_end_of_a_log_does_not_hold_text_back() -> None:
    assert decode_console(b"KERNEL PANIC: dead\x1b[3").startswith("KERNEL PANIC: dead")
