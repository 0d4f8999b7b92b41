"""How a run ends: what is told of it, and its exit status."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from parity.campaign import CampaignState
from parity.cli.hangs import describe_hang, show_groups
from parity.cli.progress import describe_counts
from parity.cli.rates import rates_as_json, tell_rates
from parity.cli.session import ExitStatus, interrupted_status
from parity.flow.campaign.stress import read_stress
from parity.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from db.repository import Repository
    from parity.cli.session import Session
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.run import Summary


def tell_end(
    session: Session, repository: Repository, summary: Summary, order: Order, *, as_json: bool
) -> None:
    """Write what came of a run; of a stress run how often its tests failed, whenever they were attempted."""
    if order.measures_rates:
        stress = read_stress(repository, summary.number)
        if as_json:
            sys.stdout.write(rates_as_json(stress, summary) + "\n")
        else:
            tell_rates(session, stress, summary, order)
            _tell_left(session.out, summary)
    elif as_json:
        sys.stdout.write(_as_json(summary, order) + "\n")
    else:
        _tell_summary(session, summary)


def _tell_summary(session: Session, summary: Summary) -> None:
    out = session.out
    out.print(f"run {summary.number}: ", describe_counts(summary.counts), soft_wrap=True, sep="")
    show_groups(out, summary.attempts)
    for name, why in summary.without_snapshots.items():
        out.print(f"{name}: every test had a fresh boot: {printable(why)}", markup=False, soft_wrap=True)
    for name, why in summary.slow_restores.items():
        out.print(
            f"{name}: restores took longer than they need: {printable(why)}", markup=False, soft_wrap=True
        )
    for lost in summary.lost:
        session.tell_error(lost.error)
    _tell_left(out, summary)
    if not all(outcome.is_wanted for outcome in summary.counts):
        out.print(
            "look closer: parity status, parity show TEST; write the document: parity report", soft_wrap=True
        )


def _tell_left(out: Console, summary: Summary) -> None:
    """Write what was not attempted, and what can be done about it."""
    stopped = "stopped at the first failure; " if summary.stopped else ""
    if summary.state is CampaignState.FINISHED:
        if stopped:
            out.print(f"{stopped}{summary.left} not attempted", soft_wrap=True)
        return
    left = f"{summary.left} not attempted" if stopped else f"{summary.left} left"
    out.print(f"{stopped}{left}; go on with: parity run --resume", soft_wrap=True)


def _as_json(summary: Summary, order: Order) -> str:
    attempts = [
        {
            "target": attempt.target,
            "test": attempt.test,
            "outcome": attempt.verdict.outcome,
            "evidence": attempt.verdict.evidence,
            "exit_status": attempt.verdict.exit_status,
            "signal": attempt.verdict.signal,
            "error_number": attempt.verdict.error_number,
            "started_at": attempt.started_at.isoformat(),
            "duration_s": round(attempt.duration_s, 4),
            "boot_s": None if attempt.boot_s is None else round(attempt.boot_s, 4),
            "hang": describe_hang(attempt.hang),
        }
        for attempt in summary.attempts
    ]
    whole = {
        "run": summary.number,
        "state": summary.state,
        "counts": dict(sorted(summary.counts.items())),
        "left": summary.left,
        "stopped": summary.stopped,
        "seed": order.seed,
        "errors": [lost.error.message for lost in summary.lost],
        "attempts": attempts,
    }
    return json.dumps(whole, indent=2)


def exit_status(summary: Summary) -> int:
    """Return what a run's end says as an exit status."""
    if summary.interrupt is not None:
        return interrupted_status(summary.interrupt)
    if summary.harness_failed:
        return ExitStatus.HARNESS
    wanted = all(outcome.is_wanted for outcome in summary.counts)
    return ExitStatus.AS_WANTED if wanted else ExitStatus.TESTS_FAILED
