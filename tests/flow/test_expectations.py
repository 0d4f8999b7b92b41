"""The expectations' file in its project."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity.configuration import Configuration, load_configuration
from parity.errors import ConfigurationError, ExpectationError, UsageError
from parity.flow.results.expectations import read_expectations

ROOT = Path(__file__).parents[2]

TOML = """
[kernel]
name = "toy"
{more}

[tests]
names = ["dup_test", "fork_test"]

[target.virt]
arch = "aarch64"
machine = "virt"
kernel = "toy.elf"
delivery = {{ kind = "shell", prompt = "toy> $" }}

[target.other]
arch = "x86_64"
machine = "q35"
kernel = "toy.elf"
delivery = {{ kind = "shell", prompt = "toy> $" }}

[test.dup_test]
targets = ["virt"]
"""

ENTRY = '[[expect]]\r\ntest = "dup_test"\r\ntarget = "virt"\r\noutcome = "fail"\r\nreason = "known"\r\n'


def project(folder: Path, *, more: str = "", file: bytes | None = None) -> Configuration:
    (folder / "parity.toml").write_text(TOML.format(more=more))
    if file is not None:
        (folder / "expectations.toml").write_bytes(file)
    return load_configuration(folder / "parity.toml")


def test_without_the_file_nothing_is_expected(tmp_path: Path) -> None:
    assert read_expectations(project(tmp_path)).entries == ()


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    configuration = project(tmp_path, more='expectations = "known.toml"')
    with pytest.raises(ConfigurationError, match=r"kernel\.expectations: there is no file"):
        read_expectations(configuration)


def test_a_file_of_another_name_is_read(tmp_path: Path) -> None:
    configuration = project(tmp_path, more='expectations = "known.toml"')
    (tmp_path / "known.toml").write_text(ENTRY)
    assert [entry.test for entry in read_expectations(configuration).entries] == ["dup_test"]


def test_lines_are_counted_alike_with_both_ends_of_line(tmp_path: Path) -> None:
    both = (ENTRY + "\r\n" + ENTRY.replace("dup_test", "frok_test")).encode()
    with pytest.raises(ExpectationError) as caught:
        read_expectations(project(tmp_path, file=both))
    assert caught.value.line == 8


def test_a_test_that_is_not_meant_for_the_target_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ExpectationError, match="no test on other is called 'dup_test'"):
        read_expectations(project(tmp_path, file=ENTRY.replace("virt", "other").encode()))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff", "is not UTF-8 \\(byte 0\\)"), (b"#" * 2**20 + b"#", "larger than 1 MiB")],
)
def test_what_is_no_such_file_is_the_users_mistake(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_expectations(project(tmp_path, file=content))


def test_a_folder_in_its_place_is_the_users_mistake(tmp_path: Path) -> None:
    configuration = project(tmp_path)
    (tmp_path / "expectations.toml").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_expectations(configuration)


def test_the_sample_kernels_own_file_is_valid() -> None:
    expectations = read_expectations(load_configuration(ROOT / "parity.toml"))
    assert len(expectations.by_case) == 10
    assert {entry.target for entry in expectations.entries} == {"aarch64"}
