"""The parity document: read the history, compute the page, write it or compare it with the one on disk."""

from __future__ import annotations

import difflib
import html
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from parity.attempt import Isolation
from parity.campaign import DEFAULT_BASELINE, Origin
from parity.document import Document, History, build_document, draw_chart, format_duration, named_failures
from parity.errors import UsageError
from parity.flow.document.matrix import count_matrix
from parity.flow.document.planning import read_checked_plan
from parity.flow.results.compare import find_baseline, read_side
from parity.flow.results.status import choose_scope
from parity.hangs import cause_words, deciding_sentence
from parity.markdown import Markdown, code, codes, columns, fence, text
from parity.outcome import PairState
from parity.prose import prose
from parity.standing import format_percent
from parity.words import counted
from templates import render_template

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from db import Repository
    from parity.campaign import StoredCampaign
    from parity.configuration import Configuration
    from parity.document import TargetChanges
    from parity.document.tracing import TraceFacts

TEMPLATE: Final = "arm64-parity.md.j2"
_FRAMES_SHOWN: Final = 8
_BOOTS_SHOWN: Final = 10
"""Failed boots in the table; a kernel that never boots fails hundreds of times in the same way."""

_NAMES_SHOWN: Final = 20
"""Tests in one block; more are folded up."""
_PALETTE: Final = {"#1f77b4": "blue", "#e8590c": "orange", "#2b8a3e": "green"}
"""Colours that can be told apart on white and on black, with their names."""

_ORIGIN_WORDS: Final = {
    Origin.MEASURED: "measured by parity",
    Origin.HAND_KEPT: "a page that was kept by hand",
    Origin.JUNIT: "a JUnit XML file",
    Origin.TAP: "a TAP file",
}
_ISOLATION_WORDS: Final = {
    Isolation.SNAPSHOT: "the machine put back to its prompt before every test",
    Isolation.BOOT: "a fresh boot for every test",
    Isolation.SHARED: "one boot shared by many tests",
    Isolation.PROCESS: "a process of its own for every test on Linux",
    Isolation.UNKNOWN: "imported, so it is not known what the tests shared",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How the document on disk compares with the one that the results give now."""

    added: int
    """Lines that it lacks."""
    removed: int
    """Lines that it should not have."""
    first_difference: str

    @property
    def is_stale(self) -> bool:
        """Whether it has to be written again."""
        return bool(self.added or self.removed)


def make_report(configuration: Configuration, repository: Repository) -> str:
    """Return the document of all results so far; its links are relative to the place of `kernel.document`."""
    folder = (configuration.root / configuration.kernel.document).parent
    return render_document(build_document(read_history(configuration, repository)), folder=folder)


def read_history(configuration: Configuration, repository: Repository) -> History:
    """Read what the document needs from the database."""
    campaigns = repository.campaigns()
    last = campaigns[0] if campaigns else None
    baseline = find_baseline(repository)
    plan = read_checked_plan(configuration, repository)
    error_numbers, causes = named_failures(plan)
    return History(
        scope=choose_scope(configuration),
        campaigns=campaigns,
        newest=repository.newest_attempts(),
        baseline=read_side(repository, baseline),
        pinned=repository.baseline(DEFAULT_BASELINE) if baseline.campaign else None,
        before_last=repository.newest_attempts(before=last.started_at) if last else (),
        last=repository.campaign_attempts(last.number) if last else (),
        boot_failures=repository.boot_failures(last.number) if last else (),
        unstable=repository.unstable_attempts(),
        facts=repository.newest_facts(),
        changes=repository.pass_changes(),
        reported=repository.reported_totals(),
        plan=plan,
        kinds=repository.failure_kinds(error_numbers=error_numbers, causes=causes),
        matrix=count_matrix(configuration),
        traces=_read_traces(configuration, repository),
    )


def _read_traces(configuration: Configuration, repository: Repository) -> tuple[TraceFacts, ...]:
    """Return what each target's newest capture shows."""
    newest = (repository.newest_hang(target=name) for name in configuration.targets)
    hung = [attempt for attempt in newest if attempt and attempt.hang and attempt.hang.folder.is_dir()]
    if not hung:
        return ()
    # Loaded where there is something to read: half a second of everything that reads captures.
    from parity.flow.document.tracing import read_tracing  # noqa: PLC0415

    return read_tracing(configuration, hung)


def render_document(document: Document, *, folder: Path) -> str:
    """Return the document as Markdown, for a file in `folder`: the same records give the same bytes."""
    standing = document.standing
    rendered = render_template(
        TEMPLATE,
        {
            "document": document,
            "pair": document.scope.pair,
            "subject": document.subject,
            "total": len(standing.tests),
            "goal": f"{document.scope.goal_percent:g}%",
            "gaps": standing.in_state(PairState.GAP),
            "reverse_gaps": standing.in_state(PairState.REVERSE_GAP),
            "both_fail": standing.in_state(PairState.BOTH_FAIL),
            "faults": standing.test_faults,
            "hosts": [target for target in document.scope.targets if target in document.scope.hosts],
            "kernel_targets": document.scope.kernel_targets,
            "isolation_words": _ISOLATION_WORDS,
            "origin_words": _ORIGIN_WORDS,
            "comparable": sum(
                document.pair_counts.get(state, 0)
                for state in (PairState.PARITY, PairState.GAP, PairState.REVERSE_GAP, PairState.BOTH_FAIL)
            ),
            "boots_shown": _BOOTS_SHOWN,
            "frames_shown": _FRAMES_SHOWN,
            "palette": tuple(_PALETTE.values()),
            "sections": _changes(document),
            "pair_count": lambda state: document.pair_counts.get(PairState(state), 0),
        },
        {
            "cause": cause_words,
            "columns": columns,
            "counted": counted,
            "day": partial(_moment, form="%Y-%m-%d"),
            "duration": format_duration,
            "evidence": deciding_sentence,
            "from_here": partial(os.path.relpath, start=folder),
            "minute": partial(_moment, form="%Y-%m-%d %H:%M UTC"),
            "chart": partial(draw_chart, colours=tuple(_PALETTE)),
            "grouped": "{:,}".format,
            "listing": _listing,
            "percent": lambda parts: format_percent(*parts),
            "prose": prose,
            "ratio": "{:.2f}".format,
            "run": _describe_run,
            "section": _section,
            "some": _some,
            "signed": lambda number: f"{number:+d}" if number else "none",
        },
    )
    return rendered.rstrip("\n") + "\n"


def _section(content: str) -> Markdown:
    """Return a section that the template made, with one empty line behind it; nothing for nothing."""
    content = content.strip("\n")
    return Markdown(f"{content}\n\n" if content else "")


def _listing(tests: Sequence[str], target: str) -> Markdown:
    """Return tests in columns below a line with the target and their number; many are folded up."""
    title = f"{target}: {counted(len(tests), 'test')}"
    block = fence(columns(tests))
    if len(tests) <= _NAMES_SHOWN:
        return Markdown(f"**{text(title)}**\n\n{block}")
    return Markdown(f"<details><summary>{html.escape(title)}</summary>\n\n{block}\n\n</details>")


def _some(names: Sequence[str], limit: int = 6) -> Markdown:
    """Return the first names, and how many there are besides."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return Markdown(codes(names[:limit]) + more)


def _describe_run(run: StoredCampaign) -> Markdown:
    """Return a run with its day and the kernel's revision, in one line."""
    revision = run.revision
    at = f", {code(revision.described)}{' with changes' if revision.dirty else ''}" if revision else ""
    return Markdown(f"run {run.number} of {run.started_at:%Y-%m-%d}{at}")


def _changes(document: Document) -> tuple[tuple[str, tuple[TargetChanges, ...]], ...]:
    """Return the sections on what changed, one where both would say the same."""
    before, baseline = document.since_before or (), document.since_baseline
    if before == baseline:
        return (("Since the run before and since the baseline", baseline),)
    return ("Since the run before", before), ("Since the baseline", baseline)


def compare_report(expected: str, file: Path) -> Comparison:
    """Compare the document on disk with what it should be; one that is not there lacks every line."""
    found = _read(file).splitlines()
    changes = [
        line
        for line in difflib.unified_diff(found, expected.splitlines(), lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    return Comparison(
        added=sum(line.startswith("+") for line in changes),
        removed=sum(line.startswith("-") for line in changes),
        first_difference=changes[0] if changes else "",
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="backslashreplace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _moment(moment: date, *, form: str) -> str:
    return moment.strftime(form)
