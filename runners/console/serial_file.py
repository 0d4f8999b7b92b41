"""A serial port's file, read as it grows."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from runners.console.console_text import ConsoleDecoder, decode_console, last_line_of

if TYPE_CHECKING:
    from pathlib import Path

_TAIL: Final = 4096


class SerialFile:
    """A port that QEMU writes to a file itself: text and bytes since the boot began, or since they were forgotten."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._path = path
        self._stream = path.open("rb")
        self._decoder = ConsoleDecoder()
        self._pieces: list[str] = []
        self._origin = 0
        self.length = 0
        self.last_output_at = 0.0

    def poll(self) -> str:
        """Return the text that is new."""
        raw = self._stream.read()
        if not raw:
            return ""
        self.length += len(raw)
        self.last_output_at = time.monotonic()
        self._pieces.append(self._decoder.feed(raw))
        return self._pieces[-1]

    def text(self) -> str:
        """Return all text."""
        self.poll()
        self._pieces[:] = ["".join(self._pieces)]
        return self._pieces[0]

    def raw(self) -> bytes:
        """Return all bytes."""
        return self._path.read_bytes()[self._origin :]

    def forget(self) -> None:
        """Start over behind what was written so far."""
        self._origin = self._stream.seek(0, os.SEEK_END)
        self._decoder = ConsoleDecoder()
        self._pieces, self.length = [], 0

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


def read_last_line(path: Path) -> str:
    """Return the last line that is not blank of a port's raw log; empty where there is none, or no such file any more.

    Safe in any thread, while the log grows.
    """
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
            return last_line_of(decode_console(log.read(_TAIL)))
    except OSError:
        return ""
