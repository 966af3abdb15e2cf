"""What the checklist rests on that a job's definition says: its phases, its agents, what guards each call."""

from collections.abc import Iterator, Sequence

from echelon.agents.agent import Agent
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent
from echelon.agents.model import ModelAgent
from echelon.contract.declared import criteria_in, says_nothing
from echelon.contract.version import type_name
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import declared_words
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.definition.terms import called
from echelon.model.edges import OutputType
from echelon.model.graph import Coupling
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
        phases=tuple(_phase(phase, job) for phase in job.phases.values()),
        graph_agents=tuple(_call(one, job.defaults) for one in job.graph_agents.everybody.agents)
        if job.graph_agents
        else (),
        constraints=job.constraints,
        vocabularies=tuple(job.graph.vocabularies if job.graph else declared_words(job)),
        runs=tuple(runs),
        rehearsals=tuple(rehearsals),
    )


def _phase(phase: PhaseDefinition, job: JobDefinition) -> PhaseFacts:
    policy = phase.resilience.over(job.defaults)
    integrator = phase.integrator
    return PhaseFacts(
        name=phase.name,
        agents=tuple(_call(agent, policy) for agent in phase.agents),
        needs=phase.needs,
        unstated=tuple(name for name in phase.needs if phase.need(name).coupling is None),
        unsettled=tuple(name for name in phase.needs if not _settled(phase.need(name), job.phases[name])),
        fallbacks=tuple(_stand_ins(phase)),
        merger=_call(integrator.merger, policy) if integrator else None,
        combiner=_call(integrator.combiner, policy) if integrator and integrator.combiner else None,
    )


def _settled(need: Need, needed: PhaseDefinition) -> bool:
    """Tell whether it is stated what happens when a phase does not deliver: a fallback, or consumers stop (F2)."""
    if need.coupling in {Coupling.TIGHT, Coupling.NONE} or need.fallbacks:
        return True
    return all(needed.fallbacks.get(agent.name) for agent in needed.agents)


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
        criteria=criteria_in(agent.output_type),
    )


def _contract(output_type: OutputType) -> str | None:
    """Name a contract; None for the types that let everything pass."""
    return None if says_nothing(output_type) else type_name(output_type)
