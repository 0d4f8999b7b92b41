from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(autouse=True)
def strange(project: Path) -> None:
    """Give the project a target whose emulator no host has."""
    foreign = (
        '[target.{0}]\narch = "{0}"\ndelivery = {{ kind = "process", emulator = "qemu-that-nobody-has" }}\n'
    )
    content = (project / "parity.toml").read_text().replace("[target.", "[target.qemu-")
    content = content.replace('reference = "', 'reference = "qemu-').replace('port = "', 'port = "qemu-')
    for arch in ("aarch64", "x86_64"):
        content += foreign.format(arch)
    (project / "parity.toml").write_text(content)


def test_what_this_host_cannot_serve_is_left_out_with_a_word(parity: Callable[..., Result]) -> None:
    done = parity("run", "--dry-run", "dup_test")
    assert done.exit_code == 0
    assert "is left out: qemu-that-nobody-has is not installed (Debian" in done.stderr
    assert "qemu-aarch64: 1 tests" in done.stdout


def test_what_was_named_is_an_error(parity: Callable[..., Result]) -> None:
    errors = [parity("run", "--dry-run", "--target", arch).exception for arch in ("aarch64", "x86_64")]
    assert [type(error) for error in errors].count(MachineError) == 1  # the other one is native
