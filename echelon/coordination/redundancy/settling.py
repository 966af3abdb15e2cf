"""Whose outputs count of those that did the same (F9). Pure."""

from collections.abc import Sequence
from typing import NamedTuple


class Vote(NamedTuple):
    """What a replica delivered."""

    replica: int
    """Which one, from 1."""
    digest: str
    """Of what must be equal."""


def settled(votes: Sequence[Vote], failed: int, *, replicas: int, agree: int) -> tuple[int, ...] | None:
    """Return whose outputs count; nobody's when so many cannot agree any more, None while both is possible.

    `votes` are in the order in which they came, `failed` is how many will deliver nothing.

    >>> settled([Vote(2, "yes"), Vote(1, "no")], 0, replicas=3, agree=2) is None
    True
    >>> settled([Vote(2, "yes"), Vote(1, "no"), Vote(3, "yes")], 0, replicas=3, agree=2)
    (2, 3)
    """
    alike: dict[str, list[int]] = {}
    for vote in votes:
        same = alike.setdefault(vote.digest, [])
        same.append(vote.replica)
        if len(same) == agree:
            return tuple(sorted(same))
    coming = replicas - len(votes) - failed
    most = max(map(len, alike.values()), default=0)
    return () if most + coming < agree else None
