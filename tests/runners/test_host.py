"""Tests on the host's own Linux: small shell scripts, each with one way to end or to misbehave."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from parity.attempt import Isolation, LogKind
from parity.configuration import ProcessDelivery, load_configuration
from parity.errors import MachineError
from parity.outcome import Outcome
from runners.delivery.emulator import Host, find_emulator
from runners.delivery.host import HostRunner, InitReport, read_report, why_not
from runners.machine.images import ImageStore
from runners.machine.machine import Stopped
from runners.machine.rig import Rig
from runners.verdict.observation import Ending, Observation, read_observation
from runners.verdict.replay import judge_observation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parity.attempt import Attempt

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs for Linux run on Linux alone")

ROOT: Final = Path(__file__).parents[2]
TOML: Final = """
[kernel]
name = "toy"

[tests]
names = ["it"]

[target.linux]
arch = "{arch}"
delivery = {{ kind = "process", run = ["{{test}}", "{{nonce}}"] }}
budget = {{ test_s = {test_s}, quiet_s = {quiet_s}, output_limit_mib = 0.1 }}

[target.linux.verdict]
pass = ['{{test}}: PASS']
fail = ['{{test}}: FAIL.*']
skip = ['{{test}}: SKIP.*']
skip_status = [77]
"""


@dataclass
class Bench:
    """A folder with one test program, and a runner for it."""

    folder: Path
    fenced: bool = True
    test_s: float = 20
    quiet_s: float = 5

    def write(self, script: str, *, shebang: str = "#!/bin/sh\n", mode: int = 0o755) -> None:
        program = self.folder / "it"
        program.write_text(f"{shebang}{script}\n")
        program.chmod(mode)

    def rig(self, stop: threading.Event | None = None) -> Rig:
        file = self.folder / "parity.toml"
        file.write_text(TOML.format(arch=platform.machine(), test_s=self.test_s, quiet_s=self.quiet_s))
        configuration = load_configuration(file)
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return Rig(
            configuration=configuration,
            name="linux",
            target=configuration.target("linux"),
            isolation=Isolation.PROCESS,
            accelerator="",
            store=ImageStore(self.folder / "images"),
            scratch=scratch,
            stop=stop or threading.Event(),
        )

    def run(self, script: str | None = None, *, stop: threading.Event | None = None) -> Attempt:
        if script is not None:
            self.write(script)
        rig = self.rig(stop)
        assert isinstance(rig.target.delivery, ProcessDelivery)
        (report,) = HostRunner(rig, rig.target.delivery, fenced=self.fenced).run(["it"])
        return report.attempt

    def judge_again(self, attempt: Attempt) -> Outcome:
        logs = {log.kind: log.content for log in attempt.logs}
        transcripts = {"output": logs[LogKind.TRANSCRIPT].decode()}
        observation = read_observation(logs[LogKind.OBSERVATION], transcripts)
        again = judge_observation(self.rig().configuration, target="linux", observation=observation)
        assert again == attempt.verdict
        return again.outcome


@pytest.fixture(params=["in namespaces", "without namespaces"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(tmp_path, fenced=request.param == "in namespaces")


@pytest.fixture
def marked() -> Iterator[Callable[[], list[psutil.Process]]]:
    """Processes that sleep for as long as no other test's do; what is found at the end is killed."""

    def find() -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if _sleeps_for(process, MARK)]

    yield find
    for process in find():
        process.kill()


MARK: Final = f"98765.{os.getpid()}"


def _sleeps_for(process: psutil.Process, seconds: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.cmdline()[:2] == ["sleep", seconds]
    except (psutil.Error, IndexError):
        return False


def decided(attempt: Attempt) -> tuple[Outcome, str]:
    return attempt.verdict.outcome, attempt.verdict.evidence[0]


@pytest.mark.parametrize(
    ("script", "outcome", "evidence"),
    [
        ("echo it: PASS", Outcome.PASS, "it: PASS, exit status 0"),
        ("echo it: FAIL: errno 5; exit 1", Outcome.FAIL, "it: FAIL: errno 5"),
        ("echo it: SKIP no terminal; exit 77", Outcome.SKIP, "it: SKIP no terminal"),
        ("exit 77", Outcome.SKIP, "exit status 77 means skipped, no reason given"),
        ("true", Outcome.FAIL, "it ended without its pass marker"),
        ("echo it: PASS; exit 3", Outcome.FAIL, "exit status 3"),
        ("echo it: PASS; kill -SEGV $$", Outcome.FAIL, "ended by signal 11 (SIGSEGV)"),
        ("echo it: PASS; kill -KILL $$", Outcome.FAIL, "ended by signal 9 (SIGKILL)"),
        ("echo it: PASS; exec python3 -c 'import os; os._exit(-1)'", Outcome.FAIL, "exit status 255"),
        ("echo it: PASS; exec python3 -c 'import os; os._exit(258)'", Outcome.FAIL, "exit status 2"),
        ("echo it: FAIL early; echo gone >/dev/stderr; echo it: PASS", Outcome.FAIL, "it: FAIL early"),
    ],
)
def test_what_a_program_does_is_what_is_judged_then_and_later(
    bench: Bench, script: str, outcome: Outcome, evidence: str
) -> None:
    attempt = bench.run(script)
    assert decided(attempt) == (outcome, evidence)
    assert bench.judge_again(attempt) is outcome


def test_a_program_that_sleeps_is_a_hang(bench: Bench, marked: Callable[[], list[psutil.Process]]) -> None:
    bench.quiet_s = 0.5
    attempt = bench.run(f"sleep {MARK}")
    assert attempt.verdict.outcome is Outcome.HANG
    assert marked() == []
    assert bench.judge_again(attempt) is Outcome.HANG


@pytest.mark.parametrize("loop", ["while :; do :; done", "while :; do /bin/true; done"])
def test_a_program_that_works_on_beyond_its_time_is_a_timeout(bench: Bench, loop: str) -> None:
    bench.test_s, bench.quiet_s = 3, 1.5
    attempt = bench.run(loop)
    assert attempt.verdict.outcome is Outcome.TIMEOUT
    assert bench.judge_again(attempt) is Outcome.TIMEOUT


def test_a_flood_is_ended_at_the_limit(bench: Bench) -> None:
    attempt = bench.run("yes it: PASS")
    assert attempt.verdict.outcome is Outcome.FAIL
    assert "flooded" in attempt.verdict.evidence[0]
    assert bench.judge_again(attempt) is Outcome.FAIL


def test_what_a_program_leaves_behind_is_gone(
    bench: Bench, marked: Callable[[], list[psutil.Process]]
) -> None:
    leave = f"for n in 1 2 3; do setsid sh -c 'trap \"\" HUP TERM INT; sleep {MARK} & sleep {MARK}' & done"
    attempt = bench.run(f"{leave}; sleep 0.2; echo it: PASS")
    assert attempt.verdict.outcome is Outcome.PASS
    assert marked() == []


def test_what_a_stopped_run_leaves_behind_is_gone(
    bench: Bench, marked: Callable[[], list[psutil.Process]]
) -> None:
    stop = threading.Event()
    threading.Timer(0.7, stop.set).start()
    with pytest.raises(Stopped):
        bench.run(f"setsid sleep {MARK} & sleep {MARK}", stop=stop)
    assert marked() == []


def test_a_killed_tool_leaves_nothing(bench: Bench, marked: Callable[[], list[psutil.Process]]) -> None:
    bench.write(f"setsid sleep {MARK} & sleep {MARK}")
    code = (
        "import pathlib, sys; from tests.runners.test_host import Bench;"
        "Bench(pathlib.Path(sys.argv[1]), fenced=sys.argv[2] == 'True').run()"
    )
    tool = subprocess.Popen(
        [sys.executable, "-c", code, str(bench.folder), str(bench.fenced)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        _await(lambda: len(marked()) == 2)
    finally:
        tool.kill()
        tool.wait()
    _await(lambda: marked() == [])


def _await(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("not within 30 s")


@pytest.mark.parametrize(
    ("shebang", "mode", "why"),
    [
        ("#!/bin/sh\n", 0o644, "Permission denied"),
        ("#!/no/such/shell\n", 0o755, "No such file or directory"),
        ("no program\n", 0o755, "Exec format error"),
    ],
)
def test_what_cannot_be_executed_is_not_run(bench: Bench, shebang: str, mode: int, why: str) -> None:
    bench.write("true", shebang=shebang, mode=mode)
    attempt = bench.run()
    assert decided(attempt) == (Outcome.NOT_RUN, f"the host cannot execute it: it: {why}")
    assert bench.judge_again(attempt) is Outcome.NOT_RUN


def test_a_program_that_is_not_there_is_not_run(bench: Bench) -> None:
    assert decided(bench.run()) == (
        Outcome.NOT_RUN,
        "the host cannot execute it: it: there is no such program",
    )


def test_a_program_for_another_architecture_is_not_run_even_where_the_host_could(bench: Bench) -> None:
    rig = bench.rig()
    (foreign,) = {183, 62} - {183 if rig.target.arch == "aarch64" else 62}
    file = bench.folder / "it"
    file.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + foreign.to_bytes(2, "little"))
    assert why_not(file, rig.target.architecture) == f"is no program for {rig.target.arch}"


def test_a_watch_that_was_killed_is_an_error(bench: Bench) -> None:
    # Without namespaces, the program's parent is what keeps watch; inside, nobody can reach it.
    bench.fenced = False
    attempt = bench.run("echo it: PASS; kill -KILL $PPID; sleep 5")
    assert attempt.verdict.outcome is Outcome.ERROR


def test_a_program_gets_its_arguments_and_a_directory_of_its_own(bench: Bench) -> None:
    attempt = bench.run(
        'cd "$TMPDIR" && [ "$PWD" = "$HOME" ] && touch file && [ ${#1} = 16 ] && [ "$(umask)" = 0022 ]'
        " && ! read line && echo it: PASS"
    )
    assert attempt.verdict.outcome is Outcome.PASS
    assert list((bench.folder / "scratch").iterdir()) == []


def test_a_program_begins_with_every_signal_at_its_default(bench: Bench) -> None:
    attempt = bench.run("grep -E 'Sig(Blk|Ign)' /proc/self/status && echo it: PASS")
    raw = next(log.content for log in attempt.logs if log.kind is LogKind.RAW)
    reserved = 1 << 31 | 1 << 32  # 32 and 33 are the C library's own; nobody can set them by its means
    assert [int(line.split()[1], 16) & ~reserved for line in raw.splitlines()[:2]] == [0, 0]


def test_in_a_process_namespace_the_program_is_the_second_process(tmp_path: Path) -> None:
    attempt = Bench(tmp_path).run("[ $$ = 2 ] && [ -d /proc/2 ] && [ ! -d /proc/999 ] && echo it: PASS")
    if attempt.verdict.outcome is not Outcome.PASS:
        pytest.skip("this host allows no namespaces")


@pytest.mark.skipif(
    os.getuid() != 0 or not Path("/usr/bin/python3").exists(), reason="needs root, and a Python for all users"
)
@pytest.mark.parametrize("fence", ["fence", "-"])
def test_an_ordinary_user_stays_who_it_is_and_leaves_nothing(
    fence: str, marked: Callable[[], list[psutil.Process]]
) -> None:
    near, far = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        init = shutil.copy(ROOT / "runners" / "delivery" / "host_init.py", folder)
        script = Path(folder) / "it"
        script.write_text(f"#!/bin/sh\nsetsid sleep {MARK} &\necho $(id -u) $(id -g)\nexit 3\n")
        script.chmod(0o755)
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-S", init, str(far), fence, "-", "62", folder, script],
            pass_fds=[far],
            capture_output=True,
            check=False,
            user=65534,
            group=65534,
            extra_groups=[],
            cwd=folder,
        )
    os.close(far)
    assert (done.stdout, done.stderr) == (b"65534 65534\n", b"")
    assert os.read(near, 100) == b"exit 3\n"
    os.close(near)
    assert marked() == []


def test_what_is_told_of_an_emulated_program_without_a_handler_is_remembered() -> None:
    assert read_report(b"alone\nexit 1\n") == InitReport(alone=True, status=1)
    assert read_report(b"signal 9\n") == InitReport(signal=signal.SIGKILL)
    assert not read_report(b"").ended


def test_a_failure_that_the_host_may_be_to_blame_for_says_nothing(bench: Bench) -> None:
    judge = bench.rig().configuration
    failed = Observation(
        fields={"test": "it", "nonce": ""},
        ending=Ending.COMPLETED,
        waited_s=1.0,
        transcripts={"output": "it: FAIL"},
        status=1,
        caveat="it may not execute what it has to",
    )
    verdict = judge_observation(judge, target="linux", observation=failed)
    assert (verdict.outcome, verdict.evidence[0]) == (
        Outcome.NOT_RUN,
        "it may not execute what it has to; it ended as fail: it: FAIL",
    )
    passed = replace(failed, transcripts={"output": "it: PASS"}, status=0)
    assert judge_observation(judge, target="linux", observation=passed).outcome is Outcome.PASS


def test_a_host_of_the_same_architecture_needs_no_emulator(bench: Bench) -> None:
    target = bench.rig().target
    assert isinstance(target.delivery, ProcessDelivery)
    host = Host(system="Linux", machine=target.architecture.host_names[0], search_path="")
    assert find_emulator(target, target.delivery, host) is None


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (Host(system="Darwin", machine="arm64"), "its programs are for Linux"),
        (Host(system="Linux", machine="riscv64", search_path=""), "is not installed"),
    ],
)
def test_a_host_that_cannot_run_a_targets_programs_says_why(bench: Bench, host: Host, why: str) -> None:
    target = bench.rig().target
    assert isinstance(target.delivery, ProcessDelivery)
    with pytest.raises(MachineError, match=why):
        find_emulator(target, target.delivery, host)
