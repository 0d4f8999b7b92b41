"""From what the user asked for to the cases of a campaign: pure."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from parity.architecture import ARCHITECTURES
from parity.campaign import Case
from parity.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.configuration import Configuration


def select_targets(
    configuration: Configuration, *, names: Sequence[str] = (), architectures: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the targets that are named or are of a named architecture; all where nothing is named."""
    for architecture in architectures:
        if architecture not in ARCHITECTURES:
            raise UnknownNameError(kind="architecture", name=architecture, known=ARCHITECTURES)
    for name in names:
        configuration.target(name)
    if not names and not architectures:
        return tuple(configuration.targets)
    chosen = tuple(
        name
        for name, target in configuration.targets.items()
        if name in names or target.arch in architectures
    )
    if not chosen:
        raise UsageError(
            f"no target is of architecture {' or '.join(architectures)}",
            hint=f"targets in {configuration.file.name}: {', '.join(configuration.targets)}",
        )
    return chosen


def select_cases(
    configuration: Configuration,
    *,
    targets: Sequence[str],
    tests: Sequence[str] = (),
    pattern: str | None = None,
) -> tuple[Case, ...]:
    """Return every chosen test on every chosen target, target by target, in listed order.

    `tests` are names or globs; `pattern` further keeps the names that contain it (or match it as a glob).
    """
    chosen = configuration.select_tests(tests)
    if pattern is not None:
        glob = pattern if any(character in pattern for character in "*?[") else f"*{pattern}*"
        chosen = tuple(test for test in chosen if fnmatch.fnmatch(test, glob))
        if not chosen:
            raise UsageError(f"no chosen test matches -k {pattern!r}", hint="`parity list` names all tests")
    cases = tuple(
        Case(target=target, test=test)
        for target in targets
        for test in chosen
        if configuration.runs_on(test, target)
    )
    if not cases:
        raise UsageError("none of the chosen tests is meant for the chosen targets")
    return cases
