"""Foresee the share of coordination in the cost of a plan, from the number of its agents (R4, M1)."""

from itertools import pairwise

from echelon.model.plan import Overhead
from echelon.planning.regime import OVERHEAD, row

#: Points (agents, share) between which the coordination share is interpolated: the ends of the bands of R4, and from 51
#: agents on where the band before ended, so that more agents never promise less coordination. A prior, not a measure.
OVERHEAD_POINTS: tuple[tuple[int, float], ...] = (
    (1, 0.0), (2, 0.10), (5, 0.15), (6, 0.15), (20, 0.25), (21, 0.25), (50, 0.35), (51, 0.35), (1000, 0.40),
)  # fmt: skip


def overhead(n: int) -> Overhead:
    """Return the usual band of coordination for `n` agents and the share expected inside it (R4, M1)."""
    band = row(OVERHEAD, n)
    for (low, share), (high, next_share) in pairwise(OVERHEAD_POINTS):
        if n <= high:
            position = max(0.0, (n - low) / (high - low))
            return Overhead(band=band, predicted=round(share + position * (next_share - share), 4))
    return Overhead(band=band, predicted=OVERHEAD_POINTS[-1][1])
