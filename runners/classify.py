"""The judgement: from what was seen of one attempt to its outcome, pessimistic and pure.

PASS is what is left when nothing speaks against it. It needs the begin and the end of *this* attempt, the exit
status of the test's own process, a pass marker where one is configured, and no panic until the drain is over.

The order of `_RULES` is the precedence; the first that has something to say decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.attempt import Verdict
from parity.error_numbers import find_error_numbers
from parity.outcome import Outcome
from parity.printable import printable_line
from parity.signal_names import signal_name
from runners.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parity.configuration import Pattern, VerdictRules
    from runners.observation import Observation, QemuExit

_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,10}")
_EXIT_OUTCOMES: Final = {
    "pass": Outcome.PASS,
    "fail": Outcome.FAIL,
    "skip": Outcome.SKIP,
    "crash": Outcome.CRASH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How this way of taking a test proves begin and end, on top of the kernel's verdict rules."""

    begin: Pattern | None = None
    end: Pattern | None = None
    unknown: Pattern | None = None
    """What the shell answers when there is no such program."""
    exit_ends: bool = False
    """Whether QEMU's own end, as `exit_codes` or a guest's power-off, ends the test properly."""


def classify(observation: Observation, rules: VerdictRules, proof: Proof) -> Verdict:
    """Return the verdict on one attempt."""
    case = _read(observation, rules, proof)
    outcome, deciding = next(finding for rule in _RULES if (finding := rule(case)) is not None)
    doubts = () if outcome is Outcome.PASS else case.circumstances
    return Verdict(
        outcome=outcome,
        evidence=tuple(dict.fromkeys((deciding, *doubts))),
        exit_status=case.status,
        signal=case.signal,
        error_number=None if outcome in (Outcome.PASS, Outcome.SKIP) else case.error_number(deciding),
    )


def has_begun(observation: Observation, proof: Proof) -> bool:
    """Whether this attempt's begin line was printed; where none is configured, whether anything was."""
    console = next(iter(observation.transcripts.values()))
    if proof.begin is None:
        return bool(console.strip())
    return proof.begin.compile(observation.fields).search(console) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The observation with every pattern already looked for."""

    observation: Observation
    rules: VerdictRules
    proof: Proof
    begun: bool
    ends: int
    """How often this attempt's end was announced; a second time is a forgery."""
    own_text: str
    """What was printed between begin and end, other ports' text after it."""
    status: int | None
    signal: int | None
    panic: str | None
    passed: str | None
    failed: str | None
    skipped: str | None
    unknown: str | None

    @property
    def exit(self) -> QemuExit | None:
        return self.observation.exit

    @property
    def exit_outcome(self) -> Outcome | None:
        """What `exit_codes` says of QEMU's end."""
        if self.exit is None:
            return None
        return _EXIT_OUTCOMES.get(self.rules.exit_codes.get(str(self.exit.status), ""))

    @property
    def powered_off(self) -> bool:
        return _powered_off(self.exit)

    @property
    def ended_properly(self) -> bool:
        return _ended_properly(self.observation, self.proof) or (
            self.proof.exit_ends and self.exit_outcome is not None
        )

    @property
    def circumstances(self) -> tuple[str, ...]:
        """Further facts for people who look into a failure."""
        facts = []
        if self.panic:
            facts.append(f"panic: {printable_line(self.panic)}")
        if self.failed:
            facts.append(f"printed: {printable_line(self.failed)}")
        if self.passed:
            facts.append(f"although it printed: {printable_line(self.passed)}")
        if self.status is not None:
            facts.append(f"exit status {self.status}")
        if self.signal is not None:
            facts.append(f"ended by {signal_name(self.signal)}")
        if (last := _last_line(self.own_text)) is not None:
            facts.append(f"last line: {printable_line(last)}")
        return tuple(facts)

    def error_number(self, deciding: str) -> int | None:
        """The last error number of the deciding sentence, else of the failure marker, else of the output."""
        for text in (deciding, self.failed or "", self.own_text):
            if numbers := find_error_numbers(text):
                return numbers[-1]
        return None


def _panicked(case: _Case) -> tuple[Outcome, str] | None:
    if case.panic is None:
        return None
    when = " after the pass was printed" if case.passed else ""
    return Outcome.CRASH, f"the kernel died{when}: {printable_line(case.panic)}"


def _machine_crashed(case: _Case) -> tuple[Outcome, str] | None:
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


def _machine_lost(case: _Case) -> tuple[Outcome, str] | None:
    if (ended := case.exit) is None or case.exit_outcome is not None or case.powered_off:
        return None
    if ended.status < 0:
        return Outcome.ERROR, f"QEMU was killed from outside by {signal_name(-ended.status)}"
    if ended.status > 0:
        words = printable_line(ended.stderr) or "it said nothing"
        return Outcome.ERROR, f"QEMU ended with exit status {ended.status}: {words}"
    return Outcome.ERROR, f"QEMU was ended from outside ({ended.reason or 'no reason given'})"


def _not_typed(case: _Case) -> tuple[Outcome, str] | None:
    if case.observation.ending is Ending.GARBLED:
        return Outcome.ERROR, f"the command did not reach the guest unharmed: {case.observation.detail}"
    if case.observation.ending is Ending.UNREAD:
        return Outcome.NOT_RUN, f"the guest does not read its console: {case.observation.detail}"
    return None


def _no_such_program(case: _Case) -> tuple[Outcome, str] | None:
    if case.unknown is None or case.passed:
        return None
    return Outcome.NOT_RUN, f"the guest has no such program: {printable_line(case.unknown)}"


def _out_of_time(case: _Case) -> tuple[Outcome, str] | None:
    seen = case.observation
    where = "" if case.begun else ", and the test had not begun"
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


def _unproven(case: _Case) -> tuple[Outcome, str] | None:
    if not case.begun:
        return Outcome.ERROR, "nothing proves that this attempt began: its begin line is missing"
    if case.ends > 1:
        return Outcome.FAIL, f"its end was announced {case.ends} times; one of them is forged"
    if not case.ended_properly or (
        case.ends == 0 and case.exit_outcome is None and case.proof.end is not None
    ):
        return Outcome.FAIL, "nothing proves that this attempt ended: its end line is missing"
    return None


def _said_failure(case: _Case) -> tuple[Outcome, str] | None:
    if case.failed is not None:
        return Outcome.FAIL, printable_line(case.failed)
    if case.exit_outcome is Outcome.FAIL:
        return Outcome.FAIL, f"QEMU's exit status {case.exit and case.exit.status} means failure"
    return None


def _bad_status(case: _Case) -> tuple[Outcome, str] | None:
    if case.signal is not None:
        return Outcome.FAIL, f"ended by {signal_name(case.signal)}"
    if case.status is None:
        if case.exit_outcome is not None:
            return None
        return Outcome.FAIL, "the exit status of the test's own process is not known"
    if case.status not in (*case.rules.pass_status, *case.rules.skip_status):
        return Outcome.FAIL, f"exit status {case.status}"
    return None


def _skipped(case: _Case) -> tuple[Outcome, str] | None:
    if case.skipped is not None:
        return Outcome.SKIP, printable_line(case.skipped)
    if case.status in case.rules.skip_status:
        return Outcome.SKIP, f"exit status {case.status} means skipped, no reason given"
    if case.exit_outcome is Outcome.SKIP:
        return Outcome.SKIP, f"QEMU's exit status {case.exit and case.exit.status} means skipped"
    return None


def _pass_not_said(case: _Case) -> tuple[Outcome, str] | None:
    if case.rules.passed and case.passed is None:
        return Outcome.FAIL, "it ended without its pass marker"
    return None


def _passed(case: _Case) -> tuple[Outcome, str] | None:
    said = printable_line(case.passed) if case.passed else "it ended as it should"
    how = (
        f"exit status {case.status}"
        if case.status is not None
        else f"QEMU's exit status {case.exit and case.exit.status}"
    )
    return Outcome.PASS, f"{said}, {how}"


_RULES: Final[tuple[Callable[[_Case], tuple[Outcome, str] | None], ...]] = (
    _panicked,
    _machine_crashed,
    _machine_lost,
    _not_typed,
    _out_of_time,
    _no_such_program,
    _unproven,
    _said_failure,
    _bad_status,
    _skipped,
    _pass_not_said,
    _passed,
)


def _read(observation: Observation, rules: VerdictRules, proof: Proof) -> _Case:
    """Look for everything once."""
    fields = observation.fields
    console, *others = observation.transcripts.values()
    begun, own, ends = _cut(console, proof, fields)
    texts = (own, *others)
    own_text = "\n".join(text for text in texts if text)
    status, signal = _find_status(texts, ends, rules, fields, ended=_ended_properly(observation, proof))
    return _Case(
        observation=observation,
        rules=rules,
        proof=proof,
        begun=begun,
        ends=len(ends),
        own_text=own_text,
        status=status,
        signal=signal,
        panic=_first(rules.panic, observation.transcripts.values(), fields),
        passed=_first_token(rules.passed, texts, fields),
        failed=_first_token(rules.failed, texts, fields),
        skipped=_first_token(rules.skipped, texts, fields),
        unknown=_first((proof.unknown,) if proof.unknown else (), (console,), fields),
    )


def _cut(console: str, proof: Proof, fields: Mapping[str, str]) -> tuple[bool, str, list[re.Match[str]]]:
    """Return whether the test began, its own text, and every announcement of its end."""
    start = 0
    begun = proof.begin is None
    if proof.begin is not None and (match := proof.begin.compile(fields).search(console)):
        begun, start = True, match.end()
    ends = list(proof.end.compile(fields).finditer(console, start)) if proof.end else []
    return begun, console[start : ends[0].start()] if ends else console[start:], ends


def _find_status(
    texts: Iterable[str],
    ends: list[re.Match[str]],
    rules: VerdictRules,
    fields: Mapping[str, str],
    *,
    ended: bool,
) -> tuple[int | None, int | None]:
    """Return (exit status, signal) of the test's own process: the end line's word, else the kernel's last."""
    for end in ends[:1]:
        if (found := _status_of(end)) is not None:
            return found
    found = None
    if rules.status is not None:
        pattern = rules.status.compile(fields)
        reports = [match for text in texts for match in pattern.finditer(text)]
        own = [match for match in reports if _is_about(match, fields["test"])]
        found = _status_of(own[-1]) if own else None
    if found is None and ended and rules.silent_status is not None:
        found = rules.silent_status, None
    return found or (None, None)


def _is_about(report: re.Match[str], test: str) -> bool:
    """Whether a report of an exit names the test's process, or no process at all."""
    name = report.groupdict().get("test")
    return name is None or name.rsplit("/", 1)[-1] == test


def _status_of(match: re.Match[str]) -> tuple[int | None, int | None] | None:
    groups = match.groupdict()
    status, signal = _number(groups.get("status")), _number(groups.get("signal"))
    return None if status is None and signal is None else (status, signal)


def _number(digits: str | None) -> int | None:
    """Return a 32-bit number, or None: a guest may print any digits, and a pattern may catch none."""
    if digits is None or not _NUMBER.fullmatch(digits):
        return None
    number = int(digits)
    return number if -(2**31) <= number < 2**32 else None


def _powered_off(ended: QemuExit | None) -> bool:
    return ended is not None and ended.status == 0 and ended.reason == "guest-shutdown"


def _ended_properly(observation: Observation, proof: Proof) -> bool:
    return observation.ending is Ending.COMPLETED or (proof.exit_ends and _powered_off(observation.exit))


def _first(patterns: Iterable[Pattern], texts: Iterable[str], fields: Mapping[str, str]) -> str | None:
    """Return the first match of any pattern, texts in order."""
    compiled = [pattern.compile(fields) for pattern in patterns]
    for text in texts:
        found = [match for pattern in compiled if (match := pattern.search(text))]
        if found:
            return min(found, key=lambda match: match.start())[0]
    return None


def _first_token(patterns: Iterable[Pattern], texts: Iterable[str], fields: Mapping[str, str]) -> str | None:
    """Like `_first`, but a match is a whole word: `PIPE_TEST_PASSED` is not in `SHELL_PIPE_TEST_PASSED`."""
    compiled = [pattern.compile(fields) for pattern in patterns]
    for text in texts:
        found = [m for pattern in compiled for m in pattern.finditer(text) if _is_whole_word(m, text)]
        if found:
            return min(found, key=lambda match: match.start())[0]
    return None


def _is_whole_word(match: re.Match[str], text: str) -> bool:
    start, end = match.span()
    before = start > 0 and _is_word(text[start - 1]) and _is_word(text[start])
    after = end < len(text) and _is_word(text[end]) and _is_word(text[end - 1])
    return not (before or after)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _last_line(text: str) -> str | None:
    return next((line for line in reversed(text[-4096:].splitlines()) if line.strip()), None)
