"""Records and databases that tests everywhere begin with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from db import open_repository
from parity.attempt import Attempt, Isolation, Log, LogKind, Verdict
from parity.campaign import CampaignPlan, Case, Revision, TargetFacts
from parity.diagnosis import Cause, Confidence, Diagnosis, Hang
from parity.outcome import Outcome
from tests.support.lab import guest, lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db import Repository

__all__ = ["guest", "lab"]

settings.register_profile("patient", deadline=None)  # a busy host is no finding
settings.load_profile("patient")

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class Make:
    """Makes records in which only what a test is about has to be said."""

    @staticmethod
    def moment(minutes: float = 0) -> datetime:
        return NOON + timedelta(minutes=minutes)

    def plan(self, *cases: tuple[str, str], minutes: float = 0) -> CampaignPlan:
        """Plan (target, test) pairs."""
        return CampaignPlan(
            kernel="duet",
            started_at=self.moment(minutes),
            isolation=Isolation.BOOT,
            cases=tuple(Case(target=target, test=test) for target, test in cases),
            revision=Revision(commit="c0ffee" + "0" * 34, described="c0ffee0", dirty=False),
            arguments=("run",),
        )

    def facts(self, target: str = "aarch64", *, image: str = "ab" * 32) -> TargetFacts:
        return TargetFacts(
            target=target,
            arch="x86_64" if "x86_64" in target else "aarch64",
            qemu_version="QEMU emulator version 9.2.0",
            accelerator="tcg",
            command_line=f"qemu-system-{target} -display none -kernel kernel/build/{target}/duet.elf",
            image_sha256=image,
            build_id="1234abcd",
        )

    def linux_facts(self, target: str) -> TargetFacts:
        native = "x86_64" in target
        linux, arch = "Linux 6.18.1", "x86_64" if native else "aarch64"
        return TargetFacts(
            target=target,
            arch=arch,
            qemu_version=linux if native else f"qemu-aarch64 version 9.2.0 on {linux}",
            accelerator="native" if native else "user-mode emulation",
            command_line=f"{'' if native else 'qemu-aarch64 '}kernel/build/{arch}/user/bin/dup_test",
            image_sha256="cd" * 32,
        )

    def attempt(
        self,
        test: str = "fork_test",
        outcome: Outcome = Outcome.PASS,
        *,
        target: str = "aarch64",
        evidence: str = "the test said so",
        error_number: int | None = None,
        minutes: float = 0,
        transcript: bytes | None = None,
        isolation: Isolation = Isolation.BOOT,
        hang: Hang | None = None,
    ) -> Attempt:
        logs: tuple[Log, ...] = ()
        if transcript is not None:
            logs = (Log(kind=LogKind.TRANSCRIPT, port="console", content=transcript),)
        return Attempt(
            target=target,
            test=test,
            verdict=Verdict(outcome=outcome, evidence=(evidence,), error_number=error_number),
            nonce="n0nce",
            isolation=isolation,
            started_at=self.moment(minutes),
            duration_s=1.25,
            logs=logs,
            hang=hang,
        )

    def hang(
        self,
        folder: Path,
        cause: Cause = Cause.LOCK_LEAKED,
        *,
        sentence: str = "CPU 1 spins on root_lock, which nobody holds",
        subject: str = "root_lock",
        frames: tuple[str, ...] = ("root_fs", "sys_open"),
        missing: tuple[str, ...] = (),
    ) -> Hang:
        diagnosis = Diagnosis(
            cause=cause,
            confidence=Confidence.MEDIUM,
            sentence=sentence,
            evidence=("CPU 1: pc 0x40081234 in root_fs+0x14",),
            subject=subject,
            frames=frames,
            missing=missing,
        )
        return Hang(folder=folder, diagnosis=diagnosis, pause_s=0.07, took_s=2.5)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="write tests/golden/ anew from what the program says now; read the difference before committing",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a file in tests/golden/, byte for byte."""

    def compare(name: str, content: str) -> None:
        file = Path(__file__).parent / "golden" / name
        if request.config.getoption("--write-golden"):
            file.write_bytes(content.encode())
        assert content == file.read_bytes().decode()

    return compare


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """An empty results database of its own."""
    with open_repository("sqlite:///.parity/parity.db", tmp_path / ".parity") as opened:
        yield opened
