"""What a run shows of its agents: each result that somebody judged, beside what the agent had said of it (X11). Pure.

Checks and verifiers judge, audits do, and owners decide which of two results counts; what nobody judged says nothing.
Work that another run did, or that stands in for the work itself, counts for nobody here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

from echelon.coordination.autonomy.rulings import ResultName, Rulings, rulings_of
from echelon.model.autonomy.track import Track
from echelon.model.errors import NotAccepted
from echelon.model.handoff import Handoff
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.judging.exposure import revised
from echelon.runlog.state import RunState


class Trial(NamedTuple):
    """A result that somebody judged."""

    record: StepRecord
    """The step."""
    track: Track
    """What it adds to the record of its agent."""

    @classmethod
    def of(cls, record: StepRecord, *, right: bool) -> Self:
        """Return the trial of a result that is right, or is not."""
        return cls(record, Track.of(stated_by(record.handoff), right=right))

    @property
    def right(self) -> bool:
        """Was it right?"""
        return any(self.track.right)


def trials_of(state: RunState, phase: str) -> Iterator[Trial]:
    """Yield the results of a phase that somebody judged, each once, those of earlier rounds included."""
    rulings, own = rulings_of(state), [step for step in state.steps if step.phase == phase and not step.replica]
    by_task: dict[str, list[StepRecord]] = {}
    for step in own:
        if step.kind is StepKind.TASK:
            # Verdicts of whoever accepts whatever it is given are none (O3).
            by_task.setdefault(step.handoff.task_id, []).append(revised(step, state.probes))
    refused: defaultdict[str, list[float | None]] = defaultdict(list)
    for attempt in state.failed_attempts:
        if attempt.error.kind == NotAccepted.__name__:
            refused[attempt.key].append(attempt.stated)
    for steps in by_task.values():
        yield from _of_task(steps, refused, rulings)
    yield from _of_integrations((step for step in own if step.kind is StepKind.INTEGRATION), rulings)


def stated_by(handoff: Handoff) -> float | None:
    """Return how sure a producer said it is; None where it said nothing, which is handed on as 1.0."""
    return handoff.confidence if handoff.done and handoff.confidence < 1 else None


def is_own_work(handoff: Handoff) -> bool:
    """Say whether a result was made in this run, by the agent of its task or another that did all of it."""
    return not handoff.kept_from and handoff.fallback is None


def _of_task(
    steps: Sequence[StepRecord], refused: Mapping[str, Sequence[float | None]], rulings: Rulings
) -> Iterator[Trial]:
    for key, step in {step.key: step for step in reversed(steps)}.items():
        for stated in refused.get(key, ()):  # attempts that their checks rejected
            yield Trial(step, Track.of(stated, right=False))
    # The same result may be on record again, since it was checked once more: the last word on it counts.
    judged: dict[str, Trial] = {}
    made: StepRecord | None = None
    for step in {(step.key, step.handoff.status): step for step in steps}.values():
        # Another round followed, since the one before was rejected.
        again = made is not None and made.interim and step.interim
        tried = made if made is not None and (again or not step.handoff.done) else step
        right = False if again else _is_right(step, refused)
        if right is not None and is_own_work(tried.handoff):
            judged[tried.handoff.version or tried.key] = Trial.of(tried, right=right)
        made = step if step.handoff.done else made
    for step in (step for step in steps if step.handoff.done and is_own_work(step.handoff)):
        known = judged.get(step.handoff.version)
        right = rulings.of(_name(step), known.right if known is not None else None)
        if right is not None and (known is None or known.right != right):
            judged[step.handoff.version] = Trial.of(step, right=right)
    yield from judged.values()


def _of_integrations(steps: Iterable[StepRecord], rulings: Rulings) -> Iterator[Trial]:
    """Yield integrations that somebody judged: what was made once more is the same result where its output is."""
    made = {_name(step): step for step in steps if step.handoff.done and is_own_work(step.handoff)}
    for name, step in made.items():
        right = rulings.of(name)
        if right is not None:
            yield Trial.of(step, right=right)


def _name(step: StepRecord) -> ResultName:
    return ResultName(step.handoff.task_id, step.handoff.version)


def _is_right(step: StepRecord, refused: Mapping[str, Sequence[float | None]]) -> bool | None:
    """Say whether a result is right; None where nobody knows, where it is to be judged still, or was counted above."""
    known = step.handoff.verification
    if step.interim or (refused.get(step.key) and not step.handoff.done):
        return None
    if step.handoff.stopped_by is not None and known is None:
        return True if step.handoff.stopped_by == "passed" else None
    return known.result == "accepted" if known is not None and known.is_known else None


def judged_tasks(trials: Iterable[Trial]) -> frozenset[str]:
    """Return the tasks of which a result was judged."""
    return frozenset(one.record.handoff.task_id for one in trials)
