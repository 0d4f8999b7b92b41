"""`parity debug`: run one test, and where it gets stuck hold its machine for a person with a debugger."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdb.debugger.mi import find_gdb
from gdb.guest.cpu_state import REGISTER_SETS
from parity.attempt import Isolation
from parity.campaign import Case
from parity.flow.campaign.interrupt import Interrupt
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import build_targets, make_rig
from parity.flow.hang.inspect import GuestInspector
from parity.flow.hang.look import find_base
from parity.outcome import Outcome
from runners.delivery.runner import make_runner
from runners.machine.machine import Stopped
from runners.machine.scratch import machine_folder, open_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from parity.attempt import Attempt
    from parity.configuration import Configuration
    from parity.diagnosis import Hang
    from parity.flow.campaign.run import Observer
    from runners.machine.inspection import Stall
    from runners.machine.machine import Machine
    from runners.machine.rig import Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMachine:
    """A machine that stands still and waits for a debugger."""

    pid: int
    """QEMU's."""
    gdb_command: tuple[str, ...]
    """Attaches to it with the kernel's symbols, stopped where it was."""
    hang: Hang | None
    """What was found before it was held."""
    wait: Callable[[float], bool]
    """Waits so many seconds; whether the user wants an end."""
    is_running: Callable[[], bool]
    """Whether QEMU is still there."""

    @property
    def shell_line(self) -> str:
        """The command, to be pasted."""
        return shlex.join(self.gdb_command)


@dataclass(frozen=True, slots=True, kw_only=True)
class _HoldingInspector:
    """Looks into a guest, then stops it and hands it to a person until they are done."""

    inner: GuestInspector
    hold: Callable[[HeldMachine], None]
    interrupt: Interrupt
    folder: Path

    def progress_of(self, rig: Rig, machine: Machine, fields: Mapping[str, str]) -> Callable[[], int | None]:
        return self.inner.progress_of(rig, machine, fields)

    def inspect(self, stall: Stall) -> Hang | None:
        hang = self.inner.inspect(stall)
        if not stall.is_last and (
            hang is None or hang.diagnosis.outcome not in (Outcome.HANG, Outcome.CRASH)
        ):
            return hang  # it may still get on
        machine, monitor = stall.machine, stall.machine.monitor
        socket = self.folder / "gdb"
        monitor.execute("stop")
        monitor.execute(
            "human-monitor-command", **{"command-line": f"gdbserver unix:{socket},server=on,wait=off"}
        )
        self.hold(
            HeldMachine(
                pid=machine.pid,
                gdb_command=_gdb_command(stall, socket),
                hang=hang,
                wait=self.interrupt.stop.wait,
                is_running=lambda: machine.exit() is None,
            )
        )
        return hang


def debug_test(
    configuration: Configuration,
    *,
    test: str,
    target: str,
    timeout_s: float | None,
    build: bool,
    observer: Observer,
    hold: Callable[[HeldMachine], None],
) -> Attempt | None:
    """Run a test; `hold` is called with its machine, stopped, where it does not end. Nothing is recorded.

    Returns the attempt, or None where the user ended it. The machine ends when `hold` returns. Raises
    `HarnessError`s.
    """
    order = Order(
        cases=(Case(target=target, test=test),),
        isolation=Isolation.BOOT,
        timeout_s=timeout_s,
        build=build,
        always_inspect=True,
    )
    with Interrupt() as interrupt, open_scratch() as scratch, machine_folder(scratch) as folder:
        for error in build_targets(configuration, order, observer, interrupt).values():
            raise error
        inspector = _HoldingInspector(
            inner=GuestInspector(configuration.state_folder / "captures", always=True),
            hold=hold,
            interrupt=interrupt,
            folder=folder,
        )
        rig = make_rig(configuration, target, order, scratch, interrupt, inspector=inspector)
        runner = make_runner(rig)
        try:
            for report in runner.run([test]):
                return report.attempt
        except Stopped:
            return None
        finally:
            runner.close()
    return None


def _gdb_command(stall: Stall, socket: Path) -> tuple[str, ...]:
    """Return a command that a person can paste: symbols at the kernel's address, then the guest."""
    symbols = stall.rig.images(stall.fields).symbols
    words = [find_gdb(), "-q", "-ex", f"set architecture {REGISTER_SETS[stall.rig.target.arch].gdb_name}"]
    base = find_base(stall.rig.target.hang, stall.machine.texts({}).values())
    if symbols is not None and base:
        words += ["-ex", f"add-symbol-file {symbols.path} -o {base:#x}"]
    elif symbols is not None:
        words += ["-ex", f"file {symbols.path}"]
    return (*words, "-ex", f"target remote {socket}", "-ex", "info threads")
