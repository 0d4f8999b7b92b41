"""How pass rates went, as few enough points for a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.standing import format_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parity.document.chronicle import Chronicle, RunChanges
    from parity.standing import Scope

_MOST_POINTS: Final = 30
_MOST_TARGETS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Pass rates after chosen runs."""

    targets: tuple[str, ...]
    """The port first; those without a rate at the first point are left out."""
    points: tuple[RunChanges, ...]
    """The first one first: those at which a rate changed, the first run and the last one, thinned out where they are
    many."""
    left_out: int
    """Runs between them."""

    def series(self, target: str) -> tuple[str, ...]:
        """Return a target's rates at the points, in percent, as tables have them."""
        rates = (point.rates[target] for point in self.points)
        return tuple(format_percent(rate.passed, rate.total).removesuffix("%") for rate in rates)


def draw_chart(trend: Trend, colours: Sequence[str]) -> tuple[str, ...]:
    """Return the lines of Mermaid's `xychart-beta` (since Mermaid 10.6), a line for each target in its colour."""
    runs = ", ".join(f'"{point.campaign.number}"' for point in trend.points)
    return (
        "---",
        "config:",
        "  themeVariables:",
        "    xyChart:",
        f'      plotColorPalette: "{", ".join(colours[: len(trend.targets)])}"',
        "---",
        "xychart-beta",
        '    title "Tests that pass, in percent"',
        f'    x-axis "run" [{runs}]',
        '    y-axis "percent" 0 --> 100',
        *(f"    line [{', '.join(trend.series(target))}]" for target in trend.targets),
    )


def find_trend(scope: Scope, chronicle: Chronicle) -> Trend | None:
    """Return how the kernel's rates went; None where there are fewer than two runs to compare."""
    wanted = (scope.pair[1], scope.pair[0]) if scope.pair else scope.kernel_targets[:_MOST_TARGETS]
    runs = [run for run in chronicle.runs if any(target in run.rates for target in wanted[:1])]
    if len(runs) < 2:
        return None
    targets = tuple(target for target in wanted if target in runs[0].rates)
    moments = [
        run
        for before, run in zip((None, *runs), runs, strict=False)
        if before is None or run is runs[-1] or _rates(run, targets) != _rates(before, targets)
    ]
    points = _thin(moments)
    return Trend(targets=targets, points=points, left_out=len(runs) - len(points))


def _rates(run: RunChanges, targets: Sequence[str]) -> list[tuple[int, int]]:
    return [(run.rates[target].passed, run.rates[target].total) for target in targets]


def _thin(runs: Sequence[RunChanges]) -> tuple[RunChanges, ...]:
    """Return at most `_MOST_POINTS` of the runs, evenly spaced, the first and the last among them."""
    if len(runs) <= _MOST_POINTS:
        return tuple(runs)
    return tuple(runs[number * (len(runs) - 1) // (_MOST_POINTS - 1)] for number in range(_MOST_POINTS))
