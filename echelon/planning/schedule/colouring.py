"""Colour a graph: give every item a slot so that rivals never share one, in the fewest slots (D4).

Slots are numbered in time, so items may also have to follow others and stand within a window. Exact by search as long
as its steps last, DSATUR (the item with the fewest slots left goes first) beyond. Everything is deterministic.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import combinations
from typing import NamedTuple


class Steps:
    """How many more steps a search may take; a count instead of a clock, so the answer never depends on the machine."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> bool:
        """Use one step; False when none is left."""
        if not self.left:
            return False
        self.left -= 1
        return True


class Puzzle(NamedTuple):
    """Items to be placed in time."""

    rivals: Sequence[set[int]]
    """For each item, those that never share its slot."""
    followers: Sequence[Sequence[tuple[int, int]]]
    """For each item, those that come later, and by how many slots at least: direct and indirect ones."""
    heads: Sequence[int]
    """For each item, the first slot allowed, from 0."""
    tails: Sequence[int]
    """For each item, how many slots are needed from its own on, itself included."""


def rivals_within(n: int, groups: Iterable[Sequence[int]]) -> list[set[int]]:
    """Return for each of `n` items those that share a group with it."""
    rivals: list[set[int]] = [set() for _ in range(n)]
    for group in groups:
        for one, other in combinations(group, 2):
            rivals[one].add(other)
            rivals[other].add(one)
    return rivals


def clique(rivals: Sequence[set[int]]) -> int:
    """Return the size of a large set of mutual rivals, grown greedily from each item: no colouring has fewer slots."""
    return max((_clique_around(item, rivals) for item in range(len(rivals))), default=0)


def _clique_around(item: int, rivals: Sequence[set[int]]) -> int:
    size, common = 1, rivals[item]
    while common:
        narrower: list[set[int]] = [common & rivals[other] for other in sorted(common)]
        common = max(narrower, key=len)
        size += 1
    return size


def dsatur(rivals: Sequence[set[int]], heads: Sequence[int]) -> list[int]:
    """Place first what has the most slots taken by rivals, then what has the most rivals, each as early as it can."""
    taken: list[set[int]] = [set() for _ in rivals]
    slots = [-1] * len(rivals)
    waiting = [(0, -len(known), item) for item, known in enumerate(rivals)]
    heapify(waiting)
    while waiting:
        saturation, _, item = heappop(waiting)
        if slots[item] >= 0 or -saturation != len(taken[item]):
            continue  # placed already, or a newer entry says how it stands
        slots[item] = first_free(taken[item], heads[item])
        for other in rivals[item]:
            if slots[other] < 0 and slots[item] not in taken[other]:
                taken[other].add(slots[item])
                heappush(waiting, (-len(taken[other]), -len(rivals[other]), other))
    return slots


def first_free(taken: set[int], slot: int) -> int:
    """Return the first slot from `slot` on that is not taken."""
    while slot in taken:
        slot += 1
    return slot


def fit(puzzle: Puzzle, length: int, steps: Steps) -> list[int] | None:
    """Return a slot below `length` for each item; None when there is no way, or when the steps are used up."""
    windows = [
        ((1 << max(length - tail + 1, 0)) - 1) >> head << head
        for head, tail in zip(puzzle.heads, puzzle.tails, strict=True)
    ]
    if not all(windows):
        return None
    return _Search(puzzle, steps, alike=len(set(windows)) == 1 and not any(puzzle.followers)).run(windows)


class _Search:
    """Depth first: the item with the fewest slots left is placed, and its neighbours lose the slots that it rules out.

    The slots left of an item are the bits of a number.
    """

    def __init__(self, puzzle: Puzzle, steps: Steps, *, alike: bool) -> None:
        self.rivals = puzzle.rivals
        self.followers = puzzle.followers
        self.leaders: list[list[tuple[int, int]]] = [[] for _ in puzzle.rivals]
        for item, followers in enumerate(puzzle.followers):
            for other, apart in followers:
                self.leaders[other].append((item, apart))
        self.steps = steps
        self.alike = alike
        """Are unused slots interchangeable? Then only the first of them is tried."""

    def run(self, windows: list[int]) -> list[int] | None:
        weight = [len(self.rivals[i]) + len(self.followers[i]) + len(self.leaders[i]) for i in range(len(windows))]
        used = (windows[0] & -windows[0]) - 1  # slots before the first one allowed
        found = self._place(windows, sorted(range(len(windows)), key=lambda item: (-weight[item], item)), used)
        return None if found is None else [window.bit_length() - 1 for window in found]

    def _place(self, windows: list[int], left: list[int], used: int) -> list[int] | None:
        """Place the items `left`; `used` has the bits of the slots used so far."""
        if not left:
            return windows
        item = min(left, key=lambda one: windows[one].bit_count())
        others = [other for other in left if other != item]
        allowed = windows[item]
        if self.alike:
            allowed &= (used << 1) | 1
        for slot in _bits(allowed):
            if not self.steps.take():
                return None
            narrowed = self._narrowed(windows, item, slot)
            found = narrowed and self._place(narrowed, others, used | 1 << slot)
            if found:
                return found
        return None

    def _narrowed(self, windows: list[int], item: int, slot: int) -> list[int] | None:
        """Return what is left to each item once `item` has `slot`; None when nothing is left to one of them."""
        windows = windows.copy()
        windows[item] = 1 << slot
        for other in self.rivals[item]:
            windows[other] &= ~(1 << slot)
            if not windows[other]:
                return None
        for other, apart in self.followers[item]:
            windows[other] = windows[other] >> slot + apart << slot + apart
            if not windows[other]:
                return None
        for other, apart in self.leaders[item]:
            windows[other] &= (1 << max(slot - apart + 1, 0)) - 1
            if not windows[other]:
                return None
        return windows


def _bits(number: int) -> Iterator[int]:
    while number:
        yield (number & -number).bit_length() - 1
        number &= number - 1
