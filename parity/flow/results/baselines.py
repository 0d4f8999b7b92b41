"""Runs pinned by name, so that later ones can be compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parity.campaign import Baseline, CampaignState
from parity.configuration.model import PLAIN_NAME
from parity.errors import UsageError
from parity.printable import printable_line

if TYPE_CHECKING:
    from datetime import datetime

    from db import Repository

_NOTE_LIMIT: Final = 500
"""Characters of a note."""


def pin_run(
    repository: Repository, name: str, run: int | None = None, *, note: str = "", now: datetime
) -> Baseline:
    """Pin a run, the newest finished one where none is given; a name that is pinned already moves.

    Raises `UsageError` for what is no name, for no such run, and where none has finished.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a baseline",
            hint="letters, digits, and . _ + - inside, at most 64; for example: parity baseline pin release-1",
        )
    baseline = Baseline(
        name=name,
        campaign=_newest_finished(repository) if run is None else run,
        pinned_at=now,
        note=printable_line(note, limit=_NOTE_LIMIT),
    )
    repository.pin_baseline(baseline)
    return baseline


def _newest_finished(repository: Repository) -> int:
    for campaign in repository.campaigns():
        if campaign.state is CampaignState.FINISHED:
            return campaign.number
    raise UsageError("no run has finished yet", hint="name one: parity baseline pin NAME RUN")
