"""What `parity run --audit` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from parity.flow.campaign.audit import Audit, Difference


def tell_audit(out: Console, audit: Audit, seed: int) -> None:
    """Write which tests came out differently, and where nothing could be compared."""
    for name, why in audit.runs[0].without_snapshots.items():
        out.print(f"{name} has no snapshots: {printable(why)}", markup=False, soft_wrap=True)
    out.print(
        f"audit: {audit.compared} tests under snapshots and on fresh boots (seed {seed}); "
        f"{sum(d.is_isolation for d in audit.differences)} depend on isolation",
        soft_wrap=True,
    )
    for difference in audit.differences:
        out.print(f"  {describe_difference(difference)}", markup=False, soft_wrap=True)


def describe_difference(difference: Difference) -> str:
    """Return one test's outcomes, and what they mean."""
    snapshot, boot = ", ".join(difference.snapshot), ", ".join(difference.boot)
    means = "depends on isolation" if difference.is_isolation else "comes out now so, now so"
    return f"{difference.test} on {difference.target}: {means} (snapshot: {snapshot}; boot: {boot})"


def audit_as_json(audit: Audit, seed: int) -> dict[str, object]:
    """Return an audit as JSON values."""
    return {
        "runs": [summary.number for summary in audit.runs],
        "seed": seed,
        "compared": audit.compared,
        "without_snapshots": dict(audit.runs[0].without_snapshots),
        "differences": [
            {
                "target": difference.target,
                "test": difference.test,
                "snapshot": difference.snapshot,
                "boot": difference.boot,
                "depends_on_isolation": difference.is_isolation,
            }
            for difference in audit.differences
        ],
    }
