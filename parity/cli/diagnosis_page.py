"""A diagnosis on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from parity.cli.table import print_table
from parity.diagnosis import Confidence
from parity.flow.hang.diagnosis_page import CPU_HEADER, THREAD_HEADER, make_page
from parity.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from parity.flow.hang.diagnose import Examined
    from parity.flow.hang.diagnosis_page import Section

_STYLES: Final = {
    Confidence.VERY_HIGH: "bold red",
    Confidence.HIGH: "bold red",
    Confidence.MEDIUM: "bold yellow",
    Confidence.LOW: "dim",
}


def show_diagnosis(out: Console, examined: Examined, *, events: int, frames: int) -> None:
    """Write everything, the verdict first."""
    diagnosis = examined.diagnosis
    page = make_page(examined, events=events, frames=frames)
    out.print(Text(page.title, style="bold"), soft_wrap=True)
    cause, confidence = diagnosis.cause.replace("-", " "), diagnosis.confidence.replace("-", " ")
    out.print(
        Text.assemble((cause, _STYLES[diagnosis.confidence]), f", {confidence} confidence"), soft_wrap=True
    )
    out.print(Text(f"  {printable(diagnosis.sentence)}", style="bold"), soft_wrap=True)
    for section in page.evidence:
        _show(out, section, bullet="- ")
    if page.cpus:
        out.print()
        print_table(out, CPU_HEADER, page.cpus)
    for section in page.details:
        _show(out, section)
    if page.threads:
        out.print()
        print_table(out, THREAD_HEADER, page.threads)
    _show(out, page.missing, bullet="- ")
    out.print()
    out.print(Text(printable(page.origin), style="dim"), soft_wrap=True)


def _show(out: Console, section: Section, *, bullet: str = "") -> None:
    if section.lines:
        out.print()
        out.print(Text(section.title, style="bold cyan"))
    for line in section.lines:
        out.print(Text(f"  {bullet}{line}"), soft_wrap=True)
