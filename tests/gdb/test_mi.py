from __future__ import annotations

import contextlib
import os
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import runners.processes.launcher
from gdb.debugger.mi import MiSession, find_gdb
from parity.deadline import Deadline
from parity.errors import GdbError, GdbRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAUNCHER: Final = (sys.executable, "-I", "-S", runners.processes.launcher.__file__, str(os.getpid()))
PREFACE: Final = """
import os, re, signal, sys, time
def say(line):
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()
def asked():
    return re.match("([0-9]*)(.*)", sys.stdin.readline()).groups()
"""


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], MiSession]:
    """Return a session with a gdb that is a Python program."""

    def start(body: str) -> MiSession:
        program = tmp_path / "gdb"
        program.write_text(f"#!{sys.executable} -IS\n{PREFACE}{textwrap.dedent(body)}")
        program.chmod(0o755)
        return MiSession(str(program))

    return start


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    descriptors = os.listdir("/proc/self/fd")  # noqa: PTH208 - a list of names is what is compared
    threads = threading.active_count()
    yield
    assert len(os.listdir("/proc/self/fd")) == len(descriptors)  # noqa: PTH208
    assert threading.active_count() == threads
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0), "a zombie was left"


def soon(seconds: float = 10) -> Deadline:
    return Deadline.after(seconds)


def failure(session: MiSession, command: str = "-list-features", *, within_s: float = 10) -> GdbError:
    """Return how a command fails; the session is closed, and all of it takes little time."""
    began = time.monotonic()
    with session, pytest.raises(GdbError) as caught:
        session.execute(command, soon(within_s))
    assert time.monotonic() - began < within_s + 2
    with pytest.raises(ProcessLookupError):
        os.kill(session.pid, 0)
    assert not isinstance(caught.value, GdbRefusedError)
    return caught.value


def assert_ends(pid: int) -> None:
    """Wait for the end of a process that somebody else reaps; one that is reaped late has an empty command line."""
    deadline = soon(5)
    while Path(f"/proc/{pid}/cmdline").exists() and b"gdb" in Path(f"/proc/{pid}/cmdline").read_bytes():
        assert not deadline.expired
        time.sleep(0.01)


def test_gdb_answers_what_it_is_asked() -> None:
    with MiSession(launcher=LAUNCHER) as session:
        assert session.execute("-data-evaluate-expression 6*7", soon()) == {"value": "42"}


def test_many_questions_at_once_are_answered_in_their_order() -> None:
    with MiSession() as session:
        commands = [f"-data-evaluate-expression {number}" for number in range(500)]
        assert session.execute_all(commands, soon()) == [{"value": str(number)} for number in range(500)]


def test_a_refusal_says_what_was_asked_and_is_not_the_end() -> None:
    with MiSession() as session:
        with pytest.raises(GdbRefusedError, match=r"-data-evaluate-expression nosuch.*No symbol") as caught:
            session.execute("-data-evaluate-expression nosuch", soon())
        assert caught.value.asked == "-data-evaluate-expression nosuch"
        first, second = session.execute_all(["-nosuch", "-data-evaluate-expression 1"], soon())
        assert isinstance(first, GdbRefusedError)
        assert second == {"value": "1"}


def test_what_gdb_prints_is_returned() -> None:
    with MiSession() as session:
        assert session.console('printf "a \\"b\\"\\n"', soon()) == 'a "b"\n'
        assert session.console("show confirm", soon()).startswith("Whether to confirm")


def test_notifications_are_kept() -> None:
    with MiSession() as session:
        session.execute("-add-inferior", soon())
        assert "thread-group-added" in [record.message for record in session.notifications]


def test_gdb_is_its_own_session_and_ends_at_once() -> None:
    session = MiSession(launcher=LAUNCHER)
    session.execute("-list-features", soon())
    assert os.getsid(session.pid) == session.pid
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 0.5


def test_a_closed_session_can_be_closed_again_and_asked_no_more() -> None:
    session = MiSession()
    session.close()
    session.close()
    with pytest.raises(GdbError, match="its session is closed"):
        session.execute("-list-features", soon())


def test_a_killed_gdb_is_told_at_once() -> None:
    session = MiSession()
    session.execute("-list-features", soon())
    os.kill(session.pid, signal.SIGKILL)
    assert "it is gone" in failure(session, within_s=1).said


def test_gdb_dies_with_whoever_started_it() -> None:
    program = """
        import os, sys, time
        from gdb.debugger.mi import MiSession
        from parity.deadline import Deadline
        launcher = [sys.executable, "-I", "-S", sys.argv[1], str(os.getpid())]
        session = MiSession(launcher=launcher)
        session.execute("-list-features", Deadline.after(10))
        print(session.pid, flush=True)
        os.kill(os.getpid(), 9)
    """
    read_end, write_end = os.pipe()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", textwrap.dedent(program), runners.processes.launcher.__file__],
        {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        file_actions=[(os.POSIX_SPAWN_DUP2, write_end, 1)],
    )
    os.close(write_end)
    with open(read_end, encoding="ascii") as output:  # noqa: PTH123 - a descriptor
        pid = int(output.read())
    os.waitpid(child, 0)
    assert_ends(pid)


def test_a_gdb_that_is_not_there_is_an_error_with_a_hint() -> None:
    with pytest.raises(GdbError, match="No such file") as caught:
        MiSession("/nowhere/gdb")
    assert caught.value.hint == "install gdb-multiarch"


def test_a_gdb_that_the_launcher_cannot_run_is_an_error() -> None:
    assert "No such file" in failure(MiSession("/nowhere/gdb", launcher=LAUNCHER)).said


def test_no_gdb_at_all_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GdbError, match="no gdb is installed"):
        find_gdb()


def test_a_gdb_that_ends_is_an_error_with_its_last_words(fake: Callable[[str], MiSession]) -> None:
    error = failure(fake("asked(); sys.stderr.write('out of \\x1b[1mmemory\\n'); sys.exit(3)"), within_s=2)
    assert error.said == r"it is gone (out of \x1b[1mmemory)"
    assert error.asked == "-list-features"


def test_a_gdb_that_hangs_is_an_error_in_time(fake: Callable[[str], MiSession]) -> None:
    assert failure(fake("time.sleep(60)"), within_s=0.3).said == "it did not answer in time"


def test_a_gdb_that_neither_answers_nor_ends_is_killed(fake: Callable[[str], MiSession]) -> None:
    failure(fake("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(60)"), within_s=0.5)


def test_what_a_killed_gdb_waited_for_ends_with_it(fake: Callable[[str], MiSession]) -> None:
    with fake(
        """
        helper = os.fork()
        if not helper:
            os.kill(os.getpid(), signal.SIGSTOP)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say(asked()[0] + f'^done,helper="{helper}"')
        os.waitpid(helper, 0)
        """
    ) as session:
        helper = int(str(session.execute("-start", soon())["helper"]))
    assert_ends(helper)


def test_a_gdb_that_does_not_read_is_an_error_in_time(fake: Callable[[str], MiSession]) -> None:
    with fake("time.sleep(60)") as session, pytest.raises(GdbError, match="in time"):
        session.execute_all(["-x " + "y" * 3900] * 100, soon(0.5))


@pytest.mark.parametrize("line", ['~"and so on\\n"', "=thread-created", '@"guest"', "no MI at all", "(gdb)"])
def test_a_flood_without_an_answer_is_an_error_in_time(fake: Callable[[str], MiSession], line: str) -> None:
    body = f"asked()\nwhile True: sys.stdout.write({line!r} + '\\n' * 50)"
    assert failure(fake(body), within_s=0.5).said == "it did not answer in time"


def test_a_flood_of_errors_is_drained_and_bounded(fake: Callable[[str], MiSession]) -> None:
    body = "token, _ = asked()\nsys.stderr.write('e' * 5_000_000); say(token + '^done'); asked()"
    with fake(body) as session:
        assert session.execute("-list-features", soon()) == {}
        assert len(session.stderr) <= 16 * 1024


def test_a_line_without_end_is_an_error(fake: Callable[[str], MiSession]) -> None:
    error = failure(fake("asked()\nwhile True: sys.stdout.write('x' * 65536)"))
    assert "a line without end" in error.said


@pytest.mark.parametrize(
    "answer", ['^done,a=["x"', '^done,a="', "^done,a=[" + "[" * 5000, "^", '^done,a="\\q"']
)
def test_an_answer_that_is_no_mi_is_an_error(fake: Callable[[str], MiSession], answer: str) -> None:
    error = failure(fake(f"token, _ = asked(); say(token + {answer!r}); time.sleep(60)"))
    assert error.said.startswith("it answered with ")


def test_text_that_is_no_mi_is_passed_over(fake: Callable[[str], MiSession]) -> None:
    body = """
        token, _ = asked()
        say('~"a"b"'); say('hello'); say('999^done,x="not asked"'); sys.stdout.buffer.write(b'\\xff\\x00\\n')
        say('~"' + 'x' * 100_000 + '"'); say('y' * 100_000); say(token + '^done,x="1"'); time.sleep(60)
    """
    with fake(body) as session:
        assert session.execute("-list-features", soon()) == {"x": "1"}


def test_an_answer_in_pieces_is_put_together(fake: Callable[[str], MiSession]) -> None:
    body = """
        token, _ = asked()
        for character in token + '^done,x="' + 'é' * 20 + '"\\n':
            sys.stdout.write(character); sys.stdout.flush(); time.sleep(0.002)
        asked()
    """
    with fake(body) as session:
        assert session.execute("-list-features", soon()) == {"x": "é" * 20}


def test_an_answer_of_a_megabyte_is_read(fake: Callable[[str], MiSession]) -> None:
    with fake("token, _ = asked(); say(token + '^done,x=\"' + 'ab' * 500_000 + '\"'); asked()") as session:
        answer = session.execute("-list-features", soon())
        assert answer["x"] == "ab" * 500_000


@pytest.mark.parametrize("command", ["-a\n-b", "-" + "x" * 4000])
def test_what_is_not_one_short_line_is_not_sent(command: str) -> None:
    with MiSession() as session:
        with pytest.raises(GdbError, match="not one line"):
            session.execute(command, soon())
        assert session.execute("-data-evaluate-expression 1", soon()) == {"value": "1"}
