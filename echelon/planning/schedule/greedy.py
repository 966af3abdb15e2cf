"""Put items into slots one by one, each into the first that its producers and its rivals leave free (D4).

Items are numbers; a producer's is smaller than its consumers'. Items rival each other when they touch the same thing.
Nothing is chosen here: the order in which the items are placed decides everything.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from echelon.planning.schedule.colouring import first_free


class Items(NamedTuple):
    """What has to be placed."""

    before: Sequence[Sequence[int]]
    """For each item, those that it follows."""
    things: Sequence[Sequence[int]]
    """For each item, the things it touches that others touch too."""
    widths: Sequence[int]
    """For each item, how many slots its consumers come later: 1, or 0 for one that only passes the order on."""
    heads: Sequence[int]
    """For each item, the first slot allowed, from 0."""
    tails: Sequence[int]
    """For each item, how many slots are needed from its own on."""
    rivals: Sequence[set[int]] | None
    """For each item, those that touch one of its things; None when they are too many to be listed."""


class Taken:
    """Remembers which slots are taken for each thing, and finds the first one free for all of them."""

    def __init__(self) -> None:
        self._next: dict[int, dict[int, int]] = defaultdict(dict)

    def take(self, slot: int, things: Sequence[int]) -> int:
        """Take the first slot from `slot` on in which none of `things` is touched yet, and return it."""
        found = slot
        while (later := max((self._free(thing, found) for thing in things), default=found)) > found:
            found = later
        for thing in things:
            self._next[thing][found] = found + 1
        return found

    def _free(self, thing: int, slot: int) -> int:
        """Follow the taken slots to the first free one, and shorten the way for the next search."""
        after = self._next[thing]
        way: list[int] = []
        while slot in after:
            way.append(slot)
            slot = after[slot]
        after.update(dict.fromkeys(way, slot))
        return slot


def first_fit(items: Items, order: Iterable[int]) -> list[int]:
    """Return a slot for each item, given in `order`, in which producers come before their consumers."""
    free = _free_of_rivals(items.rivals) if items.rivals is not None else _free_of_things(items.things)
    slots = [-1] * len(items.before)
    for item in order:
        slot = items.heads[item]
        for used in items.before[item]:
            slot = max(slot, slots[used] + items.widths[used])
        slots[item] = free(item, slot, slots) if items.things[item] else slot
    return slots


def _free_of_rivals(rivals: Sequence[set[int]]) -> Callable[[int, int, list[int]], int]:
    return lambda item, slot, slots: first_free({slots[other] for other in rivals[item]}, slot)


def _free_of_things(things: Sequence[Sequence[int]]) -> Callable[[int, int, list[int]], int]:
    taken = Taken()
    return lambda item, slot, _: taken.take(slot, things[item])


def compacted(items: Items, slots: Sequence[int]) -> list[int]:
    """Return `slots` with every item moved as far to the front as the others leave it room."""
    return first_fit(items, sorted(range(len(slots)), key=slots.__getitem__))


def pushed_back(items: Items, slots: Sequence[int]) -> list[int]:
    """Return `slots` with every item moved behind those that it follows."""
    result = list(slots)
    for item, used in enumerate(items.before):
        for one in used:
            result[item] = max(result[item], result[one] + items.widths[one])
    return result


def length(items: Items, slots: Sequence[int]) -> int:
    """Return how many slots are needed when each item stands where `slots` says."""
    return max((slot + tail for slot, tail in zip(slots, items.tails, strict=True)), default=0)


def levels(before: Sequence[Sequence[int]], widths: Sequence[int]) -> list[int]:
    """Return the first slot of each item that the order alone allows."""
    result = [0] * len(before)
    for item, used in enumerate(before):
        for one in used:
            result[item] = max(result[item], result[one] + widths[one])
    return result


def tails(before: Sequence[Sequence[int]], widths: Sequence[int]) -> list[int]:
    """Return how many slots each item and what follows it need, by the order alone."""
    result = list(widths)
    for item in range(len(before) - 1, -1, -1):
        for one in before[item]:
            result[one] = max(result[one], result[item] + widths[one])
    return result


def touching(things: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the items that touch each thing."""
    groups: dict[int, list[int]] = defaultdict(list)
    for item, numbers in enumerate(things):
        for thing in numbers:
            groups[thing].append(item)
    return list(groups.values())


def reversed_items(items: Items) -> Items:
    """Return the items with time running backwards; item i becomes item n - 1 - i."""
    last = len(items.before) - 1
    before: list[list[int]] = [[] for _ in items.before]
    for item, used in enumerate(items.before):
        for one in used:
            before[last - one].append(last - item)
    return Items(
        before=before,
        things=items.things[::-1],
        widths=items.widths[::-1],
        heads=[tail - width for tail, width in zip(items.tails, items.widths, strict=True)][::-1],
        tails=[head + width for head, width in zip(items.heads, items.widths, strict=True)][::-1],
        rivals=items.rivals and [{last - other for other in known} for known in reversed(items.rivals)],
    )


def forward_slots(items: Items, slots: Sequence[int], slots_in_all: int) -> list[int]:
    """Return the slots of `items` for slots of the reversed ones."""
    return [slots_in_all - slot - width for slot, width in zip(reversed(slots), items.widths, strict=True)]
