"""Why tests hang, as commands tell it: in lines for people, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from parity.hangs import cause_words, count_blocked, group_hangs
from parity.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from parity.attempt import Attempt, StoredAttempt
    from parity.diagnosis import Hang


def describe_hang(hang: Hang | None) -> dict[str, object] | None:
    """Return what JSON says of a hang; None for none."""
    if hang is None:
        return None
    diagnosis = hang.diagnosis
    return {
        "cause": diagnosis.cause,
        "confidence": diagnosis.confidence,
        "sentence": diagnosis.sentence,
        "evidence": diagnosis.evidence,
        "subject": diagnosis.subject,
        "frames": diagnosis.frames,
        "signature": diagnosis.signature,
        "runners_up": [
            {"cause": found.cause, "confidence": found.confidence, "sentence": found.sentence}
            for found in diagnosis.runners_up
        ],
        "missing": diagnosis.missing,
        "capture": str(hang.folder),
        "pause_s": round(hang.pause_s, 4),
        "took_s": round(hang.took_s, 4),
    }


def show_groups(console: Console, attempts: Iterable[Attempt | StoredAttempt]) -> None:
    """Write how many causes block how many tests, and below that each cause; nothing where none hangs."""
    groups = [group for group in group_hangs(attempts) if group.cause.is_hang]
    for headline in count_blocked(groups):
        console.print(Text(headline, style="bold magenta"), soft_wrap=True)
    for group in groups:
        line = f"  {group.extent}: {printable_line(group.diagnosis.sentence)} ({describe_confidence(group.hang)})"
        console.print(Text(f"{line}; such as {group.example.test}"), soft_wrap=True)


def show_hang(console: Console, hang: Hang, *, said: Iterable[str], size_bytes: int | None) -> None:
    """Write what a hang's capture proves and where it is.

    `said` is what was already written, in which the sentence may be; `size_bytes` is None where the folder is gone.
    """
    diagnosis = hang.diagnosis
    console.print(
        Text.assemble(
            (f"{cause_words(diagnosis.cause)} ({describe_confidence(hang)})", "bold magenta"),
            "" if any(diagnosis.sentence in line for line in said) else f": {printable(diagnosis.sentence)}",
        ),
        soft_wrap=True,
    )
    for missing in diagnosis.missing:
        console.print(Text(f"  missing: {printable(missing)}"), soft_wrap=True)
    if size_bytes is None:
        console.print(
            Text(f"its capture is gone: {printable(str(hang.folder))}", style="yellow"), soft_wrap=True
        )
    else:
        shown = f"capture ({format_size(size_bytes)}): {printable(str(hang.folder))}"
        console.print(Text(shown, style="dim"), soft_wrap=True)


def describe_confidence(hang: Hang) -> str:
    """Return how much the verdict can be relied on, such as `very high confidence`."""
    return f"{hang.diagnosis.confidence.replace('-', ' ')} confidence"


def format_size(size_bytes: int) -> str:
    """Return a size in the unit that matters."""
    if size_bytes < 1024:
        return f"{size_bytes} bytes"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.0f} KiB"
    return f"{size_bytes / 1024 / 1024:.1f} MiB"
