"""One campaign in a process of its own, measured: `python -m tests.bench.one_campaign FOLDER ISOLATION JOBS TARGET ...`.

With 0 jobs as many machines run as the host carries. Writes one JSON object: wall-clock seconds, CPU seconds of this
process and of what it started, its largest memory, and of every attempt when it began and how long it took.
"""

# ruff: noqa: E402
from __future__ import annotations

from parity.cli.interpreter import collect_rarely

collect_rarely()  # as the command line does it: before anything large is imported

import json
import resource
import sys
import time
from pathlib import Path

from db import open_repository
from parity.attempt import Isolation
from parity.cli.progress import SilentObserver
from parity.configuration import load_configuration
from parity.flow.campaign.order import Order
from parity.flow.campaign.run import run_campaign
from parity.flow.campaign.selection import select_cases


def main() -> None:
    """Run it."""
    folder, isolation, jobs, *targets = sys.argv[1:]
    configuration = load_configuration(Path(folder) / "parity.toml")
    order = Order(
        cases=select_cases(configuration, targets=targets),
        isolation=Isolation(isolation),
        jobs=int(jobs) or None,
        build=False,
    )
    began = time.monotonic()
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        summary = run_campaign(configuration, repository, order, SilentObserver())
    wall_s = time.monotonic() - began
    own, started = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    json.dump(
        {
            "wall_s": wall_s,
            "own_cpu_s": own.ru_utime + own.ru_stime,
            "started_cpu_s": started.ru_utime + started.ru_stime,
            "memory_mib": own.ru_maxrss / 1024,
            "attempts": [
                {
                    "target": attempt.target,
                    "test": attempt.test,
                    "outcome": attempt.verdict.outcome,
                    "isolation": attempt.isolation,
                    "started_s": attempt.started_at.timestamp(),
                    "duration_s": attempt.duration_s,
                }
                for attempt in summary.attempts
            ],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
