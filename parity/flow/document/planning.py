"""The plan in its folder: read, and held against parity.toml and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parity.errors import PlanError, PlanFault
from parity.planning import Plan, build_plan, parse_entry
from parity.planning.entry import LONGEST_ENTRY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from parity.planning import Entry

_MOST_ENTRIES: Final = 5000
_NOT_ENTRIES: Final = ("README.md",)
"""What may stand beside the entries."""


def read_checked_plan(configuration: Configuration, repository: Repository | None) -> Plan:
    """Return the plan that `kernel.plan` names, every name in it checked.

    Runs are not checked where there are no results yet. Raises `PlanError` with all that is wrong.
    """
    folder = configuration.root / configuration.kernel.plan
    if "plan" in configuration.kernel.model_fields_set and not folder.is_dir():
        raise PlanError([PlanFault(str(configuration.file), 1, f"kernel.plan: there is no folder {folder}")])
    runs = {campaign.number for campaign in repository.campaigns()} if repository is not None else None
    return read_plan(folder, tests=configuration.tests, runs=runs)


def read_plan(
    folder: Path, *, tests: Collection[str] | None = None, runs: Collection[int] | None = None
) -> Plan:
    """Return the plan of all entries below a folder (`*.md`, without README.md); an empty one where it is not there.

    `tests` and `runs` are what entries may name; None leaves that unchecked. Raises `PlanError` with all that is
    wrong in any of them. Links that lead out of the folder are not followed.
    """
    entries: list[Entry] = []
    faults: list[PlanFault] = []
    for file in _files(folder):
        try:
            entries.append(parse_entry(_read(file), _name(file, folder)))
        except PlanError as error:
            faults += error.faults
        except OSError as error:
            faults.append(PlanFault(_name(file, folder), 1, f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError as error:
            faults.append(PlanFault(_name(file, folder), 1, f"is not UTF-8 (byte {error.start})"))
    return build_plan(entries, tests=tests, runs=runs, faults=faults)


def _files(folder: Path) -> Iterator[Path]:
    found = sorted(path for path in folder.rglob("*.md") if path.name not in _NOT_ENTRIES)
    if len(found) > _MOST_ENTRIES:
        raise PlanError([PlanFault(str(folder), 1, f"holds more than {_MOST_ENTRIES} entries")])
    root = folder.resolve()
    return (path for path in found if path.is_file() and path.resolve().is_relative_to(root))


def _read(file: Path) -> str:
    with file.open("rb") as stream:
        return stream.read(4 * LONGEST_ENTRY + 1).decode("utf-8")


def _name(file: Path, folder: Path) -> str:
    """Return how messages call a file: from the folder that holds the plan."""
    return str(file.relative_to(folder.parent))
