"""What events are called and what their payloads say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.trace.event_types import Event, Names, event_types

ROOT = Path(__file__).parents[2]
NAMES = Names(architecture="x86_64", system_calls={900: "trace_mark"}, locks={3: "tree"}, threads={7: "sh"})


@pytest.mark.parametrize(
    ("number", "payload", "words"),
    [
        (0x0001, 7 << 16 | 9, "thread 7 (sh) → thread 9"),
        (0x0005, 2, ""),
        (0x0012, 2 << 16 | 7, "2 waiting, thread 7 (sh)"),
        (0x0100, 33, "interrupt 33"),
        (0x0102, 12345, "tick 12345"),
        (0x0010, 9, "thread 9"),
        (0x0204, 3, "CPU 3"),
        (0x0300, 0, "read"),
        (0x0300, 900, "trace_mark"),
        (0x0300, 5555, "system call 5555"),
        (0x0301, 0xFFFFFFF5, "-EAGAIN"),
        (0x0301, 42, "42"),
        (0x0400, 0x7FFFF, "page 0x7ffff"),
        (0x0401, 0xFFFFFFFF, "all pages"),
        (0x0500, 3, "lock tree"),
        (0x0502, 4, "lock 4"),
        (0x0607, 5 << 16 | 7, "process 5, fault 0x7"),
        (0x0608, 5 << 16 | 0x100, "process 5, status 0x100"),
        (0x060B, 7 << 16, "thread 7 (sh), any child"),
        (0x060C, 7 << 16 | 12, "thread 7 (sh), child 12"),
        (0x0601, 0, "failed"),
        (0xFF00, 0x10007, "0x10007"),
    ],
)
def test_a_payload_is_told_in_words(number: int, payload: int, words: str) -> None:
    assert event_types().describe_payload(number, payload, NAMES) == words


def test_both_numbers_of_an_event_have_one_name() -> None:
    types = event_types()
    assert types.name(0x0010) == types.name(0x0200) == "SCHED_PICK"
    assert types.name(0x0011) == types.name(0x0201) == "SCHED_RESCHED"
    assert types.aliases == {0x0010: 0x0200, 0x0011: 0x0201}


def test_a_kernels_own_types_are_added_and_may_stand_for_shared_ones() -> None:
    types = event_types({0x0742: "net\x1bRX", 0x0801: "SCHED_PICK", 0x0300: "ENTER"})
    assert types.name(0x0742) == r"net\x1bRX"
    assert types.aliases[0x0801] == Event.SCHED_PICK
    assert types.name(0x0300) == "ENTER"
    assert {0x0742, 0x0801, 0x0001} <= types.known


def test_a_type_that_nobody_named_is_told_by_number_and_provider() -> None:
    assert event_types().name(0x0742) == "event 0x0742"
    assert event_types().provider(0x0742) == "provider 0x07"
    assert event_types().provider(0x0301) == "syscall"


@given(number=st.integers(0, 0xFFFF), payload=st.integers(0, 0xFFFFFFFF))
def test_every_payload_can_be_told(number: int, payload: int) -> None:
    words = event_types().describe_payload(number, payload, Names())
    assert words.isprintable()


def test_duets_header_and_the_table_agree() -> None:
    header = (ROOT / "kernel" / "include" / "trace.h").read_text(encoding="utf-8")
    listed = {
        name: int(number, 16) for name, number in re.findall(r"TRACE_(\w+) = (0x[0-9a-f]{4})[,\s]", header)
    }
    assert len(listed) > 30
    assert {name: int(Event[name]) for name in listed} == listed
