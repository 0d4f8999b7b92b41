"""The command while it is still being loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LISTEN = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
LISTENING = (sys.executable, "-c", _LISTEN)
"""Starts Python as a terminal's shell does; the tests' own may have been told to ignore Ctrl-C."""


def start(*command: str, env: dict[str, str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def interrupted_while_loading(tmp_path: Path) -> dict[str, str]:
    """An environment in which Ctrl-C comes with the first import of the command line's; who outlives it ends with 7."""
    (tmp_path / "typer.py").write_text(
        "import os, signal, sys\nos.kill(os.getpid(), signal.SIGINT)\nsys.exit(7)\n"
    )
    return {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}


def test_ctrl_c_while_it_is_loaded_ends_it_without_a_word(interrupted_while_loading: dict[str, str]) -> None:
    done = start(*LISTENING, "-m", "parity", "run", env=interrupted_while_loading)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_while_a_command_loads_what_it_needs_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    )
    (tmp_path / "parity.toml").touch()
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = start(*LISTENING, "-m", "parity", "status", folder=tmp_path, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_where_ctrl_c_is_ignored_it_stays_so(interrupted_while_loading: dict[str, str]) -> None:
    ignoring = ("sh", "-c", 'trap "" INT; exec "$0" -m parity run', sys.executable)
    done = start(*ignoring, env=interrupted_while_loading)
    assert (done.returncode, done.stderr) == (7, "")


def test_ctrl_c_is_the_commands_own_once_it_is_loaded() -> None:
    code = (
        "import signal, parity.cli.app, parity.__main__ as start\n"
        "parity.cli.app.main = lambda: print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
        "start.main()"
    )
    done = subprocess.run([*LISTENING, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
