"""Strategies that place items that bear on each other in few slots, from the quick to the thorough (D4).

Greedy rules put each item into its first free slot. Unless a lower bound proves their result best, DSATUR, moving items
to and fro, and an exact search follow. All limits are counts, so the answer is the same on every machine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from echelon.planning.schedule.colouring import Puzzle, Steps, clique, dsatur, fit, rivals_within
from echelon.planning.schedule.greedy import (
    Items,
    compacted,
    first_fit,
    forward_slots,
    length,
    pushed_back,
    reversed_items,
    touching,
)

EXACT_ITEMS = 80  # rivals of one part; above, the search is not tried
SEARCH_LINKS = 400_000  # links followed to find how far rivals are apart; above, the search is not tried
LOOKED_AT = 1_000_000  # rivals looked at while moving items to and fro
MOVES = 20  # to and fro, at most


class Attempt(NamedTuple):
    """What a strategy starts from."""

    part: Items
    """Items that bear on each other."""
    back: Items
    """The same with time running backwards."""
    best: list[int]
    """The best slots so far."""
    enough: int
    """Slots that need not be beaten."""
    steps: Steps
    """What a search may still use up."""


def solve(part: Items, least: int, steps: Steps) -> list[int]:
    """Return slots for a part, at best as many as are needed anyway: `least`, or the part's own lower bound."""
    best, back = first_fit(part, range(len(part.before))), reversed_items(part)
    enough = max(least, _bound(part, back))
    for strategy in STRATEGIES:
        if length(part, best) <= enough:
            break
        # The first of equals is kept: it is nearest to the order given.
        best = min(best, strategy(Attempt(part, back, best, enough, steps)), key=lambda slots: length(part, slots))
    return compacted(part, best)


def _bound(part: Items, back: Items) -> int:
    """Return slots that no solution goes below: those of the items of one thing, one after the other."""
    groups, last = touching(part.things), len(part.before) - 1
    ahead = (_one_by_one(group, part.heads, part.tails) for group in groups)
    behind = (_one_by_one([last - item for item in group], back.heads, back.tails) for group in groups)
    return max(*ahead, *behind)


def _one_by_one(group: Iterable[int], heads: Sequence[int], tails: Sequence[int]) -> int:
    """Return the slots that rivals need: those that may start last, ever more of them, and the shortest tail."""
    ordered = sorted(group, key=lambda item: -heads[item])
    slots, shortest = 0, tails[ordered[0]]
    for count, item in enumerate(ordered):
        shortest = min(shortest, tails[item])
        slots = max(slots, heads[item] + count + shortest)
    return slots


def _longest_tail_first(items: Items) -> list[int]:
    load = [0] * len(items.before)
    for group in touching(items.things):
        for item in group:
            load[item] += len(group)
    # Items of width 0 come first among equals, because their consumers may be as long as they are.
    return sorted(range(len(load)), key=lambda item: (-items.tails[item], items.widths[item], -load[item], item))


def from_the_start(attempt: Attempt) -> list[int]:
    """Lay the item with the most slots behind it first, then the one with the most rivals."""
    return first_fit(attempt.part, _longest_tail_first(attempt.part))


def from_the_end(attempt: Attempt) -> list[int]:
    """Do the same with time running backwards."""
    slots = first_fit(attempt.back, _longest_tail_first(attempt.back))
    return forward_slots(attempt.part, slots, length(attempt.back, slots))


def by_saturation(attempt: Attempt) -> list[int]:
    """Colour by DSATUR where no order is to be kept."""
    if any(attempt.part.before) or attempt.part.rivals is None:
        return attempt.best
    return dsatur(attempt.part.rivals, attempt.part.heads)


def to_and_fro(attempt: Attempt) -> list[int]:
    """Lay the items late, the last first, then early again, again and again, and return the best."""
    part, back = attempt.part, attempt.back
    everything = range(len(attempt.best))
    slots = best = attempt.best
    looked_at = len(everything) + sum(map(len, part.rivals or part.things))
    for _ in range(min(MOVES, LOOKED_AT // looked_at)):
        ends = [slot + width for slot, width in zip(slots, part.widths, strict=True)][::-1]
        late = first_fit(back, sorted(everything, key=ends.__getitem__, reverse=True))
        slots = forward_slots(part, late, length(back, late))
        slots = first_fit(part, sorted(everything, key=slots.__getitem__))
        best = min(best, slots, key=lambda some: length(part, some))
        if length(part, best) <= attempt.enough:
            break
    return best


def by_search(attempt: Attempt) -> list[int]:
    """Search for fewer slots than the best so far, again and again, until there is no way or the steps are used up.

    Half of the steps left is the most that one part may use, so that none leaves all the others without.
    """
    part, best = attempt.part, attempt.best
    contested = [item for item, things in enumerate(part.things) if things]
    links = sum(len(used) for used in part.before)
    if len(contested) > EXACT_ITEMS or links * len(contested) > SEARCH_LINKS:
        return best
    puzzle = _puzzle(part, contested)
    enough = max(attempt.enough, clique(puzzle.rivals))
    given = (attempt.steps.left + 1) // 2
    own = Steps(given)
    while length(part, best) > enough and (found := fit(puzzle, length(part, best) - 1, own)) is not None:
        slots = list(part.heads)
        for item, slot in zip(contested, found, strict=True):
            slots[item] = slot
        best = compacted(part, pushed_back(part, slots))
    attempt.steps.left -= given - own.left
    return best


def _puzzle(part: Items, contested: Sequence[int]) -> Puzzle:
    """Leave out what nobody contests; how far it keeps the others apart is all that it does to them."""
    number = {item: i for i, item in enumerate(contested)}
    rivals = rivals_within(len(contested), ([number[item] for item in group] for group in touching(part.things)))
    followers = [_followers(part, item, number) for item in contested]
    for i, ahead in enumerate(followers):
        for other, _ in ahead:
            rivals[i].discard(other)
            rivals[other].discard(i)
    return Puzzle(
        rivals=rivals,
        followers=followers,
        heads=[part.heads[item] for item in contested],
        tails=[part.tails[item] for item in contested],
    )


def _followers(part: Items, item: int, number: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return which of the numbered items come after `item`, and by how many slots at least."""
    apart = {item: 0}
    for other in range(item + 1, len(part.before)):
        distances = [apart[one] + part.widths[one] for one in part.before[other] if one in apart]
        if distances:
            apart[other] = max(distances)
    return [(number[other], slots) for other, slots in apart.items() if other in number and other != item]


#: From the quick to the thorough.
STRATEGIES: tuple[Callable[[Attempt], list[int]], ...] = (
    from_the_start,
    from_the_end,
    by_saturation,
    to_and_fro,
    by_search,
)
