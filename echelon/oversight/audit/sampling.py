"""Which integrations are audited: a share by how many there are, drawn by a seed, some of every domain (O4). Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

#: (up to so many integrations of a phase, the share that is looked at); the first row that fits. Few are cheap to look
#: at, and one of them is much of the whole.
RATES: tuple[tuple[int | None, float], ...] = ((9, 1.0), (49, 0.5), (199, 0.25), (None, 0.1))


class Candidate(NamedTuple):
    """An integration that may be audited."""

    task_id: str
    """What it is recorded as."""
    domain: str | None
    """The domain of who made it; None for one without."""


def rate_for(integrations: int) -> float:
    """Return the share of so many integrations that is looked at.

    >>> rate_for(9), rate_for(10), rate_for(500)
    (1.0, 0.5, 0.1)
    """
    return next(rate for most, rate in RATES if most is None or integrations <= most)


def sampled(candidates: Sequence[Candidate], rate: float | None, seed: int) -> tuple[str, ...]:
    """Return those that are audited, in their order; of every domain one at least, unless the rate is 0.

    The same seed always draws the same ones, whatever order they are in: a run that is resumed looks at no others.
    """
    share = rate_for(len(candidates)) if rate is None else rate
    if share <= 0:
        return ()
    groups: defaultdict[str | None, list[str]] = defaultdict(list)
    for one in candidates:
        groups[one.domain].append(one.task_id)
    drawn = {
        name
        for group in groups.values()
        for name in sorted(group, key=lambda name: draw(seed, name))[: max(1, ceil(share * len(group) - 1e-9))]
    }
    return tuple(one.task_id for one in candidates if one.task_id in drawn)


def draw(seed: object, name: str) -> bytes:
    """Return a place by which names are drawn: the same in every process."""
    return hashlib.sha256(f"{seed}\0{name}".encode(errors="surrogatepass")).digest()
