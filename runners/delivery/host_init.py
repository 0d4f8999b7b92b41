"""Run one program on the host's own Linux, fenced in, and leave nothing of it behind.

`python -I -S host_init.py STATUS_FD FENCE EMULATOR MACHINE FOLDER PROGRAM ...`, executed as a script in a process of
its own. FENCE is `fence` or `-`, EMULATOR a user-mode emulator or `-`, MACHINE the number of its architecture in ELF
files, FOLDER a private folder.

Three processes are between parity and the program. The *warden* is this one: it adopts whatever loses its parent
(PR_SET_CHILD_SUBREAPER) and kills all that is below it when the program has ended, when it is told to (SIGTERM) and
when parity is gone, however that came. The *fence* has user, mount, process, network and IPC namespaces made for
its child, the *first process* of the new process namespace, which starts the program; when it ends, the kernel kills
all others in there. Where the host allows no namespaces, the warden starts the program itself.

Programs that a foreign program executes are foreign too. So the emulator is registered with binfmt_misc inside the
user namespace (Linux 6.7 or later); nothing outside changes.

What became of the program is written to STATUS_FD, a line each: `alone` (emulated, but what it executes itself is
not), `cannot REASON` (it could not be executed), `exit N` or `signal N`. An exit status of our own could not tell
those apart, and the first process of a namespace cannot die of a signal.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# Linux, include/uapi/linux/{sched,mount,prctl,sockios,if}.h
CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

LIBC = ctypes.CDLL(None, use_errno=True)

# ELF, 64 bits, little-endian, executable or shared (position-independent); the mask leaves out the OS ABI, what
# follows it, and the lowest bit of the type.
ELF_MAGIC = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00"
ELF_MASK = b"\xff" * 7 + bytes(9) + b"\xfe\xff"

WITH_USERS, WITHOUT_USERS, NOTHING = b"u", b"n", b"-"
"""Which namespaces the fence has got."""


@dataclass(frozen=True)
class Task:
    """What is to be run, and how."""

    status_fd: int
    emulator: str
    """Empty where the program runs natively."""
    machine: int
    folder: Path
    command: list[str]

    def tell(self, line: str) -> None:
        """Write one line for parity."""
        os.write(self.status_fd, f"{line}\n".encode())

    def tell_end(self, wait_status: int) -> None:
        """Write how the program ended."""
        code = os.waitstatus_to_exitcode(wait_status)
        self.tell(f"signal {-code}" if code < 0 else f"exit {code}")


# --- The warden ------------------------------------------------------------------------------------------------


def run(task: Task, *, fenced: bool) -> None:
    """Run the program to its end, or until we are told to end; leave nothing behind."""
    begin_clean()
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    LIBC.prctl(
        PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0
    )  # the launcher's SIGKILL would leave us no time to kill
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    fence = start_fence(task) if fenced else None
    child = start_program(task, user=None) if fence is None else fence
    ended = wait_for(child)
    if fence is None and ended is not None:
        task.tell_end(ended)
    kill_descendants()


def begin_clean() -> None:
    """Give the program a plain start, whatever parity was started with."""
    with contextlib.suppress(PermissionError):  # a session leader already
        os.setsid()  # the terminal's Ctrl-C is for parity
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):  # those that cannot be handled
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def wait_for(child: int) -> int | None:
    """Return the child's wait status, or None when we are told to end first; reap whatever ends meanwhile."""
    while signal.sigwait({signal.SIGTERM, signal.SIGCHLD}) == signal.SIGCHLD:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
                if ended[0] == child:
                    return ended[1]
    return None


def kill_descendants() -> None:
    """Kill all that is below us until nothing is left: whoever loses its parent becomes our child."""
    while True:
        for process in find_descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def find_descendants(ancestor: int) -> list[int]:
    """Return all processes below one, from the parent's number in /proc/PID/stat (proc(5))."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(entry.name))
    found = list(children.get(ancestor, ()))
    for process in found:  # grows meanwhile
        found += children.get(process, ())
    return found


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, whose process number is given."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


# --- The fence -------------------------------------------------------------------------------------------------


def start_fence(task: Task) -> int | None:
    """Return the fence's process number; None where the host allows no namespaces."""
    (got, get), (go, let_go) = os.pipe(), os.pipe()
    warden = os.getpid()
    fence = os.fork()
    if fence == 0:
        die_with(warden)
        os.close(let_go)
        kind = enter_namespaces()
        os.write(get, kind)
        if os.read(go, 1) == b"y":
            start_first_process(task, with_users=kind == WITH_USERS)
        os._exit(0)
    for end in (get, go):
        os.close(end)
    kind = os.read(got, 1)
    allowed = kind == WITHOUT_USERS or (kind == WITH_USERS and map_identifiers(fence))
    if allowed:
        os.close(task.status_fd)  # parity sees its end when those inside are gone
        os.write(let_go, b"y")
    for end in (got, let_go):
        os.close(end)
    if not allowed:
        os.waitpid(fence, 0)
    return fence if allowed else None


def enter_namespaces() -> bytes:
    """Leave this process's namespaces; return which ones were to be had."""
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC
    if LIBC.unshare(flags | CLONE_NEWUSER) == 0:
        return WITH_USERS
    return WITHOUT_USERS if LIBC.unshare(flags) == 0 else NOTHING  # only root may


def map_identifiers(process: int) -> bool:
    """Name users and groups in a process's user namespace; False where it is not allowed.

    Root's are all mapped to themselves, so that tests can give up theirs. Anybody else's own becomes root, which
    binfmt_misc asks for; the program then gets it back (`become_user`).
    """
    own = Path("/proc/self"), Path(f"/proc/{process}")
    try:
        if os.getuid() != 0:
            (own[1] / "setgroups").write_text("deny")
        for name, number in (("uid_map", os.getuid()), ("gid_map", os.getgid())):
            extents = [line.split() for line in (own[0] / name).read_text().splitlines()]
            whole = "\n".join(f"{inside} {inside} {count}" for inside, _, count in extents)
            (own[1] / name).write_text(whole if os.getuid() == 0 else f"0 {number} 1")
    except OSError:
        return False
    return True


def start_first_process(task: Task, *, with_users: bool) -> None:
    """Start the first process of the new process namespace and wait until it ends, and with it all others."""
    watched, alive = os.pipe()
    if os.fork() == 0:
        os.close(alive)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if select.select([watched], [], [], 0)[
            0
        ]:  # the fence is gone; its number cannot be seen from in here
            os._exit(1)
        be_first_process(task, with_users=with_users)
        os._exit(0)
    os.close(task.status_fd)
    os.wait()


# --- The first process -----------------------------------------------------------------------------------------


def be_first_process(task: Task, *, with_users: bool) -> None:
    """Furnish the namespaces, run the program and tell its end."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # in here, signals at their default do nothing to us
    with contextlib.suppress(OSError):
        mount(b"none", Path("/"), None, MS_REC | MS_PRIVATE)
        mount(b"proc", Path("/proc"), b"proc")
    with contextlib.suppress(OSError):
        raise_loopback()
    if task.emulator and with_users:  # without a user namespace of our own it would be the whole host's
        with contextlib.suppress(OSError):
            register_emulator(task)
    user = read_original_user() if with_users else None
    child = start_program(task, user=user)
    while (ended := os.wait())[0] != child:
        pass
    task.tell_end(ended[1])


def mount(source: bytes, where: Path, kind: bytes | None, flags: int = 0) -> None:
    """Mount a file system; raises `OSError`."""
    if LIBC.mount(source, str(where).encode(), kind, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {where}")


def register_emulator(task: Task) -> None:
    """Let the kernel run foreign programs through the emulator; raises `OSError` where it does not want to."""
    where = task.folder / "binfmt_misc"
    where.mkdir(exist_ok=True)
    mount(b"none", where, b"binfmt_misc")
    magic, mask = (
        "".join(f"\\x{byte:02x}" for byte in content)
        for content in (ELF_MAGIC + struct.pack("<H", task.machine), ELF_MASK + b"\xff\xff")
    )
    (where / "register").write_text(f":parity:M::{magic}:{mask}:{task.emulator}:POF")


def raise_loopback() -> None:
    """Switch the loopback interface on: in a new network namespace it is off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        _, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def read_original_user() -> tuple[int, int] | None:
    """Return the user and group outside where they alone are mapped, to our root; None where all keep theirs."""
    found = [Path(f"/proc/self/{name}").read_text().split() for name in ("uid_map", "gid_map")]
    (user, user_outside, users), (group, group_outside, _) = (extent[:3] for extent in found)
    if (user, group, users) == ("0", "0", "1") and user_outside != "0":
        return int(user_outside), int(group_outside)
    return None


# --- The program -----------------------------------------------------------------------------------------------


def start_program(task: Task, *, user: tuple[int, int] | None) -> int:
    """Start the program in a session of its own; return its process number."""
    parent = os.getpid()
    child = os.fork()
    if child != 0:
        return child
    try:
        die_with(parent)
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if user is not None:
            become_user(*user)
        os.set_inheritable(task.status_fd, False)  # noqa: FBT003 - its only form
        execute(task)
    except OSError as error:
        task.tell(f"cannot {error.strerror}")
    finally:
        os._exit(127)


def become_user(user: int, group: int) -> None:
    """Take the ordinary user's identity back, in a user namespace inside ours; raises `OSError`."""
    if LIBC.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}")
    Path("/proc/self/uid_map").write_text(f"{user} 0 1")
    Path("/proc/self/gid_map").write_text(f"{group} 0 1")


def execute(task: Task) -> None:
    """Become the program; raises `OSError`."""
    program = task.command[0]
    try:
        os.execv(program, task.command)
    except OSError as error:
        if not task.emulator or error.errno != errno.ENOEXEC:
            raise
    task.tell("alone")
    os.execv(task.emulator, [task.emulator, *task.command])


def main() -> None:
    """Read the arguments and run."""
    status_fd, fence, emulator, machine, folder, *command = sys.argv[1:]
    task = Task(
        status_fd=int(status_fd),
        emulator="" if emulator == "-" else emulator,
        machine=int(machine),
        folder=Path(folder),
        command=command,
    )
    run(task, fenced=fence == "fence")


if __name__ == "__main__":
    main()
