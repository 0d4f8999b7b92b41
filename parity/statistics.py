"""How far a failure rate can be relied on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_STANDARD_DEVIATIONS: Final = 1.959963984540054
"""Of the normal distribution: 95 % of it lie within so many around its middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Failures among trials, with the interval in which the true share lies with 95 % confidence."""

    failures: int
    trials: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The failures' share of the trials; 0 where there was none."""
        return self.failures / self.trials if self.trials else 0.0


def failure_rate(failures: int, trials: int) -> Rate:
    """Return a rate with its Wilson score interval (E. B. Wilson, 1927), which also holds near 0 and 1.

    Without a trial the interval is all there is, from 0 to 1. Raises `ValueError` for counts that cannot be.
    """
    if not 0 <= failures <= trials:
        raise ValueError(f"{failures} failures of {trials} trials")
    if not trials:
        return Rate(failures=0, trials=0, low=0.0, high=1.0)
    share, square = failures / trials, _STANDARD_DEVIATIONS**2
    middle = share + square / (2 * trials)
    reach = _STANDARD_DEVIATIONS * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    scale = 1 + square / trials
    # At the ends the bound is the share itself, which rounding would miss.
    return Rate(
        failures=failures,
        trials=trials,
        low=max(0.0, (middle - reach) / scale) if failures else 0.0,
        high=min(1.0, (middle + reach) / scale) if failures < trials else 1.0,
    )


def describe_rate(rate: Rate) -> str:
    """Return the rate as a sentence, such as `3 of 400 failed: 0.75 % (95 % confidence: 0.26 % to 2.2 %)`."""
    if not rate.trials:
        return "nothing was measured"
    counted = f"{rate.failures} of {rate.trials} failed"
    if not rate.failures:
        return f"{counted}; with 95 % confidence fewer than {format_share(rate.high)} do"
    if rate.failures == rate.trials:
        return f"{counted}; with 95 % confidence more than {format_share(rate.low)} do"
    interval = f"{format_share(rate.low)} to {format_share(rate.high)}"
    return f"{counted}: {format_share(rate.share)} (95 % confidence: {interval})"


def format_share(share: float) -> str:
    """Return a share as a percentage of two significant digits, three from 10 % on."""
    percent = share * 100
    if percent >= 10:
        return f"{percent:.1f} %"
    digits = 1 - math.floor(math.log10(percent)) if percent > 0 else 0
    return f"{percent:.{max(0, digits)}f} %"
