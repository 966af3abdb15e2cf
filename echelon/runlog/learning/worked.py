"""The tasks of a run that somebody worked on in it: how long, for how much, and by what kind of agent. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from echelon.model.integration import task_checked
from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.state import RunState


@dataclass(frozen=True, kw_only=True)
class WorkedTask:
    """A task that has ended and that was worked on in this run: what another run did of it is no part."""

    task_id: str
    done: bool
    seconds: float
    """Wall time of all its rounds, checks included; of replicas side by side that of the longest."""
    started: datetime
    finished: datetime
    attempts: int
    tokens: int | None
    cost: float | None
    code: str


def worked_tasks(state: RunState, plan: Plan) -> dict[str, WorkedTask]:
    """Return the tasks that have ended and that somebody worked on here, in the order in which they began."""
    tasks = {task.id for task in plan.tasks}
    own: dict[str, dict[tuple[StepKind, int, int], StepRecord]] = defaultdict(dict)
    for step in state.steps:
        task = step.handoff.task_id if step.kind is StepKind.TASK else task_checked(step.handoff.task_id)
        if task in tasks and step.kind in (StepKind.TASK, StepKind.CHECK) and _is_worked(step):
            own[task][step.kind, step.round, step.replica] = step
    ended = {name.task_id: step for name, step in state.latest.items() if name.kind is StepKind.TASK}
    found = [_of_task(task, list(own[task].values()), step) for task, step in ended.items() if own.get(task)]
    return {one.task_id: one for one in sorted(found, key=lambda one: one.started)}


def _is_worked(step: StepRecord) -> bool:
    """Say whether work was done for a step here: not for what was kept, blocked, or is stood in for."""
    handoff = step.handoff
    return not handoff.kept_from and handoff.fallback is None and handoff.attempts > 0


def _of_task(task: str, steps: Sequence[StepRecord], ended: StepRecord) -> WorkedTask:
    usages = [step.handoff.usage for step in steps]
    tokens, costs = [one.tokens for one in usages], [one.cost for one in usages]
    return WorkedTask(
        task_id=task,
        done=ended.handoff.done,
        seconds=sum(_seconds_of_rounds(steps)),
        started=min(step.started for step in steps),
        finished=max(step.finished for step in steps),
        attempts=sum(step.handoff.attempts for step in steps if step.kind is StepKind.TASK),
        tokens=sum(one or 0 for one in tokens) if any(one is not None for one in tokens) else None,
        cost=sum(one or 0.0 for one in costs) if any(one is not None for one in costs) else None,
        code=ended.code or steps[-1].code,
    )


def _seconds_of_rounds(steps: Sequence[StepRecord]) -> Iterator[float]:
    """Yield what each round took, and each check; replicas of a round are at work at the same time."""
    rounds: dict[tuple[StepKind, int], float] = {}
    for step in steps:
        took = (step.finished - step.started).total_seconds()
        rounds[step.kind, step.round] = max(took, rounds.get((step.kind, step.round), 0.0))
    yield from rounds.values()


def integrations(state: RunState, phase: str) -> list[StepRecord]:
    """Return the integrations of a phase that were made here, the last of each."""
    found = (step for name, step in state.latest.items() if name.kind is StepKind.INTEGRATION and name.phase == phase)
    return [step for step in found if _is_worked(step)]


def retry_seconds(state: RunState) -> Mapping[str, float]:
    """Return how long attempts at each task took that failed."""
    found: dict[str, float] = defaultdict(float)
    for attempt in state.failed_attempts:
        found[attempt.task_id] += attempt.seconds
    return found
