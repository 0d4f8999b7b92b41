"""One GDB as a child process that is spoken to in its machine interface (MI), every word under a deadline.

pygdbmi parses; nothing reaches its parser that it could not return from. Its reader is not used: it formats every
record for a log that nobody reads, a third of all the time for which a guest stands still. GDB is always ended and
reaped: TERM, at which it lets the guest go on, then KILL.
"""

from __future__ import annotations

import collections
import contextlib
import os
import select
import shutil
import signal
import subprocess
from typing import IO, TYPE_CHECKING, Any, Final

from pygdbmi.gdbmiparser import parse_response

from gdb.debugger.mi_text import LONGEST_RECORD, LONGEST_TEXT, MiRecord, find_fault, text
from parity.deadline import Deadline
from parity.errors import GdbError, GdbRefusedError
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from gdb.debugger.mi_text import MiValue

_PROGRAMS: Final = ("gdb-multiarch", "gdb")
_ARGUMENTS: Final = ("--nx", "--quiet", "--interpreter=mi3")
_SLICE_S: Final = 0.05
_GRACE_S: Final = 1.0
_TURN: Final = 256 * 1024
"""Bytes read before the deadline is looked at again."""
_LONGEST_COMMAND: Final = 4000
"""Bytes; less than PIPE_BUF, so that a pipe that takes any takes all of it."""
_STDERR_LIMIT: Final = 16 * 1024


def find_gdb() -> str:
    """Return the GDB to run, one that knows all architectures if there is one. Raises `GdbError`."""
    for program in _PROGRAMS:
        if found := shutil.which(program):
            return found
    raise GdbError(asked="start", said="no gdb is installed", hint="install gdb-multiarch")


class MiSession:
    """A running GDB. `launcher` are words put before its command line, to tie it to the life of this process.

    After a `GdbError` that is no `GdbRefusedError` it is of no more use than to be closed.
    """

    def __init__(self, program: str | None = None, *, launcher: Sequence[str] = ()) -> None:
        command = [*launcher, program or find_gdb(), *_ARGUMENTS]
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "dumb", "DEBUGINFOD_URLS": ""},
                start_new_session=True,  # Ctrl-C at the user's terminal is not the guest's
            )
        except OSError as error:
            raise GdbError(
                asked="start", said=f"{command[0]}: {error.strerror}", hint="install gdb-multiarch"
            ) from error
        self._output = _GuardedOutput(_pipe(self._process.stdout))
        self._errors = _pipe(self._process.stderr)
        for pipe in (self._process.stdout, self._errors):
            os.set_blocking(_pipe(pipe).fileno(), False)
        self._input = _pipe(self._process.stdin)
        self._errors_ended = False
        self._closed = False
        self._said = b""
        self._token = 0
        self.notifications: collections.deque[MiRecord] = collections.deque(maxlen=1000)
        """Asynchronous records since the start, the newest thousand."""
        self._console: collections.deque[str] = collections.deque(maxlen=10_000)

    @property
    def pid(self) -> int:
        """GDB's process id."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The end of what GDB wrote to its standard error."""
        return self._said.decode("utf-8", "replace")

    def execute(self, command: str, deadline: Deadline) -> Mapping[str, MiValue]:
        """Run one MI command and return its result's values. Raises `GdbRefusedError` or `GdbError`."""
        (answer,) = self.execute_all((command,), deadline)
        if isinstance(answer, GdbRefusedError):
            raise answer
        return answer

    def execute_all(
        self, commands: Sequence[str], deadline: Deadline
    ) -> list[Mapping[str, MiValue] | GdbRefusedError]:
        """Send all commands at once, and return what each was answered; a refusal is returned, not raised.

        Raises `GdbError` where GDB died, did not answer in time, or answered with what is no MI.
        """
        self._console.clear()
        first = self._token + 1
        asked = {first + number: command for number, command in enumerate(commands)}
        answers: dict[int, Mapping[str, MiValue] | GdbRefusedError] = {}
        for token, command in asked.items():
            self._send(token, command, deadline)
            self._take_answers(asked, answers, wait_s=0.0)
        while len(answers) < len(asked):
            waiting = next(command for token, command in asked.items() if token not in answers)
            self._check(waiting, deadline)
            self._take_answers(asked, answers, wait_s=min(_SLICE_S, deadline.remaining_s))
        return [answers[token] for token in asked]

    def console(self, command: str, deadline: Deadline) -> str:
        """Run one command of GDB's own language and return what it prints. Raises as `execute`."""
        quoted = command.replace("\\", "\\\\").replace('"', '\\"')
        self.execute(f'-interpreter-exec console "{quoted}"', deadline)
        return "".join(self._console)

    def close(self) -> None:
        """End GDB and reap it; the guest, if one is attached, goes on unless GDB has to be killed."""
        if self._closed:
            return
        self._closed = True
        try:
            self._end()
        finally:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                with contextlib.suppress(OSError):
                    _pipe(pipe).close()

    def __enter__(self) -> MiSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, token: int, command: str, deadline: Deadline) -> None:
        line = f"{token}{command}"
        if "\n" in line or len(line.encode()) > _LONGEST_COMMAND:
            raise GdbError(asked=_shown(command), said="this is not one line of at most 4000 bytes")
        if self._closed:
            raise GdbError(asked=_shown(command), said="its session is closed")
        self._token = token
        try:
            while not select.select([], [self._input.fileno()], [], _SLICE_S)[1]:
                self._check(command, deadline)
            self._input.write(line.encode() + b"\n")
        except OSError as error:
            raise self._failure(command, "it is gone") from error

    def _check(self, waiting: str, deadline: Deadline) -> None:
        """Raise where no answer can come any more."""
        if self._output.refused_records:
            raise self._failure(waiting, f"it answered with {self._output.refused_records[0]}")
        if self._output.ended or (self._process.poll() is not None and not _is_ready(self._output)):
            raise self._failure(waiting, "it is gone")
        if deadline.expired:
            raise self._failure(waiting, "it did not answer in time")

    def _take_answers(
        self,
        asked: Mapping[int, str],
        answers: dict[int, Mapping[str, MiValue] | GdbRefusedError],
        *,
        wait_s: float,
    ) -> None:
        output, errors = self._output.fileno(), self._errors.fileno()
        ready, _, _ = select.select([output, errors] if not self._errors_ended else [output], [], [], wait_s)
        if errors in ready:
            self._read_errors()
        if output not in ready:
            return
        for line in self._output.read():
            record = _narrowed(parse_response(line))
            if record.kind == "result" and record.token is not None and record.token in asked:
                answers[record.token] = _answer(asked[record.token], record)
            elif record.kind == "notify":
                self.notifications.append(record)
            elif record.kind == "console":
                self._console.append(record.text)

    def _read_errors(self) -> None:
        with contextlib.suppress(OSError):
            piece = self._errors.read(65536)
            self._errors_ended = piece == b""
            self._said = (self._said + (piece or b""))[-_STDERR_LIMIT:]

    def _failure(self, asked: str, what: str) -> GdbError:
        self._read_errors()
        said = printable_line(self.stderr)
        return GdbError(asked=_shown(asked), said=f"{what} ({said})" if said else what)

    def _end(self) -> None:
        """Terminate, and read on meanwhile: a GDB that waits to write does not come to its end."""
        if self._process.poll() is None:
            self._process.terminate()
        grace = Deadline.after(_GRACE_S)
        while self._process.poll() is None and not grace.expired:
            if self._output.ended:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace.remaining_s)
            elif _is_ready(self._output, wait_s=0.02):
                self._output.read()
        if self._process.poll() is None:
            # It may wait for what it started itself (`iconv -l` at its begin: gdb/charset.c, GDB 13), which is of its
            # group; nobody else can be, as long as it is not reaped.
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._read_errors()


class _GuardedOutput:
    """GDB's standard output in whole lines, without those that pygdbmi's parser could not take."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = bytearray()
        self._overlong = False
        self.ended = False
        self.refused_records: collections.deque[str] = collections.deque(maxlen=10)
        """Why lines that could have been answers were kept back."""

    def fileno(self) -> int:
        return self._pipe.fileno()

    def read(self) -> list[str]:
        """Return the whole lines that are there; a line that comes in pieces is kept until it is whole."""
        self._rest += self._read_pipe()
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        shown = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
        kept = [line for line in shown if self._passes(line)]
        if len(self._rest) > 4 * LONGEST_RECORD:
            self._rest.clear()
            self._overlong = True
            self.refused_records.append("a line without end")
        return kept

    def _read_pipe(self) -> bytes:
        pieces = []
        size = 0
        with contextlib.suppress(BlockingIOError):
            while size < _TURN:
                piece = os.read(self.fileno(), 65536)
                if not piece:
                    self.ended = True
                    break
                pieces.append(piece)
                size += len(piece)
        return b"".join(pieces)

    def _passes(self, line: str) -> bool:
        if self._overlong:  # the end of a line that was given up
            self._overlong = False
            return False
        fault = find_fault(line)
        if fault is None:
            return bool(line) and (len(line) <= LONGEST_TEXT or line[0].isdigit() or line[0] in "^*=+")
        if line[:1] not in "~&@":
            self.refused_records.append(f"{fault}: {printable_line(line, limit=80)}")
        return False


def _answer(command: str, record: MiRecord) -> Mapping[str, MiValue] | GdbRefusedError:
    payload = record.payload or {}
    if record.message != "error":
        return payload
    said = text(payload, "msg") or "an error without a word"
    return GdbRefusedError(asked=_shown(command), said=printable_line(said))


def _narrowed(found: Any) -> MiRecord:
    """Return pygdbmi's dictionary as a record: the one place where its types are taken on trust."""
    payload = found.get("payload")
    return MiRecord(
        kind=str(found.get("type")),
        message=str(found.get("message") or ""),
        token=found.get("token"),
        payload=payload if isinstance(payload, dict) else None,
        text=payload if isinstance(payload, str) else "",
    )


def _is_ready(output: _GuardedOutput, *, wait_s: float = 0.0) -> bool:
    return bool(select.select([output.fileno()], [], [], wait_s)[0])


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - Popen was asked for it
    return stream


def _shown(command: str) -> str:
    return printable_line(command, limit=100)
