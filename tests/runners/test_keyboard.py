"""What counts as the faithful echo of a typed line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.machine.keyboard import Echo

LINE = "run 0123456789abcdef /bin/fork_test"


@pytest.mark.parametrize(
    "printed",
    [
        LINE,
        f"duet> {LINE}",
        f"\n{LINE}\n",
        "run 0123456789abcdef /bin/\nfork_test",  # wrapped with a newline
        "run 0123456789ab \ncdef /bin/fork_test",  # with a space and one, as readline does
        "r\nu\nn 0123456789abcdef /bin/fork_test",
    ],
)
def test_a_line_is_echoed_plainly_or_wrapped(printed: str) -> None:
    found = Echo(LINE).search(printed)
    assert found is not None
    assert re.sub(r" ?\n", "", found[0]) == LINE


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "\n",
        LINE[:-1],
        LINE.replace("f", "ff"),
        LINE.replace("/bin", " /bin"),
        "run 0123456789abcdef /bin/\n\nfork_test",
        "run 0123456789abcdef /bin/[  1.5] usb\nfork_test",
    ],
)
def test_what_is_garbled_or_cut_off_is_no_echo(printed: str) -> None:
    assert Echo(LINE).search(printed) is None


def test_an_echo_is_looked_for_from_the_start_that_is_given() -> None:
    printed = f"{LINE}\n{LINE}"
    found = Echo(LINE).search(printed, 1)
    assert found is not None
    assert found.start() == len(LINE) + 1


@given(st.text("ab \n.*[", max_size=12).filter(lambda line: line.strip() and "\n" not in line), st.data())
def test_wherever_a_line_is_wrapped_its_echo_is_found(line: str, data: st.DataObject) -> None:
    printed = "".join(character + data.draw(st.sampled_from(["", "\n", " \n"])) for character in line[:-1])
    assert Echo(line).search(f"prompt> {printed}{line[-1]}") is not None
