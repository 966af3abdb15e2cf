"""Foresee how long a part of a plan takes, with durations that were measured instead of those that were stated (V6)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind, PhasePlan, Plan
from echelon.planning.features import stages_of
from echelon.planning.schedule.makespan import PhaseOverhead, Schedule, durations, ends_of_phases, makespan
from echelon.planning.schedule.phase_graph import needs_of_phases


def makespan_of(plan: Plan, seconds: Mapping[str, float], integration_seconds: float | None = None) -> float | None:
    """Return the wall time of the tasks of a plan that `seconds` names, in seconds; None when it names none.

    `integration_seconds` is what an integration was measured to take; None: what the plan assumes.
    """
    return makespan(schedule_of(plan, seconds, integration_seconds)).predicted


def phase_seconds_of(plan: Plan, seconds: Mapping[str, float]) -> dict[str, float]:
    """Return how long each phase takes from when those it needs have ended, given how long its tasks do, in seconds.

    Phases that agents go through item by item are one, under the name of the last of them (D1).
    """
    schedule = schedule_of(plan, seconds)
    work = durations(schedule.agents)
    ends = ends_of_phases(schedule, work) if work else {}
    needs = needs_of_phases(schedule.phases)
    return {name: end - max((ends[one] for one in needs[name]), default=0.0) for name, end in ends.items()}


def schedule_of(
    plan: Plan,
    seconds: Mapping[str, float],
    integration_seconds: float | None = None,
    overheads: Mapping[str, PhaseOverhead] = MappingProxyType({}),
) -> Schedule:
    """Return the schedule of the tasks of a plan that `seconds` names; `overheads` are what phases take beyond them."""
    stages = stages_of(plan.phases)
    units = _units(plan, stages, seconds)
    work = [spec for own in units.values() for spec in own.values()]
    phases = _with_work(stages, {name: tuple(spec.id for spec in own.values()) for name, own in units.items()})
    priors = plan.priors
    if integration_seconds is not None:
        priors = priors.model_copy(update={"integration_seconds": integration_seconds})
    tree = _tree(plan, units)
    return Schedule(agents=work, phases=phases, tree=tree, priors=priors, limits=plan.limits, overheads=overheads)


def unit_of(plan: Plan, stage: str, task: str) -> str:
    """Return the name, in such a schedule, of what the agent of a task has to do in a phase."""
    return f"{stage}: {plan.agent_of.get(task, task)}"


def _units(plan: Plan, stages: Sequence[PhasePlan], seconds: Mapping[str, float]) -> dict[str, dict[str, TaskSpec]]:
    """Return by phase and agent what the agent has to do there, as one task under a name of its own."""
    tasks = {task.id: task for task in plan.tasks}
    units: dict[str, dict[str, TaskSpec]] = {}
    for phase in stages:
        held: dict[str, list[TaskSpec]] = {}
        for task in phase.tasks:
            if task in seconds:
                held.setdefault(plan.agent_of.get(task, task), []).append(tasks[task])
        units[phase.name] = {agent: _unit(phase.name, agent, own, seconds) for agent, own in held.items()}
    return units


def _unit(phase: str, agent: str, own: Sequence[TaskSpec], seconds: Mapping[str, float]) -> TaskSpec:
    changes: dict[str, object] = {
        "id": f"{phase}: {agent}",
        "seconds": sum(seconds[task.id] for task in own),
        "tokens": sum(task.tokens or 0 for task in own) or None,
        "touches": tuple(dict.fromkeys(thing for task in own for thing in task.touches)),
        "priority": max(task.priority for task in own),
        "depends_on": (),
        "needs": (),
        "verifies": (),
    }
    return own[0].model_copy(update=changes)


def _tree(plan: Plan, units: Mapping[str, Mapping[str, TaskSpec]]) -> tuple[Node, ...]:
    """Return the tree of a plan with a node for what each agent has to do in each phase."""
    made: list[Node] = []
    for node in plan.tree:
        if node.kind is not NodeKind.AGENT:
            made.append(node)
            continue
        own = [unit[node.id] for unit in units.values() if node.id in unit]
        made += [node.model_copy(update={"id": spec.id}) for spec in own]
    return tuple(made)


def _with_work(phases: Sequence[PhasePlan], work: Mapping[str, tuple[str, ...]]) -> tuple[PhasePlan, ...]:
    """Return the phases that have work; what one without any waits for, those behind it wait for."""
    needs = needs_of_phases(phases)
    waits: dict[str, tuple[str, ...]] = {}
    for phase in phases:
        before = [one for name in needs[phase.name] for one in ((name,) if work.get(name) else waits.get(name, ()))]
        waits[phase.name] = tuple(dict.fromkeys(before))
    return tuple(
        phase.model_copy(update={"tasks": work[phase.name], "needs": waits[phase.name]})
        for phase in phases
        if work[phase.name]
    )
