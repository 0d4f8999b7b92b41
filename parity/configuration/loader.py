"""Find parity.toml, read it, and say what is wrong in it by file and key."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from parity.configuration.model import (
    Kernel,
    ParityFile,
    Target,
    TestOverride,
)
from parity.configuration.template import fill
from parity.errors import ConfigurationError, UnknownNameError, did_you_mean, nearest_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

FILE_NAME: Final = "parity.toml"
_TEST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A valid parity.toml and where it was found."""

    file: Path
    content: ParityFile
    tests: tuple[str, ...]
    """Every test's name, in the order listed."""

    @property
    def root(self) -> Path:
        """The folder that relative paths start from."""
        return self.file.parent

    @property
    def kernel(self) -> Kernel:
        """Whose parity is tracked."""
        return self.content.kernel

    @property
    def targets(self) -> Mapping[str, Target]:
        """What tests run on, by name."""
        return self.content.target

    @property
    def database_url(self) -> str:
        """The results database, as SQLAlchemy spells it."""
        return self.content.results.database or f"sqlite:///{self.state_folder / 'parity.db'}"

    @property
    def state_folder(self) -> Path:
        """Where parity keeps what it writes: database, logs, kernel images."""
        return self.root / ".parity"

    def target(self, name: str) -> Target:
        """Return a target by name; raise `UnknownNameError` where there is none."""
        try:
            return self.targets[name]
        except KeyError:
            raise UnknownNameError(kind="target", name=name, known=self.targets) from None

    def test_fields(self, test: str) -> dict[str, str]:
        """Return the template fields that depend on the test alone."""
        override = self.override(test)
        fields = {"test": test, "TEST": test.upper()}
        return fields | {"path": fill(override.path or self.content.tests.path, fields)}

    def override(self, test: str) -> TestOverride:
        """Return what parity.toml says of this one test."""
        return self.content.test.get(test) or TestOverride()

    def runs_on(self, test: str, target: str) -> bool:
        """Whether the test is meant for the target at all."""
        allowed = self.override(test).targets
        return allowed is None or target in allowed

    def select_tests(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the tests that match any of `wanted` (names or globs), in listed order; all where empty.

        Raises `UnknownNameError` for a name or glob that matches nothing.
        """
        chosen: set[str] = set()
        for name in wanted:
            matching = fnmatch.filter(self.tests, name)
            if not matching:
                raise UnknownNameError(kind="test", name=name, known=self.tests)
            chosen.update(matching)
        return tuple(test for test in self.tests if test in chosen) if wanted else self.tests


def find_file(start: Path) -> Path:
    """Return the nearest parity.toml in `start` or above; raise `ConfigurationError` where there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ConfigurationError(
        file=start,
        key="",
        problem=f"no {FILE_NAME} here or in any folder above",
        hint="docs/bring-your-own-kernel.md shows one of ten lines; or name yours with --config FILE",
    )


def load_configuration(file: Path) -> Configuration:
    """Read and validate one parity.toml; raise `ConfigurationError` for the first fault in it."""
    raw = _read_toml(file)
    try:
        content = ParityFile.model_validate(_merge_defaults(file, raw))
    except ValidationError as error:
        raise _translate(file, raw, error.errors()[0]) from error
    tests = _list_tests(file, content)
    configuration = Configuration(file=file, content=content, tests=tests)
    _check_references(configuration)
    return configuration


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(file=file, key="", problem="there is no such file") from None
    except OSError as error:
        raise ConfigurationError(file=file, key="", problem=f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(file=file, key="", problem=f"is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(file=file, key="", problem=f"is not valid TOML: {error}") from error


def _merge_defaults(file: Path, raw: dict[str, Any]) -> dict[str, Any]:
    defaults = raw.get("defaults", {})
    targets = raw.get("target", {})
    if not isinstance(defaults, dict) or not isinstance(targets, dict):
        key = "defaults" if not isinstance(defaults, dict) else "target"
        raise ConfigurationError(file=file, key=key, problem="must be a table")
    known = set(Target.model_fields)
    for key in defaults.keys() - known:
        near = did_you_mean(nearest_names(key, known)) or f"known keys: {', '.join(sorted(known))}"
        raise ConfigurationError(file=file, key=f"defaults.{key}", problem="unknown key", hint=near)
    merged = {key: value for key, value in raw.items() if key != "defaults"}
    merged["target"] = {
        name: _merge(defaults, table) if isinstance(table, dict) else table for name, table in targets.items()
    }
    return merged


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `over` on `base`, table by table; a delivery of another kind replaces the default one whole."""
    merged = dict(base)
    for key, value in over.items():
        beneath = base.get(key)
        if isinstance(value, dict) and isinstance(beneath, dict) and _same_kind(beneath, value):
            merged[key] = _merge(beneath, value)
        else:
            merged[key] = value
    return merged


def _same_kind(beneath: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    return "kind" not in over or over["kind"] == beneath.get("kind")


def _translate(file: Path, raw: Mapping[str, Any], error: ErrorDetails) -> ConfigurationError:
    context = error.get("ctx", {})
    path = [str(part) for part in error["loc"]]
    if error["type"] == "unknown_key":
        path.append(str(context["key"]))
    path = _without_union_tags(path)
    if (
        path[:1] == ["target"]
        and len(path) > 2
        and not _has(raw, path)
        and _has(raw, ["defaults", *path[2:]])
    ):
        path = ["defaults", *path[2:]]
    problem = error["msg"][:1].lower() + error["msg"][1:]
    if error["type"] == "missing":
        problem = "is missing"
    elif error["type"] not in ("unknown_key",) and not isinstance(error["input"], dict | list):
        problem += f" (got {error['input']!r})"
    return ConfigurationError(file=file, key=".".join(path), problem=problem, hint=context.get("hint"))


def _without_union_tags(path: Sequence[str]) -> list[str]:
    """Drop the delivery's kind, which pydantic puts between `delivery` and its key."""
    return [
        part
        for index, part in enumerate(path)
        if index == 0 or path[index - 1] != "delivery" or part not in _KINDS
    ]


_KINDS: Final = {"shell", "boot-arg", "image", "suite"}


def _has(raw: Any, path: Iterable[str]) -> bool:
    for part in path:
        if isinstance(raw, dict) and part in raw:
            raw = raw[part]
        elif isinstance(raw, list) and part.isdecimal() and int(part) < len(raw):
            raw = raw[int(part)]
        else:
            return False
    return True


def _list_tests(file: Path, content: ParityFile) -> tuple[str, ...]:
    names = list(content.tests.names)
    if content.tests.discover is not None:
        names += sorted(path.stem for path in file.parent.glob(content.tests.discover))
    for name in names:
        if not _TEST_NAME.fullmatch(name):
            raise ConfigurationError(
                file=file,
                key="tests.names",
                problem=f"{name!r} is no test name (letters, digits, and . _ + - inside)",
            )
    unique = tuple(dict.fromkeys(names))
    if not unique:
        key = "tests.discover" if content.tests.discover else "tests.names"
        raise ConfigurationError(file=file, key=key, problem="names no test")
    if len(set(content.tests.names)) != len(content.tests.names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigurationError(file=file, key="tests.names", problem=f"{twice!r} is listed twice")
    return unique


def _check_references(configuration: Configuration) -> None:
    """Check what one table says of another: targets and tests by name, folders on disk."""

    def check(key: str, name: str, known: Iterable[str], kind: str) -> None:
        known = tuple(known)
        if name not in known:
            hint = did_you_mean(nearest_names(name, known)) or f"known: {', '.join(known)}"
            raise ConfigurationError(
                file=configuration.file, key=key, problem=f"no {kind} is called {name!r}", hint=hint
            )

    for key in ("reference", "port"):
        name = getattr(configuration.kernel, key)
        if name is not None:
            check(f"kernel.{key}", name, configuration.targets, "target")
    for test, override in configuration.content.test.items():
        check(f"test.{test}", test, configuration.tests, "test")
        for name in override.targets or ():
            check(f"test.{test}.targets", name, configuration.targets, "target")
    if not (configuration.root / configuration.kernel.source).is_dir():
        raise ConfigurationError(
            file=configuration.file,
            key="kernel.source",
            problem=f"there is no folder {str(configuration.kernel.source)!r}",
        )
    for name, target in configuration.targets.items():
        _check_firmware(configuration, name, target)


def _check_firmware(configuration: Configuration, name: str, target: Target) -> None:
    if target.firmware is None:
        return
    for key, path in (("code", target.firmware.code), ("variables", target.firmware.variables)):
        if path is not None and not (configuration.root / path).is_file():
            raise ConfigurationError(
                file=configuration.file,
                key=f"target.{name}.firmware.{key}",
                problem=f"there is no file {str(path)!r}",
            )
