"""A run's results as JSON for scripts: a form that stays (docs/exchange.md lists every field)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from parity.hangs import cause_key

if TYPE_CHECKING:
    from parity.attempt import StoredAttempt
    from parity.campaign import StoredCampaign, TargetFacts
    from parity.diagnosis import Hang
    from parity.interchange.results import RunResults

FORMAT: Final = "parity-results"
VERSION: Final = 1
"""Raised when a field changes its meaning or goes; fields may be added without."""


def render_json(results: RunResults) -> str:
    """Return the run as one JSON object."""
    shown = {
        "format": FORMAT,
        "version": VERSION,
        "run": _describe_run(results.run),
        "run_before": None if results.before is None else results.before.number,
        "targets": {name: _describe_facts(facts) for name, facts in results.facts.items()},
        "reported": {
            name: {"passed": total.passed, "total": total.total} for name, total in results.reported.items()
        },
        "unreached": [{"target": case.target, "test": case.test} for case in results.unreached],
        "results": [
            {
                "target": case.target,
                "test": case.test,
                "outcome": case.newest.verdict.outcome,
                "outcome_before": None if case.before is None else case.before.verdict.outcome,
                "mixed": case.is_mixed,
                "expected_to_fail": case.expected or None,
                "attempts": [describe_attempt(attempt) for attempt in case.attempts],
            }
            for case in results.cases
        ],
    }
    return json.dumps(shown, indent=2) + "\n"


def _describe_run(run: StoredCampaign) -> dict[str, object]:
    revision = run.revision
    return {
        "number": run.number,
        "identity": run.identity,
        "kernel": run.kernel,
        "state": run.state,
        "origin": run.origin,
        "source": run.source or None,
        "started_at": run.started_at.isoformat(),
        "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
        "isolation": run.isolation,
        "revision": None
        if revision is None
        else {"commit": revision.commit, "described": revision.described, "dirty": revision.dirty},
        "planned": run.planned,
    }


def _describe_facts(facts: TargetFacts) -> dict[str, object]:
    return {
        "arch": facts.arch,
        "emulator": facts.qemu_version,
        "accelerator": facts.accelerator,
        "command_line": facts.command_line,
        "image_sha256": facts.image_sha256,
        "inputs_sha256": facts.inputs_sha256,
        "build_id": facts.build_id,
    }


def describe_attempt(attempt: StoredAttempt) -> dict[str, object]:
    """Return what JSON says of an attempt, besides whose it is."""
    verdict = attempt.verdict
    return {
        "attempt": attempt.id,
        "outcome": verdict.outcome,
        "evidence": verdict.evidence,
        "exit_status": verdict.exit_status,
        "signal": verdict.signal,
        "error_number": verdict.error_number,
        "isolation": attempt.isolation,
        "started_at": attempt.started_at.isoformat(),
        "duration_s": round(attempt.duration_s, 4),
        "boot_s": None if attempt.boot_s is None else round(attempt.boot_s, 4),
        "image": attempt.fingerprint,
        "hang": _describe_hang(attempt.hang),
    }


def _describe_hang(hang: Hang | None) -> dict[str, object] | None:
    if hang is None:
        return None
    diagnosis = hang.diagnosis
    return {
        "cause": diagnosis.cause,
        "confidence": diagnosis.confidence,
        "sentence": diagnosis.sentence,
        "key": cause_key(diagnosis),
    }
