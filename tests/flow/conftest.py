"""A configuration for the flows, and runs that end as a test says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from db import open_repository
from parity.attempt import Isolation
from parity.campaign import CampaignState
from parity.configuration import load_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from parity.diagnosis import Hang
    from parity.outcome import Outcome
    from tests.conftest import Make


TOML = """
[kernel]
name = "duet"
{pair}
goal_percent = 90

[tests]
names = [{names}]

[defaults]
machine = "virt"
kernel = "duet.elf"
delivery = {{ kind = "shell", prompt = "duet> $" }}

{targets}
{more}
"""


def is_linux(target: str) -> bool:
    """Whether a target of these tests is a host's own Linux."""
    return target.startswith("linux-")


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Configuration]:
    """Write a parity.toml with the given tests and targets, the port first, and load it."""

    def write_and_load(
        *tests: str, targets: tuple[str, ...] = ("aarch64", "x86_64"), paired: bool = True, more: str = ""
    ) -> Configuration:
        tables = [
            f'[target.{name}]\narch = "{"x86_64" if "x86_64" in name else "aarch64"}"'
            + ('\ndelivery = { kind = "process" }' if is_linux(name) else "")
            for name in targets
        ]
        pair = f'port = "{targets[0]}"\nreference = "{targets[1]}"' if paired else ""
        names = ", ".join(f'"{test}"' for test in tests)
        file = tmp_path / "parity.toml"
        file.write_text(TOML.format(pair=pair, names=names, targets="\n".join(tables), more=more))
        return load_configuration(file)

    return write_and_load


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Repository]:
    """The results database of another machine."""
    with open_repository("sqlite:///.parity/parity.db", tmp_path / "other" / ".parity") as opened:
        yield opened


@dataclass(frozen=True)
class Past:
    """Runs that were, an hour apart."""

    repository: Repository
    make: Make

    def run(
        self,
        hour: int,
        results: Mapping[tuple[str, str], tuple[Outcome, str, int | None]],
        *,
        image: str = "ab" * 32,
        state: CampaignState = CampaignState.FINISHED,
        planned: int = 0,
        hangs: Mapping[tuple[str, str], Hang] | None = None,
        isolation: Isolation = Isolation.BOOT,
    ) -> int:
        """Record a run of (target, test) cases that end in (outcome, evidence, error number), some with captures."""
        cases = (*results, *(("aarch64", f"unreached_{n}") for n in range(planned - len(results))))
        campaign = self.repository.start_campaign(self.make.plan(*cases, minutes=60 * hour))
        for target in sorted({target for target, _ in results}):
            facts = (
                self.make.linux_facts(target) if is_linux(target) else self.make.facts(target, image=image)
            )
            self.repository.add_target(campaign, facts)
        for position, ((target, test), (outcome, evidence, number)) in enumerate(results.items()):
            self.repository.add_attempt(
                campaign,
                self.make.attempt(
                    test,
                    outcome,
                    target=target,
                    evidence=evidence,
                    error_number=number,
                    minutes=60 * hour + position / 60,
                    isolation=Isolation.PROCESS if is_linux(target) else isolation,
                    hang=(hangs or {}).get((target, test)),
                ),
            )
        self.repository.finish_campaign(campaign, state, self.make.moment(60 * hour + 3.2))
        return campaign


@pytest.fixture
def past(repository: Repository, make: Make) -> Past:
    return Past(repository, make)
