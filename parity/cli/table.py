"""Tables: drawn on a terminal, aligned words without colours or cuts where the output goes elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console


def print_table(console: Console, header: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Write a table; text in it is made harmless, `Text` keeps its colours on a terminal."""
    shown = [[_harmless(cell) for cell in row] for row in rows]
    if console.is_terminal:
        _draw(console, header, shown)
    else:
        _align(console, [[Text(name) for name in header], *shown])


def _draw(console: Console, header: Sequence[str], rows: Iterable[Sequence[Text]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in header:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _align(console: Console, rows: Sequence[Sequence[Text]]) -> None:
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(
            cell.plain + " " * (width - cell.cell_len) for cell, width in zip(row, widths, strict=True)
        )
        console.print(Text(line.rstrip()), soft_wrap=True)


def _harmless(cell: str | Text) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text(printable_line(cell))
