"""The agents of a task graph: who does which of its tasks, and what that says about them. Pure: nothing is imported.

Tasks ask for a capability, agents are given by capability; the one under `*` does whatever no other agent is named for,
tasks without a capability included.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import Check
from echelon.agents.fallback import Fallback
from echelon.contract.declared import vocabularies_in
from echelon.definition.facts import facts_of
from echelon.definition.fallbacks import fallbacks_for, stand_ins_of
from echelon.definition.fitting import as_agent, check_takes_some
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.definition.redundancy.wish import check_may_be_done_twice
from echelon.definition.success.of_graph import success_of_graph
from echelon.definition.success.success import NO_SUCCESS, Success
from echelon.model.errors import InvalidJob
from echelon.model.graph import Coupling, TaskGraph, TaskSpec
from echelon.model.phrasing import listed
from echelon.model.policy import Resilience
from echelon.planning.schedule.order import producers_of

#: The key of the agent for all tasks that no other one is named for.
ALL_OTHERS = "*"

NAMED_CAPABILITIES = 5  # in a message; more are counted


@dataclass(frozen=True, kw_only=True)
class GraphAgents:
    """Who does the tasks of a graph, as far as that is known."""

    graph: TaskGraph
    """The graph as it was written: its tasks are what agents get as their item."""
    by_capability: Mapping[str, Agent] = field(default_factory=dict[str, Agent])
    """Agents by the capability that they have, bound to what calls will give them."""
    fallbacks: Mapping[str, tuple[Fallback, ...]] = field(default_factory=dict[str, tuple[Fallback, ...]])
    """What stands in when an agent does not deliver, by its name (F2)."""
    success: Success = NO_SUCCESS
    """What must be true of the results of its tasks (D11)."""

    def agent_for(self, task: TaskSpec) -> Agent | None:
        """Return who does a task; None where nobody was given."""
        return self.by_capability.get(task.capability or ALL_OTHERS) or self.by_capability.get(ALL_OTHERS)

    def lacking(self) -> tuple[str, ...]:
        """Return the capabilities that nobody has, each once; `*` stands for tasks that ask for none."""
        alone = (task.capability or ALL_OTHERS for task in self.graph.tasks if self.agent_for(task) is None)
        return tuple(dict.fromkeys(alone))

    def phase(self, name: str, agents: Iterable[Agent], needs: tuple[str, ...] = ()) -> PhaseDefinition:
        """Return a phase in which agents work, each task on what those that it depends on made."""
        return PhaseDefinition(
            name=name,
            agents=tuple({id(agent): agent for agent in agents}.values()),
            needs=needs,
            # Who cannot start without what is told by the couplings of the tasks, one by one (D3).
            couplings={need: Need(need, Coupling.LOOSE) for need in needs},
            fallbacks=self.fallbacks,
            success=self.success,
            task_by_task=True,
        )

    @property
    def everybody(self) -> PhaseDefinition:
        """All of them in one phase: for what does not depend on when they work, such as limits of providers."""
        return self.phase(self.graph.name, self.by_capability.values())


def graph_agents(
    graph: TaskGraph,
    given: Mapping[str, AgentLike],
    shape: CallShape,
    checks: Mapping[str, Check] = MappingProxyType({}),
) -> GraphAgents:
    """Return who does the tasks of a graph; `InvalidJob` says which agent cannot, or which check.

    `given` are agents by capability, `shape` is what their calls will carry, `checks` are those that tasks name.
    """
    _check_asked_for(graph, given)
    bound: dict[int, Agent] = {}
    for capability, one in given.items():
        if id(one) not in bound:
            bound[id(one)] = as_agent(f"capability {capability!r}", one).bind(shape)
    _check_names(bound.values())
    agents = GraphAgents(
        graph=graph,
        by_capability={capability: bound[id(one)] for capability, one in given.items()},
        fallbacks={one.name: fallbacks_for(graph.name, one, None, shape) for one in bound.values()},
    )
    for task in graph.tasks:
        _check_effect(task, agents.agent_for(task))
        _check_redundancy(task, agents.agent_for(task))
    _check_contracts(agents)
    everybody = (*bound.values(), *stand_ins_of(agents.fallbacks))
    return replace(agents, success=success_of_graph(graph, agents.agent_for, everybody, checks, shape))


def _check_redundancy(task: TaskSpec, agent: Agent | None) -> None:
    """Refuse what would be done twice and must not be, and a standby: nothing says who that is (F9)."""
    if agent is None:
        return
    if task.replicas > 1:
        check_may_be_done_twice(f"task {task.id!r}", agent, "replicas")
    if task.standby is not None:
        raise InvalidJob(f"task {task.id!r}: a task graph that is run has no standby; give it replicas, or write a job")


def with_facts(agents: GraphAgents, defaults: Resilience) -> TaskGraph:
    """Return the graph with what its agents say about its tasks: kind, model, contract, limits, and their words (C3).

    What is known of an agent goes before what the file says; a task of an agent that cannot be undone is irreversible.
    """
    known = {id(one): _facts(one, defaults) for one in agents.by_capability.values()}
    words = {name: found for one in agents.by_capability.values() for name, found in _words(one)}
    tasks = tuple(
        task if (agent := agents.agent_for(task)) is None else task.model_copy(update=_told(task, agent, known))
        for task in agents.graph.tasks
    )
    return agents.graph.model_copy(update={"tasks": tasks, "vocabularies": words | agents.graph.vocabularies})


def _told(task: TaskSpec, agent: Agent, known: Mapping[int, Mapping[str, Any]]) -> dict[str, object]:
    irreversible = task.irreversible or agent.effect == "irreversible"
    return {**known[id(agent)], "irreversible": irreversible}


def _facts(agent: Agent, defaults: Resilience) -> Mapping[str, Any]:
    facts = facts_of(agent, agent.resilience.over(defaults))._asdict()
    return {name: value for name, value in facts.items() if value is not None}


def _words(agent: Agent) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from vocabularies_in(agent.output_type).items()


def _check_asked_for(graph: TaskGraph, given: Iterable[str]) -> None:
    """Refuse an agent that nothing would be given to: a capability that is mistyped looks just like success."""
    asked = dict.fromkeys(task.capability for task in graph.tasks if task.capability)
    unknown = [capability for capability in given if capability != ALL_OTHERS and capability not in asked]
    if unknown:
        those = listed(list(asked), NAMED_CAPABILITIES) if asked else "none"
        raise InvalidJob(
            f"an agent is given for the capability {unknown[0]!r}, which no task has (those are: {those}); "
            f"correct it, or write {ALL_OTHERS!r} for all tasks that have no agent of their own"
        )


def _check_names(agents: Iterable[Agent]) -> None:
    names = [one.name for one in agents]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidJob(f"two agents of the graph are called {twice[0]!r}; give one of them a name of its own")


def _check_effect(task: TaskSpec, agent: Agent | None) -> None:
    """Refuse what would be done again after a crash although it cannot be undone: the agent must say that (F8)."""
    if task.irreversible and agent is not None and agent.effect != "irreversible":
        raise InvalidJob(
            f"task {task.id!r} is irreversible, and its agent {agent.name!r} says effect={agent.effect!r}; "
            'declare effect="irreversible" on the agent, or give the task a capability and an agent of its own'
        )


def _check_contracts(agents: GraphAgents) -> None:
    """Refuse a consumer that is built for something else than a task it depends on makes, before anything runs (C7)."""
    by_id = {task.id: task for task in agents.graph.tasks}
    checked: set[tuple[int, int]] = set()
    for task in agents.graph.tasks:
        consumer = agents.agent_for(task)
        for used in producers_of(task):
            producer = agents.agent_for(by_id[used])
            if consumer is None or producer is None or (id(producer), id(consumer)) in checked:
                continue
            checked.add((id(producer), id(consumer)))
            check_takes_some(f"task {task.id!r}", consumer, f"task {used!r}", producer)
