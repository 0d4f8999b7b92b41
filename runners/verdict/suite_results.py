"""One boot's worth of results, told apart test by test: pure.

A test passes when its result line says so, no other line of it says otherwise, and the kernel did not die
before the next test's result: what a dead kernel still prints proves nothing. A test without a result is judged
by how the boot ended. Names are compared without regard to case: `FORK_TEST_PASSED` is fork_test's.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from parity.attempt import Verdict
from parity.error_numbers import find_error_numbers
from parity.outcome import Outcome
from parity.printable import printable_line
from parity.signal_names import signal_name
from runners.verdict.ktap import parse_ktap
from runners.verdict.observation import Ending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.configuration import SuiteDelivery, VerdictRules
    from runners.verdict.observation import Observation

_GROUPS: Final = {"fail": Outcome.FAIL, "skip": Outcome.SKIP, "pass": Outcome.PASS}
"""The result pattern's groups, the worst first."""
_SEVERITY: Final = (Outcome.FAIL, Outcome.SKIP, Outcome.PASS)
_UNFINISHED: Final = {
    Ending.PANICKED: Outcome.CRASH,
    Ending.EXITED: Outcome.CRASH,
    Ending.QUIET: Outcome.HANG,
    Ending.BUDGET: Outcome.TIMEOUT,
    Ending.FLOODED: Outcome.FAIL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """One test's part of the boot."""

    test: str
    verdict: Verdict
    transcript: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    test: str
    outcome: Outcome
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Boot:
    """The boot as a whole, every result line found."""

    observation: Observation
    text: str
    """Every port's text, one after another."""
    port_starts: tuple[int, ...]
    """Where each port's text begins."""
    lines: tuple[_Line, ...]
    panic: tuple[int, str] | None
    """Where the kernel died, and its words."""
    running: str | None
    """The test that started last and never reported, where the suite tells starts."""


def judge_suite(
    observation: Observation, tests: Sequence[str], delivery: SuiteDelivery, rules: VerdictRules
) -> tuple[SuiteResult, ...]:
    """Return a result for each of `tests`, in their order."""
    text = "\n".join(observation.transcripts.values())
    lines = _ktap_lines(text) if delivery.format == "ktap" else _plain_lines(text, delivery, observation)
    boot = _Boot(
        observation=observation,
        text=text,
        port_starts=(0, *accumulate(len(part) + 1 for part in observation.transcripts.values())),
        lines=tuple(lines),
        panic=_find_panic(text, rules, observation),
        running=_running_at_the_end(text, delivery, observation, lines),
    )
    return tuple(_judge(test, boot) for test in tests)


def _judge(test: str, boot: _Boot) -> SuiteResult:
    own = [line for line in boot.lines if _same(line.test, test)]
    if not own:
        outcome, why = _judge_unreported(test, boot)
        return _result(test, outcome, (why,), boot.text[boot.lines[-1].end :] if boot.lines else boot.text)
    worst = min(own, key=lambda line: _SEVERITY.index(line.outcome))
    before = max((line.end for line in boot.lines if line.end <= worst.start), default=0)
    outcome, evidence = worst.outcome, [printable_line(worst.text)]
    if len({line.outcome for line in own}) > 1:
        evidence.append(f"it reported {len(own)} results that contradict one another; the worst counts")
    if boot.panic is not None and _died_after(worst, boot):
        outcome = Outcome.CRASH
        evidence.insert(0, f"the kernel died after its result: {printable_line(boot.panic[1])}")
    elif boot.panic is not None and outcome is Outcome.PASS and _died_before(worst, boot):
        outcome = Outcome.CRASH
        evidence.insert(0, f"the kernel had died before its result: {printable_line(boot.panic[1])}")
    return _result(test, outcome, tuple(evidence), boot.text[before : worst.end])


def _died_after(line: _Line, boot: _Boot) -> bool:
    """Whether the kernel died after this result and before the next, while no other test was running."""
    following = min(
        (other.start for other in boot.lines if other.start >= line.end), default=len(boot.text) + 1
    )
    return (
        boot.panic is not None
        and line.end <= boot.panic[0] < following
        and (boot.running is None or _same(boot.running, line.test))
    )


def _died_before(line: _Line, boot: _Boot) -> bool:
    """Whether the kernel had died when this result was printed; of two ports nobody knows what came first."""
    port = bisect_right(boot.port_starts, line.start) - 1
    return boot.panic is not None and boot.port_starts[port] <= boot.panic[0] < line.end


def _judge_unreported(test: str, boot: _Boot) -> tuple[Outcome, str]:
    dead = f": {printable_line(boot.panic[1])}" if boot.panic is not None else ""
    ending = boot.observation.ending
    ended = boot.observation.exit
    if boot.panic is None and ended is not None and ended.is_from_outside:
        how = signal_name(-ended.status) if ended.status < 0 else ended.reason
        return Outcome.ERROR, f"QEMU was ended from outside before this test reported anything ({how})"
    if boot.running is not None and _same(boot.running, test):
        outcome = Outcome.CRASH if boot.panic is not None else _UNFINISHED.get(ending, Outcome.FAIL)
        return outcome, f"it started and never reported a result{dead or f' ({ending})'}"
    if boot.panic is not None:
        return Outcome.NOT_RUN, f"the kernel died before this test reported anything{dead}"
    return Outcome.NOT_RUN, f"the suite ended without a result for it ({ending})"


def _result(test: str, outcome: Outcome, evidence: tuple[str, ...], transcript: str) -> SuiteResult:
    numbers = find_error_numbers(transcript) if outcome not in (Outcome.PASS, Outcome.SKIP) else ()
    verdict = Verdict(outcome=outcome, evidence=evidence, error_number=numbers[-1] if numbers else None)
    return SuiteResult(test=test, verdict=verdict, transcript=transcript)


def _ktap_lines(text: str) -> list[_Line]:
    return [
        _Line(test=result.name, outcome=result.outcome, text=result.line, start=result.start, end=result.end)
        for result in parse_ktap(text).results
    ]


def _plain_lines(text: str, delivery: SuiteDelivery, observation: Observation) -> list[_Line]:
    if delivery.result is None:
        return []
    found = []
    for match in delivery.result.compile(_any_test(observation)).finditer(text):
        groups = match.groupdict()
        outcome = next((outcome for group, outcome in _GROUPS.items() if groups.get(group) is not None), None)
        if outcome is not None and groups.get("test"):
            found.append(
                _Line(
                    test=groups["test"], outcome=outcome, text=match[0], start=match.start(), end=match.end()
                )
            )
    return found


def _running_at_the_end(
    text: str, delivery: SuiteDelivery, observation: Observation, lines: Sequence[_Line]
) -> str | None:
    """Return the test that started last and never reported, where the suite tells starts."""
    if delivery.start is None:
        return None
    starts = list(delivery.start.compile(_any_test(observation)).finditer(text))
    if not starts:
        return None
    name = starts[-1].groupdict().get("test")
    reported = any(_same(line.test, name or "") and line.end > starts[-1].start() for line in lines)
    return None if reported else name


def _same(printed: str, test: str) -> bool:
    """Whether a suite's word for a test means it: many print `FORK_TEST_PASSED` for fork_test."""
    return printed.casefold() == test.casefold()


def _find_panic(text: str, rules: VerdictRules, observation: Observation) -> tuple[int, str] | None:
    found = [
        match
        for pattern in rules.panic
        if (match := pattern.compile(_any_test(observation)).search(text)) is not None
    ]
    if found:
        first = min(found, key=lambda match: match.start())
        return first.start(), first[0]
    if observation.exit is not None and observation.exit.reason == "guest-reset":
        return len(text), "the machine reset itself (a triple fault, or a reboot by the kernel)"
    return None


def _any_test(observation: Observation) -> dict[str, str]:
    """The fields that hold for the whole boot: a suite's patterns name no single test."""
    return {key: value for key, value in observation.fields.items() if key in ("arch", "target", "nonce")}
