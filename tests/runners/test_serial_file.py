"""What is read of a serial port's file while it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runners.console.serial_file import read_last_line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", ""),
        (b"\r\n \r\n", ""),
        (b"[boot] disk\r\n\r\n", "[boot] disk"),
        (b"[boot] disk\r\n\x1b[31m> \x1b[0m", "> "),
        (b"x" * 10_000 + b"\n" + b"no prompt\n", "no prompt"),
        (b"\xff\x00\xfe\n", "\\xff\\xfe"),
    ],
)
def test_the_last_line_is_the_last_that_is_not_blank(tmp_path: Path, raw: bytes, line: str) -> None:
    (tmp_path / "console").write_bytes(raw)
    assert read_last_line(tmp_path / "console") == line


def test_a_log_that_is_gone_has_no_last_line(tmp_path: Path) -> None:
    assert read_last_line(tmp_path / "console") == ""
