"""A task graph whose agents are known, as it is carried out: its plan, the phases of that, and a call for each task.

An agent of the plan may hold several tasks (D1): a chain that fits into one context, or all of a small graph. Each of
them is a call of its own, so that it has its own record, retries, budget and output; they are made one after the other.
What is shared is the order and what was delivered: a task receives what it depends on, and of those also what they
depend on as far as the same agent did it. What is not shared is what an agent remembers: it is a new call for a
function, a new process for a command, and a new conversation for a model.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TypeVar

from echelon.agents.agent import Agent
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, PlannedCall
from echelon.definition.graphs.graph_agents import GraphAgents
from echelon.definition.phase import PhaseDefinition
from echelon.definition.success.findings import words_findings
from echelon.definition.success.success import Success
from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.model.plan import PhasePlan, Plan
from echelon.planning.planner import plan
from echelon.planning.regime import Priority
from echelon.planning.schedule.order import consumers_of, producers_of

J = TypeVar("J", bound=JobDefinition)


def graph_plan(job: JobDefinition, priority: Priority | None, limits: Sequence[CapacityLimit]) -> Plan:
    """Return the plan of a job that was made from a task graph: the same to look at as to carry out."""
    graph = _graph(job)
    made = plan(graph, span=job.span, priority=priority, limits=limits)
    if _agents(job).lacking():
        return made  # nobody integrates it, and nobody delivers
    success = {phase.name: _agents(job).success.only({*phase.tasks}) for phase in made.phases}
    phases = tuple(phase.model_copy(update=_declared(success[phase.name])) for phase in made.phases)
    in_words = (finding for name, one in success.items() for finding in words_findings(name, one))
    findings = (*made.findings, *in_words)
    used = consumers_of(graph.tasks)
    delivers = tuple(task.id for task in graph.tasks if not used[task.id])
    return made.model_copy(
        update={"phases": phases, "delivers": delivers, "findings": findings, "agents": dict(job.agent_sources)}
    )


def in_phases(job: J, made: Plan) -> J:
    """Return the job with the phases of its plan."""
    tasks = {task.id: task for task in made.tasks}
    phase_of = {task: phase.name for phase in made.phases for task in phase.tasks}
    ready = copy(job)
    ready.phases = {phase.name: _phase(_agents(job), phase, tasks, phase_of) for phase in made.phases}
    return ready


def graph_calls(job: JobDefinition, made: Plan) -> Expansion:
    """Return who does each task of the plan, and on what: the task as it was written."""
    agents = _agents(job)
    written = {task.id: task for task in agents.graph.tasks}
    calls = {
        task: PlannedCall(
            task_id=task, phase=phase.name, agent=_agent(agents, written[task]), item=_item(written[task])
        )
        for phase in made.phases
        for task in phase.tasks
    }
    return Expansion(graph=_graph(job), calls=calls)


def _phase(
    agents: GraphAgents, phase: PhasePlan, tasks: Mapping[str, TaskSpec], phase_of: Mapping[str, str]
) -> PhaseDefinition:
    used = {phase_of[producer] for task in phase.tasks for producer in producers_of(tasks[task])}
    needs = tuple(name for name in dict.fromkeys(phase_of.values()) if name in used and name != phase.name)
    return agents.phase(phase.name, (_agent(agents, tasks[task]) for task in phase.tasks), needs)


def _declared(success: Success) -> dict[str, object]:
    """Return what a phase of the plan takes from its tasks and their agents."""
    verify = tuple(one.name for one in success.verifiers)
    return {"single": False, "integration": "none", "success": success.said, "verify": verify}


def _item(task: TaskSpec) -> TaskSpec:
    """Return a task as its agent gets it: what is taken for success makes it no other task, and is told in words."""
    return task.model_copy(update={"success": ()}) if task.success else task


def _agent(agents: GraphAgents, task: TaskSpec) -> Agent:
    found = agents.agent_for(task)
    assert found is not None, "a graph that lacks agents is refused before"
    return found


def _agents(job: JobDefinition) -> GraphAgents:
    assert job.graph_agents is not None, "a job that was made from a graph knows its agents, be it none"
    return job.graph_agents


def _graph(job: JobDefinition) -> TaskGraph:
    assert job.graph is not None, "asked of jobs only that were made from a graph"
    return job.graph
