"""Which CPU's page tables are believed: with a monitor that answers for a machine in a known state."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdb.guest.guest import PAGE, Guest, GuestMemory
from gdb.kernel_file.elf_image import ElfImage
from parity.errors import MachineError
from tests.support.compiled import compile_c

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = "int counter = 7; int text(int a) { int s = 0; for (int i = 0; i < a; i++) s += i * i; return s; }"
KERNEL, USER = 0x3C5, 0x3C0
MOVED = 0x8000_0000


class Machine:
    """Answers like QEMU 7.2: `cpus` are (pc, PSTATE), `maps` what each CPU adds to an address; None maps nothing."""

    def __init__(
        self, cpus: Sequence[tuple[int, int]], maps: Sequence[int | None], ram: Mapping[int, bytes]
    ) -> None:
        self.cpus = cpus
        self.maps = maps
        self.ram = ram

    def execute(self, command: str, **arguments: Any) -> Any:
        if command == "pmemsave":
            return self.save(arguments["val"], arguments["size"], Path(arguments["filename"]))
        line = arguments["command-line"]
        if line == "info registers -a":
            return "\n".join(
                f"CPU#{number}\n PC={pc:016x} X00=0000000000000000\nPSTATE={state:08x} ---- EL1h\n"
                for number, (pc, state) in enumerate(self.cpus)
            )
        address = int(re.fullmatch(r"gva2gpa (0x[0-9a-f]+)", line)[1], 16)  # type: ignore[index]
        moved = self.maps[arguments["cpu-index"]]
        return "Unmapped" if moved is None else f"gpa: {address + moved:#x}"

    def save(self, address: int, size: int, file: Path) -> dict[str, object]:
        for start, content in self.ram.items():
            if start <= address and address + size <= start + len(content):
                file.write_bytes(content[address - start :][:size])
                return {}
        raise MachineError("no such memory")

    def events(self) -> Sequence[Mapping[str, Any]]:
        return ()


def kernel() -> ElfImage:
    return ElfImage(io.BytesIO(compile_c(SOURCE, options=("-O0",))), name="kernel")


def loaded(elf: ElfImage, *, counter: int, above: int = 0) -> dict[int, bytes]:
    """Return the kernel's memory, so many bytes above its link addresses, with its counter at a value."""
    found = {}
    at = elf.symbols.find("counter")
    assert at is not None
    for segment in elf.segments:
        start = segment.address // PAGE * PAGE
        size = (segment.address + segment.memory_size - start + PAGE - 1) // PAGE * PAGE
        content = bytearray(size)
        stored = elf.read(segment.address, segment.memory_size) or b""
        content[segment.address - start : segment.address - start + len(stored)] = stored
        if segment.address <= at.address < segment.address + segment.memory_size:
            content[at.address - start : at.address - start + 4] = counter.to_bytes(4, "little")
        found[start + above] = bytes(content)
    return found


def read_counter(elf: ElfImage, machine: Machine, folder: Path) -> int | None:
    at = elf.symbols.find("counter")
    assert at is not None
    raw = GuestMemory(Guest(machine, folder, pid=1), elf).read(at.address, 4)
    return None if raw is None else int.from_bytes(raw, "little")


def code_of(elf: ElfImage) -> int:
    found = elf.symbols.find("text")
    assert found is not None
    return found.address


def test_a_kernel_that_lies_as_linked_is_read_with_every_cpu_in_user_mode(tmp_path: Path) -> None:
    elf = kernel()
    machine = Machine([(0x1000, USER)], [None], loaded(elf, counter=8))
    assert read_counter(elf, machine, tmp_path) == 8


def test_a_stale_copy_where_the_kernel_was_linked_is_not_read(tmp_path: Path) -> None:
    elf = kernel()
    ram = loaded(elf, counter=7) | loaded(elf, counter=9, above=MOVED)
    assert read_counter(elf, Machine([(code_of(elf), KERNEL)], [MOVED], ram), tmp_path) == 9


def test_a_cpu_outside_the_kernel_s_code_does_not_translate(tmp_path: Path) -> None:
    elf = kernel()
    ram = {start: bytes(len(content)) for start, content in loaded(elf, counter=0).items()}
    ram |= loaded(elf, counter=9, above=MOVED)
    in_user_mode, never_started = (0x1000, USER), (0, KERNEL)
    assert read_counter(elf, Machine([in_user_mode, never_started], [None, 0], ram), tmp_path) is None
    inside = (code_of(elf), KERNEL)
    assert read_counter(elf, Machine([never_started, inside], [0, MOVED], ram), tmp_path) == 9
