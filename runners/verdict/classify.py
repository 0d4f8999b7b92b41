"""The judgement: from what was seen of one attempt to its outcome, pessimistic and pure.

PASS is what is left when nothing speaks against it. It needs the begin and the end of *this* attempt, the exit
status of the test's own process, a pass marker where one is configured, and no panic until the drain is over.

The order of `_RULES` is the precedence; the first that has something to say decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parity.attempt import Verdict
from parity.outcome import Outcome
from parity.printable import printable_line
from parity.signal_names import signal_name
from runners.verdict.evidence import read_evidence
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.configuration import VerdictRules
    from runners.verdict.evidence import Evidence
    from runners.verdict.observation import Observation
    from runners.verdict.proof import Proof


def classify(observation: Observation, rules: VerdictRules, proof: Proof) -> Verdict:
    """Return the verdict on one attempt."""
    case = read_evidence(observation, rules, proof)
    outcome, deciding = next(finding for rule in _RULES if (finding := rule(case)) is not None)
    if observation.caveat and outcome.is_measured and not outcome.is_wanted:
        outcome, deciding = Outcome.NOT_RUN, f"{observation.caveat}; it ended as {outcome}: {deciding}"
    return Verdict(
        outcome=outcome,
        evidence=(deciding,) if outcome is Outcome.PASS else (deciding, *case.circumstances(deciding)),
        exit_status=case.status,
        signal=case.signal,
        error_number=None if outcome in (Outcome.PASS, Outcome.SKIP) else case.error_number(deciding),
    )


def _panicked(case: Evidence) -> tuple[Outcome, str] | None:
    if case.panic is None:
        return None
    when = " after the pass was printed" if case.passed else ""
    return Outcome.CRASH, f"the kernel died{when}: {printable_line(case.panic)}"


def _machine_crashed(case: Evidence) -> tuple[Outcome, str] | None:
    if (ended := case.exit) is None:
        return None
    if case.exit_outcome is Outcome.CRASH:
        return Outcome.CRASH, f"QEMU's exit status {ended.status} means a crash"
    if ended.reason == "guest-reset":
        return Outcome.CRASH, "the machine reset itself (a triple fault, or a reboot by the kernel)"
    if ended.reason == "guest-panic":
        return Outcome.CRASH, "the guest reported a panic to QEMU"
    if case.powered_off and not case.proof.exit_ends:
        return Outcome.CRASH, "the kernel powered the machine off in mid-test"
    return None


def _machine_lost(case: Evidence) -> tuple[Outcome, str] | None:
    if (ended := case.exit) is None or case.exit_outcome is not None or case.powered_off:
        return None
    if ended.status < 0:
        return Outcome.ERROR, f"QEMU was killed from outside by {signal_name(-ended.status)}"
    if ended.status > 0:
        words = printable_line(ended.stderr) or "it said nothing"
        return Outcome.ERROR, f"QEMU ended with exit status {ended.status}: {words}"
    return Outcome.ERROR, f"QEMU was ended from outside ({ended.reason or 'no reason given'})"


def _not_typed(case: Evidence) -> tuple[Outcome, str] | None:
    if case.observation.ending is Ending.GARBLED:
        return Outcome.ERROR, f"the command did not reach the guest unharmed: {case.observation.detail}"
    if case.observation.ending is Ending.UNREAD:
        return Outcome.NOT_RUN, f"the guest does not read its console: {case.observation.detail}"
    return None


def _not_executed(case: Evidence) -> tuple[Outcome, str] | None:
    if case.observation.ending is Ending.NOT_STARTED:
        return Outcome.NOT_RUN, f"the host cannot execute it: {case.observation.detail}"
    if case.observation.ending is Ending.LOST:
        return Outcome.ERROR, "how it ended is not known: what kept watch over it was killed"
    return None


def _no_such_program(case: Evidence) -> tuple[Outcome, str] | None:
    if case.unknown is None or case.passed:
        return None
    return Outcome.NOT_RUN, f"the guest has no such program: {printable_line(case.unknown)}"


def _out_of_time(case: Evidence) -> tuple[Outcome, str] | None:
    seen = case.observation
    where = "" if case.begun else ", and the test had not begun"
    if seen.proved is not None and seen.ending in (Ending.QUIET, Ending.BUDGET):
        return seen.proved, f"{seen.finding} (looked into after {seen.waited_s:.1f} s{where})"
    match seen.ending:
        case Ending.QUIET:
            return Outcome.HANG, f"no output and an idle guest; given up after {seen.waited_s:.1f} s{where}"
        case Ending.BUDGET:
            more = f" ({seen.detail})" if seen.detail else ""
            return Outcome.TIMEOUT, f"not over when its {seen.waited_s:.1f} s were used up{more}{where}"
        case Ending.FLOODED:
            return Outcome.FAIL, f"flooded the console: {seen.detail}"
        case _:
            return None


def _unproven(case: Evidence) -> tuple[Outcome, str] | None:
    if not case.begun:
        return Outcome.ERROR, "nothing proves that this attempt began: its begin line is missing"
    if case.ends > 1:
        return Outcome.FAIL, f"its end was announced {case.ends} times; one of them is forged"
    if not case.ended_properly or (
        case.ends == 0 and case.exit_outcome is None and case.proof.end is not None
    ):
        return Outcome.FAIL, "nothing proves that this attempt ended: its end line is missing"
    return None


def _said_failure(case: Evidence) -> tuple[Outcome, str] | None:
    if case.failed is not None:
        return Outcome.FAIL, printable_line(case.failed)
    if case.exit_outcome is Outcome.FAIL:
        return Outcome.FAIL, f"QEMU's exit status {case.exit and case.exit.status} means failure"
    return None


def _bad_status(case: Evidence) -> tuple[Outcome, str] | None:
    if case.signal is not None:
        return Outcome.FAIL, f"ended by {signal_name(case.signal)}"
    if case.status is None:
        if case.exit_outcome is not None:
            return None
        return Outcome.FAIL, "the exit status of the test's own process is not known"
    if case.status not in (*case.rules.pass_status, *case.rules.skip_status):
        return Outcome.FAIL, f"exit status {case.status}"
    return None


def _skipped(case: Evidence) -> tuple[Outcome, str] | None:
    if case.skipped is not None:
        return Outcome.SKIP, printable_line(case.skipped)
    if case.status in case.rules.skip_status:
        return Outcome.SKIP, f"exit status {case.status} means skipped, no reason given"
    if case.exit_outcome is Outcome.SKIP:
        return Outcome.SKIP, f"QEMU's exit status {case.exit and case.exit.status} means skipped"
    return None


def _pass_not_said(case: Evidence) -> tuple[Outcome, str] | None:
    if case.rules.passed and case.passed is None:
        return Outcome.FAIL, "it ended without its pass marker"
    return None


def _passed(case: Evidence) -> tuple[Outcome, str] | None:
    said = printable_line(case.passed) if case.passed else "it ended as it should"
    how = (
        f"exit status {case.status}"
        if case.status is not None
        else f"QEMU's exit status {case.exit and case.exit.status}"
    )
    return Outcome.PASS, f"{said}, {how}"


_RULES: Final[tuple[Callable[[Evidence], tuple[Outcome, str] | None], ...]] = (
    _panicked,
    _machine_crashed,
    _machine_lost,
    _not_typed,
    _not_executed,
    _out_of_time,
    _no_such_program,
    _unproven,
    _said_failure,
    _bad_status,
    _skipped,
    _pass_not_said,
    _passed,
)
