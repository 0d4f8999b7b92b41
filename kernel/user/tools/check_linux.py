"""Run duet's test programs on this machine's Linux: natively, or the aarch64 ones under qemu-aarch64.

Usage: check_linux.py --arch ARCH [--repeat N] [--jobs N] [--user NAME] [--time-out SECONDS] DIRECTORY [TEST...]

Every test gets a time-out, a temporary directory and a session of its own; what it leaves running is killed. The
exit status is 1 when a test fails, hangs or leaves files behind. Programs that a test executes are aarch64 ones
too: the whole check runs in a user namespace in which binfmt_misc (Linux 6.7 and later) gives them to
qemu-aarch64, and nothing outside changes.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
EXIT_SKIP = 77

# ELF, 64 bits, little-endian, executable, machine 183; the mask leaves out the OS ABI and what follows it.
AARCH64_MAGIC = b"\x7fELF\x02\x01\x01" + b"\x00" * 9 + b"\x02\x00\xb7\x00"
AARCH64_MASK = b"\xff" * 7 + b"\x00" * 9 + b"\xff" * 4


@dataclass(frozen=True)
class Result:
    name: str
    verdict: str  # PASS, SKIP, FAIL, TIMEOUT
    detail: str
    seconds: float


def escape(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def enter_namespace(flags: int, uid_map: str, gid_map: str) -> None:
    """Move this process into a new user namespace. A map is "first-inside first-outside count"."""
    target = os.getpid()
    unshared_read, unshared_write = os.pipe()
    mapper = os.fork()
    if mapper == 0:
        # From outside: whoever is inside may map no more than itself.
        os.close(unshared_write)
        os.read(unshared_read, 1)
        if not uid_map.endswith(" 65536"):
            Path(f"/proc/{target}/setgroups").write_text("deny")
        Path(f"/proc/{target}/uid_map").write_text(uid_map)
        Path(f"/proc/{target}/gid_map").write_text(gid_map)
        os._exit(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.close(unshared_read)
    os.close(unshared_write)
    if os.waitpid(mapper, 0)[1] != 0:
        raise OSError("the identifiers of the user namespace cannot be mapped")


def register_emulator(emulator: str, workspace: Path) -> None:
    """Have the kernel give aarch64 programs to the emulator, in this process and its children alone."""
    uid, gid = os.getuid(), os.getgid()
    own_uid, own_gid = ("0 0 65536", "0 0 65536") if uid == 0 else (f"0 {uid} 1", f"0 {gid} 1")
    enter_namespace(CLONE_NEWUSER | CLONE_NEWNS, own_uid, own_gid)
    libc = ctypes.CDLL(None, use_errno=True)
    mount_point = workspace / "binfmt_misc"
    mount_point.mkdir()
    if libc.mount(b"none", str(mount_point).encode(), b"binfmt_misc", 0, None) != 0:
        raise OSError(ctypes.get_errno(), "mounting binfmt_misc (Linux 6.7 or later?)")
    rule = f":qemu-aarch64:M::{escape(AARCH64_MAGIC)}:{escape(AARCH64_MASK)}:{emulator}:POF"
    (mount_point / "register").write_text(rule)
    if uid != 0:  # registering took the namespace's root: become the ordinary user again
        enter_namespace(CLONE_NEWUSER, f"{uid} 0 1", f"{gid} 0 1")


def kill_remains(leader: int, directory: Path) -> None:
    """Kill what still runs of a test: its session, and those that left it but have the test's TMPDIR."""
    mark = f"TMPDIR={directory}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name in parentheses: state, parent, group, session.
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if fields[0] == "Z":
                continue
            if int(fields[3]) == leader or mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except (OSError, ValueError):
            continue


def run_test(program: Path, directory: Path, options: argparse.Namespace) -> Result:
    directory.mkdir()
    environment = {"PATH": "/nowhere", "TMPDIR": str(directory)}
    if options.emulated:
        environment["USER_EMULATOR"] = "qemu-aarch64"
    identity = pwd.getpwnam(options.user) if options.user else None
    if identity:
        os.chown(directory, identity.pw_uid, identity.pw_gid)
    started = time.monotonic()
    with directory.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [program],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            cwd="/",
            user=identity.pw_uid if identity else None,
            group=identity.pw_gid if identity else None,
            extra_groups=[] if identity else None,
        )
        try:
            status = process.wait(options.time_out)
        except subprocess.TimeoutExpired:
            status = None
        seconds = time.monotonic() - started
        kill_remains(process.pid, directory)
        process.wait()
    lines = directory.with_suffix(".log").read_text(errors="backslashreplace").splitlines() or [""]
    return judge(program.name, status, lines, seconds, sorted(entry.name for entry in directory.iterdir()))


def judge(name: str, status: int | None, lines: list[str], seconds: float, left_behind: list[str]) -> Result:
    """The exit status and the last line must say the same; nothing may be left in the temporary directory."""
    verdict, _, detail = lines[-1].removeprefix(f"{name}: ").partition(": ")
    expected = {0: "PASS", EXIT_SKIP: "SKIP"}.get(-1 if status is None else status, "FAIL")
    if status is None:
        return Result(name, "TIMEOUT", f"last line: {lines[-1]}", seconds)
    if verdict != expected or expected == "FAIL":
        context = " | ".join(lines[-3:-1])
        return Result(
            name,
            "FAIL",
            f"status {status}: {lines[-1]}" + (f"  (before: {context})" if context else ""),
            seconds,
        )
    if left_behind:
        return Result(name, "FAIL", f"left behind: {', '.join(left_behind)}", seconds)
    return Result(name, verdict, detail, seconds)


def print_table(results: dict[str, list[Result]]) -> int:
    failed = 0
    for name, attempts in results.items():
        verdicts = Counter(attempt.verdict for attempt in attempts)
        worst = next(
            (attempt for attempt in attempts if attempt.verdict in ("FAIL", "TIMEOUT")), attempts[-1]
        )
        seconds = max(attempt.seconds for attempt in attempts)
        count = f" {verdicts[worst.verdict]}/{len(attempts)}" if len(attempts) > 1 else ""
        print(f"{worst.verdict + count:<13} {name:<26} {seconds * 1000:6.0f} ms  {worst.detail}")
        failed += worst.verdict in ("FAIL", "TIMEOUT")
    totals = Counter(attempts[-1].verdict for attempts in results.values())
    print(
        f"{len(results)} tests: {failed} failed, {totals['SKIP']} skipped, {len(results) - failed - totals['SKIP']} passed"
    )
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--arch", required=True, choices=("aarch64", "x86_64"))
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--user")
    parser.add_argument("--time-out", type=float, default=15)
    parser.add_argument("directory", type=Path)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()

    emulator = shutil.which(f"qemu-{options.arch}")
    options.emulated = os.uname().machine != options.arch
    programs = sorted(options.directory.resolve().glob("*_test"))
    if options.tests:
        programs = [options.directory.resolve() / name for name in options.tests]
    if options.emulated and emulator is None:
        parser.error(f"qemu-{options.arch} is not installed")
    with tempfile.TemporaryDirectory(prefix="check-linux-") as workspace:
        # In a child, with which the namespace goes; the workspace is removed from outside of it.
        child = os.fork()
        if child == 0:
            try:
                failed = run_all(programs, Path(workspace), options, emulator if options.emulated else None)
                sys.stdout.flush()
                os._exit(1 if failed else 0)
            except BaseException:  # noqa: BLE001 - the child of a fork must not return into the caller
                sys.excepthook(*sys.exc_info())
                os._exit(2)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_all(programs: list[Path], workspace: Path, options: argparse.Namespace, emulator: str | None) -> int:
    workspace.chmod(0o711)
    if emulator is not None:
        register_emulator(emulator, workspace)
    results: dict[str, list[Result]] = {program.name: [] for program in programs}
    with ThreadPoolExecutor(options.jobs) as pool:
        for attempt in range(options.repeat):
            directories = (workspace / f"{program.name}-{attempt}" for program in programs)
            for result in pool.map(
                lambda pair: run_test(*pair, options), zip(programs, directories, strict=True)
            ):
                results[result.name].append(result)
    return print_table(results)


if __name__ == "__main__":
    sys.exit(main())
