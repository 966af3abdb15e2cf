"""What became of the results of one agent, by what it had said of them, and what follows for the next (X11). Pure.

Results are counted apart by stated confidence: what an agent says counts as far as results of which it said the same
were right. A doubt is believed until its record shows that it is baseless; a high word adds nothing by itself.
"""

from bisect import bisect_right
from typing import NamedTuple, Self

from pydantic import Field

from echelon.model.autonomy.terms import DEFAULT_TERMS, AutonomyTerms, Band
from echelon.model.base import Value

#: Where ranges of stated confidence begin that are counted apart, behind the first one. Two are the thresholds of X6.
BOUNDS = (0.60, 0.70, 0.80, 0.90)

#: The place of results of which nothing was said: whoever states no confidence hands on 1.0.
NOT_STATED = len(BOUNDS) + 1

_NONE = (0,) * (NOT_STATED + 1)


class Reliability(NamedTuple):
    """How often a result like this one is right."""

    value: float
    """The best guess."""
    width: float
    """One standard deviation: wide while there are few results."""
    results: int
    """How many results it rests on."""

    def band(self, terms: AutonomyTerms = DEFAULT_TERMS, margin: float = 0.0) -> Band:
        """Return what happens with it: it proceeds only where that is sure, and escalates where the guess is low."""
        if self.value < terms.escalate + margin:
            return Band.ESCALATE
        return Band.PROCEED if self.value - self.width >= terms.proceed + margin else Band.REVIEW


class Track(Value):
    """What became of results of one agent that somebody judged."""

    right: tuple[int, ...] = Field(default=_NONE, min_length=len(_NONE), max_length=len(_NONE))
    """Results that were right, by the range of what was stated of them; the last is for those without a statement."""
    wrong: tuple[int, ...] = Field(default=_NONE, min_length=len(_NONE), max_length=len(_NONE))
    """Results that were wrong, likewise."""
    squares: float = Field(default=0.0, ge=0)
    """Sum of the squared distances between what was stated and what came of it (1 right, 0 wrong)."""

    @classmethod
    def of(cls, stated: float | None, *, right: bool) -> Self:
        """Return the record of one result."""
        place = _place(stated)
        counted = tuple(int(place == one) for one in range(len(_NONE)))
        squares = 0.0 if place == NOT_STATED or stated is None else (stated - right) ** 2
        return cls(right=counted if right else _NONE, wrong=_NONE if right else counted, squares=squares)

    def __add__(self, other: "Track") -> "Track":
        """Return both together."""
        return Track(
            right=tuple(a + b for a, b in zip(self.right, other.right, strict=True)),
            wrong=tuple(a + b for a, b in zip(self.wrong, other.wrong, strict=True)),
            squares=self.squares + other.squares,
        )

    @property
    def results(self) -> int:
        """How many results were judged."""
        return sum(self.right) + sum(self.wrong)

    @property
    def accuracy(self) -> float | None:
        """The share that was right; None where nothing was judged."""
        return sum(self.right) / self.results if self.results else None

    @property
    def brier(self) -> float | None:
        """The Brier score of what was stated: 0 is perfect, 0.25 says nothing; None where nothing was stated."""
        stated = self.results - self.right[NOT_STATED] - self.wrong[NOT_STATED]
        return self.squares / stated if stated else None

    def estimate(self, stated: float | None = None, terms: AutonomyTerms = DEFAULT_TERMS) -> Reliability:
        """Return how often a result is right of which this is stated; of any result, where nothing is."""
        place, right = _place(stated), sum(self.right)
        if stated is None or place == NOT_STATED:
            return _estimate(right, self.results, terms.prior, terms.weight)
        # What is known of all other results is the guess before those with the same word are looked at.
        same = self.right[place] + self.wrong[place]
        others = _estimate(right - self.right[place], self.results - same, terms.prior, terms.weight).value
        guess = min(others, stated) if stated < terms.proceed else others
        return _estimate(self.right[place], same, guess, terms.weight)


def _place(stated: float | None) -> int:
    return NOT_STATED if stated is None or stated >= 1 else bisect_right(BOUNDS, stated)


def _estimate(right: int, results: int, prior: float, weight: float) -> Reliability:
    """Return the mean and the standard deviation of a beta distribution behind so many results."""
    value = (right + weight * prior) / (results + weight)
    return Reliability(value, (value * (1 - value) / (results + weight + 1)) ** 0.5, results)
