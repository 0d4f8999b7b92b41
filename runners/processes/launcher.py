"""Run a program that cannot outlive the one that started it: `python -I -S launcher.py PARENT_PID PROGRAM ...`.

It is executed as a script in a process of its own, because `preexec_fn` is unsafe in a program with threads. On
Linux the kernel sends SIGKILL when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG), even if that was
by SIGKILL. Everywhere its standard input, where that is a terminal, becomes its controlling one, so that it gets
SIGHUP when our end of the terminal is gone.
"""

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import sys
import termios

_PR_SET_PDEATHSIG = 1  # Linux, include/uapi/linux/prctl.h


def _die_with_parent(parent: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the lines above could bind us to it
        sys.exit(1)


def _launch(parent: int, command: list[str]) -> None:
    _die_with_parent(parent)
    resource.setrlimit(
        resource.RLIMIT_CORE, (0, 0)
    )  # a guest's memory is no business of the host's core files
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python itself, and ignoring is inherited
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    _launch(int(sys.argv[1]), sys.argv[2:])
