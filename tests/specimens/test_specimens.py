"""Kernels that nobody described to parity: the verdict is right, and what is not known is said with what would tell.

The whole table is a command, `python -m tests.specimens.matrix`; here is what its cells differ in.
"""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

import pytest

from gdb.captures.capture_folder import read_capture
from gdb.guest.memory import RecordedMemory
from gdb.kernel_file.elf_image import read_elf
from gdb.trace.byte_trace import read_byte_trace
from parity.diagnosis import Cause, Diagnosis
from parity.outcome import Outcome
from tests.specimens.matrix import SPECIMENS, Cell, build_specimens, run_specimen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(120)]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built images, one for all workers."""
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "specimens.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        build_specimens(shared / "specimens")
    return shared / "specimens"


@pytest.fixture
def look(images: Path, tmp_path: Path) -> Callable[[str, str], Cell]:
    """Boot a specimen and have it diagnosed."""

    def run(name: str, arch: str) -> Cell:
        specimen = next(one for one in SPECIMENS if one.name == name)
        return run_specimen(specimen, arch, tmp_path / "run", images=images)

    return run


def diagnosis_of(cell: Cell) -> Diagnosis:
    assert cell.diagnosis is not None
    return cell.diagnosis


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("prompt", "aarch64"),
        ("prompt", "x86_64"),
        ("fault", "aarch64"),
        ("rust", "aarch64"),
        ("parked", "x86_64"),
        ("ring", "aarch64"),
        ("ring", "x86_64"),
        ("copied", "x86_64"),
        ("dwarf4-O2", "aarch64"),
        ("inlined-bare", "x86_64"),
        ("cxx", "aarch64"),
        ("inlined-ticket", "x86_64"),
    ],
)
def test_a_stuck_kernel_is_told_as_what_it_is(name: str, arch: str, look: Callable[[str, str], Cell]) -> None:
    cell = look(name, arch)
    assert diagnosis_of(cell).cause is cell.specimen.wanted[0], cell.text
    assert cell.unsaid == (), cell.text


@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_a_lock_that_no_cpu_is_left_to_release_makes_a_hang(
    arch: str, look: Callable[[str, str], Cell]
) -> None:
    cell = look("inlined", arch)
    assert cell.attempt.verdict.outcome is Outcome.HANG, cell.text
    assert not diagnosis_of(cell).confidence.is_proof


def test_without_symbols_the_registers_tell_and_symbols_are_asked_for(
    look: Callable[[str, str], Cell],
) -> None:
    cell = look("stripped", "aarch64")
    assert diagnosis_of(cell).cause is Cause.INTERRUPTS_OFF_LOOP
    assert not diagnosis_of(cell).confidence.is_proof
    assert any("no symbols; `symbols` in parity.toml" in line for line in diagnosis_of(cell).missing)


def test_a_kernel_that_is_elsewhere_is_not_guessed_at(look: Callable[[str, str], Cell]) -> None:
    cell = look("baseless", "x86_64")
    assert diagnosis_of(cell).cause is Cause.UNKNOWN
    assert any("`hang.base`" in line for line in diagnosis_of(cell).missing)
    assert "the trace rings: their memory cannot be read" in diagnosis_of(cell).missing


def test_a_byte_trace_is_kept_with_the_capture(look: Callable[[str, str], Cell]) -> None:
    cell = look("bytes", "x86_64")
    assert not cell.is_confidently_wrong
    assert cell.attempt.hang is not None
    capture = read_capture(cell.attempt.hang.folder)
    assert capture.layout is not None
    assert capture.layout.byte_trace is not None
    trace = read_byte_trace(RecordedMemory(capture.memory), capture.layout.byte_trace)
    assert trace is not None
    assert (trace.text, trace.missing) == ("D D D E N O 1", 0)


def test_a_reset_ends_qemu_and_is_a_crash(look: Callable[[str, str], Cell]) -> None:
    cell = look("reset", "x86_64")
    assert cell.attempt.verdict.outcome is Outcome.CRASH
    assert cell.diagnosis is None


@pytest.mark.parametrize("arch", ["aarch64", "x86_64"])
def test_the_images_are_what_they_claim_to_be(arch: str, images: Path) -> None:
    assert not len(read_elf(images / arch / "stripped.elf").symbols)
    ring = read_elf(images / arch / "ring.sym")
    assert (ring.is_position_independent, ring.dwarf) == (True, None)
    moved = read_elf(images / arch / "moved.sym")
    assert not moved.is_position_independent
    assert all(one.address - one.physical_address > 1 << 39 for one in moved.segments)
