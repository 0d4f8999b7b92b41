"""The expectations of a project: the file beside parity.toml, held against what parity.toml has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parity.campaign import Case
from parity.errors import ConfigurationError, UsageError
from parity.expectation_file import parse_expectations
from parity.expectations import Expectations

if TYPE_CHECKING:
    from parity.configuration import Configuration

_LARGEST: Final = 1 << 20


def read_expectations(configuration: Configuration) -> Expectations:
    """Return what `kernel.expectations` expects; nothing where that is not named and not there.

    Raises `ExpectationError` for a fault in the file, and `ConfigurationError` where one that is named is not there.
    """
    file = configuration.root / configuration.kernel.expectations
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        if "expectations" in configuration.kernel.model_fields_set:
            raise ConfigurationError(
                file=configuration.file, key="kernel.expectations", problem=f"there is no file {str(file)!r}"
            ) from None
        return Expectations()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise UsageError(f"{file} is larger than {_LARGEST >> 20} MiB: that is no list of expectations")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 (byte {error.start})") from error
    cases = tuple(
        Case(target=target, test=test)
        for target in configuration.targets
        for test in configuration.tests
        if configuration.runs_on(test, target)
    )
    # As TOML counts lines: tomllib takes both ends of line, and counts the second.
    return parse_expectations(text.replace("\r\n", "\n"), file=file, cases=cases)
