"""Feature agents over declared phases: each goes through several of them with one item, without a sync point (D1).

Such phases are one stage of the schedule, and stay phases in the plan: each task is a step of its own. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence

from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan


def phases_of_features(
    tasks: Sequence[TaskSpec], stages: Sequence[PhasePlan], together: Sequence[Sequence[str]]
) -> tuple[PhasePlan, ...]:
    """Return the phases that were declared, where a stage holds the tasks of several, given who does which together."""
    by_id = {task.id: task for task in tasks}
    chains = {tuple(_phase(by_id[task]) for task in group) for group in together}
    by_last = {chain[-1]: chain for chain in chains}
    return tuple(phase for stage in stages for phase in _declared(stage, by_last.get(stage.name, (stage.name,)), by_id))


def stages_of(phases: Sequence[PhasePlan]) -> tuple[PhasePlan, ...]:
    """Return phases of a plan as they are scheduled: those that agents go through item by item are one."""
    made: list[PhasePlan] = []
    for phase in phases:
        if phase.continues is None:
            made.append(phase)
            continue
        first = made.pop()  # those that are continued stand right before
        needs = [need for need in phase.needs or () if need != first.name]
        merged = {"tasks": (*first.tasks, *phase.tasks), "needs": tuple(dict.fromkeys((*(first.needs or ()), *needs)))}
        made.append(phase.model_copy(update=merged | {"continues": None}))
    return tuple(made)


def _declared(stage: PhasePlan, chain: Sequence[str], by_id: Mapping[str, TaskSpec]) -> Iterator[PhasePlan]:
    """Yield the phases of a stage, each behind the one that it continues."""
    if len(chain) == 1:
        yield stage
        return
    for before, name in zip((None, *chain), chain, strict=False):
        held = tuple(task for task in stage.tasks if by_id[task].phase == name)
        own = {need for task in held for need in by_id[task].needs}
        needs = tuple(need for need in stage.needs or () if need in own)
        changes = {
            "name": name,
            "tasks": held,
            "needs": needs if before is None else (*needs, before),
            "continues": before,
            "sync": stage.sync.model_copy(update={"hubs": tuple(hub for hub in stage.sync.hubs if hub in held)}),
        }
        yield stage.model_copy(update=changes)


def _phase(task: TaskSpec) -> str:
    assert task.phase is not None, "only tasks of declared phases are done together"
    return task.phase
