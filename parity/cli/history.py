"""`parity history TEST`: since when a test passes or fails, and how reliably."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - Typer reads annotations at run time

from parity.cli.options import AsJson, Target, Test  # noqa: TC001 - Typer reads annotations at run time

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt
    from parity.cli.session import Session
    from parity.flow.results.history import Stretch, TargetHistory, TestHistory


def history_command(
    context: typer.Context, test: Test, target: Target = None, as_json: AsJson = False
) -> None:
    """Show since when a test passes or fails, at which run and revision that changed, and whether it is flaky.

    Flaky is what both passed and did not on one image. The line of characters is its newest attempts, the newest last. `parity show TEST` has their evidence.
    """
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.history import read_test_history  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        history = read_test_history(configuration, repository, test, target=target)
    if as_json:
        sys.stdout.write(json.dumps(_describe(history), indent=2) + "\n")
    else:
        _show(session, history)


def _describe(history: TestHistory) -> dict[str, object]:
    from parity.flow.results.history import State  # noqa: PLC0415 - keeps --help fast

    def failing(found: TargetHistory) -> Stretch | None:
        return found.newest(State.FAILS)

    def passing(found: TargetHistory) -> Stretch | None:
        return found.newest(State.PASSES)

    return {
        "test": history.test,
        "targets": [
            {
                "target": found.target,
                "attempts": found.attempts,
                "state": found.now.state if found.now else None,
                "since": _describe_attempt(history, found.now.first if found.now else None),
                "first_failing": _describe_attempt(
                    history, stretch.first if (stretch := failing(found)) else None
                ),
                "last_failing": _describe_attempt(history, stretch.last if stretch else None),
                "last_passing": _describe_attempt(history, good.last if (good := passing(found)) else None),
                "flaky": found.is_flaky,
                "flaky_images": found.flaky_images,
                "failures_on_newest_image": found.image_rate.failures,
                "attempts_on_newest_image": found.image_rate.trials,
                "line": found.line,
                "stretches": [
                    {
                        "state": one.state,
                        "attempts": one.attempts,
                        "first_run": one.first.campaign,
                        "last_run": one.last.campaign,
                    }
                    for one in found.stretches
                ],
            }
            for found in history.targets
        ],
    }


def _describe_attempt(history: TestHistory, attempt: StoredAttempt | None) -> dict[str, object] | None:
    if attempt is None:
        return None
    revision = history.campaigns[attempt.campaign].revision
    return {
        "run": attempt.campaign,
        "attempt": attempt.id,
        "outcome": attempt.verdict.outcome,
        "started_at": attempt.started_at.isoformat(),
        "revision": revision.commit if revision else None,
        "dirty": revision.dirty if revision else None,
        "image": attempt.fingerprint,
    }


def _show(session: Session, history: TestHistory) -> None:
    from parity.cli.lists import print_line  # noqa: PLC0415 - keeps --help fast
    from parity.flow.results.history import SYMBOLS  # noqa: PLC0415
    from parity.words import counted  # noqa: PLC0415

    for found in history.targets:
        print_line(session.out, f"{found.target}: {_now(history, found)}", style="bold")
        for line in _turns(history, found):
            print_line(session.out, f"  {line}")
        if found.is_flaky:
            print_line(session.out, f"  {_flakiness(found)}", style="yellow")
        elif found.flaky_images:
            print_line(session.out, f"  it was flaky on {found.flaky_images} of its earlier images")
        shown = f"newest {len(found.line)} of " if found.attempts > len(found.line) else ""
        print_line(session.out, f"  {found.line}  ({shown}{counted(found.attempts, 'attempt')})")
    used = set("".join(found.line for found in history.targets))
    legend = "  ".join(f"{symbol} {outcome}" for outcome, symbol in SYMBOLS.items() if symbol in used)
    print_line(session.out, legend, style="dim")


def _now(history: TestHistory, found: TargetHistory) -> str:
    from parity.words import counted  # noqa: PLC0415 - keeps --help fast

    if found.now is None:
        return "never measured"
    since = _place(history, found.now.first)
    return f"{found.now.state} since {since}, {counted(found.now.attempts, 'attempt')}"


def _turns(history: TestHistory, found: TargetHistory) -> list[str]:
    """Return where it last did the opposite of what it does now."""
    from parity.flow.results.history import State  # noqa: PLC0415 - keeps --help fast

    passing, failing = found.newest(State.PASSES), found.newest(State.FAILS)
    lines = []
    if passing is not None and passing is not found.now:
        lines.append(f"last passed in {_place(history, passing.last)}")
    if failing is not None and failing is not found.now:
        last = _place(history, failing.last)
        when = f"from {_place(history, failing.first)} to {last}" if failing.attempts > 1 else f"in {last}"
        lines.append(f"last failed {when}: {failing.last.verdict.outcome}")
    return lines


def _flakiness(found: TargetHistory) -> str:
    from parity.statistics import describe_rate  # noqa: PLC0415 - keeps --help fast

    return f"flaky: on the image booted last {describe_rate(found.image_rate)}"


def _place(history: TestHistory, attempt: StoredAttempt) -> str:
    revision = history.campaigns[attempt.campaign].revision
    described = f", kernel {revision}" if revision else ""
    return f"run {attempt.campaign} ({attempt.started_at:%Y-%m-%d %H:%M} UTC{described})"
