"""What the checks of the linter look at, computed once: a graph, its plan, and what follows from both. Pure (L)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from echelon.model.graph import Dependency, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.phrasing import listed
from echelon.model.plan import FindingLevel, Plan
from echelon.planning.schedule.makespan import weights_of
from echelon.planning.schedule.order import producers_of, topological
from echelon.planning.schedule.phase_graph import depths, direct_needs, needs_of_phases

ERROR, WARNING, INFO = FindingLevel.ERROR, FindingLevel.WARNING, FindingLevel.INFO


class Problem(NamedTuple):
    """What a check found; the table of the linter adds the rule."""

    level: FindingLevel
    """How serious it is."""
    where: str
    """Task, node, phase or part of the job."""
    message: str
    """What is wrong, and why it matters."""
    fix: str
    """What to do about it."""


class Chain(NamedTuple):
    """The longest chain of tasks that wait for one another."""

    tasks: tuple[str, ...]
    """Task ids, producers first."""
    length: float
    """Seconds where every task states them, else tasks."""
    work: float
    """The same for all tasks together."""

    @property
    def speedup(self) -> float:
        """How many times faster than one agent any number of agents can be."""
        return self.work / self.length if self.length else 1.0


@dataclass(frozen=True)
class LintContext:
    """A graph and a plan for it; the plan may be made by hand, so nothing is taken for granted."""

    graph: TaskGraph
    """What must be done."""
    plan: Plan
    """Who does it."""

    @property
    def tasks(self) -> Sequence[TaskSpec]:
        """All tasks."""
        return self.graph.tasks

    @property
    def wishes(self) -> Organisation:
        """What people ask for."""
        return self.graph.organisation

    @property
    def agents(self) -> int:
        """The number of agents asked for, else that of the plan."""
        return self.wishes.agents or self.plan.n_agents

    @cached_property
    def by_id(self) -> dict[str, TaskSpec]:
        """Tasks by id."""
        return {task.id: task for task in self.tasks}

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """Pairs of producer and consumer."""
        return [(used, task.id) for task in self.tasks for used in producers_of(task)]

    @cached_property
    def phases(self) -> Mapping[str, Sequence[TaskSpec]]:
        """Tasks by the phase they were declared in."""
        phases: dict[str, list[TaskSpec]] = defaultdict(list)
        for task in self.tasks:
            if task.phase is not None:
                phases[task.phase].append(task)
        return phases

    @cached_property
    def needing(self) -> Mapping[str, Sequence[TaskSpec]]:
        """Tasks by the phases whose sync point they wait for."""
        needing: dict[str, list[TaskSpec]] = defaultdict(list)
        for task in self.tasks:
            for phase in task.needs:
                needing[phase].append(task)
        return needing

    @cached_property
    def joined(self) -> tuple[TaskSpec, ...]:
        """All tasks, producers first, with the sync points that tasks wait for as tasks that are in no graph."""
        if not self.needing:
            return topological(self.tasks)
        points = {phase: self._free(f"sync point of {phase}") for phase in self.needing}
        joins = [_sync_point(point, self.phases.get(phase, ())) for phase, point in points.items()]
        return topological([*(_waiting(task, points) for task in self.tasks), *joins])

    def _free(self, name: str) -> str:
        """Return a name that no task has."""
        while name in self.by_id:
            name = f"the {name}"
        return name

    @cached_property
    def chain(self) -> Chain:
        """The longest chain, through dependencies and through phases that are needed."""
        weights = weights_of(self.tasks)
        ends: dict[str, float] = {}
        before: dict[str, str | None] = {}
        for task in self.joined:
            last = max(producers_of(task), key=ends.__getitem__, default=None)
            before[task.id] = last
            ends[task.id] = (ends[last] if last is not None else 0.0) + weights.get(task.id, 0.0)
        current = max(ends, key=ends.__getitem__, default=None)
        length, backwards = (ends[current] if current is not None else 0.0), list[str]()
        while current is not None:
            backwards.append(current)
            current = before[current]
        held = tuple(task_id for task_id in reversed(backwards) if task_id in self.by_id)
        return Chain(held, length, sum(weights.values()))

    @cached_property
    def phases_needed(self) -> int:
        """Phases that dependencies, shared things and gates account for."""
        depth: dict[str, int] = {}
        for task in self.joined:
            before = max((depth[used] for used in producers_of(task)), default=0)
            depth[task.id] = before + (task.id in self.by_id)
        shared = Counter(thing for task in self.tasks for thing in task.touches)
        gates = sum(task.irreversible for task in self.tasks)
        return max([*depth.values(), *shared.values()], default=0) + gates

    @cached_property
    def sync_points_in_a_row(self) -> int:
        """Sync points that are passed one behind the other; those of phases side by side stop nobody else (X12)."""
        return max(depths(self._needs).values(), default=-1) + 1

    @cached_property
    def phases_before(self) -> Mapping[str, tuple[str, ...]]:
        """The phases right before each phase: those it waits for, without what is passed by then anyway."""
        return direct_needs(self._needs)

    @cached_property
    def _needs(self) -> Mapping[str, tuple[str, ...]]:
        needs = needs_of_phases(self.plan.phases)
        behind: set[str] = set()  # a plan that was made by hand may name phases that come later, or that it has not
        known: dict[str, tuple[str, ...]] = {}
        for name, needed in needs.items():
            known[name] = tuple(one for one in needed if one in behind)
            behind.add(name)
        return known

    def place(self, task: TaskSpec) -> tuple[str, str]:
        """Return where a task belongs: to its domain, or else to the coordinator of its agent (D2)."""
        if task.domain:
            return "domain", task.domain
        agent = self.plan.nodes.get(self.plan.agent_of.get(task.id, ""))
        return "team", (agent.parent if agent and agent.parent else task.id)

    def crosses(self, producer: TaskSpec, consumer: TaskSpec) -> bool:
        """Tell whether work changes hands between two domains, or two teams where there are no domains (D2)."""
        same = self.plan.agent_of.get(producer.id, producer.id) == self.plan.agent_of.get(consumer.id, consumer.id)
        return not same and self.place(producer) != self.place(consumer)


def _sync_point(point: str, tasks: Sequence[TaskSpec]) -> TaskSpec:
    return TaskSpec(id=point, goal="", depends_on=tuple(Dependency(task=task.id) for task in tasks))


def _waiting(task: TaskSpec, points: Mapping[str, str]) -> TaskSpec:
    """Return a task that depends on the sync points it waits for."""
    if not task.needs:
        return task
    waits = tuple(Dependency(task=points[phase]) for phase in task.needs)
    return task.model_copy(update={"depends_on": (*task.depends_on, *waits)})


def named(ids: Sequence[str], most: int = 4) -> str:
    """Return ids as people read them: the first few, and how many more."""
    return listed(ids, most, repr)
