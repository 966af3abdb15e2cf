"""What single steps used, divided by what it was for: attempts that failed, reading handoffs, and the rest. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeVar

from echelon.model.costs.account import CostKind
from echelon.model.handoff import tokens_in
from echelon.model.run import StepRecord
from echelon.model.usage import Usage
from echelon.runlog.costs.entries import CostEntry, CostPlace
from echelon.runlog.events import AttemptFailed, OutputRead


class OfStep(Protocol):
    """An event of a step, which belongs to the first record of that step that ended behind it."""

    @property
    def key(self) -> str:
        """Identity of the step."""
        ...

    @property
    def at(self) -> datetime:
        """When it happened."""
        ...


E = TypeVar("E", bound=OfStep)

#: A record of a step, by its key and its place among those with that key.
RecordPlace = tuple[str, int]


class Ends:
    """When the records of each step ended, so that events find the record that they belong to."""

    def __init__(self, steps: Iterable[StepRecord]) -> None:
        self._by_key: dict[str, list[StepRecord]] = defaultdict(list)
        for step in steps:
            self._by_key[step.key].append(step)
        self._ends: dict[str, list[datetime]] = {}
        self._of: dict[int, RecordPlace] = {}
        for key, records in self._by_key.items():
            records.sort(key=attrgetter("finished"))
            self._ends[key] = [record.finished for record in records]
            self._of |= {id(record): (key, place) for place, record in enumerate(records)}

    def place(self, step: StepRecord) -> RecordPlace:
        """Return the place of a record."""
        return self._of[id(step)]

    def grouped(self, events: Iterable[E]) -> dict[RecordPlace, list[E]]:
        """Return events by the record that they belong to; those of steps that have not ended are behind the last."""
        found: dict[RecordPlace, list[E]] = defaultdict(list)
        for event in events:
            found[event.key, bisect_left(self._ends.get(event.key, ()), event.at)].append(event)
        return found

    def has(self, place: RecordPlace) -> bool:
        """Say whether there is a record at a place."""
        key, number = place
        return number < len(self._ends.get(key, ()))


class StepCost(NamedTuple):
    """What is to be divided: what a step used, what of it failed attempts used, and what it read of others."""

    usage: Usage
    failed: Usage
    read_tokens: int


def failed_usage(failed: Sequence[AttemptFailed]) -> Usage:
    """Return what failed attempts used; tokens and money only where they told them."""
    known = sum((one.usage for one in failed if one.usage is not None), Usage())
    return known.model_copy(update={"seconds": sum(one.seconds for one in failed)})


def tokens_read(step: StepRecord, reads: Sequence[OutputRead], sizes: Mapping[tuple[str, str], int]) -> int:
    """Return about how many tokens of the work of others a step was told, or read by reference (C6)."""
    pulled = sum(sizes.get((one.read.task_id, one.read.version), 0) for one in reads)
    return step.handoff.received.tokens_by_value + tokens_in(pulled)


def divided(kind: CostKind, place: CostPlace, step: StepCost) -> Iterator[CostEntry]:
    """Yield what a step used, by what it was for; the sum is what it used, and not a token more or less.

    Money is divided as tokens are. Of the seconds only those of failed attempts are known apart.
    """
    usage, failed, read = step
    seconds = 0.0 if kind is CostKind.REWORK else min(failed.seconds, usage.seconds)
    if usage.tokens is None:
        yield CostEntry(kind, place, usage.seconds - seconds, None, usage.cost, 1)
        if seconds:
            yield CostEntry(CostKind.REWORK, place, seconds)
        return
    again = 0 if kind is CostKind.REWORK else min(failed.tokens or 0, usage.tokens)
    reading = 0 if kind is CostKind.REWORK else min(read, usage.tokens_in or 0, usage.tokens - again)
    parts = {CostKind.REWORK: again, CostKind.READING: reading}
    left, money = usage.tokens, usage.cost
    for part, tokens in parts.items():
        taken = None if usage.cost is None else usage.cost * tokens / usage.tokens if usage.tokens else 0.0
        spent = seconds if part is CostKind.REWORK else 0.0
        if tokens or spent:
            yield CostEntry(part, place, spent, tokens, taken)
            left, money = left - tokens, None if money is None else money - (taken or 0.0)
    yield CostEntry(kind, place, usage.seconds - seconds, left, money)
