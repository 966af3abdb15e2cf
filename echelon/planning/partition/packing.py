"""Distribute pieces of work over the members of one coordinator, neighbours together and loads alike (D2, R2).

A piece is a stretch of agents that stays together. In a tree where nobody has more than `span` members, a piece that
needs h coordinating levels takes a capacity of span**h agents, whatever it holds. All capacities are powers of the
span, so pieces fit below a coordinator with h levels exactly when their capacities sum to span**h or less (Kraft's
inequality).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from echelon.planning.regime import exponent_for


class Piece(NamedTuple):
    """Agents that stay together: a stretch of the tasks in the order of their labels."""

    start: int
    """First position."""
    stop: int
    """Position behind the last."""
    path: tuple[str, ...]
    """Their label, split at its dots; empty when they have none."""

    @property
    def size(self) -> int:
        """Number of agents."""
        return self.stop - self.start

    def capacity(self, span: int) -> int:
        """Agents that could stand where the piece stands: span to the power of the levels it needs."""
        return span ** exponent_for(self.size, span)

    def split(self, parts: int) -> list["Piece"]:
        """Cut into `parts` pieces whose sizes differ by one at most."""
        quotient, rest = divmod(self.size, parts)
        sizes = [quotient + 1] * rest + [quotient] * (parts - rest)
        return [Piece(a, b, self.path) for a, b in pairwise(accumulate(sizes, initial=self.start))]

    def unfold(self, span: int, *, wide: bool = False) -> list["Piece"]:
        """Cut into what stands directly below its coordinator: as few parts as fit, or as many when `wide`."""
        if self.size <= span:
            return self.split(self.size)
        fewest = ceil_div(self.size, self.capacity(span) // span)
        return self.split(max(fewest, min(span, self.size // 2)) if wide else fewest)


def ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up, in integers."""
    return -(-dividend // divisor)


def levels_needed(pieces: Sequence[Piece], span: int) -> int:
    """Return the fewest coordinating levels above all `pieces` that keep each of them together (R2)."""
    return exponent_for(sum(piece.capacity(span) for piece in pieces), span)


def distribute(pieces: Sequence[Piece], span: int, *, wide: bool = False) -> list[list[Piece]]:
    """Distribute pieces over at most `span` members of one coordinator, without needing a level more than necessary.

    Every piece stands alone where that fits. Otherwise neighbours are grouped, preferably along the dots of their
    labels; only when no cut of the sequence fits are pieces rearranged by size.
    """
    if len(pieces) <= span:
        return [[piece] for piece in pieces]
    capacities = [piece.capacity(span) for piece in pieces]
    limit = span ** (exponent_for(sum(capacities), span) - 1)
    sequence = _Sequence(pieces, capacities, limit)
    fewest = ceil_div(sum(capacities), limit)
    cuts = sequence.natural(span) or sequence.cut(span if wide else fewest) or sequence.cut(span)
    if cuts is None:
        return _by_size(pieces, capacities, limit)
    return [list(pieces[a:b]) for a, b in pairwise(cuts)]


def shared_depth(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many leading parts two paths have in common."""
    depth = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        depth += 1
    return depth


class _Sequence:
    """A sequence of pieces to be cut into consecutive groups, none of which takes more than `limit` of capacity."""

    def __init__(self, pieces: Sequence[Piece], capacities: Sequence[int], limit: int) -> None:
        self.limit = limit
        self.last = len(pieces)
        self.load = list(accumulate((piece.size for piece in pieces), initial=0))
        self.taken = list(accumulate(capacities, initial=0))
        self.strains = self._strains(pieces)

    @staticmethod
    def _strains(pieces: Sequence[Piece]) -> list[int]:
        """Say what a cut before each piece tears apart: 0 between strangers, most inside of one label."""
        close = [shared_depth(a.path, b.path) + (a.path == b.path) for a, b in pairwise(pieces)]
        base = min(close)
        # A cut inside of one label is never natural, not even where all pieces have that label.
        inside = [a.path == b.path for a, b in pairwise(pieces)]
        return [0, *(max(depth - base, same) for depth, same in zip(close, inside, strict=True))]

    def natural(self, most: int) -> list[int] | None:
        """Cut wherever strangers meet; None when that makes more than `most` groups, or one too large."""
        cuts = [position for position, strain in enumerate(self.strains) if not strain] + [self.last]
        fits = all(self.taken[b] - self.taken[a] <= self.limit for a, b in pairwise(cuts))
        return cuts if fits and len(cuts) - 1 <= most else None

    def cut(self, parts: int) -> list[int] | None:
        """Cut into `parts` groups of like size; return the positions, both ends included, or None when none fit."""
        cuts = [0]
        for left in range(parts - 1, 0, -1):
            start = cuts[-1]
            low = max(start + 1, bisect_left(self.taken, self.taken[-1] - left * self.limit))
            high = min(self.last - left, bisect_right(self.taken, self.taken[start] + self.limit) - 1)
            if low > high:
                return None
            cuts.append(self._best(start, low, high, left + 1))
        return [*cuts, self.last] if self.taken[-1] - self.taken[cuts[-1]] <= self.limit else None

    def _best(self, start: int, low: int, high: int, parts: int) -> int:
        """Choose the cut with the least strain among those within half of the fair share, then the fairest."""
        done = self.load[start]
        rest = self.load[-1] - done

        def unfairness(position: int) -> int:
            return abs((self.load[position] - done) * parts - rest)

        first = max(low, bisect_left(self.load, done + ceil_div(rest, 2 * parts)))
        final = min(high, bisect_right(self.load, done + 3 * rest // (2 * parts)) - 1)
        if first > final:
            return min(low, high, key=unfairness)
        return min(range(first, final + 1), key=lambda position: (self.strains[position], unfairness(position)))


def _by_size(pieces: Sequence[Piece], capacities: Sequence[int], limit: int) -> list[list[Piece]]:
    """Fill groups one after the other, largest pieces first.

    Since every capacity divides all larger ones, no piece ever straddles two groups: what fits at all fits this way.
    """
    groups: dict[int, list[Piece]] = {}
    filled = 0
    for capacity, piece in sorted(zip(capacities, pieces, strict=True), key=lambda pair: -pair[0]):
        groups.setdefault(filled // limit, []).append(piece)
        filled += capacity
    return [sorted(group) for group in groups.values()]
