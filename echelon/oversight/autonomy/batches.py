"""Results that wait for an approval, in batches, and what a person is asked about each (X7). Pure."""

from collections.abc import Iterator, Sequence

from echelon.model.autonomy.decisions import ResultDecision
from echelon.model.concern import HIGH, Concern
from echelon.model.phrasing import listed

#: So many results are decided together.
DEFAULT_BATCH = 10

#: Weights of the concern that asks: somebody looks, always; and at once where more is behind it and it is doubted.
UNSURE, SURE, GRAVE = 0.5, 0.7, HIGH

#: Tasks that its message names; all of them are its evidence.
TASKS_NAMED = 5


def cut(decisions: Sequence[ResultDecision], size: int) -> Iterator[tuple[ResultDecision, ...]]:
    """Yield results in batches, in their order."""
    yield from (tuple(decisions[begin : begin + size]) for begin in range(0, len(decisions), size))


def concern_about(phase: str, batch: Sequence[ResultDecision], *, urgent: bool = False) -> Concern:
    """Return what asks a person about a batch: one concern, with every result and why it does not proceed."""
    first = batch[0]
    if len(batch) == 1:
        about, said = first.task_id, f"the result of {first.task_id} needs approval: {_why(first)}"
    else:
        names = listed([one.task_id for one in batch], TASKS_NAMED)
        about, said = phase, f"{len(batch)} results of phase {phase} need approval: {names}"
    return Concern(
        about=about,
        message=said,
        confidence=SURE if urgent else UNSURE,
        impact=GRAVE,
        evidence=tuple(map(_evidence, batch)),
    )


def _why(one: ResultDecision) -> str:
    return ", and ".join(one.reasons)


def _evidence(one: ResultDecision) -> str:
    """Return a result with all that is known of it; what a lead says decides no route, so no message has it."""
    declined = f"; {one.declined}" if one.declined else ""
    return f"{one.task_id} by {one.agent}: {_why(one)}{declined}"
