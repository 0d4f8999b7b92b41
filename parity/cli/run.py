"""`parity run`: options in, one flow, a summary and an exit status out."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from parity.attempt import Isolation
from parity.cli.options import AsJson, Targets, Tests, Where  # noqa: TC001 - Typer reads annotations at run time
from parity.cli.session import ExitStatus, interrupted_status
from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.cli.session import Session
    from parity.configuration import Configuration
    from parity.flow.campaign.hosts import LeftOut
    from parity.flow.campaign.order import Order


def run_command(
    context: typer.Context,
    tests: Tests = None,
    arch: Annotated[
        list[str] | None,
        typer.Option("--arch", "-a", metavar="ARCH", help="Only targets of this architecture (repeatable)."),
    ] = None,
    target: Targets = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "-k", metavar="PATTERN", help="Only tests whose name contains this, or matches it as a glob."
        ),
    ] = None,
    where: Where = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=256,
            help="At most so many machines side by side; by default as many as have six virtual CPUs for each "
            "host core together.",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.1, max=86400, metavar="S", help="Seconds for each test, for its budget."
        ),
    ] = None,
    isolation: Annotated[
        Literal["snapshot", "boot", "shared"],
        typer.Option(
            "--isolation",
            help="snapshot: the machine is put back to its first prompt before every test; boot: a fresh QEMU for "
            "every test; shared: one boot for many, nothing restored.",
        ),
    ] = "snapshot",
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="Only the Ith of N parts, which are the same on every machine."
        ),
    ] = None,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="In a random order; the seed is drawn and told.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=2**63 - 1, metavar="N", help="In the random order of this seed."),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(
            "--repeat", min=1, max=1_000_000, metavar="N", help="Every test so often on every target."
        ),
    ] = None,
    until_fail: Annotated[
        bool,
        typer.Option(
            "--until-fail", help="Again and again until one fails; --repeat N is then the most that is tried."
        ),
    ] = False,
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="Start nothing more once one failed; the rest is not attempted."),
    ] = False,
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Run the targets' build commands first.")
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run that did not finish.")
    ] = False,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="Run up to 20 tests of each target (or those that are named) under snapshots and on fresh boots, "
            "and name those that come out differently.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show tests and QEMU commands; start nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Boot the targets, run the tests, keep every result.

    Tests that take longest go first; `--shuffle` and `--seed` change that. Ctrl-C ends cleanly and keeps what
    finished; `parity run --resume` goes on, repetitions included.

    Exit status: 0 every test passed or was skipped with a reason, 1 tests failed, 2 usage or configuration,
    3 the harness or QEMU failed, 130 interrupted.
    """
    from parity.flow.campaign.hosts import leave_out_unserved  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.order import Order  # noqa: PLC0415
    from parity.flow.campaign.selection import (  # noqa: PLC0415
        choose_stop_rule,
        parse_shard,
        refuse_with_audit,
        refuse_with_resume,
        repeat_cases,
        select_cases,
        select_shard,
        select_targets,
    )

    session: Session = context.obj
    stop = choose_stop_rule(until_fail=until_fail, fail_fast=fail_fast)
    if resume:
        refuse_with_resume(
            {
                "--where": where,
                "--shard": shard,
                "--shuffle": shuffle,
                "--seed": seed,
                "--repeat": repeat,
                "--until-fail": until_fail,
                "--fail-fast": fail_fast,
            }
        )
    configuration = session.configuration()
    chosen = select_targets(configuration, names=target or (), architectures=arch or ())
    targets, left_out = leave_out_unserved(configuration, chosen, named=target or ())
    if not resume:  # that goes on with what was planned
        _tell_left_out(session, left_out)
    cases = select_cases(configuration, targets=targets, tests=tests or (), pattern=pattern)
    if where is not None:
        matching = _ask(configuration, where, create=not dry_run)
        cases = tuple(case for case in cases if case.test in matching)
        if not cases:
            _tell_nothing(session, f"no chosen test is such: {where}", as_json=as_json)
    if shard is not None:
        chosen_shard, all_cases = parse_shard(shard), cases
        cases = select_shard(configuration, all_cases, chosen_shard)
        if not cases:
            _tell_nothing(session, f"shard {shard} of {len(all_cases)} tests is empty", as_json=as_json)
    order = Order(
        cases=repeat_cases(cases, repeat or 1),
        isolation=Isolation(isolation),
        jobs=jobs,
        timeout_s=timeout,
        build=build,
        arguments=tuple(sys.argv[1:]),
        seed=draw_seed() if shuffle and seed is None else seed,
        stop=stop,
        endless=until_fail and repeat is None,
    )
    if audit:
        refuse_with_audit(
            {"--resume": resume, "--repeat": repeat, "--until-fail": until_fail, "--dry-run": dry_run}
        )
        _audit(session, configuration, order, everything=bool(tests or pattern or where), as_json=as_json)
    elif dry_run:
        if resume:
            order = _resumed(configuration, order)
        _show_order(session, configuration, order, as_json=as_json)
    else:
        carry_out(session, configuration, order, resume=resume, as_json=as_json)


def draw_seed() -> int:
    """Return a seed that is short enough to be typed again."""
    return secrets.randbelow(1_000_000)


def _ask(configuration: Configuration, where: str, *, create: bool) -> tuple[str, ...]:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.status import find_matching  # noqa: PLC0415

    with open_repository(configuration.database_url, configuration.state_folder, create=create) as repository:
        return find_matching(configuration, repository, where)


def _tell_nothing(session: Session, why: str, *, as_json: bool) -> NoReturn:
    if as_json:
        empty: dict[str, object] = {
            "run": None,
            "state": None,
            "counts": {},
            "left": 0,
            "errors": [],
            "attempts": [],
        }
        sys.stdout.write(json.dumps(empty, indent=2) + "\n")
    else:
        session.out.print(f"{printable(why)}: there is nothing to run", markup=False, soft_wrap=True)
    raise typer.Exit(ExitStatus.AS_WANTED)


def _resumed(configuration: Configuration, order: Order) -> Order:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.run import resumed_order  # noqa: PLC0415

    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        return resumed_order(configuration, repository, order)


def _tell_left_out(session: Session, left_out: Sequence[LeftOut]) -> None:
    for one in left_out:
        hint = f" ({one.error.hint})" if one.error.hint else ""
        session.err.print(
            f"{one.target} is left out: {one.error.message}{hint}", markup=False, soft_wrap=True
        )


def carry_out(
    session: Session,
    configuration: Configuration,
    order: Order,
    *,
    resume: bool = False,
    as_json: bool = False,
) -> NoReturn:
    """Run what is ordered, or what is left of the newest run that did not finish, and tell how it went."""
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.cli.progress import open_observer  # noqa: PLC0415
    from parity.cli.summary import exit_status, tell_end  # noqa: PLC0415
    from parity.flow.campaign.interrupt import Interrupted  # noqa: PLC0415
    from parity.flow.campaign.plan import describe_machines  # noqa: PLC0415
    from parity.flow.campaign.run import resumed_order, run_campaign  # noqa: PLC0415

    try:
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            if resume:
                order = resumed_order(configuration, repository, order)
            machines = describe_machines(configuration, order)
            brief = order.measures_rates
            with open_observer(session.out, quiet=as_json, machines=machines, brief=brief) as observer:
                summary = run_campaign(configuration, repository, order, observer)
            tell_end(session, repository, summary, order, as_json=as_json)
    except Interrupted as interrupted:
        session.err.print("interrupted while building; nothing was run")
        raise typer.Exit(interrupted_status(interrupted.signal)) from None
    raise typer.Exit(exit_status(summary))


def _audit(
    session: Session, configuration: Configuration, order: Order, *, everything: bool, as_json: bool
) -> None:
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.cli.audit import audit_as_json, tell_audit  # noqa: PLC0415
    from parity.cli.progress import open_observer  # noqa: PLC0415
    from parity.flow.campaign.audit import audit_isolation, draw_sample  # noqa: PLC0415
    from parity.flow.campaign.interrupt import Interrupted  # noqa: PLC0415
    from parity.flow.campaign.plan import describe_machines  # noqa: PLC0415

    seed = draw_seed() if order.seed is None else order.seed
    cases = order.cases if everything else draw_sample(order.cases, seed=seed)
    order = replace(order, cases=cases)
    try:
        with open_repository(configuration.database_url, configuration.state_folder) as repository:
            machines = describe_machines(configuration, order)
            with open_observer(session.out, quiet=as_json, machines=machines) as observer:
                audit = audit_isolation(configuration, repository, order, observer)
    except Interrupted as interrupted:
        raise typer.Exit(interrupted_status(interrupted.signal)) from None
    if as_json:
        sys.stdout.write(json.dumps(audit_as_json(audit, seed), indent=2) + "\n")
    else:
        tell_audit(session.out, audit, seed)
    last = audit.runs[-1]
    if last.interrupt is not None:
        raise typer.Exit(interrupted_status(last.interrupt))
    if any(summary.lost for summary in audit.runs):
        raise typer.Exit(ExitStatus.HARNESS)
    raise typer.Exit(ExitStatus.AS_WANTED if audit.is_clean else ExitStatus.TESTS_FAILED)


def _show_order(session: Session, configuration: Configuration, order: Order, *, as_json: bool) -> None:
    from parity.cli.progress import describe_order  # noqa: PLC0415 - keeps --help fast
    from parity.flow.campaign.plan import describe_machines, tests_in_order  # noqa: PLC0415
    from parity.flow.campaign.run import dry_run  # noqa: PLC0415

    commands = dict(dry_run(configuration, order))
    if as_json:
        shown = [
            {
                "target": name,
                "command": command,
                "tests": tests_in_order(order, name),
                "attempts": None if order.endless else sum(case.target == name for case in order.cases),
            }
            for name, command in commands.items()
        ]
        sys.stdout.write(json.dumps({"targets": shown, "seed": order.seed}, indent=2) + "\n")
        return
    session.out.print(f"{describe_order(order)}; {describe_machines(configuration, order)}", soft_wrap=True)
    for name, command in commands.items():
        tests = tests_in_order(order, name)
        session.out.print(f"[bold]{name}[/bold]: {len(tests)} tests", soft_wrap=True)
        session.out.print(f"  {' '.join(tests)}", soft_wrap=True, markup=False)
        session.out.print(f"  {command}", soft_wrap=True, markup=False)
