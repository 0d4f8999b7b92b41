"""A GDB that is started beside other work, and ended with its owner however far it has come."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from parity.deadline import Deadline
from parity.errors import GdbError, GdbRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from gdb.debugger.debugger import Debugger

START_S: Final = 10.0
"""Twenty times what duet's 300 KiB of DWARF take, and enough for the hundreds of MiB of a large kernel."""
_SLICE_S: Final = 0.02


class EarlyDebugger:
    """One GDB in the making; leaving the context ends it."""

    def __init__(self, start: Callable[[Deadline], Debugger], *, within_s: float = START_S) -> None:
        self._given_up = threading.Event()
        # Its thread lives until the context ends: GDB's own life is tied to it.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gdb")
        deadline = Deadline(at=time.monotonic() + within_s, clock=self._clock)
        self._starting = self._pool.submit(start, deadline)
        self._failed = False

    def await_ready(self, pause: Callable[[float], object]) -> Debugger:
        """Return it once its symbols are loaded; `pause(0)` is called meanwhile and may raise. Raises `GdbError`."""
        while not self._starting.done():
            wait([self._starting], timeout=_SLICE_S)
            pause(0)
        return self._starting.result()

    @property
    def usable(self) -> Debugger | None:
        """GDB, where it is ready and nothing has gone wrong with it."""
        if self._failed or not self._starting.done() or self._starting.exception() is not None:
            return None
        return self._starting.result()

    @contextlib.contextmanager
    def trusted(self) -> Iterator[None]:
        """Give it up, and end it, where it fails meanwhile; a refusal is no failure."""
        try:
            yield
        except GdbRefusedError:
            raise
        except GdbError:
            self._failed = True
            self._end()
            raise

    def __enter__(self) -> EarlyDebugger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._given_up.set()
        try:
            self._end()
        finally:
            self._pool.shutdown()

    def _end(self) -> None:
        with contextlib.suppress(GdbError):
            self._starting.result().close()

    def _clock(self) -> float:
        """No time is left for what nobody waits for any more."""
        return math.inf if self._given_up.is_set() else time.monotonic()
