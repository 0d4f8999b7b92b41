"""Linux's signal numbers by name, the same on aarch64 and x86-64.

Source: Linux 6.1, include/uapi/asm-generic/signal.h. The host's own table is no source: macOS differs.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG
XCPU XFSZ VTALRM PROF WINCH IO PWR SYS
""".split()  # noqa: SIM905 - a table for people

SIGNAL_NAMES: Final = {number: f"SIG{name}" for number, name in enumerate(_NAMES, start=1)}


def signal_name(number: int) -> str:
    """Return `signal 11 (SIGSEGV)`, or `signal 77` where Linux has no name for it."""
    name = SIGNAL_NAMES.get(number)
    return f"signal {number} ({name})" if name else f"signal {number}"
