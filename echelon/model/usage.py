"""What work costs: usage measured, budgets that bound it. Values and their sums only."""

from pydantic import Field

from echelon.model.base import Value


class Usage(Value):
    """What was consumed. None means not known, which is never the same as zero."""

    tokens_in: int | None = Field(default=None, ge=0)
    """Tokens read by the model."""
    tokens_out: int | None = Field(default=None, ge=0)
    """Tokens written by the model."""
    calls: int = Field(default=0, ge=0)
    """Calls made to a model, tool or function, retries included."""
    seconds: float = Field(default=0.0, ge=0)
    """Wall time, in seconds."""

    @property
    def tokens(self) -> int | None:
        """Tokens in both directions; None when neither is known."""
        return _sum(self.tokens_in, self.tokens_out)

    def __add__(self, other: "Usage") -> "Usage":
        """Sum two usages; an unknown part stays unknown only if both are."""
        return Usage(
            tokens_in=_sum(self.tokens_in, other.tokens_in),
            tokens_out=_sum(self.tokens_out, other.tokens_out),
            calls=self.calls + other.calls,
            seconds=self.seconds + other.seconds,
        )


class Price(Value):
    """What a model costs, per million tokens."""

    input: float = Field(ge=0)
    """For a million tokens read."""
    output: float = Field(ge=0)
    """For a million tokens written."""
    currency: str = "USD"
    """Its currency."""


class Budget(Value):
    """The most that an agent, a domain or a job may consume (F4). None is no bound."""

    seconds: float | None = Field(default=None, gt=0)
    """Wall time of the whole, in seconds."""
    tokens: int | None = Field(default=None, gt=0)
    """Tokens in both directions."""
    calls: int | None = Field(default=None, gt=0)
    """Calls, retries included."""


def _sum(left: int | None, right: int | None) -> int | None:
    if left is None:
        return right
    return left if right is None else left + right
