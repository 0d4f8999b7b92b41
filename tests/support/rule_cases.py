"""What the hang rules' tests are made of: stacks, events, CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gdb.trace.event_types import Event
from tests.support.captures import (
    MMU_ON,
    Cpu,
    address,
    capture,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdb.captures.capture import Capture

CALL: Final = ("sys_mkdir", "syscall_dispatch")
LVT_MASKED: Final = {0: "LVTT\t 0x000100ec active-hi edge  masked      Fixed  (vec 236)"}
LVT_ON: Final = {0: "LVTT\t 0x000200ec active-hi edge              Fixed  (vec 236)"}
KERNEL_FAULT: Final = {**MMU_ON, "ESR_EL1": 0x9600_0004, "FAR_EL1": 0x18, "ELR_EL1": address("follow")}
WAITPID: Final = [(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 61), (0, Event.FORK_EXIT, 9)]
CHILD_ENDS: Final = (0, Event.PROCESS_EXIT, 9 << 16)
SLEEPS: Final = (0, Event.WAITPID_BLOCK, 5 << 16 | 9)
READS: Final = [(0, Event.CTX_SWITCH_EXIT, 5), (0, Event.SYSCALL_ENTRY, 0)]
LOCKS: Final = ("tree", "process")


def spins(*below: str, on: str = "tree", masked: bool = True, ticks: int = 0) -> Cpu:
    return runs("spin_lock", *below, pointers={"lock": on}, masked=masked, ticks=ticks)


def x86(
    *cpus: Cpu, before: Sequence[tuple[int, Event, int]] = (), events: Sequence[tuple[int, Event, int]] = ()
) -> Capture:
    return capture(*cpus, arch="x86_64", before=before, events=events)


def calls(number: int, result: int) -> list[tuple[int, Event, int]]:
    pair = [(0, Event.SYSCALL_ENTRY, number), (0, Event.SYSCALL_EXIT, result)]
    return [(0, Event.CTX_SWITCH_EXIT, 5), *(event for _ in range(100) for event in pair)]


def faults(*pages: int) -> Capture:
    events = [(0, Event.PAGE_FAULT, pages[n % len(pages)]) for n in range(200)]
    return capture(runs("copy", "page_fault", faults=20_000), events=events)


def switches(*kinds: Event) -> list[tuple[int, Event, int]]:
    return [(0, kind, 5) for _ in range(1500 // len(kinds)) for kind in kinds]


PARKED: Final = {"masked": True, "ticks": 0, "waits": True, "halted": True}
