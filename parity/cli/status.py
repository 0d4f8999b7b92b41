"""`parity status`: where every test stands."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import AsJson, Targets, Tests, Where  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.styles import OUTCOME_STYLES, PAIR_STYLES
from parity.outcome import Outcome, PairState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from parity.attempt import StoredAttempt
    from parity.cli.session import Session
    from parity.expectations import Expectations
    from parity.standing import Standing, TestStanding


def status_command(
    context: typer.Context,
    tests: Tests = None,
    target: Targets = None,
    outcome: Annotated[
        list[Outcome] | None,
        typer.Option(
            "--outcome",
            "-o",
            help="Only tests whose newest result on one of the targets is this (repeatable).",
            show_choices=True,
        ),
    ] = None,
    where: Where = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest result of each test on each target, pair states and pass rates.

    What expectations.toml announces is marked: `xfail` fails as announced, `xpass` passes all the same.
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.expectations import read_expectations  # noqa: PLC0415
    from parity.flow.results.status import find_matching, read_status  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        standing = read_status(configuration, repository, tests=tests or (), targets=target or ())
        matching = None if where is None else find_matching(configuration, repository, where)
    expectations = read_expectations(configuration)
    shown = [
        row
        for row in standing.tests
        if _is_wanted(standing, row, outcome or ()) and (matching is None or row.test in matching)
    ]
    if as_json:
        sys.stdout.write(json.dumps(_describe(standing, shown, expectations), indent=2) + "\n")
    else:
        _show(session, standing, shown, expectations)


def _is_wanted(standing: Standing, row: TestStanding, outcomes: Sequence[Outcome]) -> bool:
    return not outcomes or any(row.outcome(target) in outcomes for target in standing.scope.targets)


def _describe(
    standing: Standing, rows: Sequence[TestStanding], expectations: Expectations
) -> dict[str, object]:
    return {
        "kernel": standing.scope.kernel,
        "reference": standing.scope.reference,
        "port": standing.scope.port,
        "rates": {target: _describe_rate(standing, target) for target in standing.scope.targets},
        "pairs": _pair_counts(standing),
        "test_faults": [
            {"test": row.test, "target": fault.target, **_describe_fault(fault)}
            for row in rows
            for fault in row.faults
        ],
        "tests": [
            {
                "test": row.test,
                "pair": row.pair,
                "results": {
                    target: _describe_attempt(found, expectations) for target, found in row.results.items()
                },
            }
            for row in rows
        ],
    }


def _describe_rate(standing: Standing, target: str) -> dict[str, object]:
    rate = standing.rate(target)
    return {
        "passed": rate.passed,
        "total": rate.total,
        "measured": rate.measured,
        "percent": None if rate.percent is None else round(rate.percent, 2),
    }


def _describe_fault(attempt: StoredAttempt) -> dict[str, object]:
    return {"outcome": attempt.verdict.outcome, "attempt": attempt.id, "evidence": attempt.verdict.evidence}


def _describe_attempt(attempt: StoredAttempt | None, expectations: Expectations) -> dict[str, object] | None:
    from parity.cli.hangs import describe_hang  # noqa: PLC0415 - keeps --help fast

    if attempt is None:
        return None
    return {
        "outcome": attempt.verdict.outcome,
        "run": attempt.campaign,
        "attempt": attempt.id,
        "started_at": attempt.started_at.isoformat(),
        "duration_s": round(attempt.duration_s, 4),
        "exit_status": attempt.verdict.exit_status,
        "signal": attempt.verdict.signal,
        "error_number": attempt.verdict.error_number,
        "evidence": attempt.verdict.evidence,
        "hang": describe_hang(attempt.hang),
        "expectation": expectations.mark(attempt),
    }


def _pair_counts(standing: Standing) -> dict[str, int]:
    if standing.scope.pair is None:
        return {}
    return {state: len(standing.in_state(state)) for state in PairState}


def _show(
    session: Session, standing: Standing, rows: Sequence[TestStanding], expectations: Expectations
) -> None:
    from parity.cli.table import print_table  # noqa: PLC0415 - keeps --help fast

    targets = standing.scope.targets
    paired = standing.scope.pair is not None
    header = ["test", *targets, *(["state"] if paired else [])]
    if rows:
        cells = [_cells(row, targets, expectations, paired=paired) for row in rows]
        print_table(session.out, header, cells)
    else:
        session.out.print("no test has such a result")
    session.out.print()
    _show_faults(session, rows)
    _show_hangs(session, rows, targets)
    _show_rates(session, standing)


def _show_faults(session: Session, rows: Sequence[TestStanding]) -> None:
    """Name the tests that fail on Linux too, each with what decided there."""
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from parity.printable import printable_line  # noqa: PLC0415

    faults = [(row.test, fault) for row in rows for fault in row.faults]
    if not faults:
        return
    session.out.print(Text("Not a parity gap: the test fails on Linux too.", style="yellow"), soft_wrap=True)
    for test, fault in faults:
        deciding = printable_line(fault.verdict.evidence[0]) if fault.verdict.evidence else ""
        line = f"  {test} on {fault.target}: {fault.verdict.outcome}: {deciding}"
        session.out.print(Text(line), soft_wrap=True)
    session.out.print()


def _show_hangs(session: Session, rows: Sequence[TestStanding], targets: Sequence[str]) -> None:
    """Say what the kernel got stuck on, where tests that fail have a capture."""
    from parity.cli.hangs import show_groups  # noqa: PLC0415 - keeps --help fast

    newest = (row.results.get(target) for target in targets for row in rows if not row.faults)
    failed = [attempt for attempt in newest if attempt is not None and not attempt.verdict.outcome.is_wanted]
    if any(attempt.hang and attempt.hang.diagnosis.cause.is_hang for attempt in failed):
        show_groups(session.out, failed)
        session.out.print()


def _show_rates(session: Session, standing: Standing) -> None:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    for target in standing.scope.targets:
        rate = standing.rate(target)
        line = Text.assemble(
            (target, "bold"),
            f": {rate} pass of those meant for it" if rate.total else ": no tests are meant for it",
        )
        if rate.measured < rate.total:
            line.append(f"; {rate.total - rate.measured} without a result", style="yellow")
        session.out.print(line, soft_wrap=True)
    counts = [f"{count} {state}" for state, count in _pair_counts(standing).items() if count]
    if counts:
        session.out.print(Text(f"{', '.join(counts)}"), soft_wrap=True)


def _cells(
    row: TestStanding, targets: Sequence[str], expectations: Expectations, *, paired: bool
) -> list[str | Text]:
    cells: list[str | Text] = [row.test]
    cells += (_outcome(row, target, expectations) for target in targets)
    return [*cells, _pair(row)] if paired else cells


def _outcome(row: TestStanding, target: str, expectations: Expectations) -> Text:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    attempt = row.results.get(target)
    if attempt is None:
        return Text(row.describe(target), style="dim")
    mark = expectations.mark(attempt)
    shown = f"{row.describe(target)} ({mark})" if mark else row.describe(target)
    return Text(shown, style=OUTCOME_STYLES[attempt.verdict.outcome])


def _pair(row: TestStanding) -> Text:
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    return Text(row.pair or "", style=PAIR_STYLES[row.pair] if row.pair else "")
