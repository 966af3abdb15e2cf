"""How names and tallies read in a proof."""

from collections import Counter
from collections.abc import Collection, Mapping

from echelon.model.phrasing import listed, percent, spaced, truncate

NAMED = 3  # names told one by one; the others are counted
NAME_CHARACTERS = 40


def named(names: Collection[str]) -> str:
    """Return the first names, each cut to a readable length, and how many more there are."""
    return listed(names, NAMED, lambda name: truncate(name, NAME_CHARACTERS))


def share(part: float) -> str:
    """Return a share as a percentage, with one digit so that a threshold and what missed it differ."""
    return percent(part, digits=1)


def tallied(counts: Mapping[str, int]) -> str:
    """Return `completed 238, failed 2`, the most frequent first."""
    return ", ".join(f"{spaced(name)} {number:,}" for name, number in Counter(counts).most_common())
