"""What the checklist rests on that a job's definition says: its phases, its agents, what guards each call."""

from collections.abc import Iterator, Sequence

from echelon.agents.agent import Agent
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent
from echelon.agents.model import ModelAgent
from echelon.definition.definition import JobDefinition
from echelon.definition.phase import PhaseDefinition
from echelon.definition.terms import called
from echelon.model.plan import Plan
from echelon.model.policy import Resilience
from echelon.model.run import RunView
from echelon.visibility.checklist.evidence import AgentKind, CallFacts, JobEvidence, PhaseFacts

_KINDS: tuple[tuple[type, AgentKind], ...] = (
    (FunctionAgent, AgentKind.FUNCTION),
    (CommandAgent, AgentKind.COMMAND),
    (ModelAgent, AgentKind.MODEL),
)


def evidence_of(
    job: JobDefinition, plan: Plan, runs: Sequence[RunView] = (), rehearsals: Sequence[RunView] = ()
) -> JobEvidence:
    """Return what is known about a job: its plan, its definition, and the runs and rehearsals on record."""
    return JobEvidence(
        plan=plan,
        phases=tuple(_phase(phase, job.defaults) for phase in job.phases.values()),
        constraints=job.constraints,
        runs=tuple(runs),
        rehearsals=tuple(rehearsals),
    )


def _phase(phase: PhaseDefinition, defaults: Resilience) -> PhaseFacts:
    policy = phase.resilience.over(defaults)
    integrator = phase.integrator
    return PhaseFacts(
        name=phase.name,
        agents=tuple(_call(agent, policy) for agent in phase.agents),
        needs=phase.needs,
        fallbacks=tuple(_stand_ins(phase)),
        merger=_call(integrator.merger, policy) if integrator else None,
        combiner=_call(integrator.combiner, policy) if integrator and integrator.combiner else None,
    )


def _stand_ins(phase: PhaseDefinition) -> Iterator[str]:
    for name in phase.needs:
        yield from (f"{name} → {called(fallback)}" for fallback in phase.need(name).fallbacks)
    for name, fallbacks in phase.fallbacks.items():
        yield from (f"{name} → {called(fallback)}" for fallback in fallbacks)


def _call(agent: Agent, inherited: Resilience) -> CallFacts:
    return CallFacts(
        name=agent.name,
        kind=next((kind for known, kind in _KINDS if isinstance(agent, known)), AgentKind.OTHER),
        contract=_contract(agent.output_type),
        policy=agent.resilience.over(inherited),
    )


def _contract(output_type: object) -> str | None:
    """Name a contract; None for the types that let everything pass."""
    name = getattr(output_type, "__name__", None) or str(output_type)
    return None if name in {"Any", "object"} else name
