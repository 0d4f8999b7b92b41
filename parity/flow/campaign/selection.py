"""From what the user asked for to the cases of a campaign: pure."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.architecture import ARCHITECTURES
from parity.campaign import Case, StopRule
from parity.configuration import SuiteDelivery
from parity.errors import UnknownNameError, UsageError
from parity.flow.campaign.schedule import stable_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parity.configuration import Configuration

_MOST_ATTEMPTS: Final = 1_000_000
"""All that one run plans is in its database before it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several parts of a selection, such as the second of four."""

    index: int
    """From 1."""
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


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


def select_machine(configuration: Configuration, name: str | None) -> str:
    """Return the named target, or the one that is looked into first: the port, else the first that has a machine.

    Raises `UsageError` where there is none, or where the named one is a host's own Linux.
    """
    machines = [each for each, target in configuration.targets.items() if not target.is_host]
    if name is not None:
        configuration.target(name)
        machines = [each for each in machines if each == name]
    if not machines:
        raise UsageError(
            "tests on the host's own Linux cannot be looked into",
            hint="name a target with a machine" if name is not None else "its own debugger is there for them",
        )
    port = configuration.kernel.port
    return port if port in machines else machines[0]


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


def parse_shard(text: str) -> Shard:
    """Return the shard that `I/N` names; raise `UsageError` where it names none."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= index <= count:
        raise UsageError(
            f"--shard {text} is no shard",
            hint="I/N with I from 1 to N, such as --shard 2/4 for the second of four",
        )
    return Shard(index=index, count=count)


def select_shard(configuration: Configuration, cases: Sequence[Case], shard: Shard) -> tuple[Case, ...]:
    """Return a shard's cases, in the order given; it may be none. All shards together are the whole, without overlap.

    Each target is dealt out by itself, by its tests' names: one that another host has to leave out changes nothing
    for the others. A suite stays whole, since it takes one boot.
    """
    chosen: set[Case] = set()
    for target in {case.target for case in cases}:
        tests = sorted({case.test for case in cases if case.target == target})
        first = stable_hash(target)  # else small selections would all be in the first shards
        whole = isinstance(configuration.target(target).delivery, SuiteDelivery)
        for number, test in enumerate(tests):
            if (first + (0 if whole else number)) % shard.count == shard.index - 1:
                chosen.add(Case(target=target, test=test))
    return tuple(case for case in cases if case in chosen)


def repeat_cases(cases: tuple[Case, ...], times: int) -> tuple[Case, ...]:
    """Return the cases so many times, round by round; raise `UsageError` where nobody would live to see the end."""
    if len(cases) * times > _MOST_ATTEMPTS:
        raise UsageError(
            f"{len(cases)} tests {times} times are more than the {_MOST_ATTEMPTS} attempts that one run takes",
            hint="choose fewer tests or targets, or repeat without a number: --until-fail",
        )
    return cases * times


def choose_stop_rule(*, until_fail: bool, fail_fast: bool) -> StopRule:
    """Return what an attempt that is not wanted means for the rest; raise `UsageError` for a contradiction."""
    if until_fail and fail_fast:
        raise UsageError(
            "--until-fail and --fail-fast exclude each other",
            hint="--until-fail repeats until something fails; --fail-fast ends a run early that fails",
        )
    if until_fail:
        return StopRule.UNTIL_FAIL
    return StopRule.FAIL_FAST if fail_fast else StopRule.NEVER


def refuse_with_resume(options: Mapping[str, object]) -> None:
    """Raise `UsageError` where one of these options was given: a resumed run goes on as it was begun."""
    _refuse(
        options,
        because="--resume goes on with what was planned",
        hint="leave --resume out to start a new run",
    )


def refuse_with_audit(options: Mapping[str, object]) -> None:
    """Raise `UsageError` where one of these options was given: an audit decides itself what it runs how often."""
    _refuse(
        options,
        because="--audit runs every test of its sample both ways",
        hint="name tests to audit those, --seed to choose another sample",
    )


def _refuse(options: Mapping[str, object], *, because: str, hint: str) -> None:
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        raise UsageError(f"{because}, and takes no {', '.join(given)}", hint=hint)
