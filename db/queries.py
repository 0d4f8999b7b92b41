"""The SQL of every reading: statements only, run by repository.py.

"Newest" and "first" go by when an attempt started, so that an old run that is imported later is still old.
What was never executed (`not-run`) is no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, case, distinct, func, literal, or_, select
from sqlalchemy.orm import aliased, joinedload

from db.models import AttemptRow, CampaignRow, HangRow, PlannedCaseRow, TargetFactsRow
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import BindParameter, ColumnElement, Select, Subquery

    AttemptSelect = Select[AttemptRow, str | None]
    """Attempts with their hangs, each with the fingerprint of what was booted."""


def attempts() -> AttemptSelect:
    """Select attempts with their hangs and the fingerprint of what was booted."""
    return (
        select(AttemptRow, _fingerprint())
        .outerjoin(TargetFactsRow, AttemptRow.facts == TargetFactsRow.id)
        .options(joinedload(AttemptRow.hang))
    )


def newest_hang(test: str | None, target: str | None) -> AttemptSelect:
    """Select the newest attempt that has a capture; of any test or target where it is None."""
    statement = attempts().where(AttemptRow.id.in_(select(HangRow.attempt)))
    if test is not None:
        statement = statement.where(AttemptRow.test == test)
    if target is not None:
        statement = statement.where(AttemptRow.target == target)
    return statement.order_by(AttemptRow.started_at.desc(), AttemptRow.id.desc()).limit(1)


def newest_attempts(*, before: datetime | None) -> AttemptSelect:
    """Select each case's newest attempt, of those that started earlier than `before`."""
    pairs = _pairs()
    inner = aliased(AttemptRow)
    newest = (
        select(inner.id)
        .where(*_same_case(inner, pairs.c.test, pairs.c.target), _was_run(inner))
        .order_by(inner.started_at.desc(), inner.id.desc())
        .limit(1)
    )
    if before is not None:
        newest = newest.where(inner.started_at < before)
    return _chosen(newest, pairs)


def attempts_as_of(campaign: int) -> AttemptSelect:
    """Select each case's newest attempt, of the campaigns that started no later than this one."""
    pairs = _pairs()
    inner = aliased(AttemptRow)
    newest = (
        select(inner.id)
        .where(
            *_same_case(inner, pairs.c.test, pairs.c.target),
            _was_run(inner),
            inner.campaign.in_(_no_later_than(campaign)),
        )
        .order_by(inner.started_at.desc(), inner.id.desc())
        .limit(1)
    )
    return _chosen(newest, pairs)


def recent_passes(target: str, test: str, *, campaign: int, newest: int) -> Select[float]:
    """Select how many seconds a case's newest passes took, of the campaigns that started no later than this one."""
    return (
        select(AttemptRow.duration_s)
        .where(
            *_same_case(AttemptRow, literal(test), literal(target)),
            AttemptRow.outcome == Outcome.PASS.value,
            AttemptRow.campaign.in_(_no_later_than(campaign)),
        )
        .order_by(AttemptRow.started_at.desc(), AttemptRow.id.desc())
        .limit(newest)
    )


def pass_changes() -> Select[int, int, str, str, str]:
    """Select each case's first measured attempt, and those whose passing differs from the one before, by time.

    Number, campaign, target, test and outcome of each.
    """
    passed = AttemptRow.outcome == Outcome.PASS.value
    measured = (
        select(
            AttemptRow.id,
            AttemptRow.campaign,
            AttemptRow.target,
            AttemptRow.test,
            AttemptRow.outcome,
            AttemptRow.started_at,
            passed.label("passed"),
            func.lag(passed)
            .over(
                partition_by=(AttemptRow.test, AttemptRow.target),
                order_by=(AttemptRow.started_at, AttemptRow.id),
            )
            .label("before"),
        )
        .where(_was_measured())
        .subquery()
    )
    columns = measured.c
    return (
        select(columns.id, columns.campaign, columns.target, columns.test, columns.outcome)
        .where(or_(columns.before.is_(None), columns.before != columns.passed))
        .order_by(columns.started_at, columns.id)
    )


def failure_kinds(
    error_numbers: Collection[int], causes: Collection[str]
) -> Select[str, str, int | None, str | None, str | None]:
    """Select the ways in which cases ever failed, of those with one of the error numbers or causes.

    Target, test, error number, cause and subject of each.
    """
    return (
        select(AttemptRow.target, AttemptRow.test, AttemptRow.error_number, HangRow.cause, HangRow.subject)
        .outerjoin(HangRow, HangRow.attempt == AttemptRow.id)
        .where(
            _was_measured(),
            AttemptRow.outcome.not_in((Outcome.PASS.value, Outcome.SKIP.value)),
            or_(AttemptRow.error_number.in_(error_numbers), HangRow.cause.in_(causes)),
        )
        .distinct()
        .order_by(AttemptRow.target, AttemptRow.test, AttemptRow.error_number, HangRow.cause, HangRow.subject)
    )


def first_attempts() -> AttemptSelect:
    """Select each case's last attempt within the first campaign that measured it."""
    pairs = _pairs()
    earliest, inner = aliased(AttemptRow), aliased(AttemptRow)
    campaign = (
        select(earliest.campaign)
        .where(
            *_same_case(earliest, pairs.c.test, pairs.c.target),
            _was_measured(earliest),
        )
        .order_by(earliest.started_at, earliest.id)
        .limit(1)
        .correlate(pairs)
        .scalar_subquery()
    )
    last = (
        select(inner.id)
        .where(*_same_case(inner, pairs.c.test, pairs.c.target), _was_run(inner), inner.campaign == campaign)
        .order_by(inner.started_at.desc(), inner.id.desc())
        .limit(1)
    )
    return _chosen(last, pairs)


def recurrence(signature: str) -> Select[int, int, int | None]:
    """Select how many attempts of how many tests have hung so, and the first campaign in which one did."""
    hung = select(HangRow.attempt).where(HangRow.signature == signature)
    return select(
        func.count(AttemptRow.id), func.count(distinct(AttemptRow.test)), func.min(AttemptRow.campaign)
    ).where(AttemptRow.id.in_(hung))


def remaining_cases(campaign: int) -> Select[PlannedCaseRow]:
    """Select the planned attempts that the campaign has not measured yet, in the plan's order.

    A case that was planned five times and measured twice remains three times; of an endless campaign every case
    remains.
    """
    measured = (
        select(AttemptRow.target, AttemptRow.test, func.count().label("times"))
        .where(AttemptRow.campaign == campaign, _was_measured())
        .group_by(AttemptRow.target, AttemptRow.test)
        .subquery()
    )
    planned = (
        select(
            PlannedCaseRow.position,
            PlannedCaseRow.target,
            PlannedCaseRow.test,
            func.row_number()
            .over(
                partition_by=(PlannedCaseRow.target, PlannedCaseRow.test),
                order_by=PlannedCaseRow.position,
            )
            .label("time"),
        )
        .where(PlannedCaseRow.campaign == campaign)
        .subquery()
    )
    left = (
        select(planned.c.position)
        .outerjoin(measured, and_(measured.c.target == planned.c.target, measured.c.test == planned.c.test))
        .where(planned.c.time > func.coalesce(measured.c.times, 0))
    )
    endless = select(CampaignRow.endless).where(CampaignRow.number == campaign).scalar_subquery()
    return (
        select(PlannedCaseRow)
        .where(PlannedCaseRow.campaign == campaign, or_(PlannedCaseRow.position.in_(left), endless.is_(True)))
        .order_by(PlannedCaseRow.position)
    )


def expected_durations(newest: int) -> Select[str, str, float]:
    """Select each case's mean duration in seconds, over its `newest` measured attempts."""
    pairs = _pairs()
    inner = aliased(AttemptRow)
    durations = (
        select(inner.duration_s)
        .where(*_same_case(inner, pairs.c.test, pairs.c.target), _was_measured(inner))
        .order_by(inner.started_at.desc(), inner.id.desc())
        .limit(newest)
        .correlate(pairs)
        .subquery()
    )
    mean = select(func.avg(durations.c.duration_s)).correlate(pairs).scalar_subquery()
    means = select(pairs.c.target, pairs.c.test, mean.label("mean_s")).subquery()
    return select(means.c.target, means.c.test, means.c.mean_s).where(means.c.mean_s.is_not(None))


def facts_of(campaign: int | BindParameter[int], target: str | BindParameter[str]) -> Select[TargetFactsRow]:
    """Select what a target is in a campaign by now."""
    return (
        select(TargetFactsRow)
        .where(TargetFactsRow.campaign == campaign, TargetFactsRow.target == target)
        .order_by(TargetFactsRow.id.desc())
        .limit(1)
    )


def newest_facts() -> Select[TargetFactsRow]:
    """Select what each target was when it was last started, by the campaigns' times."""
    ranked = select(
        TargetFactsRow.id,
        func.row_number()
        .over(
            partition_by=TargetFactsRow.target,
            order_by=(CampaignRow.started_at.desc(), TargetFactsRow.id.desc()),
        )
        .label("rank"),
    ).join(CampaignRow, TargetFactsRow.campaign == CampaignRow.number)
    newest = ranked.subquery()
    return (
        select(TargetFactsRow)
        .join(newest, newest.c.id == TargetFactsRow.id)
        .where(newest.c.rank == 1)
        .order_by(TargetFactsRow.target)
    )


def unstable_cases(target: str, fingerprint: str) -> Select[str]:
    """Select the tests whose measured attempts on one and the same image both passed and did not."""
    passed = case((AttemptRow.outcome == Outcome.PASS.value, 1), else_=0)
    # Through the few rows of facts, not through all attempts of the target.
    same_image = select(TargetFactsRow.id).where(
        TargetFactsRow.target == target, _fingerprint() == fingerprint
    )
    return (
        select(AttemptRow.test)
        .where(
            AttemptRow.facts.in_(same_image),
            _was_measured(),
        )
        .group_by(AttemptRow.test)
        .having(func.count(distinct(passed)) > 1)
        .order_by(AttemptRow.test)
    )


def _fingerprint() -> ColumnElement[str]:
    return func.coalesce(TargetFactsRow.inputs_sha256, TargetFactsRow.image_sha256)


def _pairs() -> Subquery:
    return select(AttemptRow.test, AttemptRow.target).distinct().subquery()


def _no_later_than(campaign: int) -> Select[int]:
    """Select the campaigns that started no later than this one, itself included."""
    this = aliased(CampaignRow)
    return (
        select(CampaignRow.number)
        .join(
            this,
            or_(
                CampaignRow.started_at < this.started_at,
                and_(CampaignRow.started_at == this.started_at, CampaignRow.number <= this.number),
            ),
        )
        .where(this.number == campaign)
    )


def _same_case(
    row: type[AttemptRow], test: ColumnElement[str], target: ColumnElement[str]
) -> tuple[ColumnElement[bool], ...]:
    return row.test == test, row.target == target


def _was_run(row: type[AttemptRow]) -> ColumnElement[bool]:
    return row.outcome != Outcome.NOT_RUN.value


def _was_measured(row: type[AttemptRow] = AttemptRow) -> ColumnElement[bool]:
    return row.outcome.not_in((Outcome.NOT_RUN.value, Outcome.ERROR.value))


def _chosen(identifier: Select[int], pairs: Subquery) -> AttemptSelect:
    """Select the attempts that `identifier` picks, one for each of `pairs`."""
    picked = select(identifier.correlate(pairs).scalar_subquery()).select_from(pairs)
    return attempts().where(AttemptRow.id.in_(picked)).order_by(AttemptRow.target, AttemptRow.test)
