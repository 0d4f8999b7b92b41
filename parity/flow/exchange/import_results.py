"""Results that other programs recorded, JUnit XML, TAP and KTAP, as a campaign to be stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from parity.attempt import Attempt, Isolation, Verdict
from parity.campaign import ImportedCampaign, Origin
from parity.errors import UsageError
from parity.flow.exchange.import_file import (
    Format,
    ImportPlan,
    guess_target,
    make_identity,
    make_revision,
    read_bounded,
)
from parity.flow.exchange.tap_results import read_tap
from parity.interchange.junit_reader import read_junit
from parity.printable import printable_line
from parity.words import first_few
from runners.console.console_text import decode_console

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from parity.configuration import Configuration
    from parity.flow.exchange.import_file import Wanted
    from parity.interchange.results import FoundResult

_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a file of results."""


def plan_results(configuration: Configuration, file: Path, kind: Format, wanted: Wanted) -> ImportPlan:
    """Read JUnit XML or TAP; what neither the caller nor the file dates is as old as the file.

    A suite that is called like a target is of that target; everything else is of the one that is wanted or, where
    none is, of the one whose architecture the suite or the file is called by. Raises `UsageError` where that leaves
    results without a target, and where none of the names is a test's.
    """
    content = read_bounded(file, _LIMIT)
    try:
        found = read_junit(content) if kind is Format.JUNIT else read_tap(decode_console(content))
    except UsageError as error:
        raise UsageError(f"{file}: {error.message}", hint=error.hint) from error
    targets = _Targets(configuration, wanted.target, file.stem)
    known = [result for result in found.results if result.name in configuration.tests]
    unknown = dict.fromkeys(
        printable_line(result.name, limit=80)
        for result in found.results
        if result.name not in configuration.tests
    )
    if not known:
        raise UsageError(
            f"{file}: none of its {len(found.results)} results is of a test in parity.toml: {first_few(unknown, 3)}",
            hint="tests are found by their exact names",
        )
    pairs = [(targets.choose(result), result) for result in known]
    told_at = wanted.started_at or found.started_at
    started_at = told_at or datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    notes = [*targets.notes, *found.warnings]
    if told_at is None:
        notes.append(
            f"it does not say when it began: {started_at:%Y-%m-%d %H:%M UTC}, its file's time, is taken"
        )
    campaign = ImportedCampaign(
        identity=make_identity(kind, configuration.kernel.name, told_at, _content(pairs)),
        kernel=configuration.kernel.name,
        origin=Origin.JUNIT if kind is Format.JUNIT else Origin.TAP,
        source=printable_line(file.name),
        started_at=started_at,
        attempts=tuple(_attempts(pairs, started_at)),
        revision=make_revision(wanted.revision),
    )
    return ImportPlan(
        format=kind,
        source=campaign.source,
        campaigns=(campaign,),
        unknown=tuple(unknown),
        notes=tuple(notes),
    )


class _Targets:
    """Chooses a target for each result, and remembers what was guessed."""

    def __init__(self, configuration: Configuration, wanted: str | None, stem: str) -> None:
        if wanted is not None:
            configuration.target(wanted)
        self._configuration = configuration
        self._wanted = wanted
        self._stem = stem
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def choose(self, result: FoundResult) -> str:
        if result.suite in self._configuration.targets:
            return result.suite
        if self._wanted is not None:
            return self._wanted
        guessed = guess_target(self._configuration, f"{result.suite} {self._stem}")
        if guessed is None:
            raise UsageError(
                "the file does not say which target its results are of",
                hint=f"--target NAME, one of: {', '.join(self._configuration.targets)}",
            )
        suite = f"suite {printable_line(result.suite, limit=60)}: " if result.suite else ""
        self._notes[f"{suite}{guessed[1]}"] = None
        return guessed[0]


def _attempts(pairs: Iterable[tuple[str, FoundResult]], started_at: datetime) -> Iterator[Attempt]:
    """Yield the attempts, each as if it had begun when the one before it ended."""
    for target, result in pairs:
        yield Attempt(
            target=target,
            test=result.name,
            verdict=Verdict(outcome=result.outcome, evidence=result.evidence),
            nonce="",
            isolation=Isolation.UNKNOWN,
            started_at=started_at,
            duration_s=result.duration_s,
        )
        started_at += timedelta(seconds=min(result.duration_s, 86_400))


def _content(pairs: Sequence[tuple[str, FoundResult]]) -> list[object]:
    return [
        [target, result.name, result.outcome, *result.evidence, result.duration_s] for target, result in pairs
    ]
