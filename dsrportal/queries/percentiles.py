"""Percentiles from a histogram of days. Pure; used by the overview and its forecast."""

from __future__ import annotations

from collections.abc import Mapping

FEWEST = 5
"""Of fewer than this, nothing is said: neither how many nor how long, since a person could be singled out."""
MEDIAN, HIGH = 50, 85


def percentile(histogram: Mapping[int, int], *, rank: int) -> int | None:
    """The smallest number of days within which `rank` of 100 were done (nearest rank); None where there is nothing to go by."""
    total = sum(histogram.values())
    if total <= 0:
        return None
    needed, seen = -(-rank * total // 100), 0
    for days in sorted(histogram):
        seen += histogram[days]
        if seen >= needed:
            return days
    return None
