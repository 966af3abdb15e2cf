"""Give tasks to agents before any structure: what one agent can do alone needs no coordination (D1, D5).

A chain in which each task has one consumer and that consumer has one producer becomes one *feature agent*, as long as
it fits into the context of one agent. Tasks that must stay apart stay apart: other domain, capability, phase or model,
those with a gate (it stands before them alone), and a check and what it checks (O3).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.priors import Priors
from echelon.planning.enough import SingleAgentReason, one_agent_is_enough, wish_refused
from echelon.planning.schedule.makespan import durations
from echelon.planning.schedule.order import consumers_of, producers_of, topological

#: Couplings, the strongest first.
STRENGTH = (Coupling.TIGHT, Coupling.MEDIUM, Coupling.LOOSE, Coupling.NONE)


class Decomposition(NamedTuple):
    """Who does which tasks."""

    agents: tuple[TaskSpec, ...]
    """The work of each agent, as one task with the agent's id."""
    holds: dict[str, tuple[str, ...]]
    """Agent id → its tasks, in the order they are done."""
    enough: SingleAgentReason | None
    """Why one agent is enough, or why it is not although it was wanted; None when there is nothing to say."""


def decompose(graph: TaskGraph, *, fixed: bool = False, together: Sequence[Sequence[str]] = ()) -> Decomposition:
    """Contract a task graph into the work of agents (D1).

    With `fixed`, every task has an agent of its own already, but for those that are given `together`: each such group
    is done by one agent, in its order.
    """
    verdict = None if fixed else one_agent_is_enough(graph)
    if fixed:
        groups = _grouped(graph.tasks, together)
    elif verdict is not None:
        groups = [list(topological(graph.tasks))]
    else:
        groups = list(chains(graph.tasks, graph.priors))
    return _decomposition(graph.tasks, groups, verdict or wish_refused(graph), graph.priors)


def _grouped(tasks: Sequence[TaskSpec], together: Sequence[Sequence[str]]) -> list[list[TaskSpec]]:
    by_id = {task.id: task for task in tasks}
    taken = {task for group in together for task in group}
    alone = [[task] for task in tasks if task.id not in taken]
    return [*([by_id[task] for task in group] for group in together), *alone]


def chains(tasks: Sequence[TaskSpec], priors: Priors) -> Iterator[list[TaskSpec]]:
    """Yield the tasks of each agent: chains cut where the context is full, everything else alone (D1)."""
    by_id = {task.id: task for task in tasks}
    following = _following(tasks, by_id)
    continued = set(following.values())
    budget = priors.context_budget
    for head in tasks:
        if head.id in continued:
            continue
        held: list[TaskSpec] = []
        filled, current = 0, head.id
        while True:
            task = by_id[current]
            size = priors.task_tokens if task.tokens is None else task.tokens
            if held and filled + size > budget:
                yield held
                held, filled = [], 0
            held.append(task)
            filled += size
            if current not in following:
                break
            current = following[current]
        yield held


def _following(tasks: Sequence[TaskSpec], by_id: Mapping[str, TaskSpec]) -> dict[str, str]:
    """Return the links of the chains: task → the only task that uses it, which uses nothing else."""
    consumers = consumers_of(tasks)
    links: dict[str, str] = {}
    for task in tasks:
        producers = producers_of(task)
        if len(producers) == 1 and len(consumers[producers[0]]) == 1 and _alike(by_id[producers[0]], task):
            links[producers[0]] = task.id
    topological(tasks)  # a cycle would be a chain without a head, and vanish
    return links


def _alike(first: TaskSpec, second: TaskSpec) -> bool:
    kinds = [(t.domain, t.capability, t.phase, t.model, t.needs) for t in (first, second)]
    apart = first.at_gate or second.at_gate or first.verifies or second.verifies
    return kinds[0] == kinds[1] and not apart


def _decomposition(
    tasks: Sequence[TaskSpec], groups: Sequence[Sequence[TaskSpec]], enough: SingleAgentReason | None, priors: Priors
) -> Decomposition:
    taken = {task.id for task in tasks}
    names = [_name(group, taken) for group in groups]
    agent_of = {task.id: name for name, group in zip(names, groups, strict=True) for task in group}
    # In the order of their first task, which is the order people gave.
    position = {task.id: number for number, task in enumerate(tasks)}
    ordered = sorted(zip(names, groups, strict=True), key=lambda pair: min(position[task.id] for task in pair[1]))
    seconds, assumed = durations(tasks), priors.task_tokens
    return Decomposition(
        agents=tuple(merged(name, group, agent_of, seconds, assumed) for name, group in ordered),
        holds={name: tuple(task.id for task in group) for name, group in ordered},
        enough=enough,
    )


def _name(group: Sequence[TaskSpec], taken: set[str]) -> str:
    """Name an agent: after its task when it has one, else uniquely after the first."""
    if len(group) == 1:
        return group[0].id
    name = f"feature:{group[0].id}"
    while name in taken:
        name = f"feature:{name}"
    taken.add(name)
    return name


def merged(
    name: str,
    group: Sequence[TaskSpec],
    agent_of: Mapping[str, str],
    seconds: Mapping[str, float] | None,
    assumed_tokens: int,
) -> TaskSpec:
    """Return the tasks of an agent as one task; what goes on inside of it is no dependency any more (D1).

    Its `seconds` are those of its tasks, as the forecast takes them; its tokens are those stated, and `assumed_tokens`
    for a task that states none beside others that do.
    """
    depends_on = tuple(_outside(name, group, agent_of))
    taken = sum(seconds[task.id] for task in group) if seconds else None
    if len(group) == 1:
        # What checks others is never merged, though what it checks may be.
        checked = tuple(dict.fromkeys(agent_of[task] for task in group[0].verifies))
        if (depends_on, checked, taken) == (group[0].depends_on, group[0].verifies, group[0].seconds):
            return group[0]
        return group[0].model_copy(update={"depends_on": depends_on, "verifies": checked, "seconds": taken})
    tokens = [assumed_tokens if task.tokens is None else task.tokens for task in group]
    stated = any(task.tokens is not None for task in group)
    most = max(group, key=lambda task: task.replicas)
    last, inside = group[-1], {task.phase for task in group}
    return last.model_copy(
        update={
            "id": name,
            "needs": tuple(dict.fromkeys(need for task in group for need in task.needs if need not in inside)),
            "goal": "; then ".join(task.goal for task in group),
            "depends_on": depends_on,
            "tokens": sum(tokens) if stated else None,
            "seconds": taken,
            "replicas": most.replicas,
            "agree": most.agree,
            "replica_models": (),
            "touches": tuple(dict.fromkeys(thing for task in group for thing in task.touches)),
            "priority": max(task.priority for task in group),
            "error_consequence": max((task.error_consequence for task in group), key=CONSEQUENCES.index),
        }
    )


#: How bad a wrong output is, the mildest first.
CONSEQUENCES = ("minor", "significant", "catastrophic")


def _outside(name: str, group: Sequence[TaskSpec], agent_of: Mapping[str, str]) -> Iterator[Dependency]:
    """Yield the dependencies on other agents, each once, with its strongest coupling."""
    strongest: dict[str, Dependency] = {}
    for dependency in (d for task in group for d in task.depends_on):
        agent = agent_of[dependency.task]
        known = strongest.get(agent)
        if agent == name or (known and STRENGTH.index(known.coupling) <= STRENGTH.index(dependency.coupling)):
            continue
        strongest[agent] = dependency if agent == dependency.task else dependency.model_copy(update={"task": agent})
    yield from strongest.values()
