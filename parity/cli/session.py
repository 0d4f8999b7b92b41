"""What every command needs: the configuration, the two consoles, and how errors are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from parity.printable import printable

if TYPE_CHECKING:
    from parity.configuration import Configuration
    from parity.errors import ParityError


class ExitStatus(IntEnum):
    """What the process's exit status says."""

    AS_WANTED = 0
    TESTS_FAILED = 1
    USAGE = 2
    HARNESS = 3
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation: where parity.toml is, and where to write."""

    out: Console
    err: Console
    config_file: Path | None

    def configuration(self) -> Configuration:
        """Find and load parity.toml; raise `ConfigurationError`."""
        from parity.configuration import find_file, load_configuration  # noqa: PLC0415 - keeps --help fast

        return load_configuration((self.config_file or find_file(Path())).resolve())

    def tell_error(self, error: ParityError) -> None:
        """Write what went wrong and what to do about it, to standard error."""
        self.err.print(Text.assemble(("error: ", "bold red"), printable(error.message)), soft_wrap=True)
        if error.hint:
            self.err.print(Text.assemble(("hint: ", "bold cyan"), printable(error.hint)), soft_wrap=True)


def open_session(config_file: Path | None) -> Session:
    """Return the session of one invocation; colours only where a terminal shows them."""
    return Session(
        out=Console(highlight=False), err=Console(stderr=True, highlight=False), config_file=config_file
    )


def interrupted_status(number: int) -> int:
    """Return what a shell makes of a process that a signal ended."""
    return 128 + number
