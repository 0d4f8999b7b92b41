"""QEMU's monitor (QMP), spoken synchronously over a connected socket.

The socket is one end of a pair whose other end QEMU inherits: no path, no port, nothing that another QEMU could
answer on or that could be left behind. qemu.qmp is asynchronous; the loop that it needs lives here.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qemu.qmp import ExecuteError, Message, QMPClient, QMPError

from parity.errors import MachineError

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable

# A guest that dies in mid-command is everyday life here; the library's warnings about it would reach the user.
logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)


class _Client(QMPClient):
    """The library's client without its hooks for logging, which format every message even where nothing is logged."""

    def _cb_outbound(self, msg: Message) -> Message:
        return msg

    def _cb_inbound(self, msg: Message) -> Message:
        return msg


@dataclass(frozen=True, slots=True)
class Sent:
    """A command whose answer is still to come."""

    command: str
    _answer: asyncio.Task[Any]


class Monitor:
    """One QMP session. Commands raise `MachineError` when QEMU refuses, is gone, or does not answer in time."""

    def __init__(self, connection: socket.socket, *, timeout_s: float = 10.0) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._loop = asyncio.new_event_loop()
        self._client = _Client("parity")
        self._events: list[dict[str, Any]] = []
        self._unanswered: set[asyncio.Task[Any]] = set()

    def connect(self) -> None:
        """Read the greeting and negotiate; QEMU is listening from here on."""
        self._run(self._client.connect(self._connection), "the QMP greeting")

    def execute(self, command: str, **arguments: object) -> Any:
        """Run one QMP command and return its answer as QEMU's JSON."""
        return self._run(self._client.execute(command, arguments or None), command)

    def send(self, command: str, **arguments: object) -> Sent:
        """Send one QMP command, to be carried out while something else is done; `answer` waits for it.

        QEMU carries commands out in the order in which they come (docs/interop/qmp-spec.txt, QEMU 7.2). What is wrong
        with a command, or with QEMU, is said with the answer.
        """
        task = self._loop.create_task(self._client.execute(command, arguments or None))
        self._unanswered.add(task)
        self._loop.run_until_complete(asyncio.sleep(0))  # the library's writer has it by then
        return Sent(command, task)

    def answer(self, sent: Sent) -> Any:
        """Wait for the answer to a command that was sent."""
        task = sent._answer  # noqa: SLF001 - this module's own
        self._unanswered.discard(task)
        return self._run(task, sent.command)

    def give(self, descriptor: int, name: str) -> None:
        """Hand QEMU an open file, which its commands can then call by `name`."""
        try:
            self._client.send_fd_scm(descriptor)
        except (QMPError, OSError) as error:
            raise MachineError(f"QEMU went away before it had an open file: {error}") from error
        self.execute("getfd", fdname=name)

    def events(self) -> tuple[dict[str, Any], ...]:
        """Return all events since QEMU's start, or since they were forgotten, oldest first."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(asyncio.sleep(0.001))
            self._events += (dict(event) for event in self._client.events.clear())
        return tuple(self._events)

    def forget_events(self) -> None:
        """Start over: what was reported before the last command's answer was of a guest that is no more."""
        self._client.events.clear()
        self._events.clear()

    def close(self) -> None:
        """End the session; harmless when QEMU is gone already."""
        if self._loop.is_closed():
            return
        try:
            self._loop.run_until_complete(asyncio.wait_for(self._client.disconnect(), self._timeout_s))
        except (QMPError, TimeoutError, OSError, EOFError):
            pass
        finally:
            self._loop.run_until_complete(self._give_up_answers())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._connection.close()

    async def _give_up_answers(self) -> None:
        for task in self._unanswered:
            task.cancel()
        await asyncio.gather(*self._unanswered, return_exceptions=True)

    def _run(self, step: Awaitable[Any], what: str) -> Any:
        try:
            if isinstance(step, asyncio.Task) and step.done():
                return step.result()
            return self._loop.run_until_complete(asyncio.wait_for(step, self._timeout_s))
        except ExecuteError as error:
            raise MachineError(f"QEMU refused {what}: {error}") from error
        except TimeoutError as error:
            raise MachineError(f"QEMU did not answer {what} within {self._timeout_s:g} s") from error
        except (QMPError, OSError, EOFError) as error:
            raise MachineError(f"QEMU went away during {what}: {error}") from error
