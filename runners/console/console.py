"""The guest's interactive serial port: a raw pseudo-terminal under pexpect.

Bytes go to the log as they arrive; what patterns see is the decoded text without escape sequences. Knows nothing
of tests, prompts or panics.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import time
import tty
from typing import TYPE_CHECKING, Final, Protocol, cast

import pexpect
from pexpect.fdpexpect import fdspawn

from runners.console.console_text import ConsoleDecoder, last_line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CHUNK: Final = 4096
_WINDOW: Final = 8192
"""Characters in which a pattern is looked for; pexpect needs it to be larger than one chunk."""
_GATHER_S: Final = 0.001
"""Guests print byte by byte: to be woken for each of them would cost more time than to wait for some."""

_LINES_TAIL: Final = 65_536
_OUTPUT_FLAGS: Final = 1
"""The index of c_oflag in what tcgetattr returns."""


if TYPE_CHECKING:
    _TextSpawn = fdspawn[str]
else:
    _TextSpawn = fdspawn  # generic for type checkers alone


class _LoggedSpawn(_TextSpawn):
    """pexpect on a file descriptor, with bytes logged whole and text cleaned before it is matched.

    Latin-1 carries every byte through pexpect's own decoding unharmed and at once.
    """

    def __init__(self, descriptor: int, log: Path) -> None:
        super().__init__(
            descriptor, timeout=0, maxread=_CHUNK, searchwindowsize=_WINDOW, encoding="latin-1", use_poll=True
        )
        self.delaybeforesend = None  # the default costs 50 ms a line
        self.delayafterread = None
        self._log_file = log.open("wb", buffering=0)
        self._cleaner = ConsoleDecoder()
        self.clean_text: list[str] = []
        self.clean_length = 0
        self.raw_length = 0
        self.last_output_at = time.monotonic()
        self._is_flooded = False

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> str:
        if not self._is_flooded:
            time.sleep(_GATHER_S)
        raw = super().read_nonblocking(size, timeout).encode("latin-1")
        self._is_flooded = len(raw) > _CHUNK // 4
        self._log_file.write(raw)
        self.raw_length += len(raw)
        self.last_output_at = time.monotonic()
        return self._keep(self._cleaner.feed(raw))

    def finish(self) -> None:
        """No more bytes will come: keep what the decoder held back."""
        self._keep(self._cleaner.finish())

    def forget(self) -> None:
        """Start over, as if nothing had arrived yet."""
        self._cleaner = ConsoleDecoder()
        self.clean_text.clear()
        self.clean_length = self.raw_length = 0
        self.buffer = ""
        self.before = self.after = self.match = None
        self._log_file.seek(0)
        self._log_file.truncate()

    def close_log(self) -> None:
        self._log_file.close()

    def _keep(self, text: str) -> str:
        self.clean_text.append(text)
        self.clean_length += len(text)
        return text


class Searchable(Protocol):
    """What the console's text is searched for: a compiled regular expression, or what is used like one."""

    @property
    def pattern(self) -> str:
        """How it is shown; pexpect does so when the console ends."""
        ...

    def search(self, text: str, start: int = ..., /) -> re.Match[str] | None:
        """Return the first match from `start` on."""
        ...


class ConsoleClosedError(Exception):
    """QEMU closed its end: it is gone."""


class Console:
    """Positions are counted in characters of clean text since the boot began."""

    def __init__(self, descriptor: int, log: Path) -> None:
        self._descriptor = descriptor
        self._spawn = _LoggedSpawn(descriptor, log)
        self._position = 0

    @property
    def last_output_at(self) -> float:
        """When the last byte arrived, on the monotonic clock."""
        return self._spawn.last_output_at

    @property
    def raw_length(self) -> int:
        """How many bytes have arrived."""
        return self._spawn.raw_length

    @property
    def position(self) -> int:
        """The position behind the last match: where unmatched text begins."""
        return self._position

    def text_since(self, position: int) -> str:
        """Return everything from `position` to the newest character, matched or not."""
        self._spawn.clean_text[:] = ["".join(self._spawn.clean_text)]
        return self._spawn.clean_text[0][position:]

    @property
    def last_line(self) -> str:
        """The last line that is not blank."""
        return last_line_of(self.text_since(0)[-_LINES_TAIL:])

    def expect(self, patterns: Sequence[Searchable], timeout_s: float) -> int | None:
        """Wait for any pattern; return its index, or None after `timeout_s`. Text up to the match is consumed.

        Raises `ConsoleClosedError` once the guest's side is closed and everything before that was searched.
        """
        try:
            # pexpect knows nothing of a pattern but these two.
            searched = cast("Sequence[re.Pattern[str]]", patterns)
            index: int = self._spawn.expect_list([*searched, pexpect.TIMEOUT], timeout=timeout_s)
        except pexpect.EOF:
            self._spawn.finish()
            raise ConsoleClosedError from None
        if index == len(patterns):
            return None
        self._position = self._spawn.clean_length - len(self._spawn.buffer)
        return index

    @property
    def matched_text(self) -> str:
        """What the last match matched; empty without one."""
        match = self._spawn.match
        return match[0] if isinstance(match, re.Match) else ""

    def match_group(self, name: str) -> str | None:
        """Return a named group of the last match, where it has one."""
        match = self._spawn.match
        return match.groupdict().get(name) if isinstance(match, re.Match) else None

    def send(self, text: str) -> None:
        """Type `text`; raises `ConsoleClosedError` when QEMU is gone."""
        data = text.encode()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            raise ConsoleClosedError from None

    def forget(self) -> None:
        """Throw away everything that was printed or typed so far: the guest has gone back in time."""
        ready = select.poll()
        ready.register(self._descriptor, select.POLLIN)
        with contextlib.suppress(OSError):
            termios.tcflush(self._descriptor, termios.TCIOFLUSH)
            while any(events & select.POLLIN for _fd, events in ready.poll(0)):
                if not os.read(self._descriptor, _CHUNK):
                    break
        self._spawn.forget()
        self._position = 0

    def close(self) -> None:
        """Close the log and our end of the terminal."""
        self._spawn.close_log()
        os.close(self._descriptor)


def open_terminal() -> tuple[int, int]:
    """Return a pseudo-terminal (ours, QEMU's) that passes every byte as it is, both ways.

    QEMU turns its own side raw but leaves output processing on, which would turn newlines into CR LF
    (chardev/char-stdio.c, QEMU 7.2).
    """
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    attributes = termios.tcgetattr(theirs)
    attributes[_OUTPUT_FLAGS] = 0
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    return ours, theirs
