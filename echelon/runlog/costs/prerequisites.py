"""Success with prerequisites: a task counts as done only where what it rests on is done. Pure.

Counting each task alone overstates what was achieved: a report made from a survey that failed is there, and worth
little.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

from echelon.model.costs.measures import SuccessShares
from echelon.model.run import StepKind
from echelon.planning.schedule.order import producers_of
from echelon.runlog.losses import has_delivered
from echelon.runlog.state import RunState

K = TypeVar("K", bound=Hashable)


def success_shares(
    met: Mapping[K, bool], needs: Mapping[K, Collection[K]], counted: Collection[K] | None = None
) -> SuccessShares | None:
    """Return which share is met: alone, with what each needs directly, and with all that it rests on.

    `counted` are those that count, else all. What is needed and not in `met` is not looked at; None where there is
    nothing to count.
    """
    keys = met.keys() if counted is None else counted
    if not keys:
        return None
    known = {key: [need for need in needs.get(key, ()) if need in met] for key in met}
    broken = _resting_on_failures(met, known)
    return SuccessShares(
        tasks=len(keys),
        alone=sum(met[key] for key in keys) / len(keys),
        direct=sum(met[key] and all(met[need] for need in known[key]) for key in keys) / len(keys),
        transitive=sum(key not in broken for key in keys) / len(keys),
    )


def _resting_on_failures(met: Mapping[K, bool], needs: Mapping[K, Collection[K]]) -> set[K]:
    """Return what failed, and everything that rests on it: each is visited once."""
    users: dict[K, list[K]] = {}
    for key, needed in needs.items():
        for need in needed:
            users.setdefault(need, []).append(key)
    broken = {key for key, done in met.items() if not done}
    spreading = list(broken)
    while spreading:
        for user in users.get(spreading.pop(), ()):
            if user not in broken:
                broken.add(user)
                spreading.append(user)
    return broken


def success_of(state: RunState) -> SuccessShares | None:
    """Return the success of the tasks of a run: delivered by themselves, whole, and verified where that was asked."""
    plan = state.plan
    if plan is None:
        return None
    good = {
        name.task_id
        for name, step in state.latest.items()
        if name.kind is StepKind.TASK and has_delivered(step) and not step.handoff.falls_short
    }
    tasks = {_task(task.id): task for task in plan.tasks if task.id not in state.sync.stopped}
    needs: dict[_Node, Collection[_Node]] = {
        key: [*map(_task, producers_of(task)), *map(_phase, task.needs)] for key, task in tasks.items()
    }
    # What reaches a task through a sync point is one thing, whole or not: a link to each task behind it would be many.
    whole = {_phase(phase.name): [_task(one) for one in phase.tasks] for phase in plan.phases}
    met = {key: task.id in good for key, task in tasks.items()}
    met |= {key: all(met.get(one, True) for one in members) for key, members in whole.items()}
    return success_shares(met, {**needs, **whole}, tasks.keys())


_Node = tuple[str, str]


def _task(task_id: str) -> _Node:
    return "task", task_id


def _phase(name: str) -> _Node:
    return "phase", name
