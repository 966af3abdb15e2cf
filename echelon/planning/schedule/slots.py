"""Give items slots in time: producers first, rivals never together, in the fewest slots that can be found (D4).

The parts of a graph that do not bear on each other are solved one by one; what nobody contests stands where the order
alone allows.
"""

from collections import defaultdict
from collections.abc import Sequence

from echelon.planning.schedule.colouring import Steps, rivals_within
from echelon.planning.schedule.greedy import Items, length, levels, pushed_back, tails, touching
from echelon.planning.schedule.strategies import solve

LISTED_PAIRS = 1_000_000  # pairs of rivals in one part; more are not listed one by one


def fewest_slots(
    before: Sequence[Sequence[int]], touches: Sequence[Sequence[str]], widths: Sequence[int], steps: Steps
) -> list[int]:
    """Return a slot for each item, from 0; no item could stand earlier while the others stay where they are.

    `before` and `widths` are as in `Items`, `touches` names the things that each item touches; items of width 0 touch
    none. The number of slots is the smallest possible where the search ends within `steps` and the limits above.
    """
    first = levels(before, widths)
    things = shared(touches)
    if not any(things):
        return first
    whole = Items(before, things, widths, first, tails(before, widths), None)
    slots = list(first)
    least = length(whole, first)
    for members in parts(whole):
        part = _part(whole, members)
        found = solve(part, least, steps)
        # What one part cannot do without is free for all the others.
        least = max(least, length(part, found))
        for member, slot in zip(members, found, strict=True):
            slots[member] = slot
    return pushed_back(whole, slots)


def shared(touches: Sequence[Sequence[str]]) -> list[Sequence[int]]:
    """Number the things that more than one item touches; things touched by the same items count once."""
    touching: dict[str, list[int]] = defaultdict(list)
    for item, names in enumerate(touches):
        for name in dict.fromkeys(names):
            touching[name].append(item)
    things: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(dict.fromkeys(tuple(group) for group in touching.values() if len(group) > 1)):
        for item in group:
            things[item].append(number)
    return [things.get(item, ()) for item in range(len(touches))]


def parts(items: Items) -> list[list[int]]:
    """Return the items that have rivals, or stand between some that have, in parts that do not bear on each other."""
    bearing = _bearing(items)
    root = list(range(len(bearing)))
    first: dict[int, int] = {}
    for item in range(len(bearing)):
        if not bearing[item]:
            continue
        for thing in items.things[item]:
            _join(root, first.setdefault(thing, item), item)
        for used in items.before[item]:
            if bearing[used]:
                _join(root, used, item)
    found: dict[int, list[int]] = defaultdict(list)
    for item, bears in enumerate(bearing):
        if bears:
            found[_root(root, item)].append(item)
    return list(found.values())


def _bearing(items: Items) -> list[bool]:
    """Say of each item whether it has rivals, or leads from an item with rivals to another."""
    after = [bool(things) for things in items.things]
    for item, used in enumerate(items.before):
        after[item] = after[item] or any(after[one] for one in used)
    ahead = [bool(things) for things in items.things]
    for item in range(len(ahead) - 1, -1, -1):
        if ahead[item]:
            for one in items.before[item]:
                ahead[one] = True
    return [one and other for one, other in zip(after, ahead, strict=True)]


def _root(root: list[int], item: int) -> int:
    while root[item] != item:
        root[item] = root[root[item]]
        item = root[item]
    return item


def _join(root: list[int], one: int, other: int) -> None:
    first, last = sorted((_root(root, one), _root(root, other)))
    root[last] = first


def _part(items: Items, members: Sequence[int]) -> Items:
    """Return some of the items, numbered anew; what bears on them from outside is in their heads and tails."""
    number = {item: i for i, item in enumerate(members)}
    things = [items.things[item] for item in members]
    groups = touching(things)
    few = sum(len(group) * (len(group) - 1) // 2 for group in groups) <= LISTED_PAIRS
    return Items(
        before=[[number[used] for used in items.before[item] if used in number] for item in members],
        things=things,
        widths=[items.widths[item] for item in members],
        heads=[items.heads[item] for item in members],
        tails=[items.tails[item] for item in members],
        rivals=rivals_within(len(members), groups) if few else None,
    )
