from __future__ import annotations

import json
import os
import resource
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.captures.capture import Capture, Subject
from gdb.captures.capture_folder import CAPTURE_FILE, read_capture, write_capture
from gdb.evidence.evidence import read_evidence
from gdb.guest.memory import Block, RecordedMemory
from gdb.rules import diagnose
from gdb.trace.layout import TraceLayout
from parity.configuration import HangRules
from parity.errors import HarnessError, UsageError
from parity.whole_files import new_folder
from tests.support.ring_writer import ring_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUBJECT: Final = Subject(
    test="a_test", target="aarch64", arch="aarch64", cpus=2, ending="quiet", waited_s=1.5, taken_at="now"
)
NUMBER: Final = st.integers(0, (1 << 64) - 1)
TEXT: Final = st.text(st.characters(codec="utf-8"), max_size=20)
SUBJECTS: Final = st.builds(
    Subject,
    test=TEXT,
    target=TEXT,
    arch=st.sampled_from(["aarch64", "x86_64"]),
    cpus=st.integers(0, 16),
    ending=TEXT,
    waited_s=st.floats(0, 1e6),
    taken_at=TEXT,
    base=NUMBER,
    console_tail=st.lists(TEXT, max_size=3).map(tuple),
)
BLOCKS: Final = st.lists(
    st.builds(
        lambda address, content: Block(address=address, content=content),
        st.integers(0, (1 << 64) - 200),
        st.binary(min_size=1, max_size=100),
    ),
    max_size=4,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good capture's."""
    write_capture(tmp_path, Capture(subject=SUBJECT, memory=(Block(address=0x1000, content=b"ring"),)))
    return tmp_path


def edit(folder: Path, **values: object) -> None:
    """Write other values into a capture's file."""
    file = folder / CAPTURE_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def refused(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_capture(folder)
    return caught.value.message


@settings(max_examples=60)
@given(
    st.builds(
        Capture,
        subject=SUBJECTS,
        qemu_states=st.lists(TEXT, max_size=3).map(tuple),
        places=st.none() | st.dictionaries(NUMBER, TEXT, max_size=4),
        interrupt_controllers=st.none() | st.dictionaries(st.integers(0, 15), TEXT, max_size=3),
        timestamp_hz=st.none() | st.floats(0, 1e10),
        lock_names=st.lists(TEXT, max_size=3).map(tuple),
        queue_length=st.none() | st.integers(-1, 1000),
        pause_s=st.floats(0, 100),
        missing=st.lists(TEXT, max_size=3).map(tuple),
        memory=BLOCKS.map(tuple),
    )
)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, capture: Capture) -> None:
    folder = tmp_path_factory.mktemp("capture")
    write_capture(folder, capture)
    assert read_capture(folder) == replace(capture, memory=RecordedMemory(capture.memory).blocks)


@pytest.fixture
def small_files() -> Iterator[None]:
    """Files cannot grow, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    capture = Capture(subject=SUBJECT, memory=(Block(address=0, content=bytes(1024 * 1024)),))
    with (
        pytest.raises(HarnessError, match="cannot write the capture") as caught,
        new_folder(tmp_path, "one") as new,
    ):
        write_capture(new.path, capture)
    assert caught.value.hint == "is the disk full?"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_capture(tmp_path: Path) -> None:
    assert refused(tmp_path / "none").endswith("capture.json cannot be read: No such file or directory")


def test_a_capture_without_memory_is_read(folder: Path) -> None:
    (folder / "memory" / "0x1000.bin").unlink()
    assert read_capture(folder).memory == ()
    (folder / "memory").rmdir()
    assert read_capture(folder).memory == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"version": 1',
        "[]",
        "null",
        '"version"',
        "[" * 100_000,
        '{"version": 1, "a": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"version": ' + "9" * 5000 + "}",
        '{"version": 1, "subject": {}}',
        "\xff\xfe\x00",
        '{"version": 1}',
    ],
)
def test_a_file_that_is_no_capture_is_refused_by_its_name(folder: Path, text: str) -> None:
    (folder / CAPTURE_FILE).write_text(text, encoding="latin-1")
    assert str(folder / CAPTURE_FILE) in refused(folder)


def test_every_truncation_is_refused(folder: Path) -> None:
    text = (folder / CAPTURE_FILE).read_bytes()
    for size in range(0, len(text.rstrip()), 37):
        (folder / CAPTURE_FILE).write_bytes(text[:size])
        assert str(folder / CAPTURE_FILE) in refused(folder)


@pytest.mark.parametrize("version", [0, 2, -1, "1", None, [1], 1e300])
def test_another_version_is_refused_by_its_number(folder: Path, version: object) -> None:
    edit(folder, version=version)
    assert f"its version is {version!r}, and this parity reads 1" in refused(folder)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"places": {"1": 5}}, "places.1"),
        ({"cpus": [{}]}, "cpus.0"),
        ({"queue_length": 1 << 64}, "which no guest has"),
        ({"queue_length": -(1 << 64)}, "which no guest has"),
        ({"queue_length": int("9" * 4000)}, "which no guest has"),
        ({"pause_s": float("inf")}, "which no guest has"),
        ({"took_s": float("nan")}, "which no guest has"),
        ({"progress": [{"at_s": 0, "counters": [], "write_indices": [], "host": []}] * 2}, "do not ascend"),
    ],
)
def test_a_value_that_cannot_be_is_refused(folder: Path, values: dict[str, object], why: str) -> None:
    edit(folder, **values)
    assert why in refused(folder)


def test_more_cpus_than_any_machine_has_are_refused(folder: Path) -> None:
    write_capture(folder, Capture(subject=replace(SUBJECT, cpus=1 << 40)))
    assert "no machine has so many" in refused(folder)


@pytest.mark.parametrize(
    "lie",
    [
        {"cpus": 1 << 40},
        {"cpus": 0},
        {"stride": -64},
        {"stride": 1 << 60},
        {"capacity": 1 << 50},
        {"capacity": -1},
        {"entries": -16},
        {"entries": 1 << 40},
        {"write_index": {"offset": 1 << 50, "size": 8}},
        {"write_index": {"offset": 0, "size": 0}},
        {"dropped": {"offset": -8, "size": 8}},
    ],
    ids=str,
)
def test_rings_that_cannot_be_are_refused(folder: Path, lie: dict[str, Any]) -> None:
    write_capture(folder, Capture(subject=SUBJECT, layout=_trace_layout()))
    layout = json.loads((folder / CAPTURE_FILE).read_text())["layout"]
    layout["rings"] |= lie
    edit(folder, layout=layout)
    assert "layout.rings: " in refused(folder)


def test_a_link_a_pipe_or_a_device_is_refused_at_once(folder: Path) -> None:
    began = time.monotonic()
    file = folder / "memory" / "0x2000.bin"
    secret = folder / "secret"
    secret.write_text("secret")
    makers: list[Callable[[], None]] = [
        lambda: file.symlink_to(secret),
        lambda: file.symlink_to("/dev/zero"),
        lambda: os.mkfifo(file),
        file.mkdir,
    ]
    for make in makers:
        make()
        assert str(file) in refused(folder)
        file.rmdir() if file.is_dir() else file.unlink()
    (folder / CAPTURE_FILE).unlink()
    (folder / CAPTURE_FILE).symlink_to(secret)
    assert "it is a symbolic link" in refused(folder)
    assert time.monotonic() - began < 5


def test_a_linked_memory_folder_is_refused(folder: Path) -> None:
    (folder / "memory").rename(folder / "elsewhere")
    (folder / "memory").symlink_to(folder / "elsewhere")
    assert "it is a symbolic link" in refused(folder)


@pytest.mark.parametrize(
    "name", ["notes.bin", "0x.bin", "0x1G.bin", "-0x1.bin", "0x10000000000000000.bin", "12.bin"]
)
def test_a_memory_file_whose_name_is_no_address_is_refused(folder: Path, name: str) -> None:
    (folder / "memory" / name).write_bytes(b"x")
    assert refused(folder) == f"{folder / 'memory' / name}: its name is no address"


def test_memory_beyond_the_last_address_is_refused(folder: Path) -> None:
    (folder / "memory" / "0xffffffffffffffff.bin").write_bytes(b"x")
    assert len(read_capture(folder).memory) == 2
    (folder / "memory" / "0xffffffffffffffff.bin").write_bytes(b"xy")
    assert "reaches beyond the last address" in refused(folder)


def test_empty_memory_is_none(folder: Path) -> None:
    (folder / "memory" / "0x1000.bin").write_bytes(b"")
    assert RecordedMemory(read_capture(folder).memory).read(0x1000, 1) is None


def test_more_memory_than_any_capture_has_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "memory" / "0x2000.bin").open("wb") as stream:
        stream.truncate(257 * 1024 * 1024)
    assert "more bytes than any" in refused(folder)


@settings(max_examples=150)
@given(st.data())
def test_whatever_is_changed_in_it_a_capture_is_refused_or_diagnosed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("capture")
    write_capture(folder, Capture(subject=SUBJECT, layout=_trace_layout()))
    found = json.loads((folder / CAPTURE_FILE).read_text())
    place = found
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        inner = place[key]
        if not isinstance(inner, dict) or data.draw(st.booleans()):
            place[key] = data.draw(
                st.sampled_from([0, -1, 1 << 63, 1 << 40, 255, None, "", "\x1b[2J", [], {}, [[]], 1e300])
            )
            break
        place = inner
    (folder / CAPTURE_FILE).write_text(json.dumps(found))
    try:
        capture = read_capture(folder)
    except UsageError:
        return
    assert diagnose(read_evidence(capture, HangRules())).sentence


def _trace_layout() -> TraceLayout:
    return TraceLayout(rings=ring_layout(cpus=2))
