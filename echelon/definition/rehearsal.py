"""A dress rehearsal: any plan as a job whose agents only take their time, fail as often as told, and use their tokens.

It runs on the real engine, so that what a plan costs in coordination is seen before real money is spent.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from echelon.agents.call import CallShape
from echelon.agents.decorators import Integrator, PhaseIntegrator
from echelon.agents.function import FunctionAgent, function_agent
from echelon.agents.handoffs import Handoffs
from echelon.agents.outcome import Outcome
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, PlannedCall
from echelon.definition.graphs.graph_job import rehearsal_name
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.definition.redundancy.redundancy import DONE_ONCE, Redundancy
from echelon.model.assignment import Brief
from echelon.model.errors import AgentFailed, InvalidInput
from echelon.model.graph import CapacityLimit, Coupling, TaskGraph, TaskSpec, WorkerKind
from echelon.model.plan import PhasePlan, Plan
from echelon.model.policy import BulkheadPolicy, RateLimitPolicy, Resilience
from echelon.model.usage import Usage
from echelon.planning.rehearsal import rehearsed
from echelon.planning.schedule.order import producers_of

#: SOURCE of a run that is a rehearsal: what it needs is in its plan, which is on record.
REHEARSAL_SOURCE = "rehearsal"

#: Longest time that one simulated agent may take, in seconds: a rehearsal is to be cheap.
MAX_SECONDS = 86_400.0


class Rehearsal(BaseModel):
    """How a rehearsal differs from the real thing: the inputs of its job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: float = Field(default=1.0, ge=0, le=1000, allow_inf_nan=False)
    """Factor on all stated seconds."""
    failure_rate: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    """Share of the agents that fail for good."""
    seed: int = 0
    """Decides which agents fail."""


def read_rehearsal(told: Mapping[str, object]) -> Rehearsal:
    """Return how to rehearse; `InvalidInput` names the option that makes no sense."""
    try:
        return Rehearsal.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise InvalidInput(f"--{option} {first['input']}: {first['msg'].lower()}") from error


class SimulatedTask(BaseModel):
    """What a simulated agent is told."""

    id: str
    seconds: float
    tokens: int | None
    fails: bool
    failing: tuple[int, ...] = ()
    """Replicas behind the first, or the standby, that fail (F9)."""


class Simulated(BaseModel):
    """What a simulated agent, or an integration of many, delivers."""

    agents: int
    """Agents whose work this is."""
    seconds: float
    """Working time simulated."""


class RehearsalJob(JobDefinition):
    """A plan as a job with simulated agents. What is left to decide are its inputs: how it differs from the plan."""

    def __init__(self, plan: Plan, rehearsal: Rehearsal) -> None:
        """Take a plan that was made for a rehearsal; `InvalidInput` when an agent would work for more than a day."""
        # Simulated coordinators say nothing about how real ones would be outgrown.
        super().__init__(plan.job, goal=plan.goal, inputs=Rehearsal, adapt="off", notify=())
        self.source = REHEARSAL_SOURCE
        self.plan = plan
        longest = max((task.seconds or 0.0 for task in self.plan.tasks), default=0.0)
        if longest > MAX_SECONDS:
            raise InvalidInput(
                f"cannot rehearse: an agent would take {longest:,.0f} s; give a --scale below {rehearsal.scale:g}"
            )
        integration = _integrator(self.plan.priors.integration_seconds)
        self.phases = {phase.name: _phase(phase, self.plan, integration) for phase in self.plan.phases}
        self.expansion = self._expand(rehearsal)

    @classmethod
    def of(cls, plan: Plan, rehearsal: Rehearsal) -> Self:
        """Prepare the rehearsal of any plan, within its limits."""
        ready = rehearsed(plan, rehearsal.scale)
        return cls(ready.model_copy(update={"job": rehearsal_name(plan.job)}), rehearsal)

    def _expand(self, rehearsal: Rehearsal) -> Expansion:
        tasks = {task.id: task for task in self.plan.tasks}
        calls: dict[str, PlannedCall] = {}
        for phase in self.plan.phases:
            doers = dict(zip(_roles(phase, tasks), self.phases[phase.name].agents, strict=True))
            for task in phase.tasks:
                agent, part = doers[_role(tasks[task])], _part(tasks[task], rehearsal)
                calls[task] = PlannedCall(task_id=task, phase=phase.name, agent=agent, item=part)
        return Expansion(graph=TaskGraph(name=self.name, goal=self.goal, tasks=self.plan.tasks), calls=calls)


def _part(task: TaskSpec, rehearsal: Rehearsal) -> SimulatedTask:
    # A generator for each agent: who fails does not depend on the order of the tasks.
    def fails(who: str) -> bool:
        return random.Random(f"{rehearsal.seed}/{who}").random() < rehearsal.failure_rate  # noqa: S311

    others = range(2, task.replicas + (task.standby is not None) + 1)
    return SimulatedTask(
        id=task.id,
        seconds=task.seconds or 0.0,
        tokens=task.tokens,
        fails=fails(task.id),
        failing=tuple(number for number in others if fails(f"{task.id}#{number}")),
    )


#: What decides which slots an agent takes: its kind, and the provider that it calls.
_Role = tuple[WorkerKind, str | None]


def _role(task: TaskSpec) -> _Role:
    return task.works_as, task.provider


def _roles(phase: PhasePlan, tasks: Mapping[str, TaskSpec]) -> Sequence[_Role]:
    return tuple(dict.fromkeys(_role(tasks[task]) for task in phase.tasks))


def _simulated(kind: WorkerKind, limit: CapacityLimit | None) -> "FunctionAgent[..., object]":
    """Return a simulated agent that takes the slots of the real one, and keeps within the limits of its provider."""
    policy = Resilience()
    if limit is not None:
        rates = {"requests_per_minute": limit.requests_per_minute, "tokens_per_minute": limit.tokens_per_minute}
        policy = Resilience(
            # Not that of the real calls: in a rehearsal its minutes last as long as all else does.
            provider=f"rehearsed {limit.provider}, {limit.stated}",
            bulkhead=BulkheadPolicy(max_concurrency=limit.at_once, max_queue=None) if limit.at_once else None,
            rate_limit=RateLimitPolicy(**rates) if any(rates.values()) else None,
        )
    return replace(SIMULATED, kind=kind, resilience=policy)


def _phase(phase: PhasePlan, plan: Plan, integrator: PhaseIntegrator) -> PhaseDefinition:
    tasks = {task.id: task for task in plan.tasks}
    phase_of = {task: earlier.name for earlier in plan.phases for task in earlier.tasks}
    used = {phase_of[producer] for task in phase.tasks for producer in producers_of(tasks[task])}
    needs = tuple(earlier.name for earlier in plan.phases if earlier.name in used)
    shape = CallShape(inputs_type=Rehearsal, takes_item=True, upstream=needs)
    limits = {limit.provider: limit for limit in plan.limits if limit.provider is not None}
    return PhaseDefinition(
        name=phase.name,
        agents=tuple(
            _simulated(kind, limits.get(provider or "")).bind(shape) for kind, provider in _roles(phase, tasks)
        ),
        needs=needs,
        # Who cannot run without what is told by the couplings of the tasks, one by one (D3).
        couplings={name: Need(name, Coupling.LOOSE) for name in needs},
        integrator=integrator.bind(shape),
        redundancy=Redundancy(standby=SIMULATED.bind(shape)) if phase.standby else DONE_ONCE,
    )


async def simulate(part: SimulatedTask, brief: Brief) -> Outcome[Simulated]:
    """Take the stated time."""
    await asyncio.sleep(part.seconds)
    if part.fails if brief.replica <= 1 else brief.replica in part.failing:
        raise AgentFailed("failed as the rehearsal asked")
    return Outcome(
        output=Simulated(agents=1, seconds=part.seconds),
        summary=f"worked for {part.seconds:g} s",
        usage=Usage(tokens_in=part.tokens, calls=1),
    )


SIMULATED: FunctionAgent[..., object] = function_agent(simulate, name="simulated")


def _integrator(seconds: float) -> PhaseIntegrator:
    """Return an integrator that takes its time and adds up what it received."""

    async def merge(received: Handoffs[Simulated]) -> Simulated:
        """Add up what agents delivered."""
        await asyncio.sleep(seconds)
        outputs = received.outputs()
        return Simulated(agents=sum(o.agents for o in outputs), seconds=sum(o.seconds for o in outputs))

    async def combine(received: Handoffs[Simulated]) -> Simulated:
        """Add up what others added up."""
        return await merge(received)

    return Integrator(merger=function_agent(merge), combiner=function_agent(combine))
