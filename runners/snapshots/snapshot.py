"""Whether a target's machine can be saved at its prompt and put back before every test, and what that takes.

A saved state lives in a qcow2 image of its own in the machine's private folder, in the QEMU that made it and no other:
nothing is ever restored that another QEMU, or another kernel image, has saved. QEMU saves states only where every
writable drive can hold one (migration/savevm.c, QEMU 7.2), so what the guest may write is put on qcow2 overlays.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runners.processes.commands import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from parity.configuration import Target

_TOOL: Final = "qemu-img"
_TOOL_S: Final = 30.0
_STATE_SIZE: Final = "1M"
"""Of the virtual disk, which nobody uses: a state is stored beside it and takes what it needs."""
_TEST_FIELDS: Final = re.compile(r"\{(?:test|TEST|path|nonce)\}")
_ANY: Final = re.compile(r".*")
_NETWORK: Final = re.compile(r"none|user(?!.*(?:fwd|smb|tftp|bootfile)).*")
_INWARD: Final = {
    **dict.fromkeys(("-device", "-global", "-vga", "-rtc", "-boot", "-action", "-d"), _ANY),
    **dict.fromkeys(("-nodefaults", "-no-acpi", "-no-hpet", "-no-fd-bootchk", "-semihosting"), _ANY),
    **dict.fromkeys(("-nic", "-net", "-netdev"), _NETWORK),
    "-object": re.compile(r"rng-.*"),
}
"""QEMU options that two processes can be given at once, and the values: no file to write, no port, no socket."""


_ENOUGH: Final = 3
"""So many restores that failed, and a target gets fresh boots; so many doubts that fresh boots dispelled, and it is trusted."""


@dataclass(slots=True, kw_only=True)
class SnapshotStanding:
    """What is known of one target's snapshots; shared by its workers."""

    why_not: str = ""
    """Why every test gets a fresh boot instead, as a sentence part; empty while snapshots work."""
    why_slow: str = ""
    """Why guests are no longer handed over to a QEMU that restores faster, as a sentence part; empty while they are."""

    failed: int = 0
    """How many restores failed, or gave a machine on which a test did not begin that began after a fresh boot."""
    confirmed: int = 0
    """How many tests that did not begin after a restore did not begin after a fresh boot either."""

    @property
    def works(self) -> bool:
        """Whether nothing speaks against them yet."""
        return not self.why_not

    @property
    def is_trusted(self) -> bool:
        """Whether a test that does not begin after a restore need not be tried after a fresh boot as well."""
        return self.confirmed >= _ENOUGH and not self.failed

    def note_failed(self, why: str) -> None:
        """Note a restore that failed, or must have."""
        self.failed += 1
        if self.failed >= _ENOUGH:
            self.give_up(why)

    def note_confirmed(self) -> None:
        """Note that a fresh boot did no better than a restore."""
        self.confirmed += 1

    def give_up(self, why: str) -> None:
        """Boot for every test from now on; the first reason is kept."""
        self.why_not = self.why_not or why


def find_obstacle(target: Target) -> str:
    """Return what rules snapshots out before anything is booted, as a sentence part; empty where nothing does."""
    if shutil.which(_TOOL) is None:
        return f"{_TOOL} is not installed (Debian: qemu-utils)"
    sources = (target.kernel, target.initrd, *(disk.image for disk in target.disk))
    if any(source is not None and _TEST_FIELDS.search(source) for source in sources):
        return "each test boots an image of its own"
    if any(_TEST_FIELDS.search(word) for step in target.prepare for word in step):
        return "a `prepare` step makes each test a disk of its own"
    return ""


def can_hand_over(target: Target, accelerator: str) -> bool:
    """Whether a second QEMU may take over the target's guests, and restores them faster.

    It does where code is translated, and may where nothing of the user's own arguments could meet itself.
    """
    option = ""
    for word in target.arguments:
        if word.startswith("-"):
            option = word.replace("--", "-", 1)
        if option not in _INWARD or not (word.startswith("-") or _INWARD[option].fullmatch(word)):
            return False
    return accelerator == "tcg"


def make_state_image(file: Path) -> Path:
    """Make the image that takes saved states. Raises `BuildError`."""
    run_command(
        [_TOOL, "create", "-q", "-f", "qcow2", str(file), _STATE_SIZE], folder=file.parent, timeout_s=_TOOL_S
    )
    return file


def make_overlay(base: Path, base_format: str, file: Path) -> Path:
    """Make a qcow2 image that keeps what is written, above `base`, which stays as it is. Raises `BuildError`."""
    words = [_TOOL, "create", "-q", "-f", "qcow2", "-F", base_format, "-b", str(base.resolve()), str(file)]
    run_command(words, folder=file.parent, timeout_s=_TOOL_S)
    return file
