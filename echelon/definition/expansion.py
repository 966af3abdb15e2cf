"""What a job becomes for given inputs: one task a call, as a graph that planning understands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from echelon.agents.agent import Agent
from echelon.definition.definition import JobDefinition
from echelon.definition.phase import PhaseDefinition
from echelon.model.errors import EchelonError, InvalidJob
from echelon.model.graph import TaskGraph, TaskSpec


@dataclass(frozen=True, kw_only=True)
class PlannedCall:
    """One task: the agent that does it, and the item it does it on."""

    task_id: str
    phase: str
    agent: Agent
    item: Any = None


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """All tasks of a job for given inputs."""

    graph: TaskGraph
    calls: dict[str, PlannedCall]


def expand(job: JobDefinition, inputs: BaseModel) -> Expansion:
    """Find the items of every phase and make one task of each call; `InvalidJob` when two have one key."""
    calls: dict[str, PlannedCall] = {}
    tasks: list[TaskSpec] = []
    has_domains = any(phase.domain for phase in job.phases.values())
    for phase in job.phases.values():
        # Beside phases with domains of their own, a phase without any is one: its agents belong together.
        default_domain = phase.name if has_domains else None
        for call, domain in _calls(phase, inputs, default_domain):
            if call.task_id in calls:
                raise InvalidJob(
                    f"phase {phase.name!r}: two items have the key {call.task_id!r}; give `key=` a function"
                )
            calls[call.task_id] = call
            tasks.append(_spec(phase, call, domain))
    graph = TaskGraph(name=job.name, goal=job.goal, tasks=tuple(tasks), constraints=job.constraints)
    return Expansion(graph=graph, calls=calls)


def _calls(
    phase: PhaseDefinition, inputs: BaseModel, default_domain: str | None
) -> Iterator[tuple[PlannedCall, str | None]]:
    if phase.discover is None:
        for agent in phase.agents:
            yield PlannedCall(task_id=f"{phase.name}/{agent.name}", phase=phase.name, agent=agent), default_domain
        return
    for item in _items(phase, inputs):
        call = PlannedCall(
            task_id=f"{phase.name}/{phase.key(item)}", phase=phase.name, agent=phase.agents[0], item=item
        )
        yield call, phase.domain(item) if phase.domain else default_domain


def _items(phase: PhaseDefinition, inputs: BaseModel) -> list[Any]:
    assert phase.discover is not None, "only a phase with items is asked for them"
    try:
        return phase.discover(inputs)
    except EchelonError:
        raise
    except Exception as error:
        raise InvalidJob(f"phase {phase.name!r}: finding its items failed: {type(error).__name__}: {error}") from error


def _spec(phase: PhaseDefinition, call: PlannedCall, domain: str | None) -> TaskSpec:
    try:
        return TaskSpec(
            id=call.task_id,
            goal=call.agent.goal,
            phase=phase.name,
            needs=phase.needs,
            domain=domain,
            capability=call.agent.name,
            tokens=phase.tokens,
            seconds=phase.seconds,
            irreversible=call.agent.effect == "irreversible",
        )
    except ValidationError as error:
        raise InvalidJob(f"task {call.task_id!r} cannot be planned: {error.errors()[0]['msg']}") from error
