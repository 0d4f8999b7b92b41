"""`parity baseline`: pin runs by name, list and remove the names."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.completion import complete_baseline, complete_run
from parity.cli.options import AsJson  # noqa: TC001 - Typer reads annotations at run time

if TYPE_CHECKING:
    from parity.campaign import Baseline, StoredCampaign
    from parity.cli.session import Session

baseline_application = typer.Typer(
    name="baseline",
    no_args_is_help=True,
    help=(
        "Pin runs by name, to compare later ones with them.\n\n"
        'The one called "default" is what the document, `parity compare` and `parity gate` go by; where there is '
        "none, each test's first result is the baseline. Pruning keeps pinned runs."
    ),
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The baseline's name.", autocompletion=complete_baseline)
]


@baseline_application.command("pin")
def pin_command(
    context: typer.Context,
    name: Name,
    run: Annotated[
        int | None,
        typer.Argument(
            metavar="[RUN]",
            min=1,
            help="The run's number; the newest finished one where none is given.",
            autocompletion=complete_run,
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", "-n", metavar="TEXT", help="Why this one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Pin a run by a name; a name that is pinned already moves to it.

    For example: parity baseline pin default 12 --note "before the scheduler's rewrite"
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - keeps --help fast

    from rich.text import Text  # noqa: PLC0415

    from db import open_repository  # noqa: PLC0415
    from parity.flow.results.baselines import pin_run  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        baseline = pin_run(repository, name, run, note=note, now=datetime.now(UTC))
        campaign = repository.campaign(baseline.campaign)
    if as_json:
        sys.stdout.write(json.dumps(_describe(baseline, campaign), indent=2) + "\n")
    else:
        session.out.print(Text(f"{name} is run {campaign.number} of {_moment(campaign)}"), soft_wrap=True)


@baseline_application.command("list")
def list_baselines_command(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the baselines: name, run, when it started, kernel revision, note."""
    from db import open_repository  # noqa: PLC0415 - keeps --help fast
    from parity.cli.table import print_table  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        found = [(baseline, repository.campaign(baseline.campaign)) for baseline in repository.baselines()]
    if as_json:
        told = {"baselines": [_describe(baseline, campaign) for baseline, campaign in found]}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    elif not found:
        session.out.print("no run is pinned; pin one with: parity baseline pin NAME [RUN]")
    else:
        rows = [
            (
                baseline.name,
                str(campaign.number),
                _moment(campaign),
                campaign.revision.described if campaign.revision else "-",
                baseline.note or "-",
            )
            for baseline, campaign in found
        ]
        print_table(session.out, ("name", "run", "started (UTC)", "revision", "note"), rows)


@baseline_application.command("remove")
def remove_command(context: typer.Context, name: Name) -> None:
    """Forget a baseline's name; its run stays."""
    from rich.text import Text  # noqa: PLC0415 - keeps --help fast

    from db import open_repository  # noqa: PLC0415

    session: Session = context.obj
    configuration = session.configuration()
    with open_repository(configuration.database_url, configuration.state_folder, create=False) as repository:
        baseline = repository.baseline(name)
        repository.unpin_baseline(name)
    session.out.print(Text(f"removed {name}; run {baseline.campaign} stays"), soft_wrap=True)


def _describe(baseline: Baseline, campaign: StoredCampaign) -> dict[str, object]:
    return {
        "name": baseline.name,
        "run": campaign.number,
        "started_at": campaign.started_at.isoformat(),
        "revision": campaign.revision.commit if campaign.revision else None,
        "pinned_at": baseline.pinned_at.isoformat(),
        "note": baseline.note,
    }


def _moment(campaign: StoredCampaign) -> str:
    return campaign.started_at.strftime("%Y-%m-%d %H:%M")
