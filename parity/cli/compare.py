"""`parity compare [A] [B]`: what changed between two sets of results."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.completion import complete_side
from parity.cli.options import AsJson, Where  # noqa: TC001 - Typer reads annotations at run time

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt
    from parity.cli.session import Session
    from parity.comparison import Change, Differences, Pairing, TimeChange
    from parity.flow.results.compare import Compared, Side

_SIDE_HELP = "a run's number, baseline, before, last, a baseline's name, a target or a revision"


def compare_command(
    context: typer.Context,
    then: Annotated[
        str | None,
        typer.Argument(
            metavar="[A]",
            help=f"The earlier side: {_SIDE_HELP}. The pinned baseline, or else the run before.",
            autocompletion=complete_side,
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Argument(
            metavar="[B]",
            help="The later side, named the same way. The newest run.",
            autocompletion=complete_side,
        ),
    ] = None,
    where: Where = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two sets of results: passes, failures and their reasons, times, pair states.

    A run stands for what was known once it was over: each test's newest result in it or before it. A test takes
    longer (or less long) only where it is a quarter and 0.1 s beyond every one of its up to 20 passes recorded before,
    and where there are at least five.

    Exit status 0, whatever differs: a comparison is no verdict (`parity gate` is).
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.compare import compare  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        compared = compare(configuration, repository, then=then, now=now, where=where)
    if as_json:
        sys.stdout.write(json.dumps(_describe(compared), indent=2) + "\n")
    else:
        _show(session, compared)


def _describe(compared: Compared) -> dict[str, object]:
    found = compared.differences
    return {
        "then": _describe_side(compared.then),
        "now": _describe_side(compared.now),
        "compared": found.compared,
        "changes": [
            {
                "kind": change.kind,
                "test": change.test,
                "target": change.target,
                "then": _describe_attempt(change.then),
                "now": _describe_attempt(change.now),
            }
            for change in found.changes
        ],
        "times": [
            {
                "test": change.test,
                "target": change.target,
                "now_s": round(change.now_s, 4),
                "fastest_s": round(change.fastest_s, 4),
                "slowest_s": round(change.slowest_s, 4),
                "passes": change.passes,
            }
            for change in found.times
        ],
        "pairs": [{"test": change.test, "then": change.then, "now": change.now} for change in found.pairs],
        "only_then": [{"test": only.test, "target": only.target} for only in found.only_then],
        "only_now": [{"test": only.test, "target": only.target} for only in found.only_now],
    }


def _describe_side(side: Side) -> dict[str, object]:
    revision = side.campaign.revision if side.campaign else None
    return {
        "name": side.name,
        "run": side.campaign.number if side.campaign else None,
        "target": side.target,
        "revision": revision.commit if revision else None,
        "dirty": revision.dirty if revision else None,
    }


def _describe_attempt(attempt: StoredAttempt) -> dict[str, object]:
    return {
        "target": attempt.target,
        "outcome": attempt.verdict.outcome,
        "run": attempt.campaign,
        "attempt": attempt.id,
        "error_number": attempt.verdict.error_number,
        "evidence": attempt.verdict.evidence,
        "cause": attempt.hang.diagnosis.cause if attempt.hang else None,
    }


def _show(session: Session, compared: Compared) -> None:
    from parity.cli.lists import print_line, print_list  # noqa: PLC0415 - keeps --help fast
    from parity.comparison import ChangeKind  # noqa: PLC0415

    out, found = session.out, compared.differences
    print_line(out, f"then: {_side(compared.then)}")
    print_line(out, f"now:  {_side(compared.now)}")
    titles = {
        ChangeKind.NEW_FAILURE: ("new failures", "red"),
        ChangeKind.NEW_PASS: ("new passes", "green"),
        ChangeKind.OTHER_OUTCOME: ("other outcomes", "yellow"),
        ChangeKind.OTHER_EVIDENCE: ("other reasons", "yellow"),
    }
    for kind, (title, style) in titles.items():
        print_list(out, title, map(_change, found.of_kind(kind)), style=style)
    print_list(out, "slower", (_time(time) for time in found.times if time.is_slower), style="yellow")
    print_list(out, "faster", (_time(time) for time in found.times if not time.is_slower), style="green")
    print_list(out, "other pair states", (f"{pair.test}: {pair.then} -> {pair.now}" for pair in found.pairs))
    print_list(out, "results that are there no more", map(_case, found.only_then), style="dim")
    print_list(out, "results that were not there", map(_case, found.only_now), style="dim")
    print_line(out, _conclusion(found))


def _conclusion(found: Differences) -> str:
    from parity.words import counted  # noqa: PLC0415 - keeps --help fast

    return f"{counted(found.compared, 'result')} compared, {len(found.changes)} changed"


def _side(side: Side) -> str:
    if side.campaign is None:
        return side.name
    revision = side.campaign.revision
    described = f", kernel {revision}" if revision else ""
    if side.target is not None:
        return f"{side.name}, as of run {side.campaign.number}"
    return f"{side.name}, {side.campaign.started_at:%Y-%m-%d %H:%M} UTC{described}"


def _change(change: Change) -> str:
    from parity.hangs import deciding_sentence  # noqa: PLC0415 - keeps --help fast
    from parity.outcome import Outcome  # noqa: PLC0415
    from parity.printable import printable_line  # noqa: PLC0415

    where = (
        change.target
        if change.then.target == change.now.target
        else f"{change.then.target} and {change.target}"
    )
    before, after = change.then.verdict.outcome, change.now.verdict.outcome
    outcomes = f"{before} -> {after}" if before is not after else str(after)
    said = [] if after is Outcome.PASS else [printable_line(deciding_sentence(change.now))]
    if before is after:
        said.append(f"before: {printable_line(deciding_sentence(change.then))}")
    return "\n".join(
        [": ".join([f"{change.test} on {where}", outcomes, *said[:1]]), *(f"  {s}" for s in said[1:])]
    )


def _time(change: TimeChange) -> str:
    return (
        f"{change.test} on {change.target}: {change.now_s:.2f} s; "
        f"{change.passes} passes before took {change.fastest_s:.2f} s to {change.slowest_s:.2f} s"
    )


def _case(only: Pairing) -> str:
    return f"{only.test} on {only.target}"
