"""Shell completion of names from parity.toml; whatever goes wrong while completing is silent."""

from __future__ import annotations

from pathlib import Path

from parity.errors import ParityError


def complete_test(incomplete: str) -> list[str]:
    """Return the tests whose name begins with what was typed."""
    return [name for name in _names()[0] if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Return the targets whose name begins with what was typed."""
    return [name for name in _names()[1] if name.startswith(incomplete)]


def _names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    from parity.configuration import find_file, load_configuration  # noqa: PLC0415 - keeps --help fast

    try:
        configuration = load_configuration(find_file(Path()))
    except ParityError:
        return (), ()
    return configuration.tests, tuple(configuration.targets)
