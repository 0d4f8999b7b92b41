"""How a stress run ends: each test's failure rate, and the failures by what they have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation
from parity.outcome import Outcome
from parity.printable import printable
from parity.statistics import describe_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parity.cli.session import Session
    from parity.flow.campaign.order import Order
    from parity.flow.campaign.run import Summary
    from parity.flow.campaign.stress import FailedAttempt, FailureGroup, Stress
    from parity.statistics import Rate

_NAMED: Final = 10
"""So many failed attempts of one kind are named with their files; further ones by number."""


def tell_rates(session: Session, stress: Stress, summary: Summary, order: Order) -> None:
    """Write what a stress run measured, the part of it that an interrupted one had measured before included."""
    lines = [*_rate_lines(stress, what="boots" if order.isolation is Isolation.BOOT else "attempts")]
    for group in stress.groups:
        lines += _group_lines(group)
    for name, why in summary.without_snapshots.items():
        lines.append(f"{name}: every attempt had a fresh boot: {why}")
    for line in lines:
        session.out.print(printable(line), markup=False, soft_wrap=True)
    for lost in summary.lost:
        session.tell_error(lost.error)


def _rate_lines(stress: Stress, *, what: str) -> Iterator[str]:
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


def rates_as_json(stress: Stress, summary: Summary) -> str:
    """Return the same as a JSON object."""
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
