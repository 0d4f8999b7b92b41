"""Find parity.toml, read it, and say what is wrong in it by file and key."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from parity.configuration.faults import check_known, offer, translate_fault
from parity.configuration.model import (
    PLAIN_NAME,
    Kernel,
    ParityFile,
    Target,
    TestOverride,
    VerdictRules,
)
from parity.configuration.template import fill
from parity.errors import ConfigurationError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

FILE_NAME: Final = "parity.toml"


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

    def verdict_rules(self, target: str, test: str) -> VerdictRules:
        """Return the target's rules with the test's own markers in place of the general ones."""
        override = self.override(test)
        own = {"passed": override.passed, "failed": override.failed, "skipped": override.skipped}
        markers = {name: patterns for name, patterns in own.items() if patterns is not None}
        return self.target(target).verdict.model_copy(update=markers)

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
        raise translate_fault(file, raw, error.errors()[0]) from error
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
    except RecursionError:
        raise ConfigurationError(file=file, key="", problem="is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and int's own refusal of thousands of digits
        raise ConfigurationError(file=file, key="", problem=f"is not valid TOML: {error}") from error


def _merge_defaults(file: Path, raw: dict[str, Any]) -> dict[str, Any]:
    defaults = raw.get("defaults", {})
    targets = raw.get("target", {})
    if not isinstance(defaults, dict) or not isinstance(targets, dict):
        key = "defaults" if not isinstance(defaults, dict) else "target"
        raise ConfigurationError(file=file, key=key, problem="must be a table")
    check_known(file, "", raw, {*ParityFile.model_fields, "defaults"})
    check_known(file, "defaults.", defaults, Target.model_fields)
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


def _list_tests(file: Path, content: ParityFile) -> tuple[str, ...]:
    names = (*content.tests.names, *_discover(file, content.tests.discover))
    unique = tuple(dict.fromkeys(names))
    if not unique:
        key = "tests.discover" if content.tests.discover else "tests.names"
        raise ConfigurationError(file=file, key=key, problem="names no test")
    if len(set(content.tests.names)) != len(content.tests.names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigurationError(file=file, key="tests.names", problem=f"{twice!r} is listed twice")
    return unique


def _discover(file: Path, glob: str | None) -> tuple[str, ...]:
    """Return the names of the files that match `tests.discover`, in alphabetical order."""

    def fault(problem: str) -> ConfigurationError:
        return ConfigurationError(file=file, key="tests.discover", problem=problem)

    if glob is None:
        return ()
    try:
        names = sorted({path.stem for path in file.parent.glob(glob)})
    except (NotImplementedError, ValueError) as error:
        raise fault(f"is no glob below this folder: {error}") from error
    except OSError as error:
        raise fault(f"cannot be searched: {error.strerror}") from error
    for name in names:
        if not PLAIN_NAME.fullmatch(name):
            raise fault(f"finds {name!r}, which is no test name (letters, digits, and . _ + - inside)")
    return tuple(names)


def _check_references(configuration: Configuration) -> None:
    """Check what one table says of another: targets and tests by name, folders on disk."""

    def check(key: str, name: str, known: Iterable[str], kind: str) -> None:
        known = tuple(known)
        if name not in known:
            raise ConfigurationError(
                file=configuration.file,
                key=key,
                problem=f"no {kind} is called {name!r}",
                hint=offer(name, known, "known"),
            )

    for key in ("reference", "port"):
        name = getattr(configuration.kernel, key)
        if name is not None:
            check(f"kernel.{key}", name, configuration.targets, "target")
    if configuration.kernel.port is not None and configuration.kernel.port == configuration.kernel.reference:
        raise ConfigurationError(
            file=configuration.file, key="kernel.port", problem="is the reference itself: name another target"
        )
    for test in configuration.content.test:
        check(f"test.{test}", test, configuration.tests, "test")
    for key, name in _named_targets(configuration.content):
        check(key, name, configuration.targets, "target")
    if not _exists(configuration.root / configuration.kernel.source, Path.is_dir):
        raise ConfigurationError(
            file=configuration.file,
            key="kernel.source",
            problem=f"there is no folder {str(configuration.kernel.source)!r}",
        )
    for name, target in configuration.targets.items():
        _check_firmware(configuration, name, target)


def _named_targets(content: ParityFile) -> Iterator[tuple[str, str]]:
    """Yield the targets that tables of tests and rows of the matrix name, each with its key."""
    for test, override in content.test.items():
        for name in override.targets or ():
            yield f"test.{test}.targets", name
    for place, row in enumerate(content.matrix):
        for name in row.target:
            yield f"matrix.{place}.target.{name}", name


def _check_firmware(configuration: Configuration, name: str, target: Target) -> None:
    if target.firmware is None:
        return
    for key, path in (("code", target.firmware.code), ("variables", target.firmware.variables)):
        if path is not None and not _exists(configuration.root / path, Path.is_file):
            raise ConfigurationError(
                file=configuration.file,
                key=f"target.{name}.firmware.{key}",
                problem=f"there is no file {str(path)!r}",
            )


def _exists(path: Path, test: Callable[[Path], bool]) -> bool:
    try:
        return test(path)
    except (OSError, ValueError):  # a name too long, a folder that may not be read, a NUL
        return False
