"""Rows of hangs to records and back; a capture's folder is relative to the state folder while it is stored."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from db.models import NAME_LENGTH, HangRow
from parity.diagnosis import Cause, Confidence, Diagnosis, Hang, Suspicion
from parity.hangs import cause_key
from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping


def hang_row(hang: Hang, state_folder: Path) -> HangRow:
    """Return the row of a hang, whose owner is not set yet."""
    diagnosis = hang.diagnosis
    return HangRow(
        folder=stored_folder(hang.folder, state_folder),
        cause=diagnosis.cause.value,
        confidence=diagnosis.confidence.value,
        # Not every database keeps a NUL or a lone surrogate in a text.
        sentence=printable(diagnosis.sentence),
        evidence=list(diagnosis.evidence),
        subject=printable(diagnosis.subject),
        signature=signature_key(cause_key(diagnosis)),
        frames=list(diagnosis.frames),
        runners_up=[
            {
                "cause": suspicion.cause.value,
                "confidence": suspicion.confidence.value,
                "sentence": suspicion.sentence,
            }
            for suspicion in diagnosis.runners_up
        ],
        missing=list(diagnosis.missing),
        pause_s=hang.pause_s,
        took_s=hang.took_s,
    )


def hang_record(row: HangRow | None, state_folder: Path) -> Hang | None:
    """Return what the row says; what a newer parity named and this one does not know reads as unknown."""
    if row is None:
        return None
    cause = _cause(row.cause)
    newer = () if cause == row.cause else (f"a parity that knows the cause {printable(row.cause)!r}",)
    return Hang(
        folder=_absolute(state_folder) / row.folder,
        diagnosis=Diagnosis(
            cause=cause,
            confidence=_confidence(row.confidence),
            sentence=row.sentence,
            evidence=tuple(row.evidence),
            subject=row.subject,
            frames=tuple(row.frames),
            runners_up=tuple(map(_suspicion, row.runners_up)),
            missing=(*row.missing, *newer),
        ),
        pause_s=row.pause_s,
        took_s=row.took_s,
    )


def signature_key(signature: str) -> str:
    """Return a signature no longer than an index takes: a long one is cut, and ends in its SHA-256."""
    key = printable(signature)
    if len(key) <= NAME_LENGTH:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: NAME_LENGTH - len(digest) - 1]} {digest}"


def _suspicion(stored: Mapping[str, str]) -> Suspicion:
    return Suspicion(
        cause=_cause(stored.get("cause", "")),
        confidence=_confidence(stored.get("confidence", "")),
        sentence=stored.get("sentence", ""),
    )


def _cause(value: str) -> Cause:
    return Cause(value) if value in set(Cause) else Cause.UNKNOWN


def _confidence(value: str) -> Confidence:
    return Confidence(value) if value in set(Confidence) else Confidence.LOW


def stored_folder(folder: Path, state_folder: Path) -> str:
    """Return what a row says of a capture's folder: relative where it is in the state folder."""
    absolute, state = _absolute(folder), _absolute(state_folder)
    return (absolute.relative_to(state) if absolute.is_relative_to(state) else absolute).as_posix()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps `..`, resolve follows links
