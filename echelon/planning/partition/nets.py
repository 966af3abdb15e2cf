"""Who would have to hand on to whom, as a hypergraph: one net a producer, its pins are the producer and its consumers.

A producer hands its output to every group that uses it, once a group. Cut into groups, a net therefore costs one
handoff for every group that it reaches beyond the first (D2).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDE = 64  # pins; of a wider net only the pins near by are looked at, so that hubs do not cost the square of their size
NEAR = 8  # pins looked at on either side


@dataclass(frozen=True, slots=True)
class Nets:
    """A hypergraph whose equal nets are one, with the number of them as its weight."""

    pins: Sequence[tuple[int, ...]]
    """The members of each net, ascending, two at least."""
    weights: Sequence[int]
    """The handoffs that each group costs which the net reaches beyond the first."""
    of: Sequence[Sequence[int]]
    """The nets of each member."""

    def near(self, net: int, member: int) -> Sequence[int]:
        """Return the pins of a net, of a wide one only those near `member`."""
        pins = self.pins[net]
        if len(pins) <= WIDE:
            return pins
        middle = bisect_left(pins, member)
        return pins[max(0, middle - NEAR) : middle + NEAR + 1]

    def merged(self, group_of: Sequence[int], groups: int) -> "Nets":
        """Return the nets between `groups` groups, whose members are taken as one."""
        return _build(
            ((tuple(sorted({group_of[v] for v in pins})), w) for pins, w in zip(self.pins, self.weights, strict=True)),
            groups,
        )

    def cost(self, group_of: Sequence[int]) -> int:
        """Return the handoffs between groups."""
        reached = (len({group_of[v] for v in pins}) for pins in self.pins)
        return sum(weight * (groups - 1) for groups, weight in zip(reached, self.weights, strict=True))


def nets_between(consumers: Sequence[Sequence[int]]) -> Nets:
    """Return one net a producer; `consumers` has the indexes of the tasks that use each task."""
    return _build(((tuple(sorted({task, *used_by})), 1) for task, used_by in enumerate(consumers)), len(consumers))


def _build(nets: Iterable[tuple[tuple[int, ...], int]], members: int) -> Nets:
    weights: Counter[tuple[int, ...]] = Counter()
    for pins, weight in nets:
        if len(pins) > 1:
            weights[pins] += weight
    of: list[list[int]] = [[] for _ in range(members)]
    for net, pins in enumerate(weights):
        for member in pins:
            of[member].append(net)
    return Nets(list(weights), list(weights.values()), of)
