"""For how long a breaker stays open: longer with each opening that no recovery came in between of (F1)."""

import math
import random

from echelon.model.policy import BreakerPolicy


def open_seconds_of(policy: BreakerPolicy, trips: int, rng: random.Random) -> float:
    """Return the seconds of the opening number `trips` in a row, 1 for the first.

    Chance only takes off, so that the cap holds and a caller who waits for the full time is never too early.
    """
    return _grown(policy, trips) * (1 - policy.open_jitter * rng.random())


def _grown(policy: BreakerPolicy, trips: int) -> float:
    base, longest = policy.open_seconds, max(policy.open_seconds, policy.max_open_seconds)
    # Compared as logarithms: the power itself overflows after a thousand openings.
    if trips > 1 and (trips - 1) * math.log(policy.open_growth) >= math.log(longest / base):
        return longest
    return base * policy.open_growth ** (trips - 1)
