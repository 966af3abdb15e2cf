"""What the tables of choices are made of, and how they are read: the first row that holds decides (§A)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from echelon.advice.resolved import ResolvedQuestion

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class When(Generic[T_co]):
    """A row: where it holds, what it chooses, and why."""

    holds: Callable[[ResolvedQuestion], bool]
    choice: T_co
    rule: str
    """Rule id."""
    text: str
    """Why, in one sentence."""
    asks: str | None = None
    """The field of the question that asks for this, where a row before it may decide otherwise."""


Choices = Sequence[When[T_co]]


def always(_resolved: ResolvedQuestion) -> bool:
    """Hold everywhere: the last row of every table."""
    return True


def choose(table: Choices[T_co], resolved: ResolvedQuestion) -> When[T_co]:
    """Return the first row of `table` that holds."""
    return next(row for row in table if row.holds(resolved))
