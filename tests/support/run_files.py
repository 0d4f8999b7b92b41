"""Runs that have a bit of everything, and all that a database holds: what a file of runs must carry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parity.attempt import BootFailure, Log, LogKind
from parity.campaign import CampaignState, ImportedCampaign, Origin, ReportedTotal
from parity.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from db import Repository
    from tests.flow.conftest import Past

URL = "sqlite:///.parity/parity.db"
PASS = (Outcome.PASS, "the test exited with status 0", None)
STUCK = (Outcome.HANG, "no output for 5 s", None)
CAPTURE = {"capture.json": b"{}", "core": b"\x7fELF" * 999, "memory/0xffff000040081000.bin": b"\0" * 4096}


def write_capture(repository: Repository, name: str) -> Path:
    folder = repository.state_folder / "captures" / name
    for part, content in CAPTURE.items():
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).write_bytes(content)
    return folder


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        found.relative_to(folder).as_posix(): found.read_bytes()
        for found in folder.rglob("*")
        if found.is_file()
    }


def record_all(past: Past) -> tuple[int, ...]:
    """Record two runs that have a bit of everything, and a page's; return their numbers."""
    repository, make = past.repository, past.make
    hang = make.hang(write_capture(repository, "20261102-fork"))
    first = past.run(
        0,
        {("aarch64", "fork_test"): STUCK, ("x86_64", "fork_test"): PASS, ("aarch64", "dup_test"): PASS},
        hangs={("aarch64", "fork_test"): hang},
    )
    second = repository.start_campaign(make.plan(("aarch64", "fork_test"), minutes=60))
    repository.add_attempt(second, make.attempt(outcome=Outcome.FAIL, minutes=60))
    repository.add_target(second, make.facts(image="cd" * 32))
    repository.add_attempt(second, make.attempt(minutes=61, transcript=b"duet> fork_test\n"))
    repository.add_boot_failure(
        second,
        BootFailure(
            target="aarch64",
            started_at=make.moment(62),
            duration_s=20.0,
            reason="no prompt within 20 s",
            logs=(Log(kind=LogKind.RAW, port="console", content=b"half a bo\xff"),),
            hang=make.hang(write_capture(repository, "20261102-boot")),
        ),
    )
    repository.finish_campaign(second, CampaignState.INTERRUPTED, make.moment(63))
    page, _ = repository.add_imported(
        ImportedCampaign(
            identity="ab" * 16,
            kernel="duet",
            origin=Origin.HAND_KEPT,
            source="page.md",
            started_at=make.moment(-60),
            attempts=(make.attempt("dup_test", minutes=-60),),
            totals=(ReportedTotal(target="aarch64", passed=33, total=80),),
        )
    )
    return first, second, page


def everything(repository: Repository) -> dict[str, object]:
    """Return what a database holds, less what must differ: where files are, and whence measured runs came."""
    campaigns = repository.campaigns()
    state_folder = repository.state_folder

    def plain(value: Any) -> str:
        return repr(value).replace(str(state_folder), "STATE")

    return {
        "campaigns": [replace(campaign, source="") for campaign in campaigns],
        "facts": [repository.campaign_facts(campaign.number) for campaign in campaigns],
        "attempts": [plain(repository.campaign_attempts(campaign.number)) for campaign in campaigns],
        "logs": [
            plain(repository.logs_of(attempt.id))
            for campaign in campaigns
            for attempt in repository.campaign_attempts(campaign.number)
        ],
        "boots": [plain(repository.boot_failures(campaign.number)) for campaign in campaigns],
        "totals": repository.reported_totals(),
        "remaining": [repository.remaining_cases(campaign.number) for campaign in campaigns],
        "baselines": repository.baselines(),
        "files": {
            folder: read_folder(state_folder / folder)
            for folder in ("logs", "captures")
            if (state_folder / folder).exists()
        },
    }
