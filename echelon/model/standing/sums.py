"""What standing budgets count: tokens, calls and money. No time: runs side by side have it together."""

from typing import NamedTuple

from echelon.model.usage import Budget, Usage


class Sums(NamedTuple):
    """Something of everything that a standing budget can bound; named as its bounds."""

    tokens: int = 0
    """In both directions."""
    calls: int = 0
    """Retries included."""
    cost: float = 0.0
    """Money, in the currency of the prices of the job."""

    def plus(self, other: "Sums") -> "Sums":
        """Return the sum of both."""
        return Sums(self.tokens + other.tokens, self.calls + other.calls, self.cost + other.cost)

    def beyond(self, other: "Sums") -> "Sums":
        """Return what is more than in another one, never less than nothing."""
        return Sums(
            max(0, self.tokens - other.tokens), max(0, self.calls - other.calls), max(0.0, self.cost - other.cost)
        )

    @classmethod
    def of(cls, usage: Usage) -> "Sums":
        """Return what counts of a usage; what is not known does not."""
        return cls(usage.tokens or 0, usage.calls, usage.cost or 0.0)


#: Nothing of anything.
NO_SUMS = Sums()


def unpriced_tokens(usage: Usage) -> int:
    """Return the tokens of a usage without a known price: no bound on cost sees them."""
    return 0 if usage.cost is not None else usage.tokens or 0


def bounds_of(budget: Budget) -> dict[str, float]:
    """Return what a standing budget bounds."""
    return {name: bound for name in Sums._fields if (bound := getattr(budget, name)) is not None}
