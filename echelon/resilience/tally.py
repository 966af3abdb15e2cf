"""A running sum of usage. Summing values makes a new one each time, which a guard has no time for."""

from echelon.model.usage import Usage


class UsageTally:
    """What was used so far; None means not known, which is never the same as zero. Not thread-safe by itself."""

    __slots__ = ("calls", "cost", "seconds", "tokens_in", "tokens_out")

    def __init__(self) -> None:
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.calls = 0
        self.seconds = 0.0
        self.cost: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens known, in both directions."""
        return (self.tokens_in or 0) + (self.tokens_out or 0)

    def add(self, usage: "Usage | UsageTally") -> None:
        """Add what was used; an unknown part stays unknown only if it always was."""
        if usage.tokens_in is not None:
            self.tokens_in = usage.tokens_in + (self.tokens_in or 0)
        if usage.tokens_out is not None:
            self.tokens_out = usage.tokens_out + (self.tokens_out or 0)
        if usage.cost is not None:
            self.cost = usage.cost + (self.cost or 0.0)
        self.calls += usage.calls
        self.seconds += usage.seconds

    def usage(self) -> Usage:
        """Return the sum as a value."""
        return Usage(
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            calls=self.calls,
            seconds=self.seconds,
            cost=self.cost,
        )
