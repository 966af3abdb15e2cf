"""Divide tasks into groups of limited size with few handoffs between them (D2, R2).

A handoff is counted for every producer and every other group that uses it, however many of the group's members do.
Several groupings are made, the best is improved; since topological chunks are one of them, none is ever worse.
"""

from collections import defaultdict
from collections.abc import Sequence

from echelon.model.errors import InvalidInput
from echelon.planning.partition.annealing import anneal
from echelon.planning.partition.clustering import cluster, numbered, pack, sizes_of
from echelon.planning.partition.nets import Nets, nets_between
from echelon.planning.partition.orders import Links, chunks, depth_first_order, renumbered, topological_order
from echelon.planning.regime import Table, row

#: Proposals a member, by the number of tasks: the larger the graph, the fewer, so that nobody waits for long.
EFFORT: Table[int] = ((3_000, 200), (20_000, 100), (200_000, 12), (None, 0))


def effort_for(tasks: int) -> int:
    """Return how often the place of each member is questioned in a graph of so many tasks."""
    return row(EFFORT, tasks)


def partition(consumers: Links, most: int, groups: int | None = None, *, effort: int | None = None) -> list[list[int]]:
    """Return groups of at most `most` tasks, at most `groups` of them, between which few handoffs are made (D2).

    `consumers` has the indexes of the tasks that use each task. Groups are ordered by their first task, and so are the
    tasks in each. `effort` is that of `effort_for`, unless given. Raises `InvalidInput` when so few groups cannot hold
    all tasks.
    """
    order = depth_first_order(consumers)
    nets = nets_between(renumbered(consumers, order))
    position_of = {task: position for position, task in enumerate(order)}
    topological = [position_of[task] for task in topological_order(consumers)]
    found = divide(nets, len(order), most, groups, starts=[chunks(topological, most)], effort=effort)
    group_of = [0] * len(order)
    for task, group in zip(order, found, strict=True):
        group_of[task] = group
    return members_of(numbered(group_of))


def divide(
    nets: Nets,
    members: int,
    most: int,
    groups: int | None = None,
    *,
    starts: Sequence[list[int]] = (),
    effort: int | None = None,
) -> list[int]:
    """Return the group of each member, numbered from 0 in their order; `starts` are groupings to begin with as well.

    Neighbours in the order of the members are taken to be related: where nothing else decides, they stay together.
    """
    limit = members if groups is None else groups
    if most < 1 or members > limit * most:
        raise InvalidInput(
            f"cannot divide {members} tasks into {limit} groups of {most} at most: they do not fit; "
            "allow more groups or larger ones"
        )
    clustered = fit(nets, cluster(nets, [1] * members, most), most, limit)
    begun = min([clustered, chunks(range(members), most), *starts], key=nets.cost)
    improved = anneal(nets, begun, most, members * (effort_for(members) if effort is None else effort))
    group_of = joined(nets, numbered(improved), most)
    filled = sizes_of(group_of, [1] * members, max(group_of, default=-1) + 1)
    assert len(filled) <= limit
    assert max(filled, default=0) <= most
    return group_of


def joined(nets: Nets, group_of: Sequence[int], most: int, enough: int = 1) -> list[int]:
    """Join whole groups: those that share handoffs first, then neighbours until `enough` are left."""
    count = max(group_of, default=-1) + 1
    sizes = sizes_of(group_of, [1] * len(group_of), count)
    related = cluster(nets.merged(group_of, count), sizes, most)
    packed = pack(sizes_of(related, sizes, max(related, default=-1) + 1), most, enough)
    return numbered([packed[related[group]] for group in group_of])


def fit(nets: Nets, group_of: Sequence[int], most: int, limit: int) -> list[int]:
    """Bring groups down to `limit`, and each to `most` members; who has to leave goes where it has most ties."""
    fitted = joined(nets, group_of, most, limit) if max(group_of, default=-1) >= limit else list(group_of)
    by_group = members_of(fitted)
    kept = sorted(by_group, key=len, reverse=True)[:limit]
    kept += [[] for _ in range(min(limit, len(group_of)) - len(kept))]
    placed = [-1] * len(group_of)
    for number, members in enumerate(kept):
        for member in members[:most]:
            placed[member] = number
    if -1 in placed:
        _place(nets, placed, [min(len(members), most) for members in kept], most)
    return numbered(placed)


def _place(nets: Nets, placed: list[int], filled: list[int], most: int) -> None:
    """Give every member without a group (-1) the one that it shares most with, or else the first with room."""
    first = 0
    for member, group in enumerate(placed):
        if group >= 0:
            continue
        ties: dict[int, int] = defaultdict(int)
        for net in nets.of[member]:
            for pin in nets.near(net, member):
                ties[placed[pin]] += nets.weights[net]
        while filled[first] >= most:
            first += 1
        ties.pop(-1, None)
        chosen = max((g for g in ties if filled[g] < most), key=ties.__getitem__, default=first)
        placed[member] = chosen
        filled[chosen] += 1


def members_of(group_of: Sequence[int]) -> list[list[int]]:
    """Return the members of each group."""
    members: list[list[int]] = [[] for _ in range(max(group_of, default=-1) + 1)]
    for member, group in enumerate(group_of):
        members[group].append(member)
    return members


def handoffs_between(consumers: Links, group_of: Sequence[int]) -> int:
    """Return the handoffs between groups: for every producer, the other groups that use it (D2)."""
    return sum(
        len({group_of[consumer] for consumer in used_by} - {group_of[producer]})
        for producer, used_by in enumerate(consumers)
    )


def topological_chunks(consumers: Links, most: int) -> list[int]:
    """Return the group of each task when producers come first and every `most` tasks are a group."""
    return chunks(topological_order(consumers), most)


def depth_first_chunks(consumers: Links, most: int) -> list[int]:
    """Return the group of each task when consumers follow their producers and every `most` tasks are a group."""
    return chunks(depth_first_order(consumers), most)
