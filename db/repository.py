"""What the flows see of the database: records in, records out, one transaction a call.

A `Repository` may be shared by threads; several processes may each have their own on the same database.
"""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from db import convert, queries
from db.hangs import signature_key
from db.insert import insert_attempt
from db.models import (
    AttemptRow,
    BaselineRow,
    BootFailureRow,
    CampaignRow,
    LogRow,
    ReportedTotalRow,
    TargetFactsRow,
)
from db.store import Store
from parity.campaign import CampaignState, Case, FailureKind, PassChange, StoredCampaign, TargetFacts
from parity.errors import UnknownNameError, UsageError
from parity.hangs import Recurrence, cause_key
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from db.queries import AttemptSelect
    from parity.attempt import Attempt, BootFailure, StoredAttempt, StoredBootFailure, StoredLog
    from parity.campaign import Baseline, CampaignPlan, ImportedCampaign, ReportedTotal
    from parity.diagnosis import Diagnosis

_NEWEST: Final = 3
"""So many attempts say how long the next one may take: a kernel changes, and a host is sometimes busy."""


class Repository(Store):
    """The campaigns, their attempts, and the logs beside them."""

    __slots__ = ()

    def start_campaign(self, plan: CampaignPlan) -> int:
        """Record a campaign that starts now in this process; return its number."""
        identity = uuid.uuid4().hex
        with self.writing() as session:
            row = convert.campaign_row(plan, identity)
            session.add(row)
            session.flush()
            session.add_all(convert.planned_case_rows(plan, row.number))
            # Before the row can be seen: whoever sees it running must find the lock held.
            self.locks.take(identity)
            return row.number

    def resume_campaign(self, campaign: int) -> None:
        """Go on with a campaign in this process; raise `UsageError` where it is finished or under way."""
        with self.writing() as session:
            row = self._campaign_row(session, campaign)
            if row.state == CampaignState.FINISHED.value:
                raise UsageError(f"run {campaign} is finished", hint="start a new one: parity run")
            if not self.locks.take(row.identity):
                raise UsageError(f"run {campaign} is still under way in another process")
            row.state, row.finished_at = CampaignState.RUNNING.value, None

    def add_target(self, campaign: int, facts: TargetFacts) -> None:
        """Record what a target is from now on in the campaign; the same facts again change nothing."""
        with self.writing() as session:
            row = session.scalar(queries.facts_of(campaign, facts.target))
            if row is None or convert.facts_record(row) != facts:
                session.add(convert.facts_row(facts, campaign))

    def add_attempt(self, campaign: int, attempt: Attempt) -> int:
        """Record one attempt and its logs, whole or not at all; return its number."""
        with self._storing(attempt.logs) as (session, stored):
            return insert_attempt(session, attempt, campaign, stored, state_folder=self.state_folder)

    def add_boot_failure(self, campaign: int, failure: BootFailure) -> None:
        """Record one boot that did not come up."""
        with self._storing(failure.logs) as (session, stored):
            row = convert.boot_failure_row(failure, campaign, state_folder=self.state_folder)
            row.logs = [LogRow(**log) for log in stored]
            session.add(row)

    def add_imported(self, imported: ImportedCampaign) -> tuple[int, bool]:
        """Record what another program or a person recorded; return its number and whether it is new.

        Whole or not at all; where a campaign of its identity is there already, nothing changes.
        """
        logs = tuple(log for attempt in imported.attempts for log in attempt.logs)
        with self._storing(logs) as (session, stored):
            known = session.scalar(
                select(CampaignRow.number).where(CampaignRow.identity == imported.identity)
            )
            if known is not None:
                return known, False
            row = convert.imported_campaign_row(imported)
            session.add(row)
            session.flush()
            session.add_all(convert.reported_total_row(total, row.number) for total in imported.totals)
            of_attempt = iter(stored)
            for attempt in imported.attempts:
                of_this = tuple(itertools.islice(of_attempt, len(attempt.logs)))
                insert_attempt(session, attempt, row.number, of_this, state_folder=self.state_folder)
            return row.number, True

    def pin_baseline(self, baseline: Baseline) -> None:
        """Give a campaign a name; one that has a campaign already moves. Raises `UsageError` for no campaign."""
        with self.writing() as session:
            self._campaign_row(session, baseline.campaign)
            session.merge(convert.baseline_row(baseline))

    def unpin_baseline(self, name: str) -> None:
        """Forget a baseline's name; raise `UnknownNameError` where there is none."""
        with self.writing() as session:
            session.delete(self._baseline_row(session, name))

    def baselines(self) -> tuple[Baseline, ...]:
        """Return all baselines, by name."""
        with self.reading() as session:
            rows = session.scalars(select(BaselineRow).order_by(BaselineRow.name))
            return tuple(map(convert.baseline_record, rows))

    def baseline(self, name: str) -> Baseline:
        """Return one baseline; raise `UnknownNameError` where there is none."""
        with self.reading() as session:
            return convert.baseline_record(self._baseline_row(session, name))

    def finish_campaign(self, campaign: int, state: CampaignState, finished_at: datetime) -> None:
        """Record how a campaign ended and let go of it."""
        with self.writing() as session:
            row = self._campaign_row(session, campaign)
            row.state, row.finished_at = state.value, finished_at
            identity = row.identity
        self.locks.release(identity, forget=state is CampaignState.FINISHED)

    def campaigns(self) -> tuple[StoredCampaign, ...]:
        """Return all campaigns, the one that started last first."""
        with self.reading() as session:
            rows = session.scalars(
                select(CampaignRow).order_by(CampaignRow.started_at.desc(), CampaignRow.number.desc())
            )
            return tuple(map(convert.campaign_record, rows))

    def campaign(self, number: int) -> StoredCampaign:
        """Return one campaign; raise `UsageError` where there is none of this number."""
        with self.reading() as session:
            return convert.campaign_record(self._campaign_row(session, number))

    def resumable_campaign(self) -> StoredCampaign | None:
        """Return the newest campaign of this machine's that is not finished and that no living process is at."""
        statement = (
            select(CampaignRow)
            .where(CampaignRow.state != CampaignState.FINISHED.value, CampaignRow.source == "")
            .order_by(CampaignRow.started_at.desc(), CampaignRow.number.desc())
        )
        with self.reading() as session:
            for row in session.scalars(statement):
                if not self.locks.is_held(row.identity):
                    return convert.campaign_record(row)
        return None

    def remaining_cases(self, campaign: int) -> tuple[Case, ...]:
        """Return what a campaign planned and has not measured, in its order; all of an endless one.

        A case that was to be attempted several times is in it as often as attempts of it are left.
        """
        with self.reading() as session:
            rows = session.scalars(queries.remaining_cases(campaign))
            return tuple(Case.of(row) for row in rows)

    def expected_durations(self) -> dict[Case, float]:
        """Return how many seconds each case took, on the average of its newest measured attempts."""
        with self.reading() as session:
            rows = session.execute(queries.expected_durations(_NEWEST))
            return {Case(target=target, test=test): seconds for target, test, seconds in rows}

    def campaign_facts(self, campaign: int) -> tuple[TargetFacts, ...]:
        """Return what each target was in a campaign, in the order in which they were added."""
        statement = (
            select(TargetFactsRow).where(TargetFactsRow.campaign == campaign).order_by(TargetFactsRow.id)
        )
        with self.reading() as session:
            return tuple(map(convert.facts_record, session.scalars(statement)))

    def newest_facts(self) -> tuple[TargetFacts, ...]:
        """Return what each target was when it was last run, by name."""
        with self.reading() as session:
            return tuple(map(convert.facts_record, session.scalars(queries.newest_facts())))

    def boot_failures(self, campaign: int) -> tuple[StoredBootFailure, ...]:
        """Return the boots of a campaign that did not come up, in their order."""
        statement = (
            select(BootFailureRow)
            .where(BootFailureRow.campaign == campaign)
            .options(selectinload(BootFailureRow.logs), joinedload(BootFailureRow.hang))
            .order_by(BootFailureRow.id)
        )
        with self.reading() as session:
            return tuple(
                convert.boot_failure_record(row, self.logs, state_folder=self.state_folder)
                for row in session.scalars(statement)
            )

    def newest_attempts(self, *, before: datetime | None = None) -> tuple[StoredAttempt, ...]:
        """Return the newest attempt of each test on each target, of those that started before a time if given."""
        return self._attempts(queries.newest_attempts(before=before))

    def attempts_as_of(self, campaign: int) -> tuple[StoredAttempt, ...]:
        """Return the newest attempt of each test on each target, of the campaigns up to this one, by their start.

        Raises `UsageError` where there is no such campaign.
        """
        self.campaign(campaign)
        return self._attempts(queries.attempts_as_of(campaign))

    def first_attempts(self) -> tuple[StoredAttempt, ...]:
        """Return what each test on each target came to in the first campaign that measured it."""
        return self._attempts(queries.first_attempts())

    def campaign_attempts(self, campaign: int) -> tuple[StoredAttempt, ...]:
        """Return every attempt of a campaign, in the order in which they ended."""
        return self._attempts(
            queries.attempts().where(AttemptRow.campaign == campaign).order_by(AttemptRow.id)
        )

    def attempts_of(self, test: str, *, target: str | None = None) -> tuple[StoredAttempt, ...]:
        """Return every attempt of a test, newest first."""
        statement = queries.attempts().where(AttemptRow.test == test)
        if target is not None:
            statement = statement.where(AttemptRow.target == target)
        return self._attempts(statement.order_by(AttemptRow.started_at.desc(), AttemptRow.id.desc()))

    def unstable_attempts(self) -> tuple[StoredAttempt, ...]:
        """Return the attempts of each test that, on its target's newest image, both passed and did not.

        By target and test, oldest first; attempts that measured nothing are left out.
        """
        found: list[StoredAttempt] = []
        for facts in self.newest_facts():
            with self.reading() as session:
                tests = session.scalars(queries.unstable_cases(facts.target, facts.fingerprint)).all()
            for test in tests:
                found += (
                    attempt
                    for attempt in reversed(self.attempts_of(test, target=facts.target))
                    if attempt.fingerprint == facts.fingerprint and attempt.verdict.outcome.is_measured
                )
        return tuple(found)

    def recent_passes(self, case: Case, *, campaign: int, newest: int) -> tuple[float, ...]:
        """Return how many seconds a case's newest passes took, the newest first, as of a campaign."""
        with self.reading() as session:
            found = queries.recent_passes(case.target, case.test, campaign=campaign, newest=newest)
            return tuple(session.scalars(found))

    def pass_changes(self) -> tuple[PassChange, ...]:
        """Return where tests began to pass and ceased to, by time: their first measured attempts, then each change."""
        with self.reading() as session:
            return tuple(
                PassChange(
                    campaign=campaign, target=target, test=test, attempt=number, outcome=Outcome(outcome)
                )
                for number, campaign, target, test, outcome in session.execute(queries.pass_changes())
            )

    def failure_kinds(
        self, *, error_numbers: Collection[int], causes: Collection[str]
    ) -> tuple[FailureKind, ...]:
        """Return the ways in which cases ever failed, of those with one of the error numbers or causes of hangs."""
        if not error_numbers and not causes:
            return ()
        with self.reading() as session:
            return tuple(
                FailureKind(
                    target=target, test=test, error_number=number, cause=cause or "", subject=subject or ""
                )
                for target, test, number, cause, subject in session.execute(
                    queries.failure_kinds(error_numbers, causes)
                )
            )

    def reported_totals(self) -> Mapping[int, tuple[ReportedTotal, ...]]:
        """Return what imported pages say that campaigns came to, by campaign, each by target."""
        totals: dict[int, tuple[ReportedTotal, ...]] = {}
        statement = select(ReportedTotalRow).order_by(ReportedTotalRow.campaign, ReportedTotalRow.target)
        with self.reading() as session:
            for row in session.scalars(statement):
                found = convert.reported_total_record(row)
                totals[row.campaign] = (*totals.get(row.campaign, ()), found)
        return totals

    def attempt(self, number: int) -> StoredAttempt:
        """Return one attempt by its id; raise `UsageError` where there is none."""
        found = self._attempts(queries.attempts().where(AttemptRow.id == number))
        if not found:
            raise UsageError(
                f"there is no attempt {number}", hint="`parity show TEST` lists a test's attempts"
            )
        return found[0]

    def newest_hang(self, test: str | None = None, *, target: str | None = None) -> StoredAttempt | None:
        """Return the newest attempt that has a capture, of a test or target where one is given."""
        found = self._attempts(queries.newest_hang(test, target))
        return found[0] if found else None

    def recurrence(self, diagnosis: Diagnosis) -> Recurrence | None:
        """Return how often attempts got stuck for this cause; None where none did."""
        with self.reading() as session:
            key = signature_key(cause_key(diagnosis))
            attempts, tests, first_run = session.execute(queries.recurrence(key)).one()
        return Recurrence(attempts=attempts, tests=tests, first_run=first_run) if first_run else None

    def logs_of(self, attempt: int) -> tuple[StoredLog, ...]:
        """Return the logs of an attempt, in the order in which they were given."""
        with self.reading() as session:
            rows = session.scalars(select(LogRow).where(LogRow.attempt == attempt).order_by(LogRow.id))
            return tuple(convert.log_record(row, self.logs) for row in rows)

    def known_tests(self) -> tuple[str, ...]:
        """Return the names of all tests that were ever attempted, sorted."""
        with self.reading() as session:
            return tuple(session.scalars(select(AttemptRow.test).distinct().order_by(AttemptRow.test)))

    def _attempts(self, statement: AttemptSelect) -> tuple[StoredAttempt, ...]:
        with self.reading() as session:
            return tuple(
                convert.attempt_record(row, found, state_folder=self.state_folder)
                for row, found in session.execute(statement)
            )

    @staticmethod
    def _campaign_row(session: Session, number: int) -> CampaignRow:
        row = session.get(CampaignRow, number)
        if row is None:
            raise UsageError(f"there is no run {number}")
        return row

    @staticmethod
    def _baseline_row(session: Session, name: str) -> BaselineRow:
        row = session.get(BaselineRow, name)
        if row is None:
            known = session.scalars(select(BaselineRow.name)).all()
            raise UnknownNameError(kind="baseline", name=name, known=known)
        return row
