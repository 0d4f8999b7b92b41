import platform
import shutil

import pytest

from parity.architecture import ARCHITECTURES, Architecture


@pytest.mark.parametrize("architecture", ARCHITECTURES.values())
def test_each_row_is_found_by_its_own_name(architecture: Architecture) -> None:
    assert ARCHITECTURES[architecture.name] is architecture


def test_no_host_name_means_two_architectures() -> None:
    names = [name for architecture in ARCHITECTURES.values() for name in architecture.host_names]
    assert len(names) == len(set(names))


@pytest.mark.qemu
@pytest.mark.parametrize("architecture", ARCHITECTURES.values())
def test_the_emulator_is_installed_under_the_name_in_the_table(architecture: Architecture) -> None:
    assert shutil.which(architecture.qemu)


def test_this_host_is_in_at_most_one_row() -> None:
    rows = [a for a in ARCHITECTURES.values() if platform.machine() in a.host_names]
    assert len(rows) <= 1
