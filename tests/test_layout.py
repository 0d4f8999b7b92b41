"""The arrows of docs/architecture.md, checked on every import of every module."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("parity", "runners", "gdb", "db", "templates")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))

MAY_IMPORT = {
    "cli": {"flow", "db", "nouns"},  # db: to open the repository that it hands to a flow
    "flow": {"runners", "gdb", "db", "templates", "nouns"},
    "runners": {"nouns"},
    "gdb": {"nouns"},
    "db": {"nouns"},
    "templates": {"nouns"},
    "nouns": set(),
}
"""What each layer may import besides itself."""

NOT_PURE = {
    *("pexpect", "pygdbmi", "sqlalchemy", "alembic", "qemu", "psutil"),
    *("subprocess", "socket", "time", "threading", "signal"),
}
"""What owns a process, a socket, a database or the clock."""

NOUNS_AT_THE_EDGE = {"parity.configuration.loader", "parity.deadline", "parity.whole_files"}
"""The nouns that touch the world: one reads a file, one knows the default clock, one writes files."""


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _layer(module: str) -> str | None:
    """Return the layer that a dotted name belongs to; None for other people's code."""
    package, *rest = module.split(".")
    if package != "parity":
        return package if package in PACKAGES else None
    first = rest[0] if rest else ""
    return {"__main__": "cli", "cli": "cli", "flow": "flow"}.get(first, "nouns")


def _imports(file: Path) -> Iterator[str]:
    """Yield the dotted name of everything imported, inside functions and for types alone included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _declared_pure(folder: Path) -> Iterator[str]:
    """Yield the modules of a folder that its docstring calls pure."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    if "All modules are pure." in docstring:
        yield from (_name(file) for file in folder.glob("*.py"))
    elif listed := re.search(r"Pure modules: ([^.]+)\.", docstring):
        yield from (f"{_name(folder / '__init__.py')}.{name}" for name in re.findall(r"\w+", listed[1]))


PURE = sorted(
    {_name(file) for file in MODULES if _layer(_name(file)) == "nouns"} - NOUNS_AT_THE_EDGE
    | {
        module
        for package in ("runners", "gdb", "db")
        for found in (ROOT / package).rglob("__init__.py")
        for module in _declared_pure(found.parent)
    }
)


@pytest.mark.parametrize("file", MODULES, ids=_name)
def test_a_module_imports_only_along_the_arrows(file: Path) -> None:
    layer = _layer(_name(file))
    assert layer is not None
    allowed = MAY_IMPORT[layer] | {layer, None}
    assert {name for name in _imports(file) if _layer(name) not in allowed} == set()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_touches_no_process_no_socket_no_database_and_no_clock(module: str) -> None:
    file = ROOT / (module.replace(".", "/") + ".py")
    file = file if file.exists() else ROOT / module.replace(".", "/") / "__init__.py"
    assert {name for name in _imports(file) if name.split(".")[0] in NOT_PURE} == set()


@pytest.mark.parametrize(
    "module", ["verdict.classify", "console.console_text", "verdict.ktap", "qemu.command_line"]
)
def test_what_decides_a_verdict_is_declared_pure(module: str) -> None:
    assert f"runners.{module}" in PURE


@pytest.mark.parametrize("package", ["runners", "gdb"])
def test_a_folder_imports_only_from_those_named_before_it(package: str) -> None:
    docstring = (
        ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    order = re.findall(r"`(\w+)`", docstring)
    assert sorted(order) == sorted(found.parent.name for found in (ROOT / package).glob("*/__init__.py"))
    for folder in order:
        allowed = set(order[: order.index(folder) + 1])
        for file in (ROOT / package / folder).glob("*.py"):
            used = {name.split(".")[1] for name in _imports(file) if name.startswith(f"{package}.")}
            assert used <= allowed, file


@pytest.mark.parametrize("file", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=_name)
def test_no_module_is_over_400_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def test_asking_for_help_loads_none_of_the_slow_libraries() -> None:
    code = "import sys; from parity.__main__ import main; sys.argv[:] = ['parity', '--help']; main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Usage: parity" in done.stdout, done.stderr
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert loaded & {"sqlalchemy", "alembic", "jinja2", "pexpect", "pydantic"} == set()
