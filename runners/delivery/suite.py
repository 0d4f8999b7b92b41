"""Taking all tests in one boot that prints their results."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from parity.attempt import Attempt, Log, LogKind
from parity.outcome import Outcome
from runners.machine.boot import BootFailedError, Report, boot, boot_failed
from runners.machine.rig import now
from runners.machine.watch import Watch
from runners.verdict.ktap import RESULT_LINE, KtapReader
from runners.verdict.observation import Ending
from runners.verdict.suite_results import judge_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from parity.configuration import SuiteDelivery
    from runners.machine.boot import Booted, BootListener
    from runners.machine.rig import Rig

_STUCK: Final = (Outcome.HANG, Outcome.TIMEOUT, Outcome.CRASH)


class SuiteRunner:
    """Boots once and reads every test's result from what the kernel prints."""

    def __init__(self, rig: Rig, delivery: SuiteDelivery, listener: BootListener) -> None:
        self._rig = rig
        self._listener = listener
        self._delivery = delivery

    def run(self, tests: Sequence[str]) -> Iterator[Report]:
        """Run all tests in one boot. Raises `HarnessError`s and `Stopped`."""
        fields = self._rig.fields(tests[0]) | {"tests": ",".join(tests)}
        try:
            booted = boot(
                self._rig,
                fields,
                append=self._delivery.append,
                ready=self._delivery.start,
                listener=self._listener,
            )
        except BootFailedError as error:
            for number, test in enumerate(tests):
                report = boot_failed(self._rig, {**fields, "test": test}, error.failures)
                yield report if number == 0 else replace(report, boot_failures=())
            return
        try:
            yield from self._watch(booted, fields, tests)
        finally:
            booted.close()

    def close(self) -> None:
        """Nothing outlives a suite."""

    def _watch(self, booted: Booted, fields: Mapping[str, str], tests: Sequence[str]) -> Iterator[Report]:
        started_at = now()
        watch = Watch(self._rig, booted.machine, fields, from_boot=True)
        durations = self._follow(watch, booted, fields, len(tests))
        observation = watch.observe()
        raw_logs = booted.machine.raw_logs()
        results = judge_suite(observation, tests, self._delivery, self._rig.target.verdict)
        stuck = next((found for found in results if found.verdict.outcome in _STUCK), None)
        for number, result in enumerate(results):
            transcript = Log(
                kind=LogKind.TRANSCRIPT,
                port=self._rig.target.console_port,
                content=result.transcript.encode("utf-8", "backslashreplace"),
            )
            attempt = Attempt(
                target=self._rig.name,
                test=result.test,
                verdict=result.verdict,
                nonce=fields["nonce"],
                isolation=self._rig.isolation,
                started_at=started_at,
                duration_s=durations.get(result.test.casefold(), observation.waited_s),
                boot_s=booted.boot_s,
                logs=(transcript, *raw_logs),
                hang=watch.hang if result is stuck else None,
            )
            yield Report(attempt=attempt, boot_failures=booted.failures if number == 0 else ())

    def _follow(
        self, watch: Watch, booted: Booted, fields: Mapping[str, str], tests: int
    ) -> dict[str, float]:
        """Wait for the suite's end; return the seconds between each test's result and the one before it."""
        console = booted.machine.console
        done = [self._delivery.done.compile(fields)] if self._delivery.done else []
        result = self._delivery.result.compile(fields) if self._delivery.result else RESULT_LINE
        limits = self._rig.suite_limits(fields, tests)
        ktap = KtapReader() if self._delivery.format == "ktap" and not done else None
        read = 0
        durations: dict[str, float] = {}
        last = time.monotonic()
        while not isinstance(waited := watch.wait_for([*done, result], limits), Ending):
            if waited < len(done):
                waited = Ending.COMPLETED
                break
            name = console.match_group("test") or console.match_group("name") or ""
            durations[name.casefold()] = time.monotonic() - last
            last = time.monotonic()
            if ktap is not None:
                new = console.text_since(read)
                read += len(new)
                ktap.feed(new)
                if ktap.report.is_complete:
                    waited = Ending.COMPLETED
                    break
        watch.over(waited)
        return durations
