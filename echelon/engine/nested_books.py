"""What a run has on its books for the runs inside it: what they used, and which of their concerns it raised (F4, O1).

A run inside is gone on with when its task is done again, by a later attempt or process: nothing is counted or said
twice.
"""

from collections.abc import Callable, Iterable, Sequence

from echelon.model.concern import Concern, ConcernRecord
from echelon.model.run import StepKind, StepRecord
from echelon.model.usage import Usage
from echelon.resilience.reservation import usage_beyond


def _no_concerns() -> Iterable[ConcernRecord]:
    return ()


class NestedBooks:
    """Made from what is on record of the outer run; `concerns` are those on record at any time."""

    def __init__(
        self, steps: Iterable[StepRecord] = (), concerns: Callable[[], Iterable[ConcernRecord]] = _no_concerns
    ) -> None:
        self._concerns = concerns
        self._reported: dict[str, Usage] = {}
        self._paid: dict[str, Usage] = {}
        for step in steps:
            if step.kind is StepKind.TASK and step.handoff.fallback is None:
                _add(self._reported, step.handoff.task_id, step.handoff.usage)
        self._paid |= self._reported

    def paid(self, task_id: str) -> Usage:
        """Return what the accounts of the outer run have of all that the run of a task used."""
        return self._paid.get(task_id, Usage())

    def pay(self, task_id: str, usage: Usage) -> None:
        """Note what the accounts of the outer run were charged with."""
        _add(self._paid, task_id, usage)

    def report(self, task_id: str, total: Usage) -> Usage:
        """Return what of all that the run of a task used was in no handoff yet; it is from here on."""
        more = usage_beyond(total, self._reported.get(task_id, Usage()))
        _add(self._reported, task_id, more)
        return more

    def bubble(self, job: str, records: Sequence[ConcernRecord]) -> tuple[Concern, ...]:
        """Return the open concerns of a run that are not on record outside of it, each saying where it comes from."""
        known = {line for record in self._concerns() for line in record.concern.evidence}
        origins = {record.id: _origin(job, record) for record in records if record.disposition is None}
        return tuple(
            record.concern.model_copy(update={"evidence": (*record.concern.evidence, origins[record.id])})
            for record in records
            if record.id in origins and origins[record.id] not in known
        )


def _origin(job: str, record: ConcernRecord) -> str:
    return f"concern {record.id} of run {record.run_id} (job {job!r}), raised there by {record.source}"


def _add(books: dict[str, Usage], task_id: str, usage: Usage) -> None:
    books[task_id] = books.get(task_id, Usage()) + usage
