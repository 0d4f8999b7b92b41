"""A run in short, as Markdown for the page of a CI job: rates, what fails newly, the line that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parity.hangs import deciding_sentence
from parity.markdown import Markdown, code, text
from parity.outcome import Outcome
from parity.standing import format_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from parity.interchange.results import CaseResult, RunResults

LIMIT_BYTES: Final = 1024 * 1024
"""GitHub refuses the summary of a step that is larger."""
_ROOM_BYTES: Final = 200
"""Kept for the line that says how much was left out."""


def render_summary(results: RunResults, *, limit_bytes: int = LIMIT_BYTES) -> str:
    """Return the summary, of at most so many bytes; the least urgent is left out, and how much of it is said."""
    failing = [case for case in results.cases if not case.worst.verdict.outcome.is_wanted]
    new = [case for case in failing if _was(case)]
    lines = [*_head(results), *_rates(results)]
    lines += _table(f"Failing newly: {len(new)}", new, before=True) if results.before else ()
    lines += _gains(results)
    old = [case for case in failing if not _was(case)]
    lines += _table(f"Failing{' as before' if results.before else ''}: {len(old)}", old, before=False)
    return _cut(lines, limit_bytes)


def _was(case: CaseResult) -> bool:
    """Whether the test left nothing to do before this run."""
    return case.before is not None and case.before.verdict.outcome.is_wanted


def _head(results: RunResults) -> Iterator[str]:
    run = results.run
    words = [f"run {run.number}", run.started_at.strftime("%Y-%m-%d %H:%M UTC")]
    if run.revision is not None:
        words.append(f"revision {run.revision.described}")
    yield f"### {text(run.kernel)}: {text(', '.join(words))}"


def _rates(results: RunResults) -> Iterator[str]:
    if not results.cases and not results.reported:
        yield from ("", "No test was attempted.")
    if results.by_target:
        yield from (
            "",
            "| Target | Passed, of those attempted | Skipped | Not passed | Unsteady | Not reached |",
        )
        yield "|---|---:|---:|---:|---:|---:|"
    for target, cases in results.by_target.items():
        outcomes = [case.worst.verdict.outcome for case in cases]
        passed, skipped = outcomes.count(Outcome.PASS), outcomes.count(Outcome.SKIP)
        rate = f"{format_percent(passed, len(cases))} ({passed}/{len(cases)})" if cases else "-"
        mixed = sum(case.is_mixed for case in cases)
        missed = len(results.unreached_on(target))
        numbers = (rate, skipped, len(cases) - passed - skipped, mixed, missed)
        yield f"| {text(target)} | {' | '.join(map(str, numbers))} |"
    for target, total in results.reported.items():
        rate = f"{format_percent(total.passed, total.total)} ({total.passed}/{total.total})"
        source = code(results.run.source)
        yield from ("", f"{source} gives {rate} for {text(target)}; single tests are known of passes alone.")


def _table(title: str, cases: Sequence[CaseResult], *, before: bool) -> Iterator[str]:
    if not cases:
        return
    yield from ("", f"**{title}**", "")
    yield f"| Test | Target | Now |{' Before |' if before else ''} Evidence |"
    yield f"|---|---|---|{'---|' if before else ''}---|"
    for case in cases:
        was = f" {case.before.verdict.outcome} |" if before and case.before is not None else ""
        now = f"{case.worst.verdict.outcome}{' (not always)' if case.is_mixed else ''}"
        if case.expected:
            now += f", expected: {text(case.expected)}"
        evidence = code(deciding_sentence(case.worst))
        yield f"| {code(case.test)} | {text(case.target)} | {now} |{was} {evidence} |"


def _gains(results: RunResults) -> Iterator[str]:
    gained: dict[str, list[Markdown]] = {}
    for case in results.cases:
        passes = case.worst.verdict.outcome is Outcome.PASS
        if passes and case.before is not None and case.before.verdict.outcome.is_test_fault:
            gained.setdefault(case.target, []).append(code(case.test))
    for target, names in gained.items():
        yield from ("", f"**Passing newly on {text(target)}: {len(names)}**: {', '.join(names)}")


def _cut(lines: Iterable[str], limit_bytes: int) -> str:
    kept: list[str] = []
    size = left_out = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > limit_bytes - _ROOM_BYTES:
            left_out += 1
        else:
            kept.append(line)
    if left_out:
        kept += ("", f"…and {left_out} more lines: `parity status` shows all.")
    return "\n".join(kept) + "\n"
