"""A serial port that QEMU writes to a file, read as it grows."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from runners.console.console_text import ConsoleDecoder

if TYPE_CHECKING:
    from pathlib import Path


class SerialFile:
    """Text and raw bytes since the boot began, or since they were forgotten."""

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
