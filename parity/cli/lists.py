"""Lists under a heading with their number, bounded: what more there is, `--json` has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from parity.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

_SHOWN: Final = 50


def print_line(console: Console, line: str, *, style: str = "") -> None:
    """Write one line, made harmless: no markup in it, and not broken where the terminal ends."""
    console.print(Text(printable(line), style=style), soft_wrap=True)


def print_list(console: Console, title: str, entries: Iterable[str], *, style: str = "") -> None:
    """Write the title, the entries' number, and the first fifty, each of one or more lines; nothing where none is."""
    listed = tuple(entries)
    if not listed:
        return
    print_line(console, f"{title}: {len(listed)}", style=style)
    for entry in listed[:_SHOWN]:
        for line in entry.split("\n"):
            print_line(console, f"  {line}")
    if len(listed) > _SHOWN:
        print_line(console, f"  and {len(listed) - _SHOWN} more; --json has them all")
