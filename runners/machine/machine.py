"""One running QEMU: its process, console, further serial ports and monitor, and waiting for any of them."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.attempt import Log, LogKind
from parity.errors import MachineError
from runners.console.console import Console, ConsoleClosedError, open_terminal
from runners.console.serial_file import SerialFile
from runners.machine.progress import ProgressMeter, read_wanted_cpu_s, wants_to_run
from runners.processes.process import shortage
from runners.qemu.command_line import Wiring
from runners.qemu.qemu_process import EXIT_S, QemuProcess
from runners.snapshots.saved_state import SavedState
from runners.verdict.observation import Ending, QemuExit

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event
    from types import TracebackType

    from parity.deadline import Deadline
    from runners.console.console import Searchable
    from runners.qemu.qmp import Monitor
    from runners.snapshots.hand_over import HandOver

_SLICE_S: Final = 0.05
"""How often a wait looks at everything but the console."""
_ENDED_BY_US: Final = "host-signal"
"""As QMP says it: the status is then the signal's doing, not the guest's."""
_PANIC_OVERLAP: Final = 512
"""Characters of older text in which a panic line that arrives in pieces may begin."""
_REST_SHARE: Final = 0.5
"""Host CPUs that a guest at rest stays below."""


class Stopped(Exception):  # noqa: N818 - not an error: the user asked for it
    """The campaign is to end now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ends a wait besides its patterns."""

    deadline: Deadline
    quiet_s: float
    """Silence with an idle guest ends the wait after this long."""
    panics: tuple[re.Pattern[str], ...]
    output_bytes: int
    stall_s: float = float("inf")
    """Silence without progress ends it after this long, however busy the guest is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What shows that a guest has come to rest."""

    idle_s: float
    """So much silence with an idle guest."""
    busy_s: float
    """So much with a busy one, which may still be booting, or polls its console for good."""


class Machine:
    """Started paused by entering the context, then `run`; ended and reaped by leaving it.

    `command` makes QEMU's arguments once the wiring is known; relative paths in them start from `working_folder`.
    `hand_over` moves a saved guest to a QEMU that restores it faster, whose arguments `command` can make as well; None
    where that is not wanted. Everything that the machine itself writes is in `folder`.
    """

    def __init__(
        self,
        command: Callable[[Wiring], Sequence[str]],
        *,
        folder: Path,
        working_folder: Path,
        console_port: str,
        other_ports: Sequence[str],
        stop: Event,
        hand_over: HandOver | None = None,
    ) -> None:
        self._command = command
        self._working_folder = working_folder
        self._hand_over = hand_over
        self._stop = stop
        self._console_port = console_port
        self.folder = folder
        """Private to this machine, and gone with it."""
        self.panic = ""
        """The kernel's last words, once a wait ended with them."""
        self._raw_logs = {port: folder / f"{port}.log" for port in (console_port, *other_ports)}
        self._console_closed = False
        self._resources = contextlib.ExitStack()
        try:
            self._open(other_ports)
        except OSError as error:
            self._resources.close()
            raise shortage("make what a machine needs", error) from error
        except BaseException:
            self._resources.close()
            raise

    def _open(self, other_ports: Sequence[str]) -> None:
        ours, theirs = open_terminal()
        self.console = Console(ours, self._raw_logs[self._console_port])
        self._resources.callback(self.console.close)
        self._ports = {port: SerialFile(self._raw_logs[port]) for port in other_ports}
        for port in self._ports.values():
            self._resources.callback(port.close)
        try:
            self._terminal = os.ttyname(theirs)
            self._qemu = self._start_qemu()
        finally:
            os.close(theirs)
        self._saved = SavedState(self._qemu.monitor, self._qemu.pid)
        self._resources.callback(self._end_qemu)
        self._progress = ProgressMeter(lambda: (self._qemu.pid,))

    def _start_qemu(self, *, takes_over: bool = False) -> QemuProcess:
        files = {port: self._raw_logs[port] for port in self._ports}
        return QemuProcess(
            lambda monitor_fd: self._command(
                Wiring(port_files=files, monitor_fd=monitor_fd, takes_over=takes_over)
            ),
            terminal=self._terminal,
            stderr=self.folder / "qemu.stderr",
            folder=self._working_folder,
        )

    @property
    def console_log(self) -> Path:
        """The file that the console's bytes go to, as long as there is this machine."""
        return self._raw_logs[self._console_port]

    def count_progress(self, count: Callable[[], int | None]) -> None:
        """Take a change of `count` (of system calls, say) for a sign of life as well; None: it cannot be read now."""
        self._progress.count = count

    def run(self) -> None:
        """Let the guest go; raises `MachineError` with QEMU's own words when it did not start."""
        self._qemu.connect()
        try:
            self.monitor.execute("cont")
        except MachineError:
            # A guest may end its machine so soon that the answer is lost: that is for the verdict to say.
            if self._qemu.process.wait(EXIT_S) is None:
                raise

    @property
    def pid(self) -> int:
        """QEMU's process id; another one once the guest was handed over."""
        return self._qemu.pid

    @property
    def monitor(self) -> Monitor:
        """QEMU's monitor; another one once the guest was handed over."""
        return self._qemu.monitor

    @property
    def busy_share(self) -> float:
        """Host CPU seconds per second that QEMU wanted lately."""
        return self._progress.share

    def begin_wait(self) -> None:
        """Count quiet time from now on."""
        self._progress.reset()

    def settle(self, rest: Rest, deadline: Deadline) -> None:
        """Read on until the guest has come to rest or is gone, or the deadline is over. Raises `Stopped`."""
        while not deadline.expired and not self._console_closed:
            wanted_s, began = read_wanted_cpu_s(self.pid), time.monotonic()
            self.drain(rest.idle_s)
            passed_s = max(time.monotonic() - began, rest.idle_s)
            wanted_s = read_wanted_cpu_s(self.pid) - wanted_s
            is_busy = wanted_s / passed_s > _REST_SHARE or wants_to_run(self.pid)
            silent_s = time.monotonic() - self.console.last_output_at
            if silent_s >= (rest.busy_s if is_busy else rest.idle_s):
                break

    def save(self) -> str:
        """Remember the whole machine as it is now, in a QEMU that restores faster, where there is one.

        Returns why that other QEMU has it not, where it was tried, as a sentence part. Raises `MachineError` with QEMU's
        reason where the machine cannot be saved at all.
        """
        self.monitor.execute("stop")
        try:
            self._saved.save_memory()
            why_not = self._move()
            self._saved.save_devices()
        finally:
            self.monitor.execute("cont")
        return why_not

    def begin_restore(self) -> None:
        """Have QEMU go back to what `save` remembered while something else is done; `restore` finishes it.

        What was read of the machine's output so far can still be asked for.
        """
        self._saved.begin_restore()

    def restore(self) -> None:
        """Put the machine back to what `save` remembered; everything that was printed since is forgotten.

        Raises `MachineError` where that fails; the machine is then of no more use.
        """
        self._saved.restore()
        self.console.forget()
        for port in self._ports.values():
            port.forget()
        self.monitor.forget_events()
        self.panic = ""

    def wait_for(self, patterns: Sequence[Searchable], limits: Limits) -> int | Ending:
        """Wait for one of `patterns` on the console; return its index, or why it never came.

        Raises `Stopped` when the campaign is to end.
        """
        if isinstance(ending := self._check(limits), Ending):
            return ending
        while True:
            try:
                index = self.console.expect(
                    [*limits.panics, *patterns], min(_SLICE_S, limits.deadline.remaining_s)
                )
            except ConsoleClosedError:
                self._console_closed = True
                return Ending.EXITED
            if index is not None and index < len(limits.panics):
                self.panic = self.console.matched_text
                return Ending.PANICKED
            if index is not None:
                return index - len(limits.panics)
            if isinstance(ending := self._check(limits), Ending):
                return ending

    def drain(self, seconds: float) -> None:
        """Go on reading for `seconds`; stops early when QEMU is gone. Raises `Stopped`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stop.is_set():
                raise Stopped
            try:
                self.console.expect([], min(_SLICE_S, left))
            except ConsoleClosedError:
                self._console_closed = True
                break

    def ends_within(self, seconds: float) -> bool:
        """Whether QEMU has ended, or does so soon."""
        return self._qemu.process.wait(seconds) is not None

    def exit(self) -> QemuExit | None:
        """Return how QEMU ended, or None while it runs; waits for an end that has begun."""
        if self._console_closed:
            return self.wait_exit()
        return None if self._qemu.process.poll() is None else self._exit()

    def wait_exit(self) -> QemuExit:
        """Wait for an end that has begun (the console is closed); QEMU is ended where it does not come."""
        if self._qemu.process.wait(EXIT_S) is not None:
            return self._exit()
        return QemuExit(status=self._qemu.process.end(), reason=_ENDED_BY_US, stderr=self._qemu.stderr)

    def texts(self, since: Mapping[str, int]) -> dict[str, str]:
        """Return each port's text from the given positions on, the console first."""
        texts = {self._console_port: self.console.text_since(since.get(self._console_port, 0))}
        return texts | {name: port.text()[since.get(name, 0) :] for name, port in self._ports.items()}

    def positions(self) -> dict[str, int]:
        """Return where each port's unread text begins now."""
        return {self._console_port: self.console.position} | {
            name: len(port.text()) for name, port in self._ports.items()
        }

    def raw_logs(self) -> tuple[Log, ...]:
        """Return every serial port's bytes so far, and QEMU's own words where it said any."""
        logs = [
            Log(
                kind=LogKind.RAW,
                port=port,
                content=self._ports[port].raw() if port in self._ports else path.read_bytes(),
            )
            for port, path in self._raw_logs.items()
        ]
        if stderr := self._qemu.raw_stderr:
            logs.append(Log(kind=LogKind.STDERR, port="qemu", content=stderr))
        return tuple(logs)

    def close(self) -> None:
        """End QEMU and reap it."""
        self._resources.close()

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _move(self) -> str:
        """Have another QEMU go on with the guest, which stands still; return why it does not, where that fails.

        The guest stands still afterwards as well.
        """
        moving, self._hand_over = self._hand_over, None  # it is tried once
        if moving is None or self._saved.memory is None or self._saved.memory.used_bytes > moving.most_bytes:
            return ""
        try:
            successor, memory = moving.hand_over(
                self._qemu, self._saved.memory, lambda: self._start_qemu(takes_over=True)
            )
        except MachineError as error:
            self._saved.save_memory()
            return error.message
        self._end_qemu()
        self._qemu = successor
        self._saved = SavedState(successor.monitor, successor.pid, memory)
        return ""

    def _end_qemu(self) -> None:
        self._saved.close()
        self._qemu.close()

    def _exit(self) -> QemuExit:
        reasons = [
            str(event.get("data", {}).get("reason", ""))
            for event in self.monitor.events()
            if event.get("event") == "SHUTDOWN"
        ]
        return QemuExit(
            status=self._qemu.process.end(),
            reason=reasons[0] if reasons else None,
            stderr=self._qemu.stderr,
        )

    def _find_panic(self, text: str, limits: Limits) -> bool:
        found = next((match for panic in limits.panics if (match := panic.search(text))), None)
        self.panic = found[0] if found else self.panic
        return found is not None

    def _check(self, limits: Limits) -> Ending | None:
        """Look at everything but the console."""
        if self._stop.is_set():
            raise Stopped
        newest = self.console.last_output_at
        for port in self._ports.values():
            text = port.poll()
            if text and self._find_panic(port.text()[-len(text) - _PANIC_OVERLAP :], limits):
                return Ending.PANICKED
            newest = max(newest, port.last_output_at)
        output = self.console.raw_length + sum(port.length for port in self._ports.values())
        if output > limits.output_bytes:
            return Ending.FLOODED
        if limits.deadline.expired:
            return Ending.BUDGET
        if self._progress.is_quiet(newest, limits.quiet_s):
            return Ending.QUIET
        if self._progress.is_stalled(newest, limits.stall_s):
            return Ending.STALLED
        return None
