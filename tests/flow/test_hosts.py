from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from parity.errors import MachineError
from parity.flow.campaign.hosts import leave_out_unserved
from runners.delivery.emulator import Host

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.configuration import Configuration

TARGETS: Final = ("aarch64", "x86_64", "linux-aarch64", "linux-x86_64")
MACOS: Final = Host(system="Darwin", machine="arm64")
BARE_LINUX: Final = Host(system="Linux", machine="x86_64", search_path="")


def test_linux_is_left_out_where_the_host_is_none(configure: Callable[..., Configuration]) -> None:
    served, left_out = leave_out_unserved(configure("it", targets=TARGETS), TARGETS, host=MACOS)
    assert served == ("aarch64", "x86_64")
    assert [one.target for one in left_out] == ["linux-aarch64", "linux-x86_64"]


def test_the_foreign_one_is_left_out_where_there_is_no_emulator(
    configure: Callable[..., Configuration],
) -> None:
    served, (left_out,) = leave_out_unserved(configure("it", targets=TARGETS), TARGETS, host=BARE_LINUX)
    assert served == ("aarch64", "x86_64", "linux-x86_64")
    assert (left_out.target, left_out.error.message) == ("linux-aarch64", "qemu-aarch64 is not installed")


def test_one_that_was_named_is_an_error(configure: Callable[..., Configuration]) -> None:
    configuration = configure("it", targets=TARGETS)
    with pytest.raises(MachineError, match="linux-aarch64: qemu-aarch64 is not installed"):
        leave_out_unserved(configuration, TARGETS, named=["linux-aarch64"], host=BARE_LINUX)


def test_one_that_is_all_there_is_is_an_error(configure: Callable[..., Configuration]) -> None:
    configuration = configure("it", targets=TARGETS)
    with pytest.raises(MachineError, match="this is none"):
        leave_out_unserved(configuration, ["linux-aarch64"], host=MACOS)


def test_a_target_that_qemu_boots_is_none_of_this(configure: Callable[..., Configuration]) -> None:
    configuration = configure("it")
    assert leave_out_unserved(configuration, ("aarch64",), host=MACOS) == (("aarch64",), ())
