"""scripts/setup on machines that lack something, played by a folder of programs that stands for the whole path."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASICS = ("sh", "dirname", "cat", "cmp", "head", "env", "rm", "mv", "sleep")
TOOLS = (
    *("git", "qemu-system-aarch64", "qemu-system-x86_64", "qemu-img", "qemu-aarch64", "gdb-multiarch"),
    *("clang", "ld.lld", "debugfs"),
)


@dataclass
class Machine:
    """A checkout, and a path on which only chosen programs are."""

    checkout: Path
    programs: Path

    def add(self, name: str, script: str = "exit 0") -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def remove(self, *names: str) -> None:
        for name in names:
            (self.programs / name).unlink()

    def setup(self) -> subprocess.CompletedProcess[str]:
        script = (self.checkout / "scripts" / "setup").read_text(encoding="utf-8")
        # Without this machine's own /usr/sbin, which the script adds to the path.
        (self.checkout / "scripts" / "setup").write_text(
            script.replace('PATH="$PATH:/usr/sbin:/sbin"\n', ""), encoding="utf-8"
        )
        return subprocess.run(
            [self.checkout / "scripts" / "setup"],
            env={"PATH": str(self.programs), "CALLS": str(self.calls), "HOME": str(self.checkout)},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> Path:
        return self.checkout / "calls"


RECORD = 'echo "${0##*/} $*" >>"$CALLS"'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A Debian machine, with a space in the checkout's name, on which only .venv is missing."""
    made = Machine(checkout=tmp_path / "a clone", programs=tmp_path / "programs")
    (made.checkout / "scripts").mkdir(parents=True)
    made.programs.mkdir()
    made.calls.touch()
    shutil.copy(ROOT / "scripts" / "setup", made.checkout / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        (made.checkout / name).touch()
    for name in BASICS:
        found = shutil.which(name)
        assert found, name
        (made.programs / name).symlink_to(found)
    for name in TOOLS:
        made.add(name)
    made.add("uname", "echo Linux x86_64")
    made.add("id", "echo 0")
    made.add("apt-get", RECORD)
    made.add("python3", FAKE_PYTHON.format(python=sys.executable))
    return made


# Makes an environment whose python does the same, and only notes what pip is asked for.
FAKE_PYTHON = """
case "$*" in
    *'-m venv'*)
        echo "venv" >>"$CALLS"
        mkdir -p .venv/bin 2>/dev/null || '{python}' -c 'import os; os.makedirs(".venv/bin")'
        '{python}' -c 'import shutil; shutil.copy("'"$0"'", ".venv/bin/python")'
        '{python}' -c 'import shutil; shutil.copy("'"$0"'", ".venv/bin/parity")' ;;
    *'-m pip'*) echo "pip $*" >>"$CALLS" ;;
    *) exec '{python}' "$@" ;;
esac
"""


def test_a_machine_that_has_all_is_asked_for_nothing(machine: Machine) -> None:
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert "apt-get" not in machine.calls.read_text()


def test_the_packages_are_installed_with_the_constraints(machine: Machine) -> None:
    machine.setup()
    *_, last = machine.calls.read_text().splitlines()
    assert "-c constraints.txt" in last
    assert "--editable .[dev]" in last


def test_the_second_time_does_nothing(machine: Machine) -> None:
    machine.setup()
    machine.calls.write_text("")
    done = machine.setup()
    assert (done.returncode, done.stdout, machine.calls.read_text()) == (0, "", "")


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_input_installs_again_into_the_same_environment(machine: Machine, name: str) -> None:
    machine.setup()
    machine.calls.write_text("")
    (machine.checkout / name).write_text("changed")
    machine.setup()
    calls = machine.calls.read_text()
    assert "pip" in calls
    assert "venv" not in calls.splitlines()


def test_a_checkout_that_was_moved_gets_a_new_environment(machine: Machine) -> None:
    machine.setup()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    machine.calls.write_text("")
    machine.setup()
    assert "venv" in machine.calls.read_text().splitlines()


def test_an_interrupted_installation_is_taken_up_again(machine: Machine) -> None:
    machine.setup()
    (machine.checkout / ".venv" / ".parity-setup").unlink()
    machine.calls.write_text("")
    machine.setup()
    assert "pip" in machine.calls.read_text()


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("git", "git"),
        ("qemu-system-aarch64", "qemu-system-arm"),
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("qemu-img", "qemu-utils"),
        ("qemu-aarch64", "qemu-user"),
        ("gdb-multiarch", "gdb-multiarch"),
        ("clang", "clang"),
        ("ld.lld", "lld"),
        ("debugfs", "e2fsprogs"),
    ],
)
def test_a_missing_program_is_installed_by_its_package_alone(
    machine: Machine, program: str, package: str
) -> None:
    machine.remove(program)
    machine.setup()
    update, install = [line for line in machine.calls.read_text().splitlines() if line.startswith("apt-get")]
    assert update.endswith(" update")
    assert install.split("install ")[1] == package


def test_an_aarch64_host_needs_the_emulator_of_the_other_architecture(machine: Machine) -> None:
    machine.add("uname", "echo Linux aarch64")
    machine.setup()
    assert "install qemu-user" in machine.calls.read_text()


def test_a_static_emulator_of_programs_will_do(machine: Machine) -> None:
    machine.remove("qemu-aarch64")
    machine.add("qemu-aarch64-static")
    machine.setup()
    assert "apt-get" not in machine.calls.read_text()


def test_a_failed_installation_is_tried_once_more_and_then_told(machine: Machine) -> None:
    machine.remove("clang", "sleep")
    machine.add("sleep")
    machine.add("apt-get", f"{RECORD}; exit 100")
    done = machine.setup()
    assert done.returncode == 2
    assert len(machine.calls.read_text().splitlines()) == 2
    assert "could not install: clang" in done.stderr


def test_a_user_installs_through_sudo(machine: Machine) -> None:
    machine.remove("clang")
    machine.add("id", "echo 1000")
    machine.add("sudo", f"{RECORD}")
    machine.setup()
    assert "sudo env DEBIAN_FRONTEND=noninteractive apt-get" in machine.calls.read_text()


def test_a_user_without_sudo_is_told_what_to_ask_for(machine: Machine) -> None:
    machine.remove("clang", "ld.lld")
    machine.add("id", "echo 1000")
    done = machine.setup()
    assert done.returncode == 2
    assert "apt-get install --no-install-recommends clang lld" in done.stderr


def test_a_system_without_a_known_package_manager_gets_the_names(machine: Machine) -> None:
    machine.remove("qemu-system-aarch64", "apt-get")
    done = machine.setup()
    assert done.returncode == 2
    assert "qemu-system-arm" in done.stderr
    assert "Fedora" in done.stderr
    assert "Arch" in done.stderr


def test_homebrew_installs_on_macos(machine: Machine) -> None:
    machine.remove("qemu-system-aarch64", "qemu-aarch64", "ld.lld", "apt-get")
    machine.add("uname", "echo Darwin")
    machine.add("brew", RECORD)
    machine.setup()
    assert "brew install --quiet qemu lld" in machine.calls.read_text()


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    machine.add("python3", 'case "$1" in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    done = machine.setup()
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed; here is Python 3.9.2" in done.stderr


def test_a_python_without_ensurepip_gets_its_venv_package(machine: Machine) -> None:
    old = (machine.programs / "python3").read_text()
    machine.add("python3", f'case "$*" in *ensurepip*) exit 1 ;; esac\n{old.split(chr(10), 1)[1]}')
    done = machine.setup()
    assert "install python3-venv" in machine.calls.read_text()
    assert done.returncode == 2


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[[int, int], subprocess.CompletedProcess[str]]:
    """Run scripts/run with a parity whose `run` and `report` end as told."""

    def run(run_status: int, report_status: int) -> subprocess.CompletedProcess[str]:
        (tmp_path / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "run", tmp_path / "scripts")
        command = tmp_path / ".venv" / "bin" / "parity"
        command.parent.mkdir(parents=True)
        command.write_text(
            f'#!/bin/sh\necho "$*"\ncase $1 in run) exit {run_status} ;; *) exit {report_status} ;; esac\n'
        )
        command.chmod(0o755)
        return subprocess.run(
            [tmp_path / "scripts" / "run", "-k", "a b"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ,
        )

    return run


@pytest.mark.parametrize("status", [0, 1])
def test_a_run_ends_well_when_the_document_is_written_whether_tests_failed_or_not(
    run_script: Callable[[int, int], subprocess.CompletedProcess[str]], status: int
) -> None:
    done = run_script(status, 0)
    assert (done.returncode, done.stdout) == (0, "run -k a b\nreport\n")


@pytest.mark.parametrize("status", [2, 3, 130])
def test_a_run_that_failed_itself_writes_no_document(
    run_script: Callable[[int, int], subprocess.CompletedProcess[str]], status: int
) -> None:
    done = run_script(status, 0)
    assert (done.returncode, done.stdout) == (status, "run -k a b\n")


def test_a_document_that_cannot_be_written_is_a_failure(
    run_script: Callable[[int, int], subprocess.CompletedProcess[str]],
) -> None:
    assert run_script(1, 3).returncode == 3
