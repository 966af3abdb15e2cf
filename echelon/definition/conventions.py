"""What conventions may say of a job: which mechanisms it has switched on, and what each of its agents can do (K)."""

from collections.abc import Iterator

from echelon.agents.agent import Agent, HasVoice
from echelon.conventions.facts import AUDIENCES, Audience, BriefReader, JobFacts
from echelon.definition.definition import JobDefinition
from echelon.definition.facts import kind_of
from echelon.definition.nested import agents_of_phase
from echelon.definition.oversight.peers import peers_of
from echelon.definition.phase import PhaseDefinition
from echelon.definition.sync.early import integrates_early


def job_facts(job: JobDefinition) -> JobFacts:
    """Return what a job has switched on."""
    pairs = [(agent, phase) for phase in _phases(job) for agent in agents_of_phase(phase)]
    autonomy = job.oversight.autonomy
    policies = [agent.resilience.over(phase.resilience).over(job.defaults) for agent, phase in pairs]
    return JobFacts(
        agents=frozenset(one for agent, _ in pairs if (one := audience_of(agent))),
        speaking=frozenset(one for agent, _ in pairs if (one := audience_of(agent)) and has_voice(agent)),
        breakers=tuple(dict.fromkeys(policy.breaker for policy in policies if policy.breaker)),
        flexible=any(policy.contract == "flexible" for policy in policies),
        fallbacks=any(map(_has_fallbacks, _phases(job))),
        kept=tuple(phase.name for phase in _phases(job) if phase.reuse is not None),
        adapt=job.adapt,
        verifiers=tuple(dict.fromkeys(one.name for each in _phases(job) for one in each.judges.critical.verifiers)),
        auditors=tuple(dict.fromkeys(one.judges.auditor.name for one in _phases(job) if one.judges.auditor)),
        audited=job.oversight.audit is not None,
        autonomy=autonomy.terms if autonomy else None,
        peers=tuple(
            dict.fromkeys(one.name for each in _phases(job) for one in peers_of(autonomy, each, job.inputs_type))
        ),
        flat=tuple(phase.name for phase in _phases(job) if phase.flat),
        early=tuple(phase.name for phase in _phases(job) if integrates_early(phase)),
    )


def reader_of(agent: Agent, phase: str, *, receives: bool, does_task: bool) -> BriefReader | None:
    """Return who is told, where an agent works in a phase; None for a job, whose own agents are told of their own."""
    audience = audience_of(agent)
    return BriefReader(audience, has_voice(agent), phase, receives, does_task) if audience else None


def audience_of(agent: Agent) -> Audience | None:
    """Return as what an agent is told things; None for a job."""
    return AUDIENCES.get(kind_of(agent))


def has_voice(agent: Agent) -> bool:
    """Say whether an agent can speak up while it works: each can that does not say otherwise (X15)."""
    return not isinstance(agent, HasVoice) or agent.voice


def _phases(job: JobDefinition) -> Iterator[PhaseDefinition]:
    """Yield the phases of a job; those of a task graph are not known before its plan, but who works in them is."""
    if job.phases:
        yield from job.phases.values()
    elif job.graph_agents is not None:
        yield job.graph_agents.everybody


def _has_fallbacks(phase: PhaseDefinition) -> bool:
    return any(phase.fallbacks.values()) or any(need.fallbacks for need in phase.couplings.values())
