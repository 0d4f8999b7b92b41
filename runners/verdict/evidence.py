"""What an observation holds for and against its test: every pattern looked for once, pure.

A marker counts only as a whole word: `PIPE_TEST_PASSED` is not in `SHELL_PIPE_TEST_PASSED`. Kernels glue
breadcrumbs to the front of lines (`JKLMfork_test: PASS`), so a few capitals or digits before a marker are let
through, unless another test's name ends like this one's: then nothing tells a breadcrumb from that name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.error_numbers import find_error_numbers
from parity.outcome import Outcome
from parity.printable import printable_line
from parity.signal_names import signal_name
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parity.configuration import Pattern, VerdictRules
    from runners.verdict.observation import Observation, QemuExit
    from runners.verdict.proof import Proof

_DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,10}")
_HEXADECIMAL: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}")
_BREADCRUMBS: Final = re.compile(r"[A-Z0-9]{1,8}")
_EXIT_OUTCOMES: Final = {
    "pass": Outcome.PASS,
    "fail": Outcome.FAIL,
    "skip": Outcome.SKIP,
    "crash": Outcome.CRASH,
}


def has_begun(observation: Observation, proof: Proof) -> bool:
    """Whether this attempt's begin line was printed; where none is configured, whether anything was."""
    console = next(iter(observation.transcripts.values()))
    if proof.begin is None:
        return bool(console.strip())
    return proof.begin.compile(observation.fields).search(console) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
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
        """How QEMU ended, where it did."""
        return self.observation.exit

    @property
    def exit_outcome(self) -> Outcome | None:
        """What `exit_codes` says of QEMU's end; nothing where it was not the guest that ended it.

        Where a test does not end with its machine, the machine's end proves no pass and no skip.
        """
        if self.exit is None or self.exit.is_from_outside:
            return None
        outcome = _EXIT_OUTCOMES.get(self.rules.exit_codes.get(str(self.exit.status), ""))
        return outcome if self.proof.exit_ends or outcome not in (Outcome.PASS, Outcome.SKIP) else None

    @property
    def powered_off(self) -> bool:
        """Whether the guest switched its machine off."""
        return _powered_off(self.exit)

    @property
    def ended_properly(self) -> bool:
        """Whether what ends a test of this kind was seen."""
        return _ended_properly(self.observation, self.proof) or (
            self.proof.exit_ends and self.exit_outcome is not None
        )

    def circumstances(self, deciding: str) -> tuple[str, ...]:
        """Return further facts for people who look into a failure; none that `deciding` already tells."""
        words = {
            "panic: ": self.panic,
            "printed: ": self.failed,
            "although it printed: ": self.passed,
            "last line: ": _last_line(self.own_text),
            "perhaps: ": self.observation.finding,
        }
        facts = [
            f"{what}{printable_line(said)}"
            for what, said in words.items()
            if said and not _told(said, deciding)
        ]
        if self.status is not None and f"exit status {self.status}" not in deciding:
            facts.append(f"exit status {self.status}")
        if self.signal is not None and signal_name(self.signal) not in deciding:
            facts.append(f"ended by {signal_name(self.signal)}")
        return tuple(facts)

    def error_number(self, deciding: str) -> int | None:
        """The last error number of the deciding sentence, else of the failure marker, else of the output."""
        for text in (deciding, self.failed or "", self.own_text):
            if numbers := find_error_numbers(text):
                return numbers[-1]
        return None


def read_evidence(observation: Observation, rules: VerdictRules, proof: Proof) -> Evidence:
    """Look for everything once."""
    fields = observation.fields
    test = fields["test"].casefold()
    lenient = not any(other.casefold().endswith(test) and other.casefold() != test for other in proof.tests)
    console, *others = observation.transcripts.values()
    begun, own, ends = _cut(console, proof, fields)
    texts = (own, *others)
    own_text = "\n".join(text for text in texts if text)
    status, signal = observation.status, observation.signal
    if status is None and signal is None:
        status, signal = _find_status(texts, ends, rules, fields, ended=_ended_properly(observation, proof))
    return Evidence(
        observation=observation,
        rules=rules,
        proof=proof,
        begun=begun,
        ends=len(ends),
        own_text=own_text,
        status=status,
        signal=signal,
        panic=_first(rules.panic, observation.transcripts.values(), fields),
        passed=_first_marker(rules.passed, texts, fields, lenient=lenient),
        failed=_first_marker(rules.failed, texts, fields, lenient=True),
        skipped=_first_marker(rules.skipped, texts, fields, lenient=True),
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
    if digits is not None and _DECIMAL.fullmatch(digits):
        number = int(digits)
    elif digits is not None and _HEXADECIMAL.fullmatch(digits):
        number = int(digits, 16)
    else:
        return None
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


def _first_marker(
    patterns: Iterable[Pattern], texts: Iterable[str], fields: Mapping[str, str], *, lenient: bool
) -> str | None:
    """Like `_first`, but a match is a whole word; `lenient` lets breadcrumbs before it through."""
    compiled = [pattern.compile(fields) for pattern in patterns]
    for text in texts:
        found = [
            m
            for pattern in compiled
            for m in pattern.finditer(text)
            if _is_whole_word(m, text, lenient=lenient)
        ]
        if found:
            return min(found, key=lambda match: match.start())[0]
    return None


def _is_whole_word(match: re.Match[str], text: str, *, lenient: bool) -> bool:
    start, end = match.span()
    if end < len(text) and _is_word(text[end]) and _is_word(text[end - 1]):
        return False
    if start == 0 or not (_is_word(text[start - 1]) and _is_word(text[start])):
        return True
    glued = start
    while glued > 0 and _is_word(text[glued - 1]) and start - glued <= len("BREADCRUMBS"):
        glued -= 1
    return lenient and _BREADCRUMBS.fullmatch(text, glued, start) is not None


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _told(said: str, deciding: str) -> bool:
    return printable_line(said) in deciding


def _last_line(text: str) -> str | None:
    return next((line for line in reversed(text[-4096:].splitlines()) if line.strip()), None)
