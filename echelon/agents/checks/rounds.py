"""What was delivered in each round of work that is repeated until a check passes (X12)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from echelon.agents.handoffs import Received

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Round(Generic[T_co]):
    """One round that is over."""

    number: int
    """1 for the first."""
    received: Received[T_co]
    """What was delivered."""
    gap: str = ""
    """What the check said was missing; empty for the round that is being checked."""

    def load(self) -> T_co:
        """Read what was delivered; `JournalError` when it is gone."""
        return self.received.load()


class Rounds(Sequence[Round[T_co]], Generic[T_co]):
    """The rounds so far, the first one first: for an agent those before its own, for a check the one it judges too."""

    def __init__(self, rounds: Sequence[Round[T_co]] = ()) -> None:
        self._rounds = tuple(rounds)

    @overload
    def __getitem__(self, index: int) -> Round[T_co]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Round[T_co], ...]: ...
    def __getitem__(self, index: int | slice) -> Round[T_co] | tuple[Round[T_co], ...]:
        return self._rounds[index]

    def __iter__(self) -> Iterator[Round[T_co]]:
        return iter(self._rounds)

    def __len__(self) -> int:
        return len(self._rounds)

    def outputs(self) -> list[T_co]:
        """Read what was delivered in every round."""
        return [one.load() for one in self]
