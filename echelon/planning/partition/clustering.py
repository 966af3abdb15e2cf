"""Join tasks that hand on to each other into ever larger groups, none larger than allowed (D2).

The allowed size doubles with every round: small rounds keep pairs together that one large round would tear apart. The
order is fixed, and the work grows with the links.
"""

from collections import defaultdict
from collections.abc import Sequence

from echelon.planning.partition.nets import Nets

OPEN = 16  # groups that still take others when the rest is packed; more would pack tighter, and mix strangers


def cluster(nets: Nets, sizes: Sequence[int], most: int) -> list[int]:
    """Return the group of each member: numbered from 0, of at most `most` in size, joined only where nets are saved."""
    group_of = list(range(len(sizes)))
    for cap in _caps(most):
        joined = True
        while joined:
            step = _join(nets, sizes, cap)
            count = max(step, default=-1) + 1
            joined = cap == most and count < len(sizes)
            group_of = [step[group] for group in group_of]
            nets, sizes = nets.merged(step, count), sizes_of(step, sizes, count)
    return group_of


def pack(sizes: Sequence[int], most: int, enough: int = 1) -> list[int]:
    """Put groups that share nothing together, neighbours first, until `enough` are left; return the new numbers."""
    filled: list[int] = []
    bins: list[int] = []
    opened: list[int] = []
    excess = len(sizes) - enough
    for size in sizes:
        fitting = [number for number in opened if filled[number] + size <= most] if excess > 0 else []
        if fitting:
            chosen = max(fitting, key=filled.__getitem__)
            filled[chosen] += size
            excess -= 1
        else:
            chosen = len(filled)
            filled.append(size)
            opened = [*opened[-OPEN + 1 :], chosen]
        bins.append(chosen)
    return bins


def sizes_of(group_of: Sequence[int], sizes: Sequence[int], groups: int) -> list[int]:
    """Return the size of each of `groups` groups."""
    total = [0] * groups
    for group, size in zip(group_of, sizes, strict=True):
        total[group] += size
    return total


def numbered(group_of: Sequence[int]) -> list[int]:
    """Number groups from 0 in the order of their first members."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in group_of]


def _caps(most: int) -> list[int]:
    """Return the sizes allowed, round by round: halves of `most`, down to pairs."""
    caps = [most]
    while caps[-1] > 2:
        caps.append((caps[-1] + 1) // 2)
    return caps[::-1]


def _join(nets: Nets, sizes: Sequence[int], cap: int) -> list[int]:
    """Let every member that is alone join the neighbour with whom it shares most, for its size; return the groups."""
    group_of = list(range(len(sizes)))
    filled = list(sizes)
    alone = [True] * len(sizes)
    for member, size in enumerate(sizes):
        if not alone[member]:
            continue
        free = cap - size
        ties = _ties(nets, member, group_of)
        best = max((g for g in ties if filled[g] <= free), key=lambda g: ties[g] / filled[g], default=None)
        if best is not None:
            group_of[member] = best
            filled[best] += size
            alone[member] = alone[best] = False
    return numbered(group_of)


def _ties(nets: Nets, member: int, group_of: Sequence[int]) -> dict[int, float]:
    """Return how much a member shares with each group near by: a net counts the more, the fewer pins it has."""
    ties: dict[int, float] = defaultdict(float)
    for net in nets.of[member]:
        share = nets.weights[net] / (len(nets.pins[net]) - 1)
        for pin in nets.near(net, member):
            ties[group_of[pin]] += share
    ties.pop(group_of[member], None)
    return ties
