"""What to do about a host that is short of something."""

from __future__ import annotations

import errno
from typing import Final

_HINTS: Final = {
    errno.EMFILE: "this process may open too few files: raise its limit with `ulimit -n 1024`, or lower --jobs",
    errno.ENFILE: "the host has too many open files: end other programs, or lower --jobs",
    errno.ENOSPC: "the disk is full: make room; TMPDIR says where temporary files go",
    errno.ENOMEM: "the host is short of memory: lower --jobs",
    errno.EAGAIN: "the host is short of processes or memory: lower --jobs, or raise `ulimit -u`",
}


def shortage_hint(error: OSError) -> str | None:
    """Return what to do about an error that says that the host is short of something; None for any other."""
    return _HINTS.get(error.errno or 0)
