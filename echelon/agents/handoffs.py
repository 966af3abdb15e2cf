"""What a consumer receives: summaries and references, with the content pulled on demand (C6, F7)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Generic, TypeVar, cast, overload

from echelon.agents.observed import OBSERVER
from echelon.contract.fit import is_other_version, unfit
from echelon.contract.reading import read_output
from echelon.journal.outputs import OutputStore
from echelon.model.errors import ContractViolation, InvalidJob
from echelon.model.handoff import Handoff, Missing, OutputReference, Passed
from echelon.model.phrasing import too_old

T_co = TypeVar("T_co", covariant=True)


class Received(Generic[T_co]):
    """One handoff that was delivered."""

    def __init__(self, handoff: Handoff, store: OutputStore, contract: object) -> None:
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

    @property
    def caveat(self) -> str:
        """Why the output is not the work itself, or not all of it: what stands in, and why (F2, F4); else empty."""
        return self.handoff.caveat

    @property
    def size_bytes(self) -> int:
        """How long the output is, as JSON in bytes."""
        return self._reference.size_bytes

    def load(self) -> T_co:
        """Read the output; `JournalError` when it is gone or was changed since.

        `ContractViolation` when it was written under another major version of its contract (C7).
        """
        self.observe()
        return cast("T_co", read_output(self.store, self._reference, self.contract))

    def json(self) -> str:
        """Read the output as the JSON that it was written as; `JournalError` when it is gone or was changed since.

        Whoever gives it to an agent that reads it says so with `observe`.
        """
        return self.store.read_text(self._reference)

    def read_as(self, wanted: object) -> "Received[object]":
        """Return it as a consumer that is built for another version of the contract reads it (C7)."""
        other = is_other_version(self.contract, wanted)
        return Received(self.handoff, self.store, wanted) if other else self

    def missing_since(self, reason: str) -> Missing:
        """Say why a consumer cannot take it."""
        return Missing(task_id=self.task_id, producer=self.handoff.producer, reason=reason)

    def observe(self) -> None:
        """Let it be put on record that the agent at work reads the output."""
        observer = OBSERVER.get()
        if observer is not None:
            observer.output_read(self.task_id, self._reference.sha256)

    @property
    def _reference(self) -> OutputReference:
        assert self.handoff.output_location is not None, "only completed handoffs are received"
        return self.handoff.output_location


class Handoffs(Sequence[Received[T_co]], Generic[T_co]):
    """Everything that was delivered, and what is missing with the reason."""

    def __init__(
        self,
        received: Sequence[Received[T_co]] = (),
        missing: Sequence[Missing] = (),
        unmerged: Sequence[Received[object]] = (),
    ) -> None:
        self._received = tuple(received)
        self.missing = tuple(missing)
        #: Completed work that is in none of them, since the integration that should hold it failed (F7).
        self.unmerged = tuple(unmerged)

    @overload
    def __getitem__(self, index: int) -> Received[T_co]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Received[T_co], ...]: ...
    def __getitem__(self, index: int | slice) -> Received[T_co] | tuple[Received[T_co], ...]:
        return self._received[index]

    def __iter__(self) -> Iterator[Received[T_co]]:
        return iter(self._received)

    def __len__(self) -> int:
        return len(self._received)

    def read_as(self, wanted: object) -> "Handoffs[object]":
        """Return them as a consumer that is built for a contract, or a version of it, reads them (C7).

        What does not fit, such as the parts of an integration that failed, is missing with the reason; it stays at
        hand in `unmerged` (F7).
        """
        contracts = {id(received.contract): received.contract for received in self}
        misfits = {key: why for key, contract in contracts.items() if (why := unfit(contract, wanted))}
        read = [received.read_as(wanted) for received in self if id(received.contract) not in misfits]
        strange = [received for received in self if id(received.contract) in misfits]
        if not strange and all(new is old for new, old in zip(read, self, strict=True)):
            return self
        told = [received.missing_since(f"it is {misfits[id(received.contract)]}") for received in strange]
        return Handoffs(read, (*self.missing, *told), (*self.unmerged, *strange))

    @cached_property
    def passed(self) -> Passed:
        """What reaches everybody who gets them: summaries by value, outputs by reference (C6)."""
        everything = (*self, *self.unmerged)
        told = [f"{received.summary}{received.caveat}" for received in everything] + [
            f"{one.task_id}: {one.reason}" for one in self.missing
        ]
        return Passed(
            bytes_by_value=sum(map(bytes_of, told)),
            bytes_by_reference=sum(received.size_bytes for received in everything),
        )

    def outputs(self) -> list[T_co]:
        """Read all outputs, in the order of the plan; what only stands in for one has a `caveat`."""
        return [received.load() for received in self]

    def of(self, task_id: str) -> T_co | None:
        """Read the output of one task; None when it was not delivered."""
        return next((received.load() for received in self if received.task_id == task_id), None)


def bytes_of(text: str) -> int:
    """Return the length of a text in bytes."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


class MaxAge(timedelta):
    """How old a previous output may be, as in `found: Annotated[Previous[Report], MaxAge(days=7)]` (C9).

    A plain `timedelta` says the same.
    """


def checked_max_age(whose: str, stated: timedelta | None) -> timedelta | None:
    """Return how old something may be; `InvalidJob` when nothing could be so young."""
    if stated is not None and stated <= timedelta():
        raise InvalidJob(f"{whose}: a largest age of {stated} lets nothing pass; state more than 0, or leave it out")
    return stated


class Previous(Generic[T_co]):
    """The output of the same phase in the last completed run on the same inputs."""

    def __init__(
        self, received: Received[T_co] | None = None, *, age: timedelta | None = None, reason: str = ""
    ) -> None:
        self.received = received
        self.age = age
        """How long ago the work was done; None when there is none (C9)."""
        self.reason = reason
        """Why there is none, where one is there that is too old; else empty."""

    def within(self, max_age: timedelta) -> "Previous[T_co]":
        """Return it as far as it is young enough: what is too old is not there, and the reason says so (C9)."""
        if self.age is None or self.age <= max_age:
            return self
        return Previous(reason=too_old("the previous output", self.age, max_age))

    def load(self) -> T_co | None:
        """Read it; None when there was no such run, or when its output is not what today's contract says."""
        if self.received is None:
            return None
        try:
            return self.received.load()
        except ContractViolation:  # or a changed contract would fail its agent in every run from then on
            return None
