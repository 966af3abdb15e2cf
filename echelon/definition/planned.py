"""Decide for a job and its inputs: the plan, and who is called for each of its tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from echelon.agents.agent import cannot_be_undone
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion, Found, check_runnable, expand
from echelon.definition.limits import limits_of
from echelon.definition.merging.features import features_of
from echelon.definition.phase import PhaseDefinition, integrators_of
from echelon.definition.rehearsal import RehearsalJob
from echelon.definition.rolling.independence import check_findings
from echelon.definition.runnable_graph import graph_calls, graph_plan, in_phases
from echelon.definition.terms import terms_of
from echelon.model.graph import CapacityLimit
from echelon.model.plan import Plan, Reason
from echelon.model.terms import OpenPhase
from echelon.planning.domains import domains_of
from echelon.planning.planner import plan
from echelon.planning.regime import Priority
from echelon.planning.spending import with_rounds


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a run carries out."""

    job: JobDefinition
    """The job, with the phases of the plan: a task graph has none before it is planned."""
    plan: Plan
    expansion: Expansion


def planned(
    job: JobDefinition,
    inputs: BaseModel,
    *,
    priority: Priority | None = None,
    limits: Sequence[CapacityLimit] | None = None,
    found: Found = MappingProxyType({}),
    spans: Mapping[str, int] = MappingProxyType({}),
) -> Planned:
    """Plan a job and find its calls; a rehearsal has both already. `InvalidInput` for a graph that lacks agents.

    `limits` bound how many agents are at work at one time; None: those that the job states, or the usual ones. `found`
    are the items that were found on the way; phases whose items are not among them stay open (X12). `spans` are
    those that the run has changed in parts of its tree, by phase (R10).
    """
    if isinstance(job, RehearsalJob):
        return Planned(job=job, plan=job.plan, expansion=job.expansion)
    if job.graph is not None:
        check_runnable(job)
        made = graph_plan(job, priority, limits_of(job) if limits is None else limits)
        return Planned(job=in_phases(job, made), plan=made, expansion=graph_calls(job, made))
    expansion = expand(job, inputs, found)
    features = features_of(job, expansion)
    expansion = features.merged(expansion)
    made = plan(
        expansion.graph,
        phase_order=tuple(job.phases),
        span=job.span,
        priority=priority,
        limits=limits_of(job) if limits is None else limits,
        agents_fixed=True,
        grown=grown_phases(job),
        together=features.together,
        spans={**dict.fromkeys(adapting_phases(job)), **spans},
    )
    phases = tuple(phase.model_copy(update=_declared(job, job.phases[phase.name])) for phase in made.phases)
    still_open = tuple(_open(phase) for phase in job.phases.values() if phase.is_open and phase.name not in found)
    changes: dict[str, object] = {
        "terms": terms_of(job),
        "phases": phases,
        "spending": with_rounds(made.spending, expansion.graph, {phase.name: phase.rounds for phase in phases}),
        "open": still_open,
        "reasons": (*made.reasons, *features.reasons, *map(_why_open, still_open)),
        "findings": (*made.findings, *features.findings, *check_findings(job)),
    }
    whole = made.model_copy(update=changes)
    return Planned(job=job, plan=whole.model_copy(update={"domains": domains_of(whole)}), expansion=expansion)


def grown_phases(job: JobDefinition) -> tuple[str, ...]:
    """Return the phases that find their items on the way."""
    return tuple(phase.name for phase in job.phases.values() if phase.is_open)


def adapting_phases(job: JobDefinition) -> tuple[str, ...]:
    """Return the phases whose part of the tree may change while the job runs: those behind a sync point (R10)."""
    return tuple(phase.name for phase in job.phases.values() if phase.needs) if job.adapt == "apply" else ()


def _open(phase: PhaseDefinition) -> OpenPhase:
    return OpenPhase(
        phase=phase.name,
        after=phase.needs,
        finder=phase.finder.name,
        agent=phase.agents[0].name,
        items=phase.items,
        irreversible=any(map(cannot_be_undone, phase.agents)),
    )


def _why_open(phase: OpenPhase) -> Reason:
    planned_then = "planned, linted and forecast then, within the budget, and on record before it begins"
    return Reason(rule="X12", text=f"phase {phase.phase!r}: {phase.known}; {planned_then}")


def _declared(job: JobDefinition, phase: PhaseDefinition) -> dict[str, object]:
    """Return what a phase of a plan takes from its definition."""
    integrations = ("none", "primary", "staged")
    loop = next((one for one in job.loops if phase.name in one.members), None)
    repetition = loop.repetition if loop else phase.repetition
    return {
        "single": phase.single,
        "integration": integrations[len(integrators_of(phase))],
        "when": phase.condition.name if phase.condition else "",
        "until": repetition.check.name if repetition else "",
        "rounds": repetition.rounds if repetition else 1,
        "loop": loop.members if loop else (),
    }
