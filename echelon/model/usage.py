"""What work costs: usage measured, budgets that bound it. Values and their sums only."""

import math
from typing import Literal, Self, TypeAlias, TypeVar

from pydantic import AliasChoices, Field, model_validator

from echelon.model.base import Value
from echelon.model.errors import InvalidJob

#: Prices are stated for so many tokens.
_PRICED_TOKENS = 1_000_000


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
    cost: float | None = Field(default=None, ge=0)
    """Money, in the currency of the prices of the job."""

    @property
    def tokens(self) -> int | None:
        """Tokens in both directions; None when neither is known."""
        return known_sum(self.tokens_in, self.tokens_out)

    def __add__(self, other: "Usage") -> "Usage":
        """Sum two usages; an unknown part stays unknown only if both are."""
        return Usage(
            tokens_in=known_sum(self.tokens_in, other.tokens_in),
            tokens_out=known_sum(self.tokens_out, other.tokens_out),
            calls=self.calls + other.calls,
            seconds=self.seconds + other.seconds,
            cost=known_sum(self.cost, other.cost),
        )


class Price(Value):
    """What a model costs, per million tokens."""

    input: float = Field(ge=0)
    """For a million tokens read."""
    output: float = Field(ge=0)
    """For a million tokens written."""
    currency: str = "USD"
    """Its currency."""

    def of(self, usage: Usage) -> float | None:
        """Return what a usage costs; None when its tokens are not known in both directions."""
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        return (usage.tokens_in * self.input + usage.tokens_out * self.output) / _PRICED_TOKENS

    def written_for(self, cost: float) -> int:
        """Return how many tokens may be written for so much money."""
        return int(cost * _PRICED_TOKENS / self.output) if self.output else _PRICED_TOKENS

    def at_most(self, tokens: int) -> float:
        """Return what so many tokens cost at most, whichever way they go: the estimate to reserve."""
        return tokens * max(self.input, self.output) / _PRICED_TOKENS


Per: TypeAlias = Literal["day", "month"]
"""How long a standing budget lasts: a calendar day or month."""


class Budget(Value):
    """The most that an agent, a domain or a job may consume (F4). None is no bound.

    With `per` it is a standing budget of a job: tokens, calls and cost of all its runs of that day or month (F10).
    """

    seconds: float | None = Field(default=None, gt=0)
    """Wall time of the whole, in seconds."""
    tokens: int | None = Field(default=None, gt=0)
    """Tokens in both directions."""
    calls: int | None = Field(default=None, gt=0)
    """Calls, retries included."""
    cost: float | None = Field(default=None, gt=0)
    """Money, in the currency of the prices of the job; usage without a known price does not count towards it."""
    final_call: float = Field(default=0.0, ge=0, le=0.5, validation_alias=AliasChoices("final_call", "landing"))
    """Share of each bound kept back for a final call, in which an agent wraps up; older plans call it `landing`."""
    per: Per | None = None
    """For all runs of a job in the calendar day or month, whatever processes they are at work in; None: for one."""

    @model_validator(mode="after")
    def _can_stand(self) -> Self:
        """Refuse what cannot be said of many runs; `InvalidJob` in one line."""
        if self.per is None:
            return self
        if self.seconds is not None:
            raise InvalidJob(f"a budget per {self.per} bounds tokens, calls or cost; seconds are those of one run")
        if self.final_call:
            raise InvalidJob(f"a budget per {self.per} keeps nothing back; state final_call in the budget of a run")
        if self.tokens is None and self.calls is None and self.cost is None:
            raise InvalidJob(f"a budget per {self.per} bounds nothing; state its tokens, calls or cost")
        return self

    @property
    def usual(self) -> "Budget":
        """What may be used before the final call: the bounds without the share that is kept back."""
        if not self.final_call:
            return self
        usual = 1 - self.final_call
        return Budget(
            seconds=None if self.seconds is None else self.seconds * usual,
            tokens=None if self.tokens is None else max(1, math.floor(self.tokens * usual)),
            # A call is kept back only where there are two: one alone has to do the work.
            calls=None if self.calls is None else max(1, math.floor(self.calls * usual)),
            cost=None if self.cost is None else self.cost * usual,
        )


_Amount = TypeVar("_Amount", int, float)


def known_sum(left: _Amount | None, right: _Amount | None) -> _Amount | None:
    """Sum two amounts; the sum is unknown only if both are."""
    if left is None:
        return right
    return left if right is None else left + right
