"""A file of other people's results: what it is, and what it came to before anything is stored."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from parity.campaign import Revision
from parity.errors import UsageError
from parity.interchange.page.words import find_architectures

if TYPE_CHECKING:
    from pathlib import Path

    from parity.campaign import ImportedCampaign
    from parity.configuration import Configuration
    from parity.interchange.page import Finding
    from parity.interchange.page.record import PlannedEntry

_PAGE_LIMIT: Final = 512 * 1024
"""Bytes of a page: nobody keeps a larger one by hand."""
_XML: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s{0,1000}<(?:\?xml|!DOCTYPE|!--|testsuite)", re.IGNORECASE)
_ARCHIVE: Final = b"PK\x03\x04"
_TAP: Final = re.compile(
    rb"^[^\n]{0,60}?(?:K?TAP version \d)|^1\.\.\d{1,9}\s*$|^(?:not )?ok \d", re.MULTILINE
)
_HEADING: Final = re.compile(rb"^#{1,6} \S", re.MULTILINE)
_REVISION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/+-]{0,63}")


class Format(StrEnum):
    """What a file turned out to be."""

    RUN = "run"
    """Runs as parity's own file (parity.flow.exchange.run_file)."""
    JUNIT = "junit"
    TAP = "tap"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the caller says of a file that may not say it itself."""

    target: str | None = None
    started_at: datetime | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What a file came to, before anything is stored."""

    format: Format
    source: str
    campaigns: tuple[ImportedCampaign, ...]
    """The oldest first."""
    lines: tuple[int, ...] = ()
    """Where a page tells of each campaign; empty for other files."""
    baseline: str | None = None
    """The identity of the campaign that a page calls its baseline, where it tells of that one."""
    entries: tuple[PlannedEntry, ...] = ()
    """What would go into the plan's folder."""
    findings: tuple[Finding, ...] = ()
    """What the page says against itself."""
    unknown: tuple[str, ...] = ()
    """Names of tests that parity.toml does not have, printable; each once."""
    notes: tuple[str, ...] = ()
    """What was guessed and what was left out, printable."""


def sniff_format(file: Path) -> Format:
    """Return what a file is, by its content; raise `UsageError` where it is nothing known or cannot be read."""
    head = read_bounded(file, 1 << 20, cut=True)
    if head.startswith(_ARCHIVE):
        return Format.RUN
    if _XML.match(head):
        return Format.JUNIT
    if file.suffix.casefold() not in (".md", ".markdown") and _TAP.search(head):
        return Format.TAP
    if _HEADING.search(head):
        return Format.PAGE
    raise UsageError(
        f"{file}: is nothing that can be imported",
        hint="JUnit XML, TAP, KTAP, a parity page in Markdown, or a file of parity export --format run",
    )


def read_bounded(file: Path, limit: int, *, cut: bool = False) -> bytes:
    """Return a file's content; raise `UsageError` where it cannot be read, or is longer and not to be cut."""
    try:
        with file.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) > limit and not cut:
        raise UsageError(f"{file}: is larger than {limit // 1024} KiB")
    return content[:limit]


def read_page_text(file: Path) -> str:
    """Return a page's text; raise `UsageError` where it is too large or no UTF-8."""
    try:
        return read_bounded(file, _PAGE_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from error


def make_revision(name: str | None) -> Revision | None:
    """Return the revision that a user names; raise `UsageError` for what is none."""
    if name is None:
        return None
    if not _REVISION.fullmatch(name):
        raise UsageError(f"{name!r} is no revision: up to 64 letters, digits, and . _ / + - inside")
    return Revision(commit=name, described=name[:12], dirty=False)


def make_identity(kind: Format, kernel: str, started_at: datetime | None, content: object) -> str:
    """Return 32 hexadecimal digits that follow from what was recorded, not from the file that it came in."""
    moment = None if started_at is None else started_at.isoformat()
    text = json.dumps([kind, kernel, moment, content], ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def guess_target(configuration: Configuration, words: str) -> tuple[str, str] | None:
    """Return the target whose architecture a text names first, and why; None where it names none of theirs.

    Of several targets of one architecture the port is taken, then the reference; Linux's own never is.
    """
    for architecture in find_architectures(words):
        names = [
            name
            for name, target in configuration.targets.items()
            if target.arch == architecture and not target.is_host
        ]
        preferred = [
            name for name in (configuration.kernel.port, configuration.kernel.reference) if name in names
        ]
        if preferred or len(names) == 1:
            chosen = (preferred or names)[0]
            return str(
                chosen
            ), f"taken for {chosen}, as it speaks of {architecture} (--target says otherwise)"
    return None


def parse_moment(text: str) -> datetime:
    """Return the moment of ISO 8601 text, UTC where it names no zone; raise `UsageError`."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no day or time", hint="such as 2026-11-21 or 2026-11-21T14:30"
        ) from None


def refuse_future(plan: ImportPlan, now: datetime) -> None:
    """Raise `UsageError` for a run that has not begun yet: it would stay the newest one for good."""
    for campaign in plan.campaigns:
        if campaign.started_at > now + timedelta(days=1):  # days and clocks differ between places
            raise UsageError(
                f"{plan.source}: a run of {campaign.started_at:%Y-%m-%d} is not yet over",
                hint="correct the day, or say --started for a results file",
            )
