"""Whatever a parity.toml holds: it loads, or it is a `ConfigurationError`."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.configuration import load_configuration
from parity.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
SAMPLE = tomllib.loads((ROOT / "parity.toml").read_text(encoding="utf-8"))

WORDS = st.sampled_from(
    [
        *(
            "kernel",
            "tests",
            "target",
            "defaults",
            "test",
            "results",
            "delivery",
            "verdict",
            "budget",
            "typing",
        ),
        *(
            "firmware",
            "disk",
            "boot",
            "name",
            "names",
            "arch",
            "machine",
            "kind",
            "prompt",
            "run",
            "discover",
        ),
        *(
            "shell",
            "suite",
            "image",
            "boot-arg",
            "aarch64",
            "x86_64",
            "virt",
            "{test}",
            "{x}",
            "(",
            "x*",
            "a{2}",
        ),
        *("source", "path", "pass", "exit_codes", "serial", "console", "start", "result", "../..", "**", "/"),
    ]
)
SCALARS = (
    st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats()
    | st.dates()
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
    | WORDS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to every value inside `value`."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(found for key, child in children for found in _paths(child, (*path, key)))]


# A test's name is one of eighty alike: leave out most, so that the rest of the file gets its share.
PATHS = [path for path in _paths(SAMPLE) if path and (path[:2] != ("tests", "names") or len(path) == 2)]


@st.composite
def mutated_samples(draw: st.DrawFn) -> dict[str, Any]:
    """The sample kernel's own file with some values exchanged, taken away or joined by others."""
    content = copy.deepcopy(SAMPLE)
    for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=4)):
        holder: Any = content
        for key in path[:-1]:
            holder = holder[key] if _holds(holder, key) else None
        if not _holds(holder, path[-1]):
            continue
        match draw(st.sampled_from(["exchange", "take away", "join"])):
            case "exchange":
                holder[path[-1]] = draw(VALUES)
            case "take away":
                del holder[path[-1]]
            case _ if isinstance(holder, dict):
                holder[draw(WORDS)] = draw(VALUES)
    return content


def _holds(holder: Any, key: Any) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and key < len(holder)


def _toml(value: Any) -> str:
    """Write a value as TOML, tables inline."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case str():
            return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
        case _:
            return str(value)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "kernel").mkdir()
    return folder / "parity.toml"


def _load(file: Path, content: dict[str, Any]) -> None:
    file.write_text(
        "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in content.items()), encoding="utf-8"
    )
    try:
        load_configuration(file)
    except ConfigurationError as error:
        assert error.message.startswith(f"{file}: ")  # noqa: PT017 - it may load as well


def test_the_writer_used_here_gives_the_sample_back() -> None:
    text = "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in SAMPLE.items())
    assert tomllib.loads(text) == SAMPLE


@settings(deadline=None)
@given(content=st.dictionaries(WORDS | st.text(alphabet="abc", max_size=3), VALUES, max_size=6))
def test_any_tables_load_or_are_a_configuration_error(file: Path, content: dict[str, Any]) -> None:
    _load(file, content)


@settings(deadline=None, max_examples=300)
@given(content=mutated_samples())
def test_a_mutated_sample_loads_or_is_a_configuration_error(file: Path, content: dict[str, Any]) -> None:
    _load(file, content)


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_load_or_are_a_configuration_error(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigurationError):
        load_configuration(file)
