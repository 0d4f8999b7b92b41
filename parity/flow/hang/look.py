"""A look into a guest that got no further, before it is ended: capture, diagnosis, and both on disk."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gdb.captures.capture import Subject
from gdb.captures.capture_folder import write_capture
from gdb.captures.kernel import Kernel, read_kernel
from gdb.captures.take_capture import Tools, take_capture
from gdb.evidence.evidence import read_evidence
from gdb.guest.guest import Guest
from gdb.kernel_file.roles import Roles
from gdb.rules import diagnose
from parity.diagnosis import Hang
from parity.errors import HarnessError
from parity.flow.hang.pulse import Pulse
from parity.printable import printable_line
from parity.whole_files import new_folder
from runners.machine.machine import Stopped
from runners.processes.process import launcher_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from gdb.captures.capture import Capture
    from parity.configuration import HangRules
    from runners.machine.inspection import Stall
    from runners.machine.machine import Machine
    from runners.machine.rig import Rig

_log = logging.getLogger(__name__)

_TAIL_LINES: Final = 20
_BASE: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]{1,16}")
_LONGEST: Final = 80
"""Characters of a target's or a test's name in that of a folder."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass
class Looker:
    """Looks into the machines of one campaign; shared by its workers."""

    folder: Path
    """Where captures go."""
    _kernels: dict[tuple[str, int], Kernel] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pulse(self, rig: Rig, machine: Machine, fields: Mapping[str, str]) -> Pulse:
        """Return what counts the progress of a machine's kernel."""

        def kernel() -> Kernel | None:
            symbols = rig.images(fields).symbols
            rules = rig.target.hang
            if symbols is None:
                return None
            return self._kernel(symbols.path, rules, find_base(rules, machine.texts({}).values()))

        return Pulse(machine, rig.target.cpus, kernel)

    def look(self, stall: Stall, rules: HangRules) -> Hang:
        """Return what the guest is stuck on; raises what went wrong, and `Stopped`."""
        began = time.monotonic()
        subject = self._subject(stall, rules)
        images = stall.rig.images(stall.fields)
        symbols = images.symbols

        def kernel() -> Kernel | None:
            return None if symbols is None else self._kernel(symbols.path, rules, subject.base)

        def wait(seconds: float) -> None:
            if stall.rig.stop.wait(seconds):
                raise Stopped

        name = "-".join(
            (
                datetime.now(UTC).strftime("%Y%m%d-%H%M%S"),
                *(_UNSAFE.sub("_", part)[:_LONGEST] for part in (stall.rig.name, stall.fields["test"])),
                stall.fields["nonce"][:6],
            )
        )
        tools = Tools(
            kernel=kernel,
            symbols=symbols.path if symbols is not None else None,
            launcher=launcher_words(),
            socket=stall.machine.folder / "gdb",
            roles=Roles.by(rules),
            wait=wait,
        )
        guest = Guest(stall.machine.monitor, stall.machine.folder, pid=stall.machine.pid)
        return self._keep(
            name, rules, began, lambda core: take_capture(guest, subject, replace(tools, core=core))
        )

    def _keep(
        self, name: str, rules: HangRules, began: float, take: Callable[[Path | None], Capture]
    ) -> Hang:
        """Take a capture into a folder of its own; where that cannot be, its diagnosis is kept all the same."""
        capture: Capture | None = None
        lost: tuple[str, ...] = ()
        try:
            with new_folder(self.folder, name) as folder:
                capture = take(folder.path / "core" if rules.core else None)
                write_capture(folder.path, capture)
            path = folder.path
        except HarnessError as error:
            _log.warning("%s", error.message)
            path, lost = self.folder / name, (f"the capture's files: {error.message}",)
            capture = capture or take(None)
        diagnosis = diagnose(read_evidence(capture, rules))
        return Hang(
            folder=path,
            diagnosis=replace(diagnosis, missing=(*diagnosis.missing, *lost)),
            pause_s=capture.pause_s,
            took_s=time.monotonic() - began,
        )

    def _subject(self, stall: Stall, rules: HangRules) -> Subject:
        images = stall.rig.images(stall.fields)
        texts = stall.machine.texts({})
        text = texts[stall.rig.target.console_port]
        return Subject(
            test=stall.fields["test"],
            target=stall.rig.name,
            arch=stall.rig.target.arch,
            cpus=stall.rig.target.cpus,
            ending="boot" if stall.booting else stall.ending.value,
            waited_s=round(stall.waited_s, 3),
            taken_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            kernel_sha256=images.sha256,
            symbols=str(stall.rig.target.symbols or stall.rig.target.kernel or ""),
            symbols_sha256=images.symbols.sha256 if images.symbols is not None else "",
            base=find_base(rules, texts.values()),
            console_tail=tuple(printable_line(line) for line in text.splitlines()[-_TAIL_LINES:]),
        )

    def _kernel(self, path: Path, rules: HangRules, base: int) -> Kernel:
        """Read an ELF file once a campaign."""
        key = (str(path), base)
        with self._lock:
            if key not in self._kernels:
                self._kernels[key] = read_kernel(path, rules, base=base)
            return self._kernels[key]


def find_base(rules: HangRules, texts: Iterable[str]) -> int:
    """Return where a position-independent kernel is, by the configuration or by its own last word on a port."""
    if rules.fixed_base is not None:
        return rules.fixed_base
    if rules.base is None:
        return 0
    found = [match["base"] for text in texts for match in rules.base.anywhere().finditer(text)]
    addresses = [int(each, 16) for each in found if each and _BASE.fullmatch(each)]
    return addresses[-1] if addresses else 0
