"""Run one program on the host's own Linux, fenced in: `python -I -S host_init.py STATUS_FD EMULATOR FOLDER PROGRAM ...`.

Executed as a script, in a process of its own. As far as the host allows, the program gets user, mount, process,
network and IPC namespaces of its own; what it leaves running dies with them. Where it does not, this process
adopts what the program leaves behind (PR_SET_CHILD_SUBREAPER) and kills that.

EMULATOR is a user-mode emulator, or `-`. Programs that a foreign program executes are foreign too, so the emulator
is registered with binfmt_misc inside the namespace (Linux 6.7 or later); nothing outside changes.

How the program ended is written to STATUS_FD: `exit N` or `signal N`. An exit status of our own could not tell the
two apart, and the first process of a namespace cannot die of a signal.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from pathlib import Path

# Linux, include/uapi/linux/{sched,prctl,sockios,if}.h
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

LIBC = ctypes.CDLL(None, use_errno=True)

# ELF, 64 bits, little-endian, executable; the mask leaves out the OS ABI and what follows it.
ELF_MAGIC = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00"
ELF_MASK = b"\xff" * 7 + bytes(9) + b"\xff\xff"
ELF_MACHINES = {"qemu-aarch64": b"\xb7\x00", "qemu-x86_64": b"\x3e\x00"}


def enter_namespaces() -> bool:
    """Give this process's children namespaces of their own; False where the host does not allow it."""
    user, group = os.getuid(), os.getgid()
    whole = user == 0  # root may map all identifiers, so that tests can give up theirs
    ready, go = os.pipe()
    parent = os.getpid()
    mapper = os.fork()
    if mapper == 0:  # only a process outside can map more than one identifier
        os.close(go)
        os.read(ready, 1)
        try:
            if not whole:
                Path(f"/proc/{parent}/setgroups").write_text("deny")
            for name, own in (("uid_map", user), ("gid_map", group)):
                Path(f"/proc/{parent}/{name}").write_text("0 0 65536" if whole else f"{own} {own} 1")
        except OSError:
            os._exit(1)
        os._exit(0)
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC
    entered = LIBC.unshare(flags) == 0
    os.close(go)
    os.close(ready)
    mapped = os.waitpid(mapper, 0)[1] == 0
    return entered and mapped


def mount(source: bytes, where: Path, kind: bytes) -> None:
    """Mount a file system; raises `OSError`."""
    if LIBC.mount(source, str(where).encode(), kind, 0, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {where}")


def register_emulator(emulator: Path, folder: Path) -> None:
    """Let the kernel of this namespace run foreign programs through the emulator."""
    where = folder / "binfmt_misc"
    where.mkdir(exist_ok=True)
    mount(b"none", where, b"binfmt_misc")
    machine = ELF_MACHINES[emulator.name.removesuffix("-static")]
    magic, mask = (
        "".join(f"\\x{byte:02x}" for byte in content)
        for content in (ELF_MAGIC + machine, ELF_MASK + b"\xff\xff")
    )
    (where / "register").write_text(f":{emulator.name}:M::{magic}:{mask}:{emulator}:POF")


def raise_loopback() -> None:
    """Switch the loopback interface on: in a new network namespace it is off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        _, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def run(status_fd: int, command: list[str]) -> None:
    """Run the program to its end and tell how it ended; then kill what it left behind."""
    child = os.fork()
    if child == 0:
        os.close(status_fd)
        os.setsid()
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python itself, and ignoring is inherited
            signal.signal(ignored, signal.SIG_DFL)
        try:
            os.execv(command[0], command)
        except OSError as error:
            sys.stderr.write(f"{command[0]}: {error.strerror}\n")
            sys.stderr.flush()
            os._exit(127)
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    code = os.waitstatus_to_exitcode(status)
    os.write(status_fd, (f"signal {-code}" if code < 0 else f"exit {code}").encode())
    kill_children()


def kill_children() -> None:
    """Kill whatever has become our child, until there is nothing left."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(ChildProcessError, OSError):
        while True:
            for child in children.read_text().split():
                os.kill(int(child), signal.SIGKILL)
            os.wait()


def main() -> None:
    """Fence in, run, tell the end."""
    status_fd, emulator, folder, *command = sys.argv[1:]
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    fenced = enter_namespaces()
    first = os.fork() if fenced else 0
    if first != 0:  # the first process of the namespace does the rest; it takes all others along when it ends
        os.close(int(status_fd))
        os.waitpid(first, 0)
        return
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    registered = False
    if fenced:
        with contextlib.suppress(OSError):
            mount(b"proc", Path("/proc"), b"proc")
        with contextlib.suppress(OSError):
            raise_loopback()
        with contextlib.suppress(OSError):
            if emulator != "-":
                register_emulator(Path(emulator), Path(folder))
                registered = True
    run(int(status_fd), command if registered or emulator == "-" else [emulator, *command])


if __name__ == "__main__":
    main()
