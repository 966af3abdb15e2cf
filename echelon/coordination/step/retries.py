"""Which steps of a run are done again since a person is not content with them, and which are refused (F8). Pure."""

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from echelon.coordination.step.intents import tasks_meant
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import listed
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.runlog.events import TasksRetried
from echelon.runlog.state import RunState

#: Tasks that a refusal names at most.
MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class RetryRequest:
    """What a person wants done again in a run, whatever came of it: tasks, integrations, or patterns as `pay/*`."""

    tasks: tuple[str, ...]
    """What is meant."""
    redo: tuple[str, ...] = ()
    """What of it cannot be undone, and may happen twice."""
    by: str = ""
    """Who asks for it; empty when that is not known."""

    def __post_init__(self) -> None:
        if not self.tasks:
            raise InvalidInput(
                "no task is named; say what is to be done again, as in `echelon retry RUN TASK` (what is missing is "
                "done by `echelon resume RUN`)"
            )

    def about(self, run_id: str, state: RunState, plan: Plan, at: datetime) -> TasksRetried:
        """Return what is done again in a run that stands so; `InvalidInput` for what it does not have.

        Irreversible work that was begun is refused, unless `redo` means it too.
        """
        known = _known(state, plan)
        tasks = tuple(dict.fromkeys(task for said in self.tasks for task in _found(said, known, run_id)))
        redo = {task for said in self.redo for task in _redone(said, tasks)}
        begun = {one.task_id: one for one in state.intents.values() if not one.settled and one.effect == "irreversible"}
        refused = [task for task in tasks if task in begun and task not in redo]
        if refused:
            raise InvalidInput(
                f"{listed(refused, MAX_NAMED)}: cannot be undone, and was begun at "
                f"{begun[refused[0]].at:%Y-%m-%d %H:%M:%S} UTC; if it may happen twice, say so: "
                f"echelon retry {run_id} {refused[0]!r} --redo {refused[0]!r}"
            )
        again = tuple(task for task in tasks if task in redo)
        return TasksRetried(run_id=run_id, at=at, tasks=tasks, redo=again, by=self.by)


def _known(state: RunState, plan: Plan) -> dict[str, None]:
    """Return what a run has: tasks, then what coordinators did that a plan still has.

    The plan of today does not know the items that were found on the way; the one on record does (X12).
    """
    plans = [plan, *([state.plan] if state.plan else [])]
    nodes = {node for one in plans for node in one.nodes}
    coordinated = (step for step in state.steps if step.kind is not StepKind.TASK and step.node in nodes)
    tasks = (task.id for one in plans for task in one.tasks)
    return dict.fromkeys([*tasks, *(step.handoff.task_id for step in coordinated)])


def _found(said: str, known: Collection[str], run_id: str) -> list[str]:
    found = tasks_meant(said, known)
    if found:
        return found
    near = difflib.get_close_matches(said, known, n=3)
    hint = f"did you mean {listed(near, len(near), repr)}?" if near else f"it has {listed(known, MAX_NAMED)}"
    raise InvalidInput(f"run {run_id!r} has no task {said!r}; {hint}")


def _redone(said: str, tasks: Collection[str]) -> list[str]:
    found = tasks_meant(said, tasks)
    if not found:
        raise InvalidInput(
            f"--redo {said!r} means none of the tasks that are to be done again: {listed(tasks, MAX_NAMED)}; name it "
            "there too"
        )
    return found
