"""What the tasks of a graph take for success, and the agents that do them (D11). Pure: nothing is imported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import Check, Criterion
from echelon.agents.command import command
from echelon.definition.success.criteria import CheckBinder
from echelon.definition.success.success import Success, criteria_of_agents
from echelon.model.errors import InvalidJob
from echelon.model.graph import TaskCriterion, TaskGraph, TaskSpec


def checks_named(graph: TaskGraph) -> tuple[str, ...]:
    """Return the checks that the tasks of a graph name, each once."""
    return tuple(dict.fromkeys(one.check for task in graph.tasks for one in task.success if one.check))


def success_of_graph(
    graph: TaskGraph,
    agent_for: Callable[[TaskSpec], Agent | None],
    everybody: Sequence[Agent],
    checks: Mapping[str, Check],
    shape: CallShape,
) -> Success:
    """Return what is taken for success, with its checks bound; `InvalidJob` says which check cannot be made.

    `checks` are those that tasks name, by that name; `everybody` may do tasks, or stand in for who does.
    """
    binder = CheckBinder(phase=graph.name, who=tuple(everybody), shape=shape, where=f"graph {graph.name!r}")
    success = Success(
        agents=criteria_of_agents(binder),
        tasks={
            task.id: replace(binder, where=f"task {task.id!r}").criteria(
                [_criterion(task, one, checks) for one in task.success], agent.output_type
            )
            for task in graph.tasks
            if task.success and (agent := agent_for(task)) is not None
        },
    )
    for task in graph.tasks:
        agent = agent_for(task) if task.success else None
        if agent is not None:
            success.of(task, agent.name).check_names(f"task {task.id!r}")
    return success


def _criterion(task: TaskSpec, stated: TaskCriterion, checks: Mapping[str, Check]) -> Criterion:
    if stated.command:
        return command(stated.command)
    if stated.check and stated.check not in checks:
        raise InvalidJob(f"task {task.id!r}: its success names the check {stated.check!r}, which is not given")
    return checks[stated.check] if stated.check else stated.text
