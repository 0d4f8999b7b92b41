from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.guest.cpu_state import Mode
from gdb.guest.guest import PAGE, Guest, GuestMemory, sum_pauses
from gdb.guest.register_dump import PcSample
from gdb.kernel_file.elf_image import read_elf
from parity.errors import MachineError
from tests.gdb.booted import boot_duet
from tests.support.duet import kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["kernel"]

ARCHITECTURES: Final = ("aarch64", "x86_64")
KERNEL: Final = 0xFFFF << 48


def event(name: str, at: float) -> dict[str, Any]:
    microseconds = round(at * 1e6)
    stamp = {"seconds": microseconds // 1_000_000, "microseconds": microseconds % 1_000_000}
    return {"event": name, "timestamp": stamp}


class PlainMonitor:
    """QEMU with RAM from 0 on, where page n is full of the byte n; the kernel's pages lie at `KERNEL`, reversed."""

    def __init__(self, pages: int = 16) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.fault: Exception | None = None

    def execute(self, command: str, **arguments: Any) -> Any:
        self.asked.append(str(arguments.get("command-line", command)).split()[0])
        if self.fault is not None:
            raise MachineError("QEMU did not answer") from self.fault
        if command == "pmemsave":
            start, size = arguments["val"], arguments["size"]
            if start + size > self.pages * PAGE:
                raise MachineError("QEMU refused pmemsave")
            Path(arguments["filename"]).write_bytes(bytes(at // PAGE for at in range(start, start + size)))
            return {}
        if command == "human-monitor-command":
            words = arguments["command-line"].split()
            if words[0] != "gva2gpa":
                return ""
            page = (int(words[1], 16) - KERNEL) // PAGE
            return (
                f"gpa: {(self.pages - 1 - page) * PAGE:#x}\r\n" if 0 <= page < self.pages else "Unmapped\r\n"
            )
        return {"status": "running"}

    def events(self) -> Sequence[Mapping[str, Any]]:
        return ()


def looking(monitor: PlainMonitor, folder: Path) -> GuestMemory:
    """Return memory that is translated by a CPU in the kernel."""
    memory = GuestMemory(Guest(monitor, folder, pid=1), None)
    inside = PcSample(
        cpu=0,
        pc=KERNEL,
        mode=Mode.KERNEL,
        interrupts_masked=False,
        halted=None,
        stack_pointer=None,
        registers={},
    )
    memory.look_through((inside,))
    return memory


@pytest.fixture
def monitor() -> PlainMonitor:
    return PlainMonitor()


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], 0.0),
        ([event("STOP", 1), event("RESUME", 1.25)], 0.25),
        (
            [event("STOP", 1), event("RESUME", 2), event("RESET", 2), event("STOP", 3), event("RESUME", 5)],
            3.0,
        ),
        ([event("STOP", 1), event("STOP", 2), event("RESUME", 3)], 2.0),
        ([event("RESUME", 1)], 0.0),
        ([event("STOP", 9)], 1.0),
        ([event("STOP", 3), event("RESUME", 2)], 0.0),
        ([{"event": "STOP"}, event("RESUME", 2)], 0.0),
        ([{"event": "STOP", "timestamp": {"seconds": -1, "microseconds": -1}}, event("RESUME", 2)], 0.0),
    ],
)
def test_pauses_are_summed_from_stop_to_resume(events: list[dict[str, Any]], expected: float) -> None:
    assert sum_pauses(events, now=10.0) == pytest.approx(expected)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["event", "timestamp"]),
            st.sampled_from(["STOP", "RESUME"])
            | st.dictionaries(st.sampled_from(["seconds", "microseconds"]), st.integers() | st.text()),
        )
    )
)
def test_whatever_the_events_are_a_pause_is_a_number(events: list[dict[str, Any]]) -> None:
    assert sum_pauses(events, now=10.0) >= 0


def test_memory_is_read_page_by_page_through_the_kernels_map(tmp_path: Path, monitor: PlainMonitor) -> None:
    memory = looking(monitor, tmp_path)
    assert memory.read(KERNEL + PAGE - 2, 4) == bytes((15, 15, 14, 14))
    assert memory.read(KERNEL + 15 * PAGE, PAGE) == bytes(PAGE)
    assert memory.read(KERNEL + 15 * PAGE + 1, PAGE) is None
    assert memory.read(KERNEL, 0) is None
    assert memory.read(-1, 4) is None
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_translated_once(tmp_path: Path, monitor: PlainMonitor) -> None:
    memory = looking(monitor, tmp_path)
    for _ in range(5):
        memory.read(KERNEL, 8)
    assert monitor.asked.count("gva2gpa") == 1


def test_what_was_read_ahead_is_not_asked_for_again(tmp_path: Path, monitor: PlainMonitor) -> None:
    memory = looking(monitor, tmp_path)
    memory.read_ahead([(KERNEL, PAGE), (1, 8)])
    asked = len(monitor.asked)
    assert memory.read(KERNEL + 8, 8) == bytes((15,) * 8)
    assert len(monitor.asked) == asked
    assert [block.address for block in memory.ahead] == [KERNEL]


def test_nothing_is_translated_where_no_cpu_is_known_to_be_in_the_kernel(
    tmp_path: Path, monitor: PlainMonitor
) -> None:
    memory = GuestMemory(Guest(monitor, tmp_path, pid=1), None)
    assert memory.read(KERNEL, 8) is None
    assert "gva2gpa" not in monitor.asked


def test_a_monitor_that_does_not_answer_is_waited_for_once(tmp_path: Path, monitor: PlainMonitor) -> None:
    guest = Guest(monitor, tmp_path, pid=1)
    monitor.fault = TimeoutError()
    with pytest.raises(MachineError, match="did not answer"):
        guest.status()
    for _ in range(3):
        with pytest.raises(MachineError, match="no longer answers"):
            guest.registers()
    assert guest.read_physical(0, 8) is None
    assert len(monitor.asked) == 1


def test_a_refusal_is_no_silence(tmp_path: Path, monitor: PlainMonitor) -> None:
    guest = Guest(monitor, tmp_path, pid=1)
    monitor.fault = ValueError("no such command")
    with pytest.raises(MachineError):
        guest.status()
    monitor.fault = None
    assert guest.status() == "running"


def test_a_process_that_is_gone_has_no_threads_and_cannot_give_way(
    tmp_path: Path, monitor: PlainMonitor
) -> None:
    guest = Guest(monitor, tmp_path, pid=1 << 22)
    assert guest.host_threads() == ()
    guest.give_way()


@pytest.mark.qemu
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_running_guests_memory_is_that_of_its_kernel(kernel: Path, tmp_path: Path, arch: str) -> None:
    elf = read_elf(kernel / "build" / arch / "duet.elf")
    code = next(segment for segment in elf.segments if segment.is_executable)
    with boot_duet(arch, tmp_path) as machine:
        machine.expect("duet> ")
        guest = Guest(machine.monitor, tmp_path, pid=machine.process.pid)
        samples = guest.registers()
        assert [sample.cpu for sample in samples] == [0, 1, 2, 3]
        assert {sample.mode for sample in samples} <= {Mode.KERNEL, Mode.USER}
        assert [thread.cpu for thread in guest.host_threads()] == [0, 1, 2, 3]
        linked, translated = GuestMemory(guest, elf), GuestMemory(guest, None)
        for memory in (linked, translated):
            memory.look_through(samples)
            assert memory.read(code.address, 256) == elf.read(code.address, 256)
        enabled = elf.symbols.find("TRACE_ENABLED")
        assert enabled is not None
        assert linked.read(enabled.address, 8) == translated.read(enabled.address, 8) == bytes((1, *bytes(7)))
        assert linked.physical(code.address) == translated.physical(code.address) == code.physical_address
        assert machine.monitor.execute("query-status")["running"] is True
