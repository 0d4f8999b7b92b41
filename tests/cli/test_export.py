from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from parity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("measured")


def test_text_goes_to_standard_output(parity: Callable[..., Result]) -> None:
    assert parity("export", "--format", "tap").stdout.startswith("TAP version 14\n1..2\n")
    assert parity("export", "-f", "ktap").stdout.startswith("KTAP version 1\n1..2\n")
    assert parity("export", "-f", "summary").stdout.startswith("### duet: run 1")
    assert json.loads(parity("export", "-f", "json").stdout)["run"]["number"] == 1


def test_tests_that_failed_change_nothing_about_the_exit_status(parity: Callable[..., Result]) -> None:
    result = parity("export", "-f", "junit")
    assert "<error" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("r.xml", b"<?xml"),
        ("r.tap", b"TAP version 14"),
        ("r.ktap", b"KTAP"),
        ("r.json", b"{"),
        ("r.md", b"###"),
        ("r.parity", b"PK"),
    ],
)
def test_the_file_s_ending_says_the_format(
    parity: Callable[..., Result], project: Path, name: str, begins: bytes
) -> None:
    file = project / name
    assert parity("export", "-o", str(file)).stdout.startswith(f"wrote {file}")
    assert file.read_bytes().startswith(begins)


def test_what_a_guest_printed_reaches_the_xml_escaped(parity: Callable[..., Result]) -> None:
    root = ElementTree.fromstring(parity("export", "-f", "junit").stdout)  # noqa: S314 - our own
    assert "| two\\x1b[2J" in (root.findtext(".//system-out") or "")


def test_a_run_can_be_chosen(parity: Callable[..., Result]) -> None:
    assert json.loads(parity("export", "1", "-f", "json").stdout)["run"]["number"] == 1
    error = parity("export", "9", "-f", "json").exception
    assert isinstance(error, UsageError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "which format?"),
        (("-o", "x.doc"), "which format?"),
        (("-f", "run"), "this format is a file"),
        (("-f", "run", "-o", "-"), "this format is a file"),
        (("-f", "tap", "--all"), "--all goes with the format run"),
        (("1", "-o", "x.parity", "--all"), "one of the two"),
    ],
)
def test_what_does_not_go_together_is_refused(
    parity: Callable[..., Result], arguments: tuple[str, ...], words: str
) -> None:
    error = parity("export", *arguments).exception
    assert isinstance(error, UsageError)
    assert words in error.message


def test_all_runs_go_into_one_file(parity: Callable[..., Result], project: Path) -> None:
    assert "1 run" in parity("export", "--all", "-o", str(project / "all.parity")).stdout
