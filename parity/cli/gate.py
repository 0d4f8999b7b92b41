"""`parity gate`: whether a change may go in, for a continuous integration."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.completion import complete_baseline
from parity.cli.options import AsJson, Targets  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus

if TYPE_CHECKING:
    from datetime import date

    from parity.attempt import StoredAttempt
    from parity.cli.session import Session
    from parity.expectations import Expectation
    from parity.flow.results.gate import Gate
    from parity.gate import Flaky, GateReport, Regression, Stale


def gate_command(
    context: typer.Context,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            "-b",
            metavar="NAME",
            help="What must not be lost; the baseline called default, or else each test's first result.",
            autocompletion=complete_baseline,
        ),
    ] = None,
    run: Annotated[
        int | None,
        typer.Option("--run", "-r", min=1, metavar="N", help="Judge what was known after run N; the newest."),
    ] = None,
    target: Targets = None,
    today: Annotated[
        datetime | None,
        typer.Option(
            "--today",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="The day by which expectations expire, YYYY-MM-DD; today (UTC).",
        ),
    ] = None,
    strict_flaky: Annotated[
        bool,
        typer.Option(
            "--strict-flaky", help="Fail as well where a test that passed at the baseline is flaky now."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fail where a test lost its pass, or where expectations.toml no longer says what is true; on nothing else.

    A test that passed at the baseline and now has another measured outcome is a regression, unless an entry of
    expectations.toml covers it. An entry is stale that has expired, or that covers a test which passes now.

    A test that both passed and failed on one image is flaky, whether a retry passed or not: that is told, and fails
    the gate only with --strict-flaky.

    Exit status: 0 the change may go in, 1 it may not, 2 usage or configuration.
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.gate import hold_gate  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    day = (today or datetime.now(UTC)).date()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        gate = hold_gate(
            configuration,
            repository,
            today=day,
            baseline=baseline,
            run=run,
            targets=target or (),
            strict_flaky=strict_flaky,
        )
    if as_json:
        sys.stdout.write(json.dumps(_describe(gate, day), indent=2) + "\n")
    else:
        _show(session, gate, str(configuration.kernel.expectations))
    raise typer.Exit(ExitStatus.AS_WANTED if gate.report.is_open else ExitStatus.TESTS_FAILED)


def _describe(gate: Gate, today: date) -> dict[str, object]:
    report = gate.report
    return {
        "open": report.is_open,
        "today": today.isoformat(),
        "baseline": {
            "name": gate.baseline.name,
            "run": gate.baseline.campaign and gate.baseline.campaign.number,
        },
        "run": gate.now.campaign and gate.now.campaign.number,
        "regressions": [
            {"then": _describe_attempt(found.then), "now": _describe_attempt(found.now)}
            for found in report.regressions
        ],
        "stale": [
            {
                **_describe_entry(found.entry),
                "why": "passes" if found.passing else "expired",
                "passing": [case.test for case in found.passing],
            }
            for found in report.stale
        ],
        "flaky": [
            {
                "test": found.case.test,
                "target": found.case.target,
                "attempts": len(found.attempts),
                "failures": found.failures,
                "passed_at_baseline": found.passed_then,
            }
            for found in report.flaky
        ],
        "strict_flaky": report.is_strict,
        "expected": [
            {"now": _describe_attempt(found.now), "line": found.entry.line} for found in report.covered
        ],
        "without_result": [{"test": case.test, "target": case.target} for case in report.lost],
    }


def _describe_attempt(attempt: StoredAttempt) -> dict[str, object]:
    return {
        "test": attempt.test,
        "target": attempt.target,
        "outcome": attempt.verdict.outcome,
        "run": attempt.campaign,
        "attempt": attempt.id,
        "evidence": attempt.verdict.evidence,
    }


def _describe_entry(entry: Expectation) -> dict[str, object]:
    return {
        "line": entry.line,
        "test": entry.test,
        "target": entry.target,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "link": entry.link,
        "owner": entry.owner,
        "expires": entry.expires.isoformat() if entry.expires else None,
    }


def _show(session: Session, gate: Gate, file: str) -> None:
    from parity.cli.lists import print_line, print_list  # noqa: PLC0415 - keeps --help fast

    out, report = session.out, gate.report
    print_line(out, f"{gate.now.name} against {gate.baseline.name}")
    print_list(out, "regressions", map(_regression, report.regressions), style="bold red")
    if report.regressions:
        print_line(out, f"  mend them, or announce them with a reason in {file}; evidence: parity show TEST")
    stale = (_stale(found, file) for found in report.stale)
    print_list(out, "stale expectations", stale, style="bold red")
    told = "" if report.is_strict else " (told; only --strict-flaky fails for it)"
    print_list(out, f"flaky{told}", map(_flaky, report.flaky), style="yellow")
    if report.flaky:
        print_line(out, "  how often: parity stress TEST --target TARGET")
    lost = (f"{case.test} on {case.target}" for case in report.lost)
    print_list(out, "passed at the baseline, and nothing is known now", lost, style="yellow")
    if report.covered:
        print_line(out, f"expected failures: {len(report.covered)} (parity status --where expected)")
    print_line(out, _conclusion(report), style="green" if report.is_open else "bold red")


def _conclusion(report: GateReport) -> str:
    from parity.words import counted  # noqa: PLC0415 - keeps --help fast

    if report.is_open:
        return "the gate is open"
    reasons = [
        (len(report.regressions), "regression"),
        (len(report.stale), "stale expectation"),
        (len(report.unreliable) if report.is_strict else 0, "flaky test"),
    ]
    return f"the gate is closed: {', '.join(counted(number, noun) for number, noun in reasons if number)}"


def _regression(found: Regression) -> str:
    from parity.hangs import deciding_sentence  # noqa: PLC0415 - keeps --help fast
    from parity.printable import printable_line  # noqa: PLC0415

    now = found.now
    return (
        f"{now.test} on {now.target}: pass in run {found.then.campaign}, {now.verdict.outcome} in run {now.campaign}: "
        f"{printable_line(deciding_sentence(now))}"
    )


def _stale(found: Stale, file: str) -> str:
    from parity.printable import printable_line  # noqa: PLC0415 - keeps --help fast

    entry = found.entry
    if not found.passing:
        owner = f"{printable_line(entry.owner)}: " if entry.owner else ""
        return (
            f"{file}:{entry.line}: expired on {entry.expires}: {owner}mend {entry.test} on {entry.target}, "
            f"or say until when it is accepted ({printable_line(entry.reason)})"
        )
    named = ", ".join(case.test for case in found.passing[:5])
    more = f" and {len(found.passing) - 5} more" if len(found.passing) > 5 else ""
    every = len(found.passing) == len(entry.cases)
    advice = "delete the entry" if every else "narrow the entry to the others"
    return f"{file}:{entry.line}: {named}{more} on {entry.target} pass{'es' if len(found.passing) == 1 else ''} now: {advice}"


def _flaky(found: Flaky) -> str:
    case, runs = found.case, {attempt.campaign for attempt in found.attempts}
    where = f"in run {min(runs)}" if len(runs) == 1 else f"in {len(runs)} runs"
    return f"{case.test} on {case.target}: {found.failures} of {len(found.attempts)} failed on one image, {where}"
