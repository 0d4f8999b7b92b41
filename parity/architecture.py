"""The instruction sets parity knows: one row each, and no `if arch ==` anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What differs between instruction sets for the tool that drives them."""

    name: str
    """The name in parity.toml and on the command line, as `uname -m` prints it on Linux."""
    qemu: str
    """The system emulator's program name."""
    qemu_package: str
    """Debian's package that holds it, for the hint when it is missing."""
    user_emulator: str
    """The emulator of single programs, for running them on a host of another architecture."""
    host_names: tuple[str, ...]
    """What `platform.machine()` answers on a host of this architecture: kvm and hvf need a match."""
    elf_machine: str
    """`e_machine` as pyelftools spells it, to tell a kernel built for the wrong architecture."""
    cpus: Mapping[str, str] = field(default_factory=dict)
    """What QEMU should emulate in machines whose own CPU cannot run this instruction set, by the machine's name."""


AARCH64: Final = Architecture(
    name="aarch64",
    qemu="qemu-system-aarch64",
    qemu_package="qemu-system-arm",
    user_emulator="qemu-aarch64",
    host_names=("aarch64", "arm64"),
    elf_machine="EM_AARCH64",
    cpus={"virt": "cortex-a72"},  # else a 32-bit Cortex-A15 (docs/system/arm/virt.rst, QEMU 7.2)
)
X86_64: Final = Architecture(
    name="x86_64",
    qemu="qemu-system-x86_64",
    qemu_package="qemu-system-x86",
    user_emulator="qemu-x86_64",
    host_names=("x86_64", "AMD64"),
    elf_machine="EM_X86_64",
)

ARCHITECTURES: Final = {architecture.name: architecture for architecture in (AARCH64, X86_64)}
