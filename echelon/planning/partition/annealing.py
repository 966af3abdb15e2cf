"""Improve groups by moving and swapping their members, with a falling tolerance for losses (simulated annealing, D2).

The seed is fixed and the work is counted in proposals, not in seconds: the same input always gives the same groups.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from math import exp
from random import Random

from echelon.planning.partition.nets import WIDE, Nets

SEED = 7
WARM, COLD = 0.2, 0.1  # loss accepted with a probability of 1/e, first and last; 1 is the mean weight of a net
COOLINGS = 100  # steps in which the tolerance falls


class Grouping:
    """Members in groups of at most `most`; knows what a move or a swap would change."""

    def __init__(self, nets: Nets, group_of: Sequence[int], most: int) -> None:
        self.nets = nets
        self.most = most
        self.group_of = list(group_of)
        self.members: list[list[int]] = [[] for _ in range(max(group_of, default=-1) + 1)]
        for member, group in enumerate(group_of):
            self.members[group].append(member)
        self.nets_of = [frozenset(of) for of in nets.of]
        self.pins_in = [self._pins_in_groups(pins) for pins in nets.pins]

    def _pins_in_groups(self, pins: Sequence[int]) -> dict[int, int]:
        counts: dict[int, int] = {}
        for pin in pins:
            group = self.group_of[pin]
            counts[group] = counts.get(group, 0) + 1
        return counts

    def move_change(self, member: int, to: int) -> int:
        """Return how many handoffs more there would be if `member` moved."""
        here, pins_in, weights = self.group_of[member], self.pins_in, self.nets.weights
        more = 0
        for net in self.nets.of[member]:
            counts = pins_in[net]
            if to not in counts:
                more += weights[net]
            if counts[here] == 1:
                more -= weights[net]
        return more

    def swap_change(self, member: int, other: int) -> int:
        """Return how many handoffs more there would be if two members of different groups changed places."""
        here, there = self.group_of[member], self.group_of[other]
        more = self.move_change(member, there) + self.move_change(other, here)
        for net in self.nets_of[member] & self.nets_of[other]:
            # Both groups stay reached: what either move alone would have saved is not saved.
            counts = self.pins_in[net]
            more += self.nets.weights[net] * ((counts[here] == 1) + (counts[there] == 1))
        return more

    def move(self, member: int, to: int) -> None:
        """Move a member to another group."""
        here = self.group_of[member]
        for net in self.nets.of[member]:
            counts = self.pins_in[net]
            counts[to] = counts.get(to, 0) + 1
            counts[here] -= 1
            if not counts[here]:
                del counts[here]
        self.group_of[member] = to
        self.members[here].remove(member)
        self.members[to].append(member)


def anneal(nets: Nets, group_of: Sequence[int], most: int, proposals: int) -> list[int]:
    """Make `proposals` to move or to swap members; return the best groups found, never worse than those given."""
    movable = [member for member, of in enumerate(nets.of) if 0 < len(of) <= WIDE]
    if not movable or proposals < COOLINGS:
        return list(group_of)
    grouping, chance = Grouping(nets, group_of, most), Random(SEED).random  # noqa: S311 - nothing to keep secret
    scale = sum(nets.weights) / len(nets.weights)
    best, gained, most_gained = list(group_of), 0, 0
    members = cycle(movable)  # in turn, since neighbours lie side by side in memory too
    for step in range(COOLINGS):
        tolerance = scale * WARM * (COLD / WARM) ** (step / COOLINGS)
        turns = islice(members, proposals // COOLINGS)
        gained -= _changed(grouping, turns, chance, tolerance)
        if gained > most_gained:
            best, most_gained = list(grouping.group_of), gained
    return best


def _changed(grouping: Grouping, turns: Iterable[int], chance: Callable[[], float], tolerance: float) -> int:
    """Let the members whose turn it is move or swap at one tolerance; return how many handoffs more there are now."""
    nets, group_of = grouping.nets, grouping.group_of
    total = 0
    for member in turns:
        of = nets.of[member]
        pins = nets.pins[of[int(chance() * len(of))]]
        to, here = group_of[pins[int(chance() * len(pins))]], group_of[member]
        if to == here:
            continue
        there = grouping.members[to]
        other = there[int(chance() * len(there))] if len(there) >= grouping.most else None
        if other is None:
            change = grouping.move_change(member, to)
        elif len(nets.of[other]) <= WIDE:
            change = grouping.swap_change(member, other)
        else:
            continue
        if change <= 0 or chance() < exp(-change / tolerance):
            grouping.move(member, to)
            if other is not None:
                grouping.move(other, here)
            total += change
    return total
