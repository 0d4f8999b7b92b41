"""`parity stress`: many boots or repeats of a few tests, and how often they fail."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from parity.attempt import Isolation
from parity.cli.completion import complete_test
from parity.cli.options import AsJson, Targets  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.run import exit_status, interrupted_status, tell_left
from parity.errors import UsageError
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parity.campaign import Case
    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.run import Summary
    from parity.flow.campaign.stress import FailedAttempt, FailureGroup, Stress
    from parity.statistics import Rate

_NAMED: Final = 10
"""So many failed attempts of one kind are named with their files; further ones by number."""


def stress_command(
    context: typer.Context,
    tests: Annotated[
        list[str], typer.Argument(metavar="TEST", help="Names or globs.", autocompletion=complete_test)
    ],
    boots: Annotated[
        int | None,
        typer.Option(
            "--boots", min=1, max=1_000_000, metavar="N", help="Every test N times, each after a fresh boot."
        ),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(
            "--repeat",
            min=1,
            max=1_000_000,
            metavar="N",
            help="Every test N times, on machines that are reused.",
        ),
    ] = None,
    until_fail: Annotated[
        bool,
        typer.Option(
            "--until-fail",
            help="End with the first failure. Alone: repeat until there is one.",
        ),
    ] = False,
    target: Targets = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, max=256, metavar="M", help="At most so many machines side by side."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.1, max=86400, metavar="S", help="Seconds for each test, for its budget."
        ),
    ] = None,
    isolation: Annotated[
        Literal["snapshot", "shared"],
        typer.Option(
            "--isolation",
            help="With --repeat: whether the machine is put back to its prompt in between, or nothing is restored.",
        ),
    ] = "snapshot",
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Run the targets' build commands first.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Run tests many times and say how often they fail.

    Tells each test's failure rate with a 95 % confidence interval (Wilson's), and the failures by what they have in
    common, each with its log and capture. The attempts are a run like any other: `parity show`, `parity diagnose` and
    `parity run --resume` know them. With --boots a boot that fails is a failure, and is not tried again.

    Exit status: 0 nothing failed, 1 something did, 2 usage or configuration, 3 the harness or QEMU failed,
    130 interrupted.
    """
    session: Session = context.obj
    if boots is not None and repeat is not None:
        raise UsageError("--boots and --repeat exclude each other", hint="--boots N boots for every attempt")
    if boots is None and repeat is None and not until_fail:
        raise UsageError("how often?", hint="give --boots N, --repeat N or --until-fail")
    if boots is not None and isolation != "snapshot":
        raise UsageError("--boots boots for every attempt, and takes no --isolation")
    configuration = session.configuration()
    order = _order(
        _select(configuration, tests, target or (), boots=boots is not None),
        times=boots or repeat,
        boots=boots is not None,
        isolation=Isolation(isolation),
        jobs=jobs,
        timeout_s=timeout,
        build=build,
        until_fail=until_fail,
    )
    _run(session, configuration, order, what="boots" if boots else "attempts", as_json=as_json)


def _select(
    configuration: Configuration, tests: list[str], named: list[str] | tuple[()], *, boots: bool
) -> tuple[Case, ...]:
    from parity.flow.campaign.hosts import leave_out_unserved  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.selection import select_cases, select_targets  # noqa: PLC0415
    from parity.flow.campaign.stress import select_booted  # noqa: PLC0415

    targets = select_targets(configuration, names=named)
    if boots:
        targets = select_booted(configuration, targets, named=named)
    targets, _ = leave_out_unserved(configuration, targets, named=named)
    return select_cases(configuration, targets=targets, tests=tests)


def _order(
    cases: tuple[Case, ...],
    *,
    times: int | None,
    boots: bool,
    isolation: Isolation,
    jobs: int | None,
    timeout_s: float | None,
    build: bool,
    until_fail: bool,
) -> Order:
    from parity.campaign import StopRule  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.order import Order  # noqa: PLC0415
    from parity.flow.campaign.selection import repeat_cases  # noqa: PLC0415
    from parity.flow.campaign.stress import STRESS_BOOT_FAILURES_IN_A_ROW  # noqa: PLC0415

    return Order(
        cases=repeat_cases(cases, times or 1),
        isolation=Isolation.BOOT if boots else isolation,
        jobs=jobs,
        timeout_s=timeout_s,
        build=build,
        arguments=tuple(sys.argv[1:]),
        stop=StopRule.UNTIL_FAIL if until_fail else StopRule.NEVER,
        endless=times is None,
        boot_retries=0 if boots else None,
        boot_failures_in_a_row=STRESS_BOOT_FAILURES_IN_A_ROW,
    )


def _run(session: Session, configuration: Configuration, order: Order, *, what: str, as_json: bool) -> None:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.cli.progress import open_observer  # noqa: PLC0415
    from parity.flow.campaign.interrupt import Interrupted  # noqa: PLC0415
    from parity.flow.campaign.plan import describe_machines  # noqa: PLC0415
    from parity.flow.campaign.run import run_campaign  # noqa: PLC0415
    from parity.flow.campaign.stress import read_stress  # noqa: PLC0415

    machines = describe_machines(configuration, order)
    try:
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            with open_observer(session.out, quiet=as_json, machines=machines, brief=True) as observer:
                summary = run_campaign(configuration, repository, order, observer)
            stress = read_stress(repository, summary.number)
    except Interrupted as interrupted:
        session.err.print("interrupted while building; nothing was run")
        raise typer.Exit(interrupted_status(interrupted.signal)) from None
    if as_json:
        sys.stdout.write(_as_json(stress, summary) + "\n")
    else:
        _tell(session, stress, summary, what=what)
    raise typer.Exit(exit_status(summary))


def _tell(session: Session, stress: Stress, summary: Summary, *, what: str) -> None:
    from parity.printable import printable  # noqa: PLC0415 - keeps --help fast

    lines = [*_rate_lines(stress, what=what)]
    for group in stress.groups:
        lines += _group_lines(group)
    for name, why in summary.without_snapshots.items():
        lines.append(f"{name}: every attempt had a fresh boot: {why}")
    for line in lines:
        session.out.print(printable(line), markup=False, soft_wrap=True)
    for lost in summary.lost:
        session.tell_error(lost.error)
    tell_left(session.out, summary)


def _rate_lines(stress: Stress, *, what: str) -> Iterator[str]:
    from parity.statistics import describe_rate  # noqa: PLC0415 - keeps --help fast

    for case in stress.cases:
        skipped = case.outcomes[Outcome.SKIP]
        suffix = f"; {skipped} skipped" if skipped else ""
        yield f"{case.test} on {case.target}: {describe_rate(case.rate)}{suffix}"
    if len(stress.cases) != 1:
        yield f"all {what}: {describe_rate(stress.total)}"
    if stress.boots_retried:
        yield f"not counted: {stress.boots_retried} boots that failed and were tried again"
    if stress.unmeasured:
        yield f"not counted: {stress.unmeasured} {what} that say nothing about the kernel"


def _group_lines(group: FailureGroup) -> list[str]:
    extent = ", ".join(f"{count} on {target}" for target, count in sorted(group.targets.items()))
    counted = "1 attempt" if len(group.attempts) == 1 else f"{len(group.attempts)} attempts"
    lines = [f"{counted}: {group.signature} ({extent})"]
    named, others = group.attempts[:_NAMED], group.attempts[_NAMED:]
    lines += (f"  {_attempt_line(attempt)}" for attempt in named)
    if others:
        lines.append(f"  and attempts {', '.join(str(attempt.number) for attempt in others)}")
    lines.append(f"  look closer: parity show {named[0].test} --attempt {named[0].number}")
    return lines


def _attempt_line(attempt: FailedAttempt) -> str:
    parts = [f"attempt {attempt.number} ({attempt.test} on {attempt.target})"]
    if attempt.logs:
        parts.append(f"log {attempt.logs[0]}")
    if attempt.capture is not None:
        parts.append(f"capture {attempt.capture}")
    return ", ".join(parts)


def _as_json(stress: Stress, summary: Summary) -> str:
    whole = {
        "run": stress.number,
        "state": summary.state,
        "total": _rate_json(stress.total),
        "cases": [
            {"target": case.target, "test": case.test, "outcomes": dict(sorted(case.outcomes.items()))}
            | _rate_json(case.rate)
            for case in stress.cases
        ],
        "failures": [
            {
                "signature": group.signature,
                "outcome": group.outcome,
                "count": len(group.attempts),
                "attempts": [_attempt_json(attempt) for attempt in group.attempts],
            }
            for group in stress.groups
        ],
        "unmeasured": stress.unmeasured,
        "boots_retried": stress.boots_retried,
        "left": summary.left,
        "stopped": summary.stopped,
        "errors": [lost.error.message for lost in summary.lost],
    }
    return json.dumps(whole, indent=2)


def _rate_json(rate: Rate) -> dict[str, object]:
    return {
        "failed": rate.failures,
        "of": rate.trials,
        "share": rate.share,
        "low": rate.low,
        "high": rate.high,
    }


def _attempt_json(attempt: FailedAttempt) -> dict[str, object]:
    return {
        "attempt": attempt.number,
        "target": attempt.target,
        "test": attempt.test,
        "sentence": attempt.sentence,
        "logs": [str(path) for path in attempt.logs],
        "capture": str(attempt.capture) if attempt.capture else None,
    }
