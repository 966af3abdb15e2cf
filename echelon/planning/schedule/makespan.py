"""Foresee how long a plan takes: agents are started in order, coordinators integrate, sync points end phases (V6)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heapreplace
from typing import NamedTuple

from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.plan import Finding, FindingLevel, Makespan, Node, PhasePlan
from echelon.model.priors import Priors
from echelon.planning.schedule.limited import Dispatcher, at_least
from echelon.planning.schedule.order import producers_of, topological
from echelon.planning.schedule.phase_graph import needs_of_phases


class PhaseOverhead(NamedTuple):
    """What a phase takes beyond its tasks, as earlier runs measured it, in seconds; it replaces what is assumed."""

    lead: float = 0.0
    """From the end of what it waits for to its first step."""
    tail: float = 0.0
    """From the end of its last task to that of its last step: whoever integrates."""
    per_task: float = 0.0
    """For each of its tasks: starting it, and putting it on record."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What the wall time of a plan depends on."""

    agents: Sequence[TaskSpec]
    """The work of each agent."""
    phases: Sequence[PhasePlan]
    """Phases, with the ids of agents as tasks."""
    tree: Sequence[Node] = ()
    """The tree; empty: nobody integrates."""
    priors: Priors = field(default_factory=Priors)
    """What starting, integrating and synchronising takes."""
    limits: Sequence[CapacityLimit] = ()
    """What bounds how many agents are at work at one time, or begin in a minute; empty: nothing does."""
    overheads: Mapping[str, PhaseOverhead] = field(default_factory=dict[str, PhaseOverhead])
    """What phases take beyond their tasks, where that was measured; of the others it is what the priors say."""

    def end_of(self, phase: str, ends: Mapping[str, float], began: float) -> float:
        """Return when a phase ends whose tasks end so, in seconds."""
        overhead = self.overheads.get(phase)
        if overhead is None:
            return _integrated(ends, _above(self.tree), self.priors.integration_seconds) + self.priors.sync_seconds
        last = max(ends.values(), default=began)
        return max(began, last + overhead.tail + overhead.per_task * len(ends))


def makespan(schedule: Schedule) -> Makespan:
    """Return the wall time of a plan, in seconds; everything None when no task states a duration (V6).

    Within a phase agents start in the order of the tree as soon as the limits let them; starting takes processor time,
    which all agents share. A coordinator integrates when everybody below has ended; the sync point ends the phase, and
    those that wait for it begin. Work without a duration is taken to last as long as the rest does on average. What a
    provider takes in a minute bounds the whole also where no task states a duration (F5).
    """
    seconds = durations(schedule.agents)
    chain = critical_path(schedule.agents, seconds) if seconds else None
    everybody = [agent for agent in schedule.agents for _ in range(agent.replicas)]
    bounds = [at_least(limit, everybody, seconds) for limit in schedule.limits]
    bound = max(bounds, key=lambda one: one.seconds, default=None)
    bound = bound if bound and bound.seconds > (chain or 0.0) else None
    made = Makespan(
        predicted=None,
        critical_path=chain if chain is None else round(chain, 6),
        work=None,
        max_concurrency=min((one.at_once for one in schedule.limits if one.at_once and one.for_all), default=None),
        bound_by=bound and bound.why,
        bound_seconds=bound and round(bound.seconds, 6),
    )
    return made if seconds is None else _foreseen(schedule, seconds, made)


def _foreseen(schedule: Schedule, seconds: Mapping[str, float], made: Makespan) -> Makespan:
    """Add to what bounds a plan how long it takes."""
    predicted = ends_of_phases(schedule, seconds)
    bare = replace(schedule, tree=(), priors=_WITHOUT_COORDINATION, overheads={})
    plain = ends_of_phases(bare, seconds)
    takes, work = (max(ends.values(), default=0.0) for ends in (predicted, plain))
    figures = {
        "predicted": round(max(takes, made.bound_seconds or 0.0), 6),
        "work": round(sum(seconds[agent.id] * agent.replicas for agent in schedule.agents), 6),
        "coordination": round(max(0.0, takes - work), 6),
    }
    return made.model_copy(update=figures)


_WITHOUT_COORDINATION = Priors(dispatch_seconds=0.0, integration_seconds=0.0, sync_seconds=0.0)


def ends_of_phases(schedule: Schedule, seconds: Mapping[str, float]) -> dict[str, float]:
    """Return when the sync point of each phase is passed, in seconds from the start.

    A phase begins when those it needs have ended; phases side by side share the limits (X12, F5). Each replica takes
    a place of its own; a task ends when so many of them have ended as must agree (F9).
    """
    agents = {agent.id: agent for agent in schedule.agents}
    position = {node.id: number for number, node in enumerate(schedule.tree)}
    needs = needs_of_phases(schedule.phases)
    dispatch = 0.0 if schedule.overheads else schedule.priors.dispatch_seconds
    work = Dispatcher(schedule.limits, seconds, dispatch)
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    at_work: dict[str, dict[str, list[float]]] = {}
    left: dict[str, int] = {}
    waiting = {phase.name: phase for phase in schedule.phases}

    def begin() -> None:
        for name in [name for name in waiting if all(needed in ended for needed in needs[name])]:
            ordered = sorted(waiting.pop(name).tasks, key=lambda agent: position.get(agent, 0))
            at_work[name] = {agent: [] for agent in ordered}
            doers = [agents[agent] for agent in ordered for _ in range(agents[agent].replicas)]
            left[name] = len(doers)
            lead = schedule.overheads.get(name, PhaseOverhead()).lead
            began[name] = max((ended[one] for one in needs[name]), default=0.0) + lead
            work.add(name, doers, began[name])

    begin()
    for started in work.starts():
        at_work[started.group][started.task].append(started.end)
        left[started.group] -= 1
        if not left[started.group]:
            ends = {agent: sorted(each)[agents[agent].agree - 1] for agent, each in at_work[started.group].items()}
            ended[started.group] = schedule.end_of(started.group, ends, began[started.group])
            begin()
    return ended


def durations(tasks: Sequence[TaskSpec]) -> dict[str, float] | None:
    """Return the seconds of each task, the mean of the others for one that states none; None when none does."""
    known = [task.seconds for task in tasks if task.seconds is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return {task.id: mean if task.seconds is None else task.seconds for task in tasks}


def duration_findings(tasks: Sequence[TaskSpec]) -> tuple[Finding, ...]:
    """Say so when some tasks state a duration and others do not: the forecast assumes the mean for them (V6)."""
    silent = [task.id for task in tasks if task.seconds is None]
    if not silent or len(silent) == len(tasks):
        return ()
    return (
        Finding(
            rule="V6",
            level=FindingLevel.INFO,
            where=silent[0],
            message=f"{len(silent)} of {len(tasks)} tasks state no duration; the forecast takes the mean of the others",
            fix="state the seconds of every task, or read the predicted makespan as a guess",
        ),
    )


def list_scheduled(seconds: Sequence[float], width: int | None, dispatch_seconds: float = 0.0) -> list[float]:
    """Return when each task ends if each goes to the place that is free first (list scheduling).

    One processor starts them: the k-th task cannot start before k dispatches are over.
    """
    places = min(width or len(seconds), len(seconds))
    free_at = [0.0] * places
    heapify(free_at)
    ends: list[float] = []
    for number, duration in enumerate(seconds, start=1):
        end = max(free_at[0], number * dispatch_seconds) + duration
        heapreplace(free_at, end)
        ends.append(end)
    return ends


def _above(tree: Sequence[Node]) -> dict[str, tuple[int, str]]:
    """Return depth and parent of every node below the root."""
    depth: dict[str, int] = {}
    above: dict[str, tuple[int, str]] = {}
    for node in tree:
        depth[node.id] = 0 if node.parent is None else depth[node.parent] + 1
        if node.parent is not None:
            above[node.id] = (depth[node.id], node.parent)
    return above


def _integrated(ends: Mapping[str, float], above: Mapping[str, tuple[int, str]], seconds: float) -> float:
    """Return when the last coordinator has integrated; one with a single report has nothing to integrate."""
    levels: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    last = max(ends.values(), default=0.0)
    for node, end in ends.items():
        if node in above:
            depth, parent = above[node]
            levels[depth][parent].append(end)
    for depth in range(max(levels, default=0), 0, -1):
        for node, reported in levels[depth].items():
            end = max(reported) + (seconds if len(reported) > 1 else 0.0)
            last = max(last, end)
            if node in above:
                levels[above[node][0]][above[node][1]].append(end)
    return last


def weights_of(tasks: Sequence[TaskSpec]) -> dict[str, float]:
    """Return what each task weighs: its seconds where every task states them and some are not 0, else 1."""
    timed = all(task.seconds is not None for task in tasks) and any(task.seconds for task in tasks)
    return {task.id: (task.seconds or 0.0) if timed else 1.0 for task in tasks}


def critical_path(tasks: Sequence[TaskSpec], seconds: Mapping[str, float]) -> float:
    """Return the longest chain; a task that needs a phase waits for the longest chain that ends in it."""
    ends: dict[str, float] = {}
    phase_ends: dict[str | None, float] = defaultdict(float)
    for task in in_order(tasks):
        before = [ends[producer] for producer in producers_of(task)] + [phase_ends[phase] for phase in task.needs]
        ends[task.id] = max(before, default=0.0) + seconds[task.id]
        phase_ends[task.phase] = max(phase_ends[task.phase], ends[task.id])
    return max(ends.values(), default=0.0)


def in_order(tasks: Sequence[TaskSpec]) -> Sequence[TaskSpec]:
    """Return tasks as they could be done: producers before consumers, and phases in the order they were declared."""
    declared = {phase: number for number, phase in enumerate(dict.fromkeys(task.phase for task in tasks))}
    ordered = topological(tasks)
    return sorted(ordered, key=lambda task: declared[task.phase]) if any(task.needs for task in tasks) else ordered
