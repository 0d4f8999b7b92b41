"""Rows to records and back. Pure: no session, no file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from db.hangs import hang_record, hang_row
from db.models import (
    BaselineRow,
    BootFailureRow,
    CampaignRow,
    PlannedCaseRow,
    ReportedTotalRow,
    TargetFactsRow,
)
from parity.attempt import (
    Attempt,
    BootFailure,
    Isolation,
    LogKind,
    StoredAttempt,
    StoredBootFailure,
    StoredLog,
    Verdict,
)
from parity.campaign import (
    Baseline,
    CampaignPlan,
    CampaignState,
    ImportedCampaign,
    Origin,
    ReportedTotal,
    Revision,
    StopRule,
    StoredCampaign,
    TargetFacts,
)
from parity.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from db.log_store import LogStore
    from db.models import AttemptRow, LogRow


def campaign_row(plan: CampaignPlan, identity: str) -> CampaignRow:
    """Return the row of a campaign that starts."""
    return CampaignRow(
        identity=identity,
        kernel=plan.kernel,
        state=CampaignState.RUNNING.value,
        started_at=plan.started_at,
        finished_at=None,
        isolation=plan.isolation.value,
        arguments=list(plan.arguments),
        timeout_s=plan.timeout_s,
        planned=len(set(plan.cases)),
        seed=plan.seed,
        stop_rule=plan.stop.value,
        endless=plan.endless,
        boot_retries=plan.boot_retries,
        boot_failures_in_a_row=plan.boot_failures_in_a_row,
        revision_commit=plan.revision.commit if plan.revision else None,
        revision_described=plan.revision.described if plan.revision else None,
        revision_dirty=plan.revision.dirty if plan.revision else None,
    )


def imported_campaign_row(imported: ImportedCampaign) -> CampaignRow:
    """Return the row of a campaign that another program or a person recorded: over since its last attempt."""
    ends = (attempt.started_at + timedelta(seconds=attempt.duration_s) for attempt in imported.attempts)
    revision = imported.revision
    return CampaignRow(
        identity=imported.identity,
        kernel=imported.kernel,
        state=CampaignState.FINISHED.value,
        started_at=imported.started_at,
        finished_at=max(ends, default=imported.started_at),
        isolation=Isolation.UNKNOWN.value,
        arguments=[],
        timeout_s=None,
        planned=len({(attempt.target, attempt.test) for attempt in imported.attempts}),
        seed=None,
        stop_rule=StopRule.NEVER.value,
        endless=False,
        revision_commit=revision.commit if revision else None,
        revision_described=revision.described if revision else None,
        revision_dirty=revision.dirty if revision else None,
        origin=imported.origin.value,
        source=imported.source,
    )


def reported_total_row(total: ReportedTotal, campaign: int) -> ReportedTotalRow:
    """Return the row of what a page says that a campaign came to."""
    return ReportedTotalRow(campaign=campaign, target=total.target, passed=total.passed, total=total.total)


def reported_total_record(row: ReportedTotalRow) -> ReportedTotal:
    """Return what the row says."""
    return ReportedTotal(target=row.target, passed=row.passed, total=row.total)


def baseline_row(baseline: Baseline) -> BaselineRow:
    """Return the row of a baseline."""
    return BaselineRow(
        name=baseline.name, campaign=baseline.campaign, pinned_at=baseline.pinned_at, note=baseline.note
    )


def baseline_record(row: BaselineRow) -> Baseline:
    """Return what the row says of the baseline."""
    return Baseline(name=row.name, campaign=row.campaign, pinned_at=row.pinned_at, note=row.note)


def planned_case_rows(plan: CampaignPlan, campaign: int) -> list[PlannedCaseRow]:
    """Return one row a planned attempt, in the plan's order."""
    return [
        PlannedCaseRow(campaign=campaign, position=position, target=case.target, test=case.test)
        for position, case in enumerate(plan.cases)
    ]


def campaign_record(row: CampaignRow) -> StoredCampaign:
    """Return what the row says of the campaign."""
    revision = None
    if row.revision_commit is not None:
        revision = Revision(
            commit=row.revision_commit,
            described=row.revision_described or row.revision_commit[:12],
            dirty=bool(row.revision_dirty),
        )
    return StoredCampaign(
        number=row.number,
        identity=row.identity,
        kernel=row.kernel,
        state=CampaignState(row.state),
        started_at=row.started_at,
        finished_at=row.finished_at,
        isolation=Isolation(row.isolation),
        revision=revision,
        arguments=tuple(row.arguments),
        timeout_s=row.timeout_s,
        planned=row.planned,
        seed=row.seed,
        stop=StopRule(row.stop_rule),
        endless=row.endless,
        boot_retries=row.boot_retries,
        boot_failures_in_a_row=row.boot_failures_in_a_row,
        origin=Origin(row.origin),
        source=row.source,
    )


def facts_row(facts: TargetFacts, campaign: int) -> TargetFactsRow:
    """Return the row of what a target is in a campaign."""
    return TargetFactsRow(
        campaign=campaign,
        target=facts.target,
        arch=facts.arch,
        qemu_version=facts.qemu_version,
        accelerator=facts.accelerator,
        command_line=facts.command_line,
        image_sha256=facts.image_sha256,
        inputs_sha256=facts.inputs_sha256,
        build_id=facts.build_id,
    )


def facts_record(row: TargetFactsRow) -> TargetFacts:
    """Return what the row says of the target."""
    return TargetFacts(
        target=row.target,
        arch=row.arch,
        qemu_version=row.qemu_version,
        accelerator=row.accelerator,
        command_line=row.command_line,
        image_sha256=row.image_sha256,
        inputs_sha256=row.inputs_sha256,
        build_id=row.build_id,
    )


def attempt_values(attempt: Attempt) -> dict[str, Any]:
    """Return the columns of an attempt's row, without the campaign's, the facts', the logs' and the hang's."""
    return {
        "target": attempt.target,
        "test": attempt.test,
        "outcome": attempt.verdict.outcome.value,
        "evidence": list(attempt.verdict.evidence),
        "exit_status": attempt.verdict.exit_status,
        "signal": attempt.verdict.signal,
        "error_number": attempt.verdict.error_number,
        "nonce": attempt.nonce,
        "isolation": attempt.isolation.value,
        "started_at": attempt.started_at,
        "duration_s": attempt.duration_s,
        "boot_s": attempt.boot_s,
    }


def attempt_record(row: AttemptRow, fingerprint: str | None, *, state_folder: Path) -> StoredAttempt:
    """Return what the row says of the attempt; `fingerprint` is that of its facts."""
    return StoredAttempt(
        id=row.id,
        campaign=row.campaign,
        target=row.target,
        test=row.test,
        verdict=Verdict(
            outcome=Outcome(row.outcome),
            evidence=tuple(row.evidence),
            exit_status=row.exit_status,
            signal=row.signal,
            error_number=row.error_number,
        ),
        nonce=row.nonce,
        isolation=Isolation(row.isolation),
        started_at=row.started_at,
        duration_s=row.duration_s,
        boot_s=row.boot_s,
        fingerprint=fingerprint,
        hang=hang_record(row.hang, state_folder),
    )


def boot_failure_row(failure: BootFailure, campaign: int, *, state_folder: Path) -> BootFailureRow:
    """Return the row of a failed boot, without its logs."""
    return BootFailureRow(
        campaign=campaign,
        target=failure.target,
        started_at=failure.started_at,
        duration_s=failure.duration_s,
        reason=failure.reason,
        hang=hang_row(failure.hang, state_folder) if failure.hang else None,
    )


def boot_failure_record(row: BootFailureRow, store: LogStore, *, state_folder: Path) -> StoredBootFailure:
    """Return what the row says of the failed boot."""
    return StoredBootFailure(
        campaign=row.campaign,
        target=row.target,
        started_at=row.started_at,
        duration_s=row.duration_s,
        reason=row.reason,
        logs=tuple(log_record(log, store) for log in row.logs),
        hang=hang_record(row.hang, state_folder),
    )


def log_record(row: LogRow, store: LogStore) -> StoredLog:
    """Return what the row says of a log, and where its file is."""
    return StoredLog(
        kind=LogKind(row.kind),
        port=row.port,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        path=store.path(row.sha256),
    )
