"""The table `hang`: what it takes, and what is said of a fault in it."""

from collections.abc import Callable

import pytest

from parity.configuration import Configuration
from parity.errors import ConfigurationError

Load = Callable[[str], Configuration]
Fault = Callable[[str], ConfigurationError]


def test_everything_about_hangs_has_a_default(load: Load, minimal: str) -> None:
    rules = load(minimal).target("port").hang
    assert rules.capture == ("hang", "timeout", "boot")
    assert rules.symbols.buffers == "TRACE_BUFFERS"
    assert (rules.threads, rules.locks, rules.base, rules.fixed_base) == (None, None, None, None)


def test_a_target_overrides_the_default_hang_table_key_by_key(load: Load, minimal: str) -> None:
    content = (
        minimal + "\n[defaults.hang]\ncore = true\ntimestamp_hz = 1000\n[target.port.hang]\ncore = false\n"
    )
    rules = load(content).target("port").hang
    assert (rules.core, rules.timestamp_hz) == (False, 1000)


def test_a_load_base_is_an_address_or_a_pattern(load: Load, minimal: str) -> None:
    fixed = load(minimal + '\n[target.port.hang]\nbase = "0x10000000000"\n').target("port").hang
    assert fixed.fixed_base == 1 << 40
    printed = load(minimal + "\n[target.port.hang]\nbase = 'at (?P<base>0x[0-9a-f]+)'\n").target("port").hang
    assert printed.fixed_base is None
    assert printed.base is not None
    found = printed.base.anywhere().search("kernel at 0x4000\n")
    assert found is not None
    assert found["base"] == "0x4000"


def test_threads_and_locks_are_described_by_variables_and_member_paths(load: Load, minimal: str) -> None:
    rules = load(
        minimal
        + """
[target.port.hang]
events = { "0x0700" = "DISK_READ" }
system_calls = { "500" = "spawn" }
threads = { list = "kernel::task::TABLE.all", id = "tid", state = "state", name = ["process.name"], ready = [2, "Ready"] }
locks = { type = "Spinlock<*>", held = "locked" }
"""
    ).target("port")
    assert rules.hang.threads is not None
    assert rules.hang.threads.ready == (2, "Ready")
    assert rules.hang.locks is not None
    assert rules.hang.locks.free == -1


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ('capture = ["hangs"]', "capture.0", ("hang", "")),
        ('base = "somewhere"', "base", ("neither an address nor a pattern", "?P<base>")),
        ('events = { "700" = "X" }', "events.700", ("is no event type", "0x0700")),
        ('events = { "0x10000" = "X" }', "events.0x10000", ("is no event type", "0x0700")),
        ('events = { "0x7" = "A", "0x07" = "B" }', "events.0x7", ("named twice", "")),
        ('system_calls = { "x" = "spawn" }', "system_calls.x", ("no system call's number", '"500"')),
        ('threads = { list = "all", id = "tid" }', "threads.state", ("is missing", "")),
        (
            'threads = { list = "all", id = "a..b", state = "s" }',
            "threads.id",
            ("no member path", "process.name"),
        ),
        (
            'threads = { list = "a b", id = "a", state = "s" }',
            "threads.list",
            ("is no variable", "all_threads"),
        ),
        ('locks = { type = "spinlock" }', "locks.held", ("is missing", "holder")),
        ('locks = { typo = "spinlock" }', "locks.typo", ("unknown key", "type")),
        ("timestamp_hz = 0", "timestamp_hz", ("greater than 0", "")),
        ("panic_symbol = []", "panic_symbol", ("unknown key", "panic_symbols")),
        ('symbols = { buffers = "" }', "symbols.buffers", ("is no variable", "")),
    ],
)
def test_a_fault_is_told_with_its_key(
    fault: Fault, minimal: str, line: str, key: str, said: tuple[str, str]
) -> None:
    error = fault(f"{minimal}\n[target.port.hang]\n{line}\n")
    assert error.key == f"target.port.hang.{key}"
    assert said[0] in error.problem
    assert said[1] in (error.hint or "")
