"""What a consumer receives: summaries and references, with the content pulled on demand (C6, F7)."""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from echelon.journal.outputs import OutputStore
from echelon.model.errors import ContractViolation
from echelon.model.handoff import Handoff, Missing

T = TypeVar("T")


class Received(Generic[T]):
    """One handoff that was delivered."""

    def __init__(self, handoff: Handoff, store: OutputStore, contract: Any) -> None:
        self.handoff = handoff
        self.store = store
        self.contract = contract

    @property
    def task_id(self) -> str:
        """The task this is the result of."""
        return self.handoff.task_id

    @property
    def summary(self) -> str:
        """What was done, in one sentence."""
        return self.handoff.summary

    def load(self) -> T:
        """Read the output; `JournalError` when it is gone or was changed since."""
        assert self.handoff.output_location is not None, "only completed handoffs are received"
        return self.store.get(self.handoff.output_location, self.contract)


class Handoffs(Sequence[Received[T]], Generic[T]):
    """Everything that was delivered, and what is missing with the reason."""

    def __init__(self, received: Sequence[Received[T]] = (), missing: Sequence[Missing] = ()) -> None:
        self._received = tuple(received)
        self.missing = tuple(missing)

    @overload
    def __getitem__(self, index: int) -> Received[T]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Received[T], ...]: ...
    def __getitem__(self, index: int | slice) -> Received[T] | tuple[Received[T], ...]:
        return self._received[index]

    def __iter__(self) -> Iterator[Received[T]]:
        return iter(self._received)

    def __len__(self) -> int:
        return len(self._received)

    def outputs(self) -> list[T]:
        """Read all outputs, in the order of the plan."""
        return [received.load() for received in self]

    def of(self, task_id: str) -> T | None:
        """Read the output of one task; None when it was not delivered."""
        return next((received.load() for received in self if received.task_id == task_id), None)


class Previous(Generic[T]):
    """The output of the same phase in the last completed run on the same inputs."""

    def __init__(self, received: Received[T] | None = None) -> None:
        self.received = received

    def load(self) -> T | None:
        """Read it; None when there was no such run, or when its output is not what today's contract says."""
        if self.received is None:
            return None
        try:
            return self.received.load()
        except ContractViolation:  # or a changed contract would fail its agent in every run from then on
            return None
