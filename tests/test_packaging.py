"""The wheel: plain top-level packages are safe only while nobody ships them by mistake (docs/adr/0001-layout.md)."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_five_packages_and_nothing_else(names: set[str]) -> None:
    top_level = {name.split("/")[0] for name in names}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {
        "db",
        "gdb",
        "parity",
        "runners",
        "templates",
    }


def test_every_file_of_the_packages_is_in_the_wheel(names: set[str]) -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert files - names == set()


def test_templates_and_migrations_are_in_the_wheel(names: set[str]) -> None:
    assert {"templates/arm64-parity.md.j2", "templates/arm64-parity/summary.md.j2"} <= names
    assert any(re.fullmatch(r"db/migrations/versions/\w+\.py", name) for name in names)


def test_no_index_takes_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    assert "Private :: Do Not Upload" in metadata.get_all("Classifier", [])


def test_the_command_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "import parity, sys; from parity.__main__ import main; print(parity.__file__); sys.argv[1:] = ['--help']; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site" / "parity"))


def test_everything_that_setup_installs_is_pinned() -> None:
    pinned = {
        canonicalize_name(line.split("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert _closure("parity", "dev") - {"parity"} <= pinned


def test_the_constraints_name_no_index_and_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line)


def _closure(name: str, *extras: str) -> set[str]:
    """Return the names of a distribution and all that it needs, as installed here."""
    found: set[str] = set()
    outstanding = [(canonicalize_name(name), extras)]
    while outstanding:
        name, extras = outstanding.pop()
        found.add(name)
        for text in _requirements(name):
            need = Requirement(text)
            wanted = any(
                need.marker is None or need.marker.evaluate({"extra": extra}) for extra in ("", *extras)
            )
            if wanted and canonicalize_name(need.name) not in found:
                outstanding.append((canonicalize_name(need.name), tuple(need.extras)))
    return found


def _requirements(name: str) -> list[str]:
    if name == "parity":
        project = PROJECT["project"]
        return [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return distribution(name).requires or []
