import errno
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.error_numbers import ERROR_NAMES, error_name, find_error_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("connect: errno 101", (101,)),
        ("connect failed (errno=101)", (101,)),
        ("errno: -38", (38,)),
        ("error: -38", (38,)),
        ("err(11)", (11,)),
        ("ERRNO = 5", (5,)),
        ("socket failed: -95", (95,)),
        ("read() returned -9", (9,)),
        ("FAILED: -22", (22,)),
        ("bind: ENETUNREACH", (101,)),
        ("errno=-101", (101,)),
        ("open: ENOENT, then close: EBADF", (2, 9)),
        ("errno=11 errno=11", (11, 11)),
        ("EWOULDBLOCK", (11,)),
        ("ENOTSUP", (95,)),
    ],
)
def test_a_mention_is_understood(text: str, numbers: tuple[int, ...]) -> None:
    assert find_error_numbers(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PASS",
        "42 of 80 failed: 38",  # a count, no negative result
        "errno 0",
        "errno 999",  # no such number
        "errno 1234",
        "terror 5",  # inside another word
        "EXAMPLE",
        "ELEVEN errors",
        "ENOENTRY",
        "MYENOENT",
        "returned 5",
    ],
)
def test_what_only_looks_like_one_is_left_out(text: str) -> None:
    assert find_error_numbers(text) == ()


@given(st.sampled_from(sorted(ERROR_NAMES)))
def test_every_name_is_found_again_as_its_number(number: int) -> None:
    assert find_error_numbers(f"write: {error_name(number)}") == (number,)
    assert find_error_numbers(f"write: errno={number}") == (number,)


@given(st.text())
def test_only_numbers_with_a_name_come_out_of_any_text(text: str) -> None:
    assert set(find_error_numbers(text)) <= ERROR_NAMES.keys()


def test_a_number_without_a_name_is_still_told() -> None:
    assert error_name(4095) == "errno 4095"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems number errors differently")
def test_the_names_are_linux_own() -> None:
    same_number = {"EDEADLOCK": "EDEADLK", "EWOULDBLOCK": "EAGAIN", "ENOTSUP": "EOPNOTSUPP"}
    for number, name in ERROR_NAMES.items():
        host = errno.errorcode[number]
        assert same_number.get(host, host) == name
