"""Shell completion of names from parity.toml; whatever goes wrong while completing is silent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from parity.errors import ParityError

if TYPE_CHECKING:
    from collections.abc import Callable

    from db import Repository


def complete_test(incomplete: str) -> list[str]:
    """Return the tests whose name begins with what was typed."""
    return [name for name in _names()[0] if name.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Return the targets whose name begins with what was typed."""
    return [name for name in _names()[1] if name.startswith(incomplete)]


def complete_query(incomplete: str) -> list[str]:
    """Return the query with each word that its last one can become."""
    from parity.query import complete_words  # noqa: PLC0415 - keeps --help fast

    start = max(incomplete.rfind(" "), incomplete.rfind("(")) + 1
    before, last = incomplete[:start], incomplete[start:]
    tests, targets = _names()
    words = ("and", "or", "not", *complete_words(tests=tests, targets=targets))
    return [before + word for word in words if word.startswith(last)]


def complete_side(incomplete: str) -> list[str]:
    """Return what can be compared (words, targets, baselines) and begins with what was typed."""
    names = ("baseline", "before", "last", *_names()[1], *_baselines())
    return [name for name in names if name.startswith(incomplete)]


def complete_baseline(incomplete: str) -> list[str]:
    """Return the baselines whose name begins with what was typed."""
    return [name for name in _baselines() if name.startswith(incomplete)]


def complete_run(incomplete: str) -> list[str]:
    """Return the runs whose number begins with what was typed, the newest first."""
    numbers = _of_results(lambda repository: [str(run.number) for run in repository.campaigns()])
    return [number for number in numbers if number.startswith(incomplete)]


def _baselines() -> list[str]:
    return _of_results(lambda repository: [baseline.name for baseline in repository.baselines()])


def _of_results(read: Callable[[Repository], list[str]]) -> list[str]:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.configuration import find_file, load_configuration  # noqa: PLC0415

    try:
        found = load_configuration(find_file(Path()))
        with open_repository(found.database_url, found.state_folder, create=False) as repository:
            return read(repository)
    except ParityError:
        return []


def _names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    from parity.configuration import find_file, load_configuration  # noqa: PLC0415 - keeps --help fast

    try:
        configuration = load_configuration(find_file(Path()))
    except ParityError:
        return (), ()
    return configuration.tests, tuple(configuration.targets)
