"""The command line, run inside the test's process on a project of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from db import open_repository
from parity.cli.app import application
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Make

TOML = """
[kernel]
name = "duet"
reference = "x86_64"
port = "aarch64"

[tests]
path = "/bin/{test}"
names = ["dup_test", "fork_test", "pty_test"]

[defaults]
machine = "virt"
kernel = "duet.elf"
delivery = { kind = "shell", prompt = "duet> $" }

[target.aarch64]
arch = "aarch64"

[target.x86_64]
arch = "x86_64"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a parity.toml and nothing run yet."""
    (tmp_path / "parity.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def measured(project: Path, make: Make) -> Path:
    """The same after one run: a gap, a test at parity, and one never run."""
    with open_repository("sqlite:///.parity/parity.db", project / ".parity") as repository:
        campaign = repository.start_campaign(make.plan())
        for target in ("aarch64", "x86_64"):
            repository.add_target(campaign, make.facts(target))
            repository.add_attempt(campaign, make.attempt("dup_test", target=target))
        crash = make.attempt(
            "fork_test", Outcome.CRASH, evidence="KERNEL PANIC: frames", transcript=b"one\ntwo\x1b[2J\n"
        )
        repository.add_attempt(campaign, crash)
        repository.add_attempt(campaign, make.attempt("fork_test", target="x86_64", minutes=1))
    return project


@pytest.fixture
def parity(project: Path) -> Callable[..., Result]:
    """Run `parity ARGUMENTS...` in the project."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(application, ["--config", str(project / "parity.toml"), *arguments])

    return run
