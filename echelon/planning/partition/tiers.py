"""Cluster a task graph tier by tier: tasks into teams, teams into domains, and so on up to one coordinator (D2, R2).

Every tier divides the quotient graph of the tier below: its members are the groups found there. There are as few tiers
as the span allows, so each tier may have only as many groups as fit into the tiers that are left above it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from echelon.planning.partition.large import IMBALANCE, LARGE_FROM, divide_large
from echelon.planning.partition.nets import nets_between
from echelon.planning.partition.orders import Links, renumbered
from echelon.planning.partition.packing import ceil_div
from echelon.planning.partition.partition import divide, effort_for, fit, members_of, partition
from echelon.planning.regime import exponent_for

#: First position, and the position behind the last.
Stretch = tuple[int, int]


class Arrangement(NamedTuple):
    """Tasks in an order in which every group of every tier is a stretch."""

    order: list[int]
    """The indexes of the tasks."""
    below: dict[Stretch, list[Stretch]]
    """The stretches directly below each that is divided further."""


def arrange(consumers: Links, span: int, *, wide: bool = False) -> Arrangement:
    """Return tasks in nested groups of at most `span` members, few handoffs between them, in few tiers (D2, R2).

    Groups are in the order of their first tasks. With `wide` the top is divided into about as many parts as the span
    allows, so that each is small.
    """
    everything = list(range(len(consumers)))
    levels = exponent_for(len(consumers), span)
    tiers = [list(everything) for _ in range(1, levels)]  # for each task the first task of its group
    effort = effort_for(len(consumers))
    waiting = [(everything, levels, wide)]
    while waiting:
        tasks, left, is_wide = waiting.pop()
        needed = exponent_for(len(tasks), span)
        for tier in tiers[max(needed - 1, 0) : left - 1]:
            _write(tier, tasks, [range(len(tasks))])
        inside = renumbered(consumers, tasks)
        parts = _from_the_top(inside, span, needed, wide=is_wide)
        if parts is None:
            for tier, groups in zip(tiers, _from_below(inside, span, needed, effort, wide=is_wide), strict=False):
                _write(tier, tasks, groups)
        else:
            waiting += [([tasks[i] for i in part], needed, False) for part in parts]
    return _arrangement(tiers[::-1], len(consumers))


def _from_the_top(inside: Links, span: int, levels: int, *, wide: bool) -> list[list[int]] | None:
    """Return the few parts right below the coordinator of a very large graph; None when it is to grow from below."""
    if len(inside) <= LARGE_FROM:
        return None
    capacity = span ** (levels - 1)
    parts = span if wide else ceil_div(len(inside), capacity)
    nets = nets_between(inside)
    found = divide_large(nets, len(inside), parts, min(capacity, int(len(inside) / parts * (1 + IMBALANCE)) + 1))
    return None if found is None else members_of(fit(nets, found, capacity, parts))


def _from_below(inside: Links, span: int, levels: int, effort: int, *, wide: bool) -> Iterator[list[list[int]]]:
    """Yield the groups of each tier, the lowest first, as lists of tasks."""
    groups = [[task] for task in range(len(inside))]
    nets = nets_between(inside)
    for left in range(levels - 1, 0, -1):
        most = _narrowest(len(groups), span) if wide and left == 1 else span
        if left == levels - 1:
            found = partition(inside, most, span**left, effort=effort)
        else:
            found = members_of(divide(nets, len(groups), most, span**left, effort=effort))
        nets = nets.merged(_group_of(found, len(groups)), len(found))
        groups = [sorted(task for member in members for task in groups[member]) for members in found]
        yield groups


def _narrowest(members: int, span: int) -> int:
    """Return the members of each part when there are as many parts as the span allows, and none of a single one."""
    return ceil_div(members, max(ceil_div(members, span), min(span, members // 2)))


def _group_of(groups: Sequence[Sequence[int]], members: int) -> list[int]:
    group_of = [0] * members
    for number, group in enumerate(groups):
        for member in group:
            group_of[member] = number
    return group_of


def _write(tier: list[int], tasks: Sequence[int], groups: Sequence[Sequence[int]]) -> None:
    """Write the first task of its group for each of `tasks`, which are ascending, as are the positions in a group."""
    for group in groups:
        for position in group:
            tier[tasks[position]] = tasks[group[0]]


def _arrangement(tiers: Sequence[Sequence[int]], tasks: int) -> Arrangement:
    """Sort tasks by the groups they are in, the highest tier first, and find the stretches of each."""
    order = sorted(range(tasks), key=lambda task: (*(tier[task] for tier in tiers), task))
    below: dict[Stretch, list[Stretch]] = {}
    above = [(0, tasks)]
    for tier in tiers:
        cuts = [p for p in range(tasks) if p == 0 or tier[order[p]] != tier[order[p - 1]]]
        stretches = list(pairwise([*cuts, tasks]))
        ends = iter(stretches)
        for parent in above:
            parts: list[Stretch] = []
            while not parts or parts[-1][1] < parent[1]:
                parts.append(next(ends))
            if len(parts) > 1:
                below[parent] = parts
        above = stretches
    return Arrangement(order, below)
