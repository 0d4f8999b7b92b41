r"""From the bytes of a serial port to the text that patterns are matched against.

Decoding never fails: bytes that are not UTF-8 become `\xNN`. Escape sequences (ECMA-48 CSI, OSC, DCS and the
two-character kind), NUL, BEL, backspace and DEL disappear; a carriage return, alone or before a newline,
becomes one newline, so that text hidden by overwriting it stays visible to every pattern.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_STRING_LIMIT: Final = 512
"""The longest OSC or DCS text that is taken for one: a guest must not hide a log behind an unclosed sequence."""

_SEQUENCE: Final = re.compile(
    r"\x1b(?:"
    r"\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI
    rf"|[\]PX^_][^\x07\x1b\n]{{0,{_STRING_LIMIT}}}(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    r"|[ -/]{1,4}[0-~]"  # nF: character sets and their kin
    r"|[0-~]"  # Fp, Fe, Fs
    r")?"
)
_UNFINISHED_SEQUENCE: Final = re.compile(
    r"\x1b(?:"
    r"\[[0-?]{0,64}[ -/]{0,8}"
    rf"|[\]PX^_][^\x07\x1b\n]{{0,{_STRING_LIMIT}}}\x1b?"
    r"|[ -/]{1,4}"
    r")?\Z"
)
_INVISIBLE: Final = re.compile(r"[\x00\x07\x08\x7f]+")
_CARRIAGE_RETURN: Final = re.compile(r"\r+\n?")


class ConsoleDecoder:
    """Incremental: any way of cutting the bytes into chunks gives the same text."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._sequence_rest = ""
        self._return_rest = ""

    def feed(self, chunk: bytes) -> str:
        """Return the text that `chunk` completes; the start of an unfinished sequence is held back."""
        return self._clean(self._utf8.decode(chunk), final=False)

    def finish(self) -> str:
        """Return what was held back: no more bytes will come."""
        return self._clean(self._utf8.decode(b"", final=True), final=True)

    def _clean(self, text: str, *, final: bool) -> str:
        text = self._sequence_rest + text
        self._sequence_rest = ""
        if not final and (unfinished := _unfinished(text)):
            self._sequence_rest = text[unfinished.start() :]
            text = text[: unfinished.start()]
        text = self._return_rest + _INVISIBLE.sub("", _SEQUENCE.sub("", text))
        self._return_rest = ""
        if not final and text.endswith("\r"):
            self._return_rest = "\r"  # one stands for any number
            text = text.rstrip("\r")
        return _CARRIAGE_RETURN.sub("\n", text)


def _unfinished(text: str) -> re.Match[str] | None:
    """Return the start of a sequence at the very end that more text could still complete."""
    # Only the last two escape characters can begin it (the second one may be the first half of ESC \).
    last = text.rfind("\x1b")
    if last < 0:
        return None
    before = text.rfind("\x1b", 0, last)
    for start in (before, last):
        if (
            start >= 0
            and (match := _UNFINISHED_SEQUENCE.match(text, start))
            and not _is_tail_of_complete(text, start)
        ):
            return match
    return None


def _is_tail_of_complete(text: str, start: int) -> bool:
    complete = _SEQUENCE.match(text, start)
    return complete is not None and complete.end() == len(text) and complete.end() - start > 2


def last_line_of(text: str) -> str:
    """Return the last line that is not blank; empty where there is none."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


def decode_console(content: bytes) -> str:
    """Return the whole text of a saved log."""
    decoder = ConsoleDecoder()
    return decoder.feed(content) + decoder.finish()
