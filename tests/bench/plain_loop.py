"""What a person would script with pexpect: boot, type the test, wait for its end, kill QEMU, next.

No verdicts, no logs, no database, no parallel machines; pexpect as it comes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pexpect

from parity.flow.campaign.run import dry_run

if TYPE_CHECKING:
    from parity.configuration import Configuration
    from parity.flow.campaign.order import Order

_BOOT_S: Final = 30
_TEST_S: Final = 30


def run_plain_loop(configuration: Configuration, order: Order) -> tuple[float, int]:
    """Run every case of an order, one after another; return the seconds that it took and how many tests ended."""
    commands = dict(dry_run(configuration, order))
    ended = 0
    began = time.monotonic()
    for case in order.cases:
        qemu = pexpect.spawn(
            "/bin/sh",
            ["-c", f"exec {commands[case.target]}"],
            cwd=str(configuration.root),
            encoding="utf-8",
            codec_errors="replace",
        )
        try:
            qemu.expect("duet> ", timeout=_BOOT_S)
            qemu.sendline(f"run 0123456789abcdef /bin/{case.test}")
            qemu.expect(r"\[end 0123456789abcdef (exit|signal) \d+\]", timeout=_TEST_S)
            ended += 1
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass
        finally:
            qemu.close(force=True)
    return time.monotonic() - began, ended
