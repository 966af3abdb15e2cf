"""Revisions that go back and forth between the same versions (X5). Pure.

One task may return to what it had before because each check finds something else wrong with it; two agents may undo
what the other one did, each in reaction to the other. Either ends after a few reactions, and the owner decides.
"""

from collections.abc import Sequence

#: Returns to an earlier version that are made before the owner decides.
DEFAULT_REACTIONS = 3


def reactions_in(versions: Sequence[str]) -> int:
    """Count how often a version was given up for one that had been there before.

    >>> reactions_in(["a", "b", "c"]), reactions_in(["a", "a", "a"]), reactions_in(["a", "b", "a", "b"])
    (0, 0, 2)
    """
    return sum(
        version != versions[place - 1] and version in versions[: place - 1]
        for place, version in enumerate(versions)
        if place > 1
    )
