"""The console on a real pseudo-terminal, fed by the test instead of QEMU."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING

import pytest

from runners.console.console import Console, ConsoleClosedError, open_terminal
from runners.machine.keyboard import Echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEBIBYTE = 1024 * 1024
END = re.compile(r"^\[end (?P<status>\d+)\]$", re.MULTILINE)


class Guest:
    """Writes to its side of the terminal from a thread, as QEMU would."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._threads: list[threading.Thread] = []

    def write(self, content: bytes) -> None:
        self._threads.append(threading.Thread(target=self._write, args=(content,)))
        self._threads[-1].start()

    def close(self) -> None:
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._descriptor, content[:65536]) :]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[Console, Guest]]:
    ours, theirs = open_terminal()
    console, guest = Console(ours, tmp_path / "raw.log"), Guest(theirs)
    yield console, guest
    guest.close()
    console.close()


@pytest.fixture
def expect(terminal: tuple[Console, Guest]) -> Callable[[re.Pattern[str]], int | None]:
    def wait(pattern: re.Pattern[str]) -> int | None:
        return terminal[0].expect([pattern], timeout_s=60)

    return wait


def test_ten_megabytes_are_read_whole_and_the_end_is_found_behind_them(
    terminal: tuple[Console, Guest], expect: Callable[[re.Pattern[str]], int | None], tmp_path: Path
) -> None:
    console, guest = terminal
    line = b"0123456789" * 9 + b"\n"
    flood = line * (10 * MEBIBYTE // len(line)) + b"[end 0]\n"
    guest.write(flood)
    assert expect(END) == 0
    assert console.match_group("status") == "0"
    assert console.text_since(0) == flood.decode()
    assert (tmp_path / "raw.log").read_bytes() == flood


def test_bytes_reach_the_log_as_they_came(
    terminal: tuple[Console, Guest], expect: Callable[[re.Pattern[str]], int | None], tmp_path: Path
) -> None:
    noise = bytes(range(256)) + b"\r\n\x1b[31m\n[end 7]\n"
    terminal[1].write(noise)
    assert expect(END) == 0
    assert (tmp_path / "raw.log").read_bytes() == noise


def test_a_pattern_is_found_however_slowly_it_drips_in(
    terminal: tuple[Console, Guest], expect: Callable[[re.Pattern[str]], int | None]
) -> None:
    console, guest = terminal
    assert console.expect([END], timeout_s=0.01) is None
    for byte in b"[end 12]\n":
        guest.write(bytes([byte]))
        console.expect([re.compile("never")], timeout_s=0.01)
    assert expect(END) == 0
    assert console.match_group("status") == "12"


def test_the_position_is_behind_the_match_though_more_has_arrived(
    terminal: tuple[Console, Guest], expect: Callable[[re.Pattern[str]], int | None]
) -> None:
    console, guest = terminal
    guest.write(b"before\n[end 0]\nafter\n")
    assert expect(END) == 0
    assert console.text_since(console.position) == "\nafter\n"


def test_nothing_within_the_time_is_none(terminal: tuple[Console, Guest]) -> None:
    started = time.monotonic()
    assert terminal[0].expect([END], timeout_s=0.05) is None
    assert time.monotonic() - started < 30


def test_a_guest_that_is_gone_closes_the_console_after_its_last_words(
    terminal: tuple[Console, Guest], expect: Callable[[re.Pattern[str]], int | None]
) -> None:
    console, guest = terminal
    guest.write(b"last words")
    guest.close()
    with pytest.raises(ConsoleClosedError):
        expect(END)
    assert console.last_line == "last words"


def test_a_guest_that_is_gone_before_it_echoes_closes_the_console(
    terminal: tuple[Console, Guest],
) -> None:
    console, guest = terminal
    guest.write(b"run fo")
    guest.close()
    with pytest.raises(ConsoleClosedError):
        console.expect([Echo("run fork_test")], timeout_s=1)


def test_typing_to_a_guest_that_is_gone_closes_the_console(terminal: tuple[Console, Guest]) -> None:
    console, guest = terminal
    guest.close()
    console.send("x")  # may still fit into the terminal's buffer
    with pytest.raises(ConsoleClosedError):
        console.expect([END], timeout_s=1)
