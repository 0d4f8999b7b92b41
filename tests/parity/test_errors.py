from pathlib import Path

import pytest

from parity import errors
from parity.errors import (
    BuildError,
    ConfigurationError,
    GarbledInputError,
    HarnessError,
    ParityError,
    UnknownNameError,
    UnreadInputError,
    UsageError,
    did_you_mean,
    nearest_names,
)

CLASSES = [
    error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, ParityError)
]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_has_a_branch_that_says_whose_fault_it_is(error: type[ParityError]) -> None:
    assert error is ParityError or issubclass(error, UsageError) != issubclass(error, HarnessError)


@pytest.mark.parametrize("error", CLASSES)
def test_the_tree_in_the_docstring_names_every_error(error: type[ParityError]) -> None:
    assert error.__name__ in (errors.__doc__ or "")


def test_a_configuration_error_names_file_key_and_problem() -> None:
    error = ConfigurationError(file=Path("parity.toml"), key="kernel.name", problem="is missing")
    assert error.message == "parity.toml: kernel.name: is missing"


def test_a_fault_of_the_whole_file_names_no_key() -> None:
    error = ConfigurationError(file=Path("parity.toml"), key="", problem="is not UTF-8")
    assert error.message == "parity.toml: is not UTF-8"


def test_an_unknown_name_offers_the_nearest() -> None:
    error = UnknownNameError(kind="test", name="frok_test", known=["fork_test", "pipe_test", "true"])
    assert error.message == "no test is called 'frok_test'"
    assert error.near[0] == "fork_test"
    assert "fork_test" in (error.hint or "")


def test_an_unknown_name_like_no_other_offers_none() -> None:
    assert UnknownNameError(kind="target", name="zzz", known=["aarch64"]).hint is None


def test_a_failed_build_shows_status_command_and_its_last_words() -> None:
    error = BuildError(command=["make", "-C", "kernel"], status=2, output_tail="main.c:1: error")
    assert error.message == "command failed (exit status 2): make -C kernel\nmain.c:1: error"


def test_a_build_command_that_is_not_there_says_so() -> None:
    assert "it could not be started" in BuildError(command=["mkae"], status=None, output_tail="").message


def test_a_garbled_line_shows_what_was_typed_and_what_came_back() -> None:
    assert (
        GarbledInputError(typed="run x", seen="rn x", tries=3).message
        == "typed 'run x', but the guest echoed 'rn x' (3 tries)"
    )


def test_an_unread_line_says_how_long_was_waited() -> None:
    assert "echoed nothing for 2.0 s" in UnreadInputError(typed="run x", waited_s=2.0).message


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("aarch46", "aarch64"),
        ("AARCH64", "aarch64"),
        ("x86-64", "x86_64"),
    ],
)
def test_the_nearest_name_comes_first_whatever_its_case(name: str, nearest: str) -> None:
    assert nearest_names(name, ["x86_64", "aarch64"])[0] == nearest


def test_at_most_three_names_are_near() -> None:
    assert len(nearest_names("test", [f"test{n}" for n in range(9)])) == 3


def test_names_that_differ_in_case_alone_are_both_offered() -> None:
    assert set(nearest_names("test", ["TEST", "Test"])) == {"TEST", "Test"}


def test_a_hint_joins_the_names() -> None:
    assert did_you_mean(["a", "b"]) == "did you mean a or b?"
    assert did_you_mean([]) is None
